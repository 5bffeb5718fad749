//! Which changes Mews cannot be told. Pure.

use serde_json::Value;
use stayzr_core::transform::{EntityKind, FieldRule};

use super::{
    stay::Step,
    transform::{is_out_of_order, writable_condition},
    wire::{CLASSIFICATIONS, PURPOSES, TITLES},
};
use crate::provider::Push;

/// What is said when a record is added, and never again.
const SAID_ONCE: [(EntityKind, &str); 3] = [
    (EntityKind::Note, "reservation_id"),
    (EntityKind::Reservation, "guest_id"),
    (EntityKind::Reservation, "rate_vendor"),
];

/// Fields that Mews cannot set, or cannot empty. A record that is added has nothing to empty.
pub(super) fn refused(rules: &[FieldRule], push: &Push) -> Vec<String> {
    let adding = push.external_id.is_none();
    let values = push
        .changed
        .iter()
        .map(|(field, value)| (field, is_empty(value), value));
    let links = push
        .links
        .iter()
        .map(|(field, link)| (field.as_str(), link.is_none(), &Value::Null));
    values
        .chain(links)
        .filter(|(field, empty, value)| {
            if adding && (*empty || SAID_ONCE.contains(&(push.kind, field))) {
                return false;
            }
            let rule = rules.iter().find(|rule| rule.field == *field);
            let possible = rule.is_some_and(|rule| rule.writable && (rule.clearable || !empty));
            !possible || !(*empty || is_expressible(push, field, value))
        })
        .map(|(field, ..)| field.to_owned())
        .collect()
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The order that a note is to stand at.
pub(super) fn order(push: &Push) -> Option<&str> {
    let link = push.links.get("reservation_id")?.as_ref()?;
    Some(&link.id)
}

/// Whether Mews has words for a value of a writable field. One word that it does not know would
/// refuse the whole request, and with it every other change of the record.
fn is_expressible(push: &Push, field: &str, value: &Value) -> bool {
    let known =
        |words: &[&str], value: &Value| value.as_str().is_some_and(|word| words.contains(&word));
    // Its lists grow without notice: what it said itself, it also takes.
    let agreed = push.base.get(field);
    match (push.kind, field) {
        (EntityKind::Reservation, "status") if push.external_id.is_none() => {
            known(&["confirmed", "tentative"], value)
        }
        (EntityKind::Reservation, "status") => Step::of(push).is_some(),
        (EntityKind::Reservation, "purpose") if push.external_id.is_none() => false,
        (EntityKind::Reservation, "purpose") => known(PURPOSES, value) || agreed == Some(value),
        // Of notes of guests Mews has one, and it is a field of theirs.
        (EntityKind::Note, "text") => push.external_id.is_some() || order(push).is_some(),
        (EntityKind::Room, "condition") => {
            writable_condition(value).is_some() || is_out_of_order(value)
        }
        (EntityKind::Guest, "title") => known(TITLES, value) || agreed == Some(value),
        (EntityKind::Guest, "nationality") => value.as_str().is_some_and(|code| {
            code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
        }),
        (EntityKind::Guest, "classifications") => {
            let said = agreed.and_then(Value::as_array);
            value.as_array().is_some_and(|items| {
                items.iter().all(|item| {
                    known(CLASSIFICATIONS, item) || said.is_some_and(|said| said.contains(item))
                })
            })
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stayzr_core::transform::{FieldMap, Transformer};

    use super::*;
    use crate::providers::mews::transform::GuestTransformer;

    fn guest(base: &[(&str, Value)], changed: &[(&str, Value)]) -> Vec<String> {
        let fields = |pairs: &[(&str, Value)]| -> FieldMap {
            pairs
                .iter()
                .map(|(field, value)| ((*field).to_owned(), value.clone()))
                .collect()
        };
        let push = Push {
            kind: EntityKind::Guest,
            external_id: Some("c".to_owned()),
            base: fields(base),
            changed: fields(changed),
            links: Default::default(),
        };
        refused(GuestTransformer.fields(), &push)
    }

    #[test]
    fn a_word_mews_does_not_know_is_left_out_and_the_rest_can_be_said() {
        let changed = [
            ("title", json!("Dr")),
            ("nationality", json!("Austria")),
            ("email", json!("ann@hotel.example")),
            ("classifications", json!(["Media", "Sings"])),
        ];
        assert_eq!(
            guest(&[], &changed),
            ["classifications", "nationality", "title"]
        );
        let base = [("classifications", json!(["Sings"]))];
        assert_eq!(guest(&base, &changed[3..]), [""; 0]);
    }
}
