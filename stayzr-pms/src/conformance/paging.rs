//! How pages follow each other.

use serde_json::{Value, json};
use stayzr_core::transform::EntityKind;

use super::{
    Case, Outcome, Stop,
    report::{ensure, fail},
};
use crate::provider::{PageQuery, RecordPage};

/// Some kind comes in more than one page, or the bench shows nothing about pages.
pub async fn some_kind_has_more_than_one_page(case: &Case<'_>) -> Outcome {
    paged(case).await.map(drop)
}

/// A page that is not the last brings the next one on its way, and the last has no `next`.
pub async fn pages_end_and_none_is_read_in_vain(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().read.clone() {
        let pages = case.pages(&*case.provider, kind, None).await?;
        let mut positions: Vec<&Value> = Vec::new();
        for next in pages.iter().filter_map(|page| page.next.as_ref()) {
            ensure(!positions.contains(&next), || {
                format!("{kind}: the same position comes twice: {next}")
            })?;
            positions.push(next);
        }
    }
    Ok(())
}

/// A run goes on in another process: `next` as text leads another provider to the same page.
pub async fn a_position_goes_on_in_another_process(case: &Case<'_>) -> Outcome {
    let (kind, pages) = paged(case).await?;
    let other = case.another()?;
    for (index, page) in pages.iter().enumerate() {
        let Some(next) = &page.next else { continue };
        let position: Value = serde_json::from_str(&next.to_string())
            .map_err(|error| fail(format!("{kind}: the position does not survive: {error}")))?;
        let read = other.fetch_page(&at(kind, position)).await?;
        let expected = pages.get(index + 1).map(ids);
        ensure(Some(ids(&read)) == expected, || {
            format!(
                "{kind}: page {} is another one in another process",
                index + 2
            )
        })?;
    }
    Ok(())
}

/// A page may be asked for again: after a crash the run repeats its last one.
pub async fn a_page_can_be_read_again(case: &Case<'_>) -> Outcome {
    let (kind, pages) = paged(case).await?;
    let Some(next) = pages.first().and_then(|page| page.next.clone()) else {
        return Err(fail(format!("{kind}: no second page")));
    };
    let first = case.provider.fetch_page(&at(kind, next.clone())).await?;
    let again = case.provider.fetch_page(&at(kind, next)).await?;
    ensure(ids(&first) == ids(&again), || {
        format!("{kind}: the same position gives another page")
    })
}

/// A position that is not the provider's is an error, not the first page once more.
pub async fn a_strange_position_is_an_error(case: &Case<'_>) -> Outcome {
    let (kind, _) = paged(case).await?;
    let strange = json!({"nobody": ["wrote", "this"]});
    match case.provider.fetch_page(&at(kind, strange)).await {
        Err(error) if !error.is_retryable() => Ok(()),
        Err(error) => Err(fail(format!(
            "{kind}: it would be tried again for ever: {error}"
        ))),
        Ok(_) => Err(fail(format!(
            "{kind}: a page for a position that nobody gave"
        ))),
    }
}

fn at(kind: EntityKind, position: Value) -> PageQuery {
    PageQuery {
        kind,
        changed: None,
        position: Some(position),
    }
}

fn ids(page: &RecordPage) -> Vec<String> {
    let ids = page.records.iter().map(|record| record.external_id.clone());
    ids.collect()
}

/// The first kind that comes in several pages, with them.
async fn paged(case: &Case<'_>) -> Result<(EntityKind, Vec<RecordPage>), Stop> {
    for kind in case.capabilities().read.clone() {
        let pages = case.pages(&*case.provider, kind, None).await?;
        if pages.len() > 1 {
            return Ok((kind, pages));
        }
    }
    Err(fail(
        "no kind of the bench comes in more than one page: give it more records or smaller pages",
    ))
}
