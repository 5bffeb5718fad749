//! What is made at the vendor, once.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stayzr_core::{
    model::ExternalRef,
    transform::{EntityKind, FieldMap},
};

use super::{
    Call, Case, Fault, Outcome, Stop,
    access::said,
    report::{ensure, fail},
    sample::moved,
};
use crate::provider::{Push, PushOutcome, RemoteRecord};

/// What was made has an id, and is read by it as the push gave it back.
pub async fn what_was_made_is_read(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().create.clone() {
        let push = creation(case, kind).await?;
        let made = make(case, &push).await?;
        let read = case.there(kind, &made.external_id).await?;
        for (field, value) in push.changed.iter() {
            ensure(read.fields.get(field) == Some(value), || {
                format!(
                    "{kind}.{field} was made as {value} and reads {:?}",
                    read.fields.get(field)
                )
            })?;
        }
        ensure(read.fields == made.fields, || {
            format!(
                "{kind} {}: made as another record than is read",
                made.external_id
            )
        })?;
    }
    Ok(())
}

/// What was made is found by the same push, so that a lost answer makes no second one.
pub async fn what_was_made_is_found(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().create.clone() {
        let push = creation(case, kind).await?;
        let made = make(case, &push).await?;
        let found = case.provider.find(&push).await?;
        ensure(
            found
                .iter()
                .any(|record| record.external_id == made.external_id),
            || {
                format!(
                    "{kind} {} was made, and `find` does not find it: after a lost answer it \
                would be made again",
                    made.external_id
                )
            },
        )?;
    }
    Ok(())
}

/// Before it was made it is not found.
pub async fn what_was_not_made_is_not_found(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().create.clone() {
        let push = creation(case, kind).await?;
        let found = case.provider.find(&push).await?;
        ensure(found.is_empty(), || {
            format!(
                "{kind} {} is found for what nobody made",
                found[0].external_id
            )
        })?;
    }
    Ok(())
}

/// A create whose answer is lost is ambiguous, was sent once, and is found.
pub async fn a_lost_answer_makes_one_record(case: &Case<'_>) -> Outcome {
    let mut seen = false;
    for kind in case.capabilities().create.clone() {
        let push = creation(case, kind).await?;
        // Contexts are read before the fault.
        case.provider.find(&push).await?;
        let call = Call::Create(kind);
        let before = case.vendor.calls(call).await?;
        if !case.vendor.fault(Fault::LostAfter, call, 1).await? {
            continue;
        }
        seen = true;
        match case.provider.push(&push).await {
            Ok(PushOutcome::Ambiguous(_)) => {}
            Ok(outcome) => return Err(fail(format!("{kind}: {}", said(&outcome)))),
            Err(error) => return Err(fail(format!("{kind}: not ambiguous: {error}"))),
        }
        let sent = case.vendor.calls(call).await? - before;
        ensure(sent == 1, || {
            format!("{kind}: a create was sent {sent} times")
        })?;
        let found = case.provider.find(&push).await?;
        ensure(found.len() == 1, || {
            format!(
                "{kind}: {} records are found after a lost answer",
                found.len()
            )
        })?;
    }
    if seen {
        Ok(())
    } else {
        Err(Stop::Skip("no answer of a create can be lost".to_owned()))
    }
}

async fn make(case: &Case<'_>, push: &Push) -> Result<RemoteRecord, Stop> {
    match case.provider.push(push).await? {
        PushOutcome::Applied(record) if record.external_id.is_empty() => {
            Err(fail(format!("{}: made without an id", push.kind)))
        }
        PushOutcome::Applied(record) => Ok(*record),
        outcome => Err(fail(format!("{}: {}", push.kind, said(&outcome)))),
    }
}

/// A record that nobody has yet.
async fn creation(case: &Case<'_>, kind: EntityKind) -> Result<Push, Stop> {
    let mut links = BTreeMap::new();
    let fields: Vec<(&str, Value)> = match kind {
        EntityKind::Guest => vec![
            ("first_name", json!("Perpetua")),
            ("last_name", json!("Newcomer")),
            ("email", json!("perpetua.newcomer@guest.example")),
        ],
        EntityKind::Note => {
            let of = EntityKind::Reservation;
            links.insert("reservation_id".to_owned(), some(case, of).await?);
            vec![("text", json!("Would like a room away from the lift"))]
        }
        EntityKind::Reservation => reservation(case, &mut links).await?,
        kind => return Err(fail(format!("{kind}: no provider makes such records"))),
    };
    let fields = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Ok(Push {
        kind,
        external_id: None,
        base: FieldMap::new(),
        changed: fields.collect(),
        links,
    })
}

/// A stay of somebody who has one, so many weeks later that clocks are set as they are now.
async fn reservation(
    case: &Case<'_>,
    links: &mut BTreeMap<String, Option<ExternalRef>>,
) -> Result<Vec<(&'static str, Value)>, Stop> {
    let all = case.whole(EntityKind::Reservation, None).await?.records;
    let booked = all
        .iter()
        .find(|one| one.fields.text("status") == Some("confirmed"));
    let Some(booked) = booked else {
        return Err(fail("the bench has a confirmed reservation"));
    };
    for name in ["guest_id", "room_type_id"] {
        let link = booked.links.get(name).cloned().flatten();
        links.insert(name.to_owned(), link);
    }
    let times = ["arrival", "departure"].map(|field| (field, moved(booked, field, [364, 364])));
    let mut fields = vec![("adults", json!(1)), ("children", json!(0))];
    for (field, moved) in times {
        fields.extend(moved.into_iter().next().map(|time| (field, time)));
    }
    Ok(fields)
}

async fn some(case: &Case<'_>, kind: EntityKind) -> Result<Option<ExternalRef>, Stop> {
    let ids = case.ids(kind).await?;
    Ok(ids.into_iter().next().map(|id| ExternalRef { kind, id }))
}
