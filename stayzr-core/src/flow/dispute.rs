//! What of a conflict a person has to decide, and what a decision comes to. Pure.

use serde_json::Value;

use crate::{
    Error, Result,
    model::{Conflict, ConflictStatus, ResolutionChoice},
    port::sync::Mapping,
    transform::{EntityRow, FieldMap},
};

/// A conflict as a person should see it: what stands here is what the row says now, and a field
/// that waited beside the dispute is disputed too once somebody edited it here to something else.
/// One that is over is as it ended.
///
/// `mapping` is the one of the conflict's integration; without it, what waits is taken as not
/// edited.
#[must_use]
pub fn as_seen(mut conflict: Conflict, row: &EntityRow, mapping: Option<&Mapping>) -> Conflict {
    if conflict.status != ConflictStatus::Open {
        return conflict;
    }
    let here = |field: &str| row.fields.get(field).cloned().unwrap_or_default();
    if let Some(mapping) = mapping {
        let agreed = |field: &str| mapping.base.get(field).cloned().unwrap_or_default();
        for (field, waiting) in std::mem::take(&mut conflict.waiting) {
            let ours = here(&field);
            if ours == agreed(&field) || ours == waiting {
                conflict.waiting.insert(field, waiting);
            } else {
                conflict.base.insert(field.as_str(), agreed(&field));
                conflict.remote.insert(field, waiting);
            }
        }
    }
    conflict.local = conflict
        .remote
        .names()
        .map(|field| (field.to_owned(), here(field)))
        .collect();
    conflict
}

/// The value that a person wants for a disputed field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    /// What stands here.
    Local,
    /// What stands at the vendor.
    Remote,
    /// Another value.
    Value(Value),
}

/// What a person wants for each disputed field of a conflict as it is seen.
pub(super) fn wanted(
    seen: &Conflict,
    choice: ResolutionChoice,
    fields: &FieldMap,
) -> Result<Vec<(String, Wanted)>> {
    let all = |side: Wanted| -> Result<Vec<(String, Wanted)>> {
        match fields.names().next() {
            Some(field) => Err(Error::invalid(
                "resolve",
                "fields are named only where the choice is `fields`",
            )
            .with("field", field)),
            None => Ok(seen
                .remote
                .names()
                .map(|field| (field.to_owned(), side.clone()))
                .collect()),
        }
    };
    match choice {
        ResolutionChoice::Local => all(Wanted::Local),
        ResolutionChoice::Remote => all(Wanted::Remote),
        ResolutionChoice::Fields => by_field(seen, fields),
        ResolutionChoice::Converged => Err(Error::invalid(
            "resolve",
            "the choice is `local`, `remote` or `fields`",
        )),
    }
}

fn by_field(seen: &Conflict, fields: &FieldMap) -> Result<Vec<(String, Wanted)>> {
    if let Some(field) = fields.names().find(|field| !seen.remote.contains(field)) {
        let disputed: Vec<&str> = seen.remote.names().collect();
        return Err(Error::invalid(
            "resolve",
            format!(
                "`{field}` is not disputed; {} is to be decided",
                disputed.join(", ")
            ),
        )
        .with("field", field));
    }
    let missing: Vec<&str> = seen
        .remote
        .names()
        .filter(|field| !fields.contains(field))
        .collect();
    if let Some(field) = missing.first() {
        return Err(Error::invalid(
            "resolve",
            format!(
                "every disputed field is to be decided: {} is missing",
                missing.join(", ")
            ),
        )
        .with("field", field));
    }
    Ok(fields
        .iter()
        .map(|(field, value)| (field.to_owned(), wish(value)))
        .collect())
}

/// `"local"` and `"remote"` choose a side; `{"value": …}`, and anything else, is the value itself.
fn wish(value: &Value) -> Wanted {
    match value {
        Value::String(side) if side == "local" => Wanted::Local,
        Value::String(side) if side == "remote" => Wanted::Remote,
        Value::Object(object) => match object.get("value") {
            Some(value) if object.len() == 1 => Wanted::Value(value.clone()),
            _ => Wanted::Value(Value::Object(object.clone())),
        },
        other => Wanted::Value(other.clone()),
    }
}
