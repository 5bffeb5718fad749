//! Which changes OPERA cannot be told. Pure.

use serde_json::Value;
use stayzr_core::transform::{EntityKind, FieldRule};

use super::transform::writable_condition;
use crate::provider::Push;

/// Fields that OPERA cannot set, or cannot empty. A record that is added has nothing to empty.
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
            if adding && *empty {
                return false;
            }
            let rule = rules.iter().find(|rule| rule.field == *field);
            let writable = rule.is_some_and(|rule| rule.writable && (rule.clearable || !empty));
            let possible = writable || (adding && is_set_once(push.kind, field));
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

/// Whether OPERA has words for a value of a writable field.
fn is_expressible(push: &Push, field: &str, value: &Value) -> bool {
    match (push.kind, field) {
        // What is out of order or of service has a span, which ends at the desk.
        (EntityKind::Room, "condition") => {
            let blocked = ["out_of_order", "out_of_service"];
            let from = push.base.text("condition");
            writable_condition(value).is_some() && !from.is_some_and(|from| blocked.contains(&from))
        }
        (EntityKind::Reservation, "adults") => value.as_i64().is_some_and(|count| count > 0),
        (EntityKind::Reservation, "children") => value.as_i64().is_some_and(|count| count >= 0),
        (EntityKind::Guest, "birth_date") => value
            .as_str()
            .is_some_and(|date| date.parse::<chrono::NaiveDate>().is_ok()),
        // The schema's longest names, addresses and numbers.
        (EntityKind::Guest, "first_name" | "last_name" | "phone") => value
            .as_str()
            .is_some_and(|text| text.chars().count() <= 40),
        _ => true,
    }
}

/// What a profile has from its beginning and is not written again.
fn is_set_once(kind: EntityKind, field: &str) -> bool {
    kind == EntityKind::Guest && matches!(field, "active" | "origin")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stayzr_core::transform::{FieldMap, Transformer};

    use super::*;
    use crate::providers::opera::transform::{
        GuestTransformer, ReservationTransformer, RoomTransformer,
    };

    fn fields(pairs: &[(&str, Value)]) -> FieldMap {
        let owned = |(field, value): &(&str, Value)| ((*field).to_owned(), value.clone());
        pairs.iter().map(owned).collect()
    }

    fn refusal(
        kind: EntityKind,
        rules: &[FieldRule],
        base: &[(&str, Value)],
        changed: &[(&str, Value)],
    ) -> Vec<String> {
        let push = Push {
            kind,
            external_id: Some("1".to_owned()),
            base: fields(base),
            changed: fields(changed),
            links: Default::default(),
        };
        refused(rules, &push)
    }

    #[test]
    fn a_status_is_never_written() {
        for to in ["confirmed", "cancelled", "in_house", "departed", "no_show"] {
            let rules = ReservationTransformer.fields();
            let changed = [("status", json!(to)), ("adults", json!(2))];
            let refused = refusal(EntityKind::Reservation, rules, &[], &changed);
            assert_eq!(refused, ["status"], "{to}");
        }
    }

    #[test]
    fn a_blocked_room_and_words_of_the_desk_are_refused() {
        let room = |from: &str, to: &str| {
            let (base, changed) = ([("condition", json!(from))], [("condition", json!(to))]);
            refusal(EntityKind::Room, RoomTransformer.fields(), &base, &changed)
        };
        assert_eq!(room("dirty", "clean"), [""; 0]);
        assert_eq!(room("out_of_order", "clean"), ["condition"]);
        assert_eq!(room("out_of_service", "clean"), ["condition"]);
        assert_eq!(room("clean", "out_of_order"), ["condition"]);
    }

    #[test]
    fn what_cannot_be_emptied_or_said_is_refused() {
        let changed = [
            ("email", json!("ann@hotel.example")),
            ("phone", Value::Null),
            ("last_name", json!("x".repeat(41))),
            ("title", json!("Dr")),
        ];
        let refused = refusal(EntityKind::Guest, GuestTransformer.fields(), &[], &changed);
        assert_eq!(refused, ["last_name", "phone", "title"]);
    }
}
