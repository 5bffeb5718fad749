//! What changed in a span of time.

use chrono::{TimeDelta, TimeZone, Utc};
use stayzr_core::transform::EntityKind;

use super::{
    Act, Case, Done, Outcome, Stop,
    case::Span,
    report::{ensure, fail},
};

/// In a span before the hotel had a record nothing changed.
pub async fn a_quiet_span_is_empty(case: &Case<'_>) -> Outcome {
    let start = Utc.with_ymd_and_hms(1990, 1, 1, 0, 0, 0).single();
    let start = start.ok_or_else(|| fail("the day exists"))?;
    for kind in case.capabilities().changed_since.clone() {
        let page = case
            .whole(kind, Some((start, start + TimeDelta::hours(1))))
            .await?;
        ensure(page.records.is_empty(), || {
            format!(
                "{kind}: {} records are said to have changed in 1990",
                page.records.len()
            )
        })?;
    }
    Ok(())
}

/// A change at the vendor is in the span around it, as it now stands.
pub async fn a_change_is_in_its_span(case: &Case<'_>) -> Outcome {
    let mut seen = false;
    for kind in case.capabilities().changed_since.clone() {
        let Some((id, field, value)) = touch(case, kind, 0).await? else {
            continue;
        };
        seen = true;
        let page = case.whole(kind, Some(around_now())).await?;
        let found = page.records.iter().find(|record| record.external_id == id);
        let Some(found) = found else {
            return Err(fail(format!("{kind} {id} changed and is not in the span")));
        };
        ensure(found.fields.get(field) == Some(&value), || {
            format!("{kind} {id}: {field} is not what it was changed to")
        })?;
    }
    shown(seen)
}

/// Changes of several records are all there, however many pages they fill.
pub async fn every_change_is_in_the_span(case: &Case<'_>) -> Outcome {
    let mut seen = false;
    for kind in case.capabilities().changed_since.clone() {
        let mut changed = Vec::new();
        for index in 0..12 {
            changed.extend(touch(case, kind, index).await?.map(|(id, ..)| id));
        }
        seen |= !changed.is_empty();
        let page = case.whole(kind, Some(around_now())).await?;
        for id in changed {
            ensure(
                page.records.iter().any(|record| record.external_id == id),
                || format!("{kind} {id} is one of several that changed, and is not in the span"),
            )?;
        }
    }
    shown(seen)
}

/// A span that ended before a change does not hold it, unless it was stamped before.
pub async fn a_span_ends_where_it_ends(case: &Case<'_>) -> Outcome {
    let mut seen = false;
    for kind in case.capabilities().changed_since.clone() {
        let Some((id, ..)) = touch(case, kind, 0).await? else {
            continue;
        };
        seen = true;
        let end = Utc::now() - TimeDelta::hours(2);
        let page = case
            .whole(kind, Some((end - TimeDelta::hours(20), end)))
            .await?;
        ensure(
            page.records.iter().all(|record| record.external_id != id),
            || format!("{kind} {id} changed now, and is in a span that ended two hours ago"),
        )?;
    }
    shown(seen)
}

/// The longest span that is declared is taken.
pub async fn the_longest_span_is_taken(case: &Case<'_>) -> Outcome {
    let Some(longest) = case.capabilities().max_changed_span_seconds else {
        return Err(Stop::Skip("spans of any length are taken".to_owned()));
    };
    let now = Utc::now();
    for kind in case.capabilities().changed_since.clone() {
        case.whole(kind, Some((now - TimeDelta::seconds(longest), now)))
            .await?;
    }
    Ok(())
}

/// A later state has a greater mark of version, as text.
pub async fn later_states_have_greater_marks(case: &Case<'_>) -> Outcome {
    let mut seen = false;
    for kind in case.capabilities().read.clone() {
        let mut last: Option<String> = None;
        // Past ten a number that is not padded sorts before nine.
        for _ in 0..12 {
            let Some((id, ..)) = touch(case, kind, 0).await? else {
                break;
            };
            seen = true;
            let mark = case.there(kind, &id).await?.version;
            ensure(mark.is_some() || last.is_none(), || {
                format!("{kind} {id} lost its mark")
            })?;
            ensure(mark >= last, || {
                format!("{kind} {id}: the later mark {mark:?} sorts before {last:?}")
            })?;
            last = mark;
        }
    }
    shown(seen)
}

/// From a little before now, since vendors stamp whole seconds, to well after it.
fn around_now() -> Span {
    let now = Utc::now();
    (now - TimeDelta::minutes(1), now + TimeDelta::minutes(1))
}

/// Changes the record of this index at the vendor.
async fn touch(
    case: &Case<'_>,
    kind: EntityKind,
    index: usize,
) -> Result<Option<(String, &'static str, serde_json::Value)>, Stop> {
    let Some(id) = case.ids(kind).await?.into_iter().nth(index) else {
        return Ok(None);
    };
    match case.vendor.act(Act::Change, kind, &id).await? {
        None => Ok(None),
        Some(Done::Reads(field, value)) => Ok(Some((id, field, value))),
        Some(done) => Err(fail(format!("the bench answers a change with {done:?}"))),
    }
}

fn shown(seen: bool) -> Outcome {
    if seen {
        return Ok(());
    }
    Err(Stop::Skip(
        "nobody at the vendor changes such records".to_owned(),
    ))
}
