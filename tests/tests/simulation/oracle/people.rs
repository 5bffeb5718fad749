//! Who is who, who is gone, and what was made.

use serde_json::Value;
use stayzr_core::{model::ExternalRef, transform::EntityKind};
use stayzr_pms::RemoteRecord;

use super::{Verdict, live};
use crate::{
    script::GUESTS,
    world::{World, block, phone},
};

/// The record that a link leads to in the end, along merges.
fn leads_to(world: &World, link: &ExternalRef) -> Option<String> {
    let state = world.vendor.lock();
    let mut id = link.id.clone();
    for _ in 0..GUESTS {
        let record = state.records.get(&(EntityKind::Guest, id.clone()))?;
        match &record.merged_into {
            Some(into) => id.clone_from(into),
            None => return Some(id),
        }
    }
    None
}

/// What hangs on a guest hangs on who he turned out to be.
pub(super) fn merges(world: &World) -> Verdict {
    for record in live(world) {
        let Some(link) = record.links.get("guest_id").and_then(Option::as_ref) else {
            continue;
        };
        let Some(guest) = leads_to(world, link) else {
            continue;
        };
        let ours = world
            .row_of(EntityKind::Reservation, &record.external_id)
            .and_then(|row| row.fields.text("guest_id").map(str::to_owned));
        let expected = world
            .mapping(EntityKind::Guest, &guest)
            .map(|mapping| mapping.local_id.to_string());
        if ours != expected {
            return Err(format!(
                "B: {} belongs to {guest} there, to {ours:?} and not {expected:?} here",
                record.external_id
            ));
        }
    }
    let merged: Vec<RemoteRecord> = {
        let state = world.vendor.lock();
        let all = state.records.values();
        all.filter(|record| record.merged_into.is_some())
            .cloned()
            .collect()
    };
    for record in merged {
        let Some(row) = world.row_of(EntityKind::Guest, &record.external_id) else {
            continue;
        };
        if row.fields.get("active") != Some(&Value::from(false)) {
            let mapping = world.mapping(EntityKind::Guest, &record.external_id);
            return Err(format!(
                "B: {} was merged and is active: {mapping:?}, {:?}",
                record.external_id, row.fields
            ));
        }
    }
    Ok(())
}

/// What the vendor no longer has is marked, and nothing else.
pub(super) fn gone(world: &World) -> Verdict {
    for (kind, ids) in world.known() {
        for id in ids {
            let there = {
                let state = world.vendor.lock();
                state.records.contains_key(&(kind, id.clone()))
            };
            let Some(mapping) = world.mapping(kind, &id) else {
                // It came and went before anybody looked.
                continue;
            };
            if mapping.merged_into.is_some() {
                continue;
            }
            if mapping.gone_at.is_some() == there {
                return Err(format!(
                    "B: {id} is there: {there}; gone: {:?}",
                    mapping.gone_at
                ));
            }
        }
    }
    Ok(())
}

/// Who wrote and who is a guest of the vendor's with the same telephone is one guest; relatives who
/// share one are two.
pub(super) fn people(world: &World) -> Verdict {
    for &person in &world.born {
        let Some(row) = world.row_of(EntityKind::Guest, &format!("p{person}")) else {
            return Err(format!("B: p{person} is not here"));
        };
        let (store, scope) = (world.store.clone(), world.everything());
        let contact = stayzr_core::model::Contact {
            channel: stayzr_core::model::ContactChannel::Phone,
            address: phone(person),
        };
        let owner = block(async move {
            stayzr_core::port::entities::Entities::guest_by_contact(&*store, scope, &[contact])
                .await
        });
        let owner = owner.ok().flatten().map(stayzr_core::ids::GuestId::uuid);
        if owner != Some(row.id) {
            return Err(format!("B: the telephone of p{person} leads elsewhere"));
        }
    }
    if world.families == 2 {
        let first = world
            .mapping(EntityKind::Guest, "f0")
            .map(|mapping| mapping.local_id);
        let second = world
            .mapping(EntityKind::Guest, "f1")
            .map(|mapping| mapping.local_id);
        if first.is_none() || first == second {
            return Err("B: relatives became one guest".to_owned());
        }
    }
    Ok(())
}

/// Who was entered here is made there once.
pub(super) fn creates(world: &World) -> Verdict {
    for email in &world.entered {
        let made = {
            let state = world.vendor.lock();
            let wanted = Value::from(email.as_str());
            let all = state.records.values();
            all.filter(|record| record.fields.get("email") == Some(&wanted))
                .count()
        };
        if made != 1 {
            return Err(format!("B: {email} was entered once and made {made} times"));
        }
    }
    Ok(())
}
