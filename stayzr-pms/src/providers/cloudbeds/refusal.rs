//! Which changes Cloudbeds cannot be told. Pure.

use serde_json::Value;
use stayzr_core::transform::{EntityKind, FieldRule};

use super::transform::writable_condition;
use crate::provider::Push;

/// Fields that Cloudbeds cannot set, or cannot empty. A record that is added has nothing to empty.
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
            if adding {
                // What is set once, when the record is made, is not writable later.
                let known = rules.iter().any(|rule| rule.field == *field);
                return !(*empty || known && is_expressible(push, field, value));
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

/// Whether Cloudbeds has words for a value of a writable field.
fn is_expressible(push: &Push, field: &str, value: &Value) -> bool {
    match (push.kind, field) {
        // A note is added and never changed.
        (EntityKind::Note, _) => push.external_id.is_none(),
        (EntityKind::Reservation, "status") => {
            let from = push.base.text("status");
            value.as_str().is_some_and(|to| is_step(from, to))
                || (push.external_id.is_none() && value == "confirmed")
        }
        // A block is lifted on the calendar: until then the room stays out of order.
        (EntityKind::Room, "condition") => {
            writable_condition(value).is_some()
                && push.base.text("condition") != Some("out_of_order")
        }
        (EntityKind::Reservation, "adults") => value.as_i64().is_some_and(|count| count > 0),
        (EntityKind::Reservation, "children") => value.as_i64().is_some_and(|count| count >= 0),
        (EntityKind::Guest, "birth_date") => value
            .as_str()
            .is_some_and(|date| date.parse::<chrono::NaiveDate>().is_ok()),
        _ => true,
    }
}

/// Whether a reservation goes from one status to another by something that is done: it is booked,
/// cancelled, checked in, checked out, or waited for in vain. Nothing goes back.
fn is_step(from: Option<&str>, to: &str) -> bool {
    match to {
        "confirmed" => matches!(from, None | Some("tentative")),
        "cancelled" | "no_show" => matches!(from, None | Some("tentative" | "confirmed")),
        "in_house" => matches!(from, None | Some("confirmed")),
        "departed" => matches!(from, None | Some("in_house")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stayzr_core::transform::{FieldMap, Transformer};

    use super::*;
    use crate::providers::cloudbeds::transform::{
        GuestTransformer, ReservationTransformer, RoomTransformer,
    };

    fn refusal(
        kind: EntityKind,
        rules: &[FieldRule],
        base: &[(&str, Value)],
        changed: &[(&str, Value)],
    ) -> Vec<String> {
        let fields = |pairs: &[(&str, Value)]| -> FieldMap {
            pairs
                .iter()
                .map(|(field, value)| ((*field).to_owned(), value.clone()))
                .collect()
        };
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
    fn a_status_is_written_only_where_it_is_something_done() {
        for (from, to, possible) in [
            ("tentative", "confirmed", true),
            ("confirmed", "cancelled", true),
            ("confirmed", "in_house", true),
            ("in_house", "departed", true),
            ("confirmed", "no_show", true),
            ("confirmed", "tentative", false),
            ("cancelled", "confirmed", false),
            ("departed", "in_house", false),
            ("in_house", "cancelled", false),
            ("confirmed", "departed", false),
            ("confirmed", "unknown", false),
        ] {
            let refused = refusal(
                EntityKind::Reservation,
                ReservationTransformer.fields(),
                &[("status", json!(from))],
                &[("status", json!(to))],
            );
            assert_eq!(refused.is_empty(), possible, "{from} to {to}");
        }
    }

    #[test]
    fn a_blocked_room_and_words_that_do_not_exist_are_refused() {
        let rules = RoomTransformer.fields();
        let room = |from: &str, to: &str| {
            refusal(
                EntityKind::Room,
                rules,
                &[("condition", json!(from))],
                &[("condition", json!(to))],
            )
        };
        assert_eq!(room("dirty", "clean"), [""; 0]);
        assert_eq!(room("out_of_order", "clean"), ["condition"]);
        assert_eq!(room("clean", "out_of_order"), ["condition"]);
    }

    #[test]
    fn what_cloudbeds_has_no_place_for_is_refused_and_the_rest_can_be_said() {
        let changed = [
            ("email", json!("ann@hotel.example")),
            ("nationality", json!("AT")),
            ("phone", Value::Null),
        ];
        let refused = refusal(EntityKind::Guest, GuestTransformer.fields(), &[], &changed);
        assert_eq!(refused, ["nationality", "phone"]);
    }
}
