//! Records by id: [`fetch_ids`](crate::PmsProvider::fetch_ids).

use std::collections::BTreeSet;

use super::{
    Case, Outcome,
    reading::difference,
    report::{ensure, fail},
};

/// An id that nobody has, in the form of most vendors' ids.
pub(super) const STRANGER: &str = "00000000-0000-4000-8000-00000000dead";

/// As many as are declared come in one call.
pub async fn as_many_as_declared_come_in_one_call(case: &Case<'_>) -> Outcome {
    for (kind, most) in case.capabilities().by_id.clone() {
        ensure(most > 0, || {
            format!("{kind}: zero ids in a call are no way to ask")
        })?;
        let asked: Vec<String> = case.ids(kind).await?.into_iter().take(most).collect();
        let page = case.provider.fetch_ids(kind, &asked).await?;
        let got: BTreeSet<&String> = page.records.iter().map(|it| &it.external_id).collect();
        let missing = asked.iter().filter(|id| !got.contains(id)).count();
        ensure(missing == 0, || {
            format!(
                "{kind}: {missing} of {} ids are missing from the page",
                asked.len()
            )
        })?;
        ensure(got.len() == asked.len(), || {
            format!("{kind}: records that nobody asked for")
        })?;
    }
    Ok(())
}

/// A record reads the same from a page and by its id: else every second run finds news.
pub async fn a_record_is_the_same_from_a_page_and_by_id(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().by_id.clone().into_keys() {
        if !case.capabilities().read.contains(&kind) {
            continue;
        }
        for record in case.whole(kind, None).await?.records.iter().take(20) {
            let one = case.one(kind, &record.external_id).await?;
            ensure(one.as_ref() == Some(record), || {
                format!(
                    "{kind} {}: by id differs: {}",
                    record.external_id,
                    difference(record, one.as_ref())
                )
            })?;
        }
    }
    Ok(())
}

/// Ids that the vendor does not know are missing from the page; the others are there.
pub async fn strangers_are_missing_and_nothing_else(case: &Case<'_>) -> Outcome {
    for (kind, most) in case.capabilities().by_id.clone() {
        let known: Vec<String> = case.ids(kind).await?.into_iter().take(2).collect();
        let alone = case
            .provider
            .fetch_ids(kind, &[STRANGER.to_owned()])
            .await?;
        ensure(alone.records.is_empty() && alone.parked.is_empty(), || {
            format!("{kind}: something is read for an id that nobody has")
        })?;
        if most <= known.len() {
            continue;
        }
        let mut asked = vec![STRANGER.to_owned()];
        asked.extend(known.iter().cloned());
        let page = case.provider.fetch_ids(kind, &asked).await?;
        for id in &known {
            ensure(
                page.records.iter().any(|record| &record.external_id == id),
                || format!("{kind} {id} is missing beside an id that nobody has"),
            )?;
        }
    }
    Ok(())
}

/// Nobody asked for is an empty page.
pub async fn no_ids_are_an_empty_page(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().by_id.clone().into_keys() {
        let page = case.provider.fetch_ids(kind, &[]).await?;
        ensure(page.records.is_empty() && page.parked.is_empty(), || {
            format!("{kind}: records without an id asked for")
        })?;
    }
    Ok(())
}

/// More than declared are refused or answered whole, never cut.
pub async fn more_than_declared_are_never_cut(case: &Case<'_>) -> Outcome {
    for (kind, most) in case.capabilities().by_id.clone() {
        let ids = case.ids(kind).await?;
        if ids.len() <= most {
            continue;
        }
        match case.provider.fetch_ids(kind, &ids).await {
            Err(error) if !error.is_retryable() => {}
            Err(error) => return Err(fail(format!("{kind}: tried again for ever: {error}"))),
            Ok(page) => ensure(page.records.len() >= ids.len(), || {
                format!(
                    "{kind}: {} of {} are cut off in silence",
                    ids.len() - page.records.len(),
                    ids.len()
                )
            })?,
        }
    }
    Ok(())
}

/// A kind that is not declared is refused.
pub async fn undeclared_kinds_are_unsupported(case: &Case<'_>) -> Outcome {
    use stayzr_core::{ErrorKind, transform::EntityKind};
    for kind in EntityKind::ALL {
        if case.capabilities().by_id.contains_key(&kind) {
            continue;
        }
        match case.provider.fetch_ids(kind, &[STRANGER.to_owned()]).await {
            Err(error) if error.kind() == ErrorKind::Unsupported => {}
            Err(error) => return Err(fail(format!("{kind}: not unsupported: {error}"))),
            Ok(_) => return Err(fail(format!("{kind}: a page of what is not declared"))),
        }
    }
    Ok(())
}
