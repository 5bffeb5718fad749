//! What is put is what is read; what cannot be put is said.

use std::collections::BTreeMap;

use serde_json::Value;
use stayzr_core::transform::EntityKind;

use super::{
    Call, Case, Outcome,
    access::said,
    case::{is_refusal, link_target},
    report::{ensure, fail},
};
use crate::provider::{Push, PushOutcome, RemoteRecord};

/// Every writable field: what is put is what a read after it gives, and no field is dropped.
pub async fn what_is_put_is_what_is_read(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().update.clone() {
        for rule in case.writable(kind) {
            let field = rule.field;
            let Some(taken) = case.change(kind, field).await? else {
                return Err(fail(format!(
                    "{kind}.{field} is called writable, and no record took any sample; give the \
                     bench samples that the vendor takes, or make the rule remote"
                )));
            };
            let id = &taken.before.external_id;
            let after = case.there(kind, id).await?;
            if let Some(link) = taken.push.links.get(field) {
                ensure(after.links.get(field) == Some(link), || {
                    format!(
                        "{kind} {id}: {field} was put and reads {:?}",
                        after.links.get(field)
                    )
                })?;
            }
            for (field, value) in taken.push.changed.iter() {
                ensure(after.fields.get(field) == Some(value), || {
                    format!(
                        "{kind} {id}: {field} was put as {value} and reads {:?}",
                        after.fields.get(field)
                    )
                })?;
            }
        }
    }
    Ok(())
}

/// Every field that can be emptied is empty afterwards.
pub async fn what_is_emptied_is_empty(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().update.clone() {
        for rule in case
            .writable(kind)
            .into_iter()
            .filter(|rule| rule.clearable)
        {
            let field = rule.field;
            let Some(taken) = case.change(kind, field).await? else {
                continue;
            };
            match case.provider.push(&clearing(&taken.applied, field)).await {
                Ok(PushOutcome::Applied(_)) => {}
                Ok(outcome) => return Err(fail(format!("{kind}.{field}: {}", said(&outcome)))),
                Err(error) if is_refusal(&error) => continue,
                Err(error) => return Err(error.into()),
            }
            let after = case.there(kind, &taken.before.external_id).await?;
            let value = after.fields.get(field);
            let link = after.links.get(field).and_then(Option::as_ref);
            let is_empty = value
                .is_none_or(|value| value.is_null() || value.as_array().is_some_and(Vec::is_empty));
            ensure(is_empty && link.is_none(), || {
                format!("{kind}.{field} was emptied and reads {value:?}")
            })?;
        }
    }
    Ok(())
}

/// A field that cannot be emptied comes back as unsupported, and nothing is sent.
pub async fn what_cannot_be_emptied_is_said(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().update.clone() {
        let Some(now) = first(case, kind).await? else {
            continue;
        };
        for rule in case
            .writable(kind)
            .into_iter()
            .filter(|rule| !rule.clearable)
        {
            unsupported(case, &clearing(&now, rule.field), &[rule.field]).await?;
        }
    }
    Ok(())
}

/// A field that cannot be written comes back as unsupported, and nothing is sent.
pub async fn what_cannot_be_written_is_said(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().update.clone() {
        let Some(now) = first(case, kind).await? else {
            continue;
        };
        let rules = case.provider.fields(kind).iter();
        for rule in rules.filter(|rule| !rule.writable) {
            let Some(push) = case.wishes(&now, rule.field).await?.into_iter().next() else {
                continue;
            };
            unsupported(case, &push, &[rule.field]).await?;
        }
    }
    Ok(())
}

/// One field that cannot be written holds the whole push back, and is the only one named.
pub async fn one_unsupported_field_holds_the_push_back(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().update.clone() {
        let taken = case.any_change(kind).await?;
        let now = taken.applied;
        let mut push = case
            .wishes(&now, first_field(&taken.push))
            .await?
            .into_iter()
            .next();
        let rules = case.provider.fields(kind).iter();
        for rule in rules.filter(|rule| !rule.writable) {
            let wish = case.wishes(&now, rule.field).await?.into_iter().next();
            let (Some(push), Some(wish)) = (push.as_mut(), wish) else {
                continue;
            };
            let mut both = push.clone();
            both.changed.extend(&wish.changed);
            both.links.extend(wish.links);
            unsupported(case, &both, &[rule.field]).await?;
            break;
        }
    }
    Ok(())
}

fn first_field(push: &Push) -> &str {
    let link = push.links.keys().next().map(String::as_str);
    push.changed.names().next().or(link).unwrap_or_default()
}

async fn first(case: &Case<'_>, kind: EntityKind) -> Result<Option<RemoteRecord>, super::Stop> {
    match case.ids(kind).await?.first() {
        Some(id) => case.one(kind, id).await,
        None => Ok(None),
    }
}

fn clearing(now: &RemoteRecord, field: &str) -> Push {
    let mut push = Push {
        kind: now.kind,
        external_id: Some(now.external_id.clone()),
        base: now.fields.clone(),
        changed: Default::default(),
        links: BTreeMap::new(),
    };
    if link_target(now.kind, field).is_some() {
        push.links.insert(field.to_owned(), None);
    } else {
        push.changed.insert(field, Value::Null);
    }
    push
}

async fn unsupported(case: &Case<'_>, push: &Push, fields: &[&str]) -> Outcome {
    let (kind, call) = (push.kind, Call::Update(push.kind));
    let id = push.external_id.as_deref().unwrap_or_default();
    let sent = case.vendor.calls(call).await?;
    let before = case.vendor.look(kind, id).await?;
    match case.provider.push(push).await {
        Ok(PushOutcome::Unsupported(named)) => {
            ensure(
                named.iter().map(String::as_str).eq(fields.iter().copied()),
                || format!("{kind}: {named:?} are called unsupported where {fields:?} are"),
            )?;
        }
        Ok(outcome) => {
            return Err(fail(format!(
                "{kind}: {fields:?} cannot be written so, and the push is {}",
                said(&outcome)
            )));
        }
        Err(error) => {
            return Err(fail(format!(
                "{kind}: {fields:?}: not unsupported: {error}"
            )));
        }
    }
    ensure(case.vendor.calls(call).await? == sent, || {
        format!("{kind}: {fields:?} are unsupported, and something was sent")
    })?;
    ensure(case.vendor.look(kind, id).await? == before, || {
        format!("{kind}: {fields:?} are unsupported, and the record changed")
    })
}
