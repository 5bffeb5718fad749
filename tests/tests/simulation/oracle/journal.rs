//! The journal tells the whole story, and no edit in it gave way to what was older.

use std::collections::BTreeMap;

use serde_json::Value;
use stayzr_core::{
    model::{ChangeOutcome, ChangeSource},
    transform::EntityKind,
};
use stayzr_pms::RemoteRecord;

use super::{Verdict, by_staff, lines};
use crate::{script::GUESTS, world::World};

/// The journal tells the whole story of every field: what was before is what the line before left,
/// and the last line says what stands here now.
pub(super) fn journal(world: &World) -> Verdict {
    let mut now: BTreeMap<(EntityKind, uuid::Uuid, String), Value> = BTreeMap::new();
    for line in world.store.journal(world.scope.organization_id) {
        let (Some(field), ChangeOutcome::Applied) = (line.field.clone(), line.outcome) else {
            continue;
        };
        if matches!(
            field.as_str(),
            "guest_id" | "merged_into" | "active" | "origin"
        ) {
            continue;
        }
        let old = line.old.clone().unwrap_or_default();
        if line.new.clone().unwrap_or_default() == old {
            return Err(format!(
                "B: the journal says that {field} became the {old} it was"
            ));
        }
        let key = (line.entity, line.entity_id, field);
        if let Some(before) = now.get(&key)
            && *before != old
        {
            return Err(format!(
                "B: the journal has no line between {before} and {old}"
            ));
        }
        now.insert(key, line.new.clone().unwrap_or_default());
    }
    for ((kind, id, field), value) in now {
        if let Some(row) = world.row(kind, id) {
            let stands = row.fields.get(&field).unwrap_or(&Value::Null);
            if *stands != value {
                return Err(format!(
                    "B: {kind}.{field} is {stands}, and the journal says {value}"
                ));
            }
        }
    }
    Ok(())
}

/// A value of staff's gives way to the vendor only if the vendor changed it after it had it, or where
/// the vendor was to win; never to an older state.
pub(super) fn clobbered(world: &World) -> Verdict {
    for guest in 0..GUESTS {
        let id = format!("g{guest}");
        let Some(mapping) = world.mapping(EntityKind::Guest, &id) else {
            continue;
        };
        let history: Vec<RemoteRecord> = {
            let state = world.vendor.lock();
            let all = state.history.iter();
            all.filter(|state| state.external_id == id)
                .cloned()
                .collect()
        };
        for field in ["first_name", "last_name", "email", "notes"] {
            let lines = lines(world, EntityKind::Guest, mapping.local_id, field);
            let places = |value: &Option<Value>| -> Vec<usize> {
                let states = history.iter().enumerate();
                states
                    .filter(|(_, state)| state.fields.get(field) == value.as_ref())
                    .map(|(at, _)| at)
                    .collect()
            };
            for (at, line) in lines.iter().enumerate() {
                let from_vendor = matches!(line.source, ChangeSource::Vendor { .. });
                if !from_vendor || line.outcome != ChangeOutcome::Applied {
                    continue;
                }
                let ours = lines[..at]
                    .iter()
                    .any(|edit| by_staff(edit) && edit.new == line.old);
                if !ours {
                    continue;
                }
                // Under one mark nobody can tell of a state never seen whether it is the older: it is
                // taken, and what stands there in the end is read again. One that stood here before
                // our own write is doubted.
                let stood = lines[..at]
                    .iter()
                    .any(|before| before.old == line.new || before.new == line.new);
                let (had, took) = (places(&line.old), places(&line.new));
                let fresh = match (had.first(), took.last()) {
                    (Some(had), Some(took)) => {
                        let marks = (&history[*took].version, &history[*had].version);
                        marks.0 > marks.1 || (marks.0 == marks.1 && !stood)
                    }
                    _ => world.strategies.contains("REMOTE_WINS"),
                };
                if !fresh {
                    return Err(format!(
                        "B: {id}.{field} of staff, {:?}, gave way to {:?}",
                        line.old, line.new
                    ));
                }
            }
        }
    }
    Ok(())
}
