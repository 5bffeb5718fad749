//! Which changes OPERA cannot be told. Pure.

use serde_json::Value;
use stayzr_core::transform::{EntityKind, FieldRule};

use super::{OperaConfig, transform::writable_condition};
use crate::provider::Push;

/// Fields that OPERA cannot set, or cannot empty. A record that is added has nothing to empty.
pub(super) fn refused(rules: &[FieldRule], config: &OperaConfig, push: &Push) -> Vec<String> {
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
            !possible || !(*empty || is_expressible(config, push, field, value))
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
fn is_expressible(config: &OperaConfig, push: &Push, field: &str, value: &Value) -> bool {
    match (push.kind, field) {
        // Each is done by another call, which asks for what only the hotel knows.
        (EntityKind::Reservation, "status") => {
            let from = push.base.text("status").unwrap_or_default();
            match (from, value.as_str().unwrap_or_default()) {
                ("tentative" | "confirmed", "cancelled") => config.cancellation_reason.is_some(),
                ("confirmed", "in_house") => true,
                ("in_house", "departed") => config.cashier_id.is_some(),
                _ => false,
            }
        }
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
        refused(
            rules,
            &OperaConfig::new("https://gateway.example", "H"),
            &push,
        )
    }

    #[test]
    fn a_status_is_written_only_as_far_as_the_hotel_named_what_it_takes() {
        let refused = |config: &OperaConfig, from: &str, to: &str| {
            let push = Push {
                kind: EntityKind::Reservation,
                external_id: Some("1".to_owned()),
                base: fields(&[("status", json!(from))]),
                changed: fields(&[("status", json!(to)), ("adults", json!(2))]),
                links: Default::default(),
            };
            refused(ReservationTransformer.fields(), config, &push)
        };
        let bare = OperaConfig::new("https://gateway.example", "H");
        let mut told = bare.clone();
        told.cancellation_reason = Some("PLANS".to_owned());
        told.cashier_id = Some(4);
        for (from, to) in [("confirmed", "cancelled"), ("in_house", "departed")] {
            assert_eq!(refused(&bare, from, to), ["status"], "{to}");
            assert_eq!(refused(&told, from, to), [""; 0], "{to}");
        }
        assert_eq!(refused(&bare, "confirmed", "in_house"), [""; 0]);
        for (from, to) in [
            ("cancelled", "confirmed"),
            ("in_house", "cancelled"),
            ("in_house", "confirmed"),
            ("departed", "in_house"),
            ("confirmed", "no_show"),
            ("confirmed", "departed"),
        ] {
            assert_eq!(refused(&told, from, to), ["status"], "{from} {to}");
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
