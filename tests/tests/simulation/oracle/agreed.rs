//! Both sides say the same, and what one side said is kept.

use serde_json::Value;
use stayzr_core::transform::{EntityKind, FieldMap};

use super::{Verdict, by_staff, lines, live};
use crate::world::World;

/// Fields of each kind that both sides hold in the end.
const AGREED: &[(EntityKind, &[&str])] = &[
    (
        EntityKind::Guest,
        &["first_name", "last_name", "email", "notes", "phone"],
    ),
    (
        EntityKind::Reservation,
        &["status", "status_vendor", "arrival", "departure", "adults"],
    ),
    (EntityKind::Room, &["name", "condition"]),
    (EntityKind::Note, &["text"]),
];

pub(super) fn converged(world: &World) -> Verdict {
    for record in live(world) {
        let id = &record.external_id;
        let Some(row) = world.row_of(record.kind, id) else {
            return Err(format!("B: {} {id} is not here", record.kind));
        };
        for (kind, fields) in AGREED {
            for field in *fields {
                if *kind != record.kind {
                    continue;
                }
                let theirs = record.fields.get(field).unwrap_or(&Value::Null);
                let ours = row.fields.get(field).unwrap_or(&Value::Null);
                if !same(field, ours, theirs) {
                    return Err(format!("B: {id}.{field} is {ours} here and {theirs} there"));
                }
            }
        }
        if record.kind == EntityKind::Guest && row.fields.get("active") == Some(&Value::from(false))
        {
            return Err(format!("B: {id} is there and not active here"));
        }
    }
    Ok(())
}

/// Times are the same whatever their form.
fn same(field: &str, ours: &Value, theirs: &Value) -> bool {
    if ours == theirs {
        return true;
    }
    let time = |value: &Value| {
        let text = value.as_str()?;
        chrono::DateTime::parse_from_rfc3339(text).ok()
    };
    matches!(field, "arrival" | "departure") && time(ours).is_some() && time(ours) == time(theirs)
}

/// Fields that only one side changes end as that side left them.
pub(super) fn one_sided(world: &World) -> Verdict {
    for record in live(world) {
        let id = record.external_id.clone();
        if let Some(expected) = world.by_vendor.get(&(id.clone(), "last_name"))
            && record.fields.get("last_name") != Some(expected)
        {
            return Err(format!("B: {id}.last_name was changed there by us"));
        }
        let of_staff: &[&str] = match record.kind {
            EntityKind::Guest if id.starts_with('g') => &["first_name"],
            EntityKind::Reservation => &["departure"],
            EntityKind::Room => &["condition"],
            EntityKind::Note => &["text"],
            _ => &[],
        };
        let Some(row) = world.row_of(record.kind, &id) else {
            continue;
        };
        for field in of_staff {
            let last = lines(world, record.kind, row.id, field)
                .into_iter()
                .rfind(by_staff)
                .and_then(|line| line.new);
            if let Some(last) = last
                && row.fields.get(field) != Some(&last)
            {
                return Err(format!("B: the edit of {id}.{field} to {last} was lost"));
            }
        }
    }
    Ok(())
}

/// A classification that either side gave is kept by both.
pub(super) fn classifications(world: &World) -> Verdict {
    for record in live(world) {
        if record.kind != EntityKind::Guest {
            continue;
        }
        let id = &record.external_id;
        let Some(row) = world.row_of(EntityKind::Guest, id) else {
            continue;
        };
        // Beside a dispute a person decides about lists too.
        let decided = world.conflicts().iter().any(|conflict| {
            conflict.entity_id == row.id && conflict.remote.contains("classifications")
        });
        let written_over = world.vendor.lock().written_over.contains(id);
        if decided || written_over {
            continue;
        }
        let has = |fields: &FieldMap, tag: &Value| {
            fields
                .get("classifications")
                .and_then(Value::as_array)
                .is_some_and(|list| list.contains(tag))
        };
        let mut given: Vec<Value> = world
            .tags
            .get(id)
            .into_iter()
            .flatten()
            .map(|tag| Value::from(tag.as_str()))
            .collect();
        for line in lines(world, EntityKind::Guest, row.id, "classifications") {
            if by_staff(&line) {
                given.extend(
                    line.new
                        .as_ref()
                        .and_then(Value::as_array)
                        .cloned()
                        .into_iter()
                        .flatten(),
                );
            }
        }
        for tag in given {
            if !has(&row.fields, &tag) || !has(&record.fields, &tag) {
                return Err(format!("B: {id} lost the classification {tag}"));
            }
        }
    }
    Ok(())
}
