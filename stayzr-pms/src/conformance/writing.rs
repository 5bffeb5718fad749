//! What a push does, and what it leaves alone.

use serde_json::Value;
use stayzr_core::{
    ErrorKind,
    model::ExternalRef,
    transform::{EntityKind, FieldMap},
};

use super::{
    Act, Call, Case, Done, Outcome, Stop,
    access::said,
    by_id::STRANGER,
    case::{is_refusal, link_target},
    reading::{difference, holds_extra},
    report::{ensure, fail},
};
use crate::provider::{Push, PushOutcome, RemoteRecord};

/// The record that a push gives back is the one that a read after it gives.
pub async fn applied_is_what_a_read_gives(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().update.clone() {
        let taken = case.any_change(kind).await?;
        let read = case.there(kind, &taken.applied.external_id).await?;
        ensure(read == taken.applied, || {
            format!(
                "{kind} {}: the push gave back another record than a read: {}",
                read.external_id,
                difference(&taken.applied, Some(&read))
            )
        })?;
        ensure(
            taken.applied.external_id == taken.before.external_id,
            || format!("{kind}: the push gave back another record's id"),
        )?;
    }
    Ok(())
}

/// A field that was not in the push reads as it did.
pub async fn other_fields_stay_as_they_are(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().update.clone() {
        let rules = case.provider.fields(kind);
        for rule in case.writable(kind) {
            let Some(taken) = case.change(kind, rule.field).await? else {
                continue;
            };
            let after = case.there(kind, &taken.before.external_id).await?;
            for (field, value) in taken.before.fields.iter() {
                // What the vendor computes from a field may follow it.
                let shared = rules
                    .iter()
                    .any(|rule| rule.field == field && rule.writable);
                if !shared || taken.push.changed.contains(field) {
                    continue;
                }
                ensure(after.fields.get(field) == Some(value), || {
                    format!("{kind}.{field} changed with a push of {}", rule.field)
                })?;
            }
        }
    }
    Ok(())
}

/// Telling the vendor what stands there already leaves its record exactly as it is: nothing that is
/// computed is written back, and nothing is written in another form.
pub async fn a_push_of_what_stands_there_changes_nothing(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().update.clone() {
        let mut shown = 0;
        for id in case.ids(kind).await?.into_iter().take(40) {
            for rule in case.writable(kind) {
                let now = case.there(kind, &id).await?;
                shown += u32::from(stays(case, &now, rule.field).await?);
            }
            if shown >= 4 {
                break;
            }
        }
        ensure(shown > 0, || {
            format!("{kind}: no field that stands there could be written again")
        })?;
    }
    Ok(())
}

/// Writes a field as it stands. Whether the vendor took it.
async fn stays(case: &Case<'_>, now: &RemoteRecord, field: &str) -> Result<bool, Stop> {
    let (kind, id) = (now.kind, &now.external_id);
    let value = now.fields.get(field).filter(|value| !value.is_null());
    let Some(value) = value else { return Ok(false) };
    let before = case.vendor.look(kind, id).await?;
    let push = Push {
        base: now.fields.clone(),
        changed: [(field.to_owned(), value.clone())].into_iter().collect(),
        ..empty(kind, Some(id.clone()))
    };
    match case.provider.push(&push).await {
        Ok(PushOutcome::Applied(_)) => {}
        Ok(PushOutcome::Unsupported(_)) => return Ok(false),
        Ok(outcome) => return Err(fail(format!("{kind} {id}: {}", said(&outcome)))),
        Err(error) if is_refusal(&error) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    let after = case.vendor.look(kind, id).await?;
    ensure(before == after, || {
        format!(
            "{kind} {id}: {field} was written as it stood, and these changed at the vendor: {}",
            leaves(before.as_ref(), after.as_ref())
        )
    })?;
    Ok(true)
}

fn leaves(before: Option<&Value>, after: Option<&Value>) -> String {
    let (Some(Value::Object(before)), Some(Value::Object(after))) = (before, after) else {
        return "the whole record".to_owned();
    };
    let keys = before.keys().chain(after.keys());
    let mut changed: Vec<&str> = keys
        .filter(|key| before.get(*key) != after.get(*key))
        .map(String::as_str)
        .collect();
    changed.dedup();
    changed.join(", ")
}

/// What somebody at the vendor changed since the base was read is not written over by a push of
/// another field.
pub async fn a_change_made_meanwhile_survives(case: &Case<'_>) -> Outcome {
    let mut seen = false;
    for kind in case.capabilities().update.clone() {
        for rule in case.writable(kind) {
            let Some(taken) = case.change(kind, rule.field).await? else {
                continue;
            };
            let id = &taken.before.external_id;
            let Some(Done::Reads(field, value)) = case.vendor.act(Act::Change, kind, id).await?
            else {
                break;
            };
            if field == rule.field {
                continue;
            }
            // The base is from before: both the field pushed and the one changed are old in it.
            let mut push = taken.push.clone();
            push.base = taken.before.fields.clone();
            let outcome = case.provider.push(&push).await;
            if !matches!(outcome, Ok(PushOutcome::Applied(_))) {
                continue;
            }
            seen = true;
            let after = case.there(kind, id).await?;
            ensure(after.fields.get(field) == Some(&value), || {
                format!(
                    "{kind} {id}: {field} was changed at the vendor and written over by a \
                    push of {}",
                    rule.field
                )
            })?;
        }
    }
    if seen {
        Ok(())
    } else {
        Err(Stop::Skip(
            "nobody at the vendor changes another field".to_owned(),
        ))
    }
}

/// Several fields at once are all set.
pub async fn several_fields_go_in_one_push(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().update.clone() {
        let mut push: Option<Push> = None;
        for id in case.ids(kind).await?.iter().take(1) {
            let now = case.there(kind, id).await?;
            for rule in case.writable(kind) {
                let plain = link_target(kind, rule.field).is_none()
                    && !matches!(rule.field, "status" | "arrival" | "departure" | "condition");
                let wish = case.wishes(&now, rule.field).await?.into_iter().next();
                let Some(wish) = wish.filter(|_| plain) else {
                    continue;
                };
                match &mut push {
                    Some(push) => push.changed.extend(&wish.changed),
                    None => push = Some(wish),
                }
            }
        }
        let Some(push) = push.filter(|push| push.changed.len() > 1) else {
            continue;
        };
        match case.provider.push(&push).await {
            Ok(PushOutcome::Applied(record)) => {
                for (field, value) in push.changed.iter() {
                    ensure(record.fields.get(field) == Some(value), || {
                        format!("{kind}.{field} was lost among several fields")
                    })?;
                }
            }
            Ok(PushOutcome::Unsupported(_)) => {}
            Ok(outcome) => return Err(fail(format!("{kind}: {}", said(&outcome)))),
            Err(error) if is_refusal(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// No letter, fee or new price follows from a push.
pub async fn nothing_else_happens(case: &Case<'_>) -> Outcome {
    let before = case.vendor.side_effects().await?;
    for kind in case.capabilities().update.clone() {
        for rule in case.writable(kind) {
            case.change(kind, rule.field).await?;
            let after = case.vendor.side_effects().await?;
            ensure(after == before, || {
                format!(
                    "{kind}.{}: a push of it made the vendor send a letter, post a fee or \
                    change a price",
                    rule.field
                )
            })?;
        }
    }
    Ok(())
}

/// What the provider does not know of a record is still there after a push.
pub async fn unknown_fields_survive_a_push(case: &Case<'_>) -> Outcome {
    let mut seen = false;
    for kind in case.capabilities().update.clone() {
        let taken = case.any_change(kind).await?;
        let id = &taken.before.external_id;
        let Some(done) = case.vendor.act(Act::UnknownField, kind, id).await? else {
            continue;
        };
        seen = true;
        let mut push = taken.push.clone();
        push.base = taken.before.fields.clone();
        case.provider.push(&push).await?;
        holds_extra(&case.there(kind, id).await?, &done)?;
    }
    if seen {
        Ok(())
    } else {
        Err(Stop::Skip("no record takes an unknown field".to_owned()))
    }
}

/// A record that nobody has is refused, neither done nor ambiguous.
pub async fn a_record_that_nobody_has_is_refused(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().update.clone() {
        let mut push = case.any_change(kind).await?.push;
        push.external_id = Some(STRANGER.to_owned());
        match case.provider.push(&push).await {
            Err(error) if is_refusal(&error) => {}
            Err(error) => return Err(fail(format!("{kind}: not a refusal: {error}"))),
            Ok(outcome) => return Err(fail(format!("{kind}: {}", said(&outcome)))),
        }
    }
    Ok(())
}

/// A kind that is not declared is refused.
pub async fn undeclared_kinds_are_unsupported(case: &Case<'_>) -> Outcome {
    for kind in EntityKind::ALL {
        let capabilities = case.capabilities();
        if !capabilities.update.contains(&kind) {
            let id = Some(STRANGER.to_owned());
            refused(case, &empty(kind, id)).await?;
        }
        if !capabilities.create.contains(&kind) {
            refused(case, &empty(kind, None)).await?;
        }
    }
    Ok(())
}

async fn refused(case: &Case<'_>, push: &Push) -> Outcome {
    let (kind, verb) = match push.external_id {
        Some(_) => (push.kind, "change"),
        None => (push.kind, "create"),
    };
    let calls = [Call::Update(kind), Call::Create(kind)];
    let mut before = Vec::new();
    for call in calls {
        before.push(case.vendor.calls(call).await?);
    }
    match case.provider.push(push).await {
        Ok(PushOutcome::Unsupported(_)) => {}
        Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Invalid) => {}
        Err(error) => return Err(fail(format!("{verb} {kind}: not unsupported: {error}"))),
        Ok(outcome) => return Err(fail(format!("{verb} {kind}: {}", said(&outcome)))),
    }
    for (call, before) in calls.into_iter().zip(before) {
        ensure(case.vendor.calls(call).await? == before, || {
            format!("{verb} {kind} is not declared, and the vendor was asked for it")
        })?;
    }
    Ok(())
}

fn empty(kind: EntityKind, external_id: Option<String>) -> Push {
    Push {
        kind,
        external_id,
        base: FieldMap::new(),
        changed: FieldMap::new(),
        links: std::collections::BTreeMap::<String, Option<ExternalRef>>::new(),
    }
}
