//! What is removed, and what is merged.

use stayzr_core::transform::EntityKind;

use super::{
    Act, Case, Outcome, Stop,
    report::{ensure, fail},
};

/// A record that was removed is in no page, and the others are.
pub async fn what_was_removed_is_in_no_page(case: &Case<'_>) -> Outcome {
    let kinds = case.capabilities().read.clone();
    for kind in &kinds {
        case.whole(*kind, None).await?;
    }
    let (kind, id, _) = case.first_act(&kinds, Act::Remove).await?;
    let page = case.whole(kind, None).await?;
    ensure(
        page.records.iter().all(|record| record.external_id != id),
        || format!("{kind} {id} was removed, and is read"),
    )?;
    ensure(!page.records.is_empty(), || {
        format!("{kind}: with {id} all are gone")
    })
}

/// Asked for by id it is missing, neither an error nor parked.
pub async fn what_was_removed_is_missing_by_id(case: &Case<'_>) -> Outcome {
    let kinds: Vec<EntityKind> = case.capabilities().by_id.keys().copied().collect();
    // What was read before must not be given from memory.
    for kind in &kinds {
        let first = case.ids(*kind).await?.into_iter().take(1);
        let ids: Vec<String> = first.collect();
        case.provider.fetch_ids(*kind, &ids).await?;
    }
    let (kind, id, _) = case.first_act(&kinds, Act::Remove).await?;
    let page = case
        .provider
        .fetch_ids(kind, std::slice::from_ref(&id))
        .await?;
    ensure(page.records.is_empty() && page.parked.is_empty(), || {
        format!("{kind} {id} was removed, and is still told of")
    })
}

/// A record that was merged is read under its own id and names the one that remains.
pub async fn what_was_merged_names_what_remains(case: &Case<'_>) -> Outcome {
    let mut seen = false;
    for kind in case.capabilities().by_id.clone().into_keys() {
        let mut ids = case.ids(kind).await?.into_iter();
        let (Some(remains), Some(merged)) = (ids.next(), ids.next()) else {
            continue;
        };
        let act = Act::MergeInto(remains.clone());
        if case.vendor.act(act, kind, &merged).await?.is_none() {
            continue;
        }
        seen = true;
        let Some(record) = case.one(kind, &merged).await? else {
            return Err(fail(format!(
                "{kind} {merged} was merged and is not read any more"
            )));
        };
        ensure(
            record.merged_into.as_deref() == Some(remains.as_str()),
            || {
                format!(
                    "{kind} {merged} was merged into {remains}, and says {:?}",
                    record.merged_into
                )
            },
        )?;
        let stays = case.there(kind, &remains).await?;
        ensure(stays.merged_into.is_none(), || {
            format!("{kind} {remains} remains, and says that it was merged")
        })?;
    }
    if seen {
        Ok(())
    } else {
        Err(Stop::Skip("this vendor merges no records".to_owned()))
    }
}
