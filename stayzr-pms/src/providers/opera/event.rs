use serde_json::Value;
use stayzr_core::{
    Error, Result,
    model::{ExternalRef, PmsEvent},
    transform::EntityKind,
};

use super::wire::BusinessEvent;

/// What a batch of business events says happened, polled or streamed: each record it names, in the
/// order in which they were named.
///
/// Errors never quote the body.
pub fn parse_event(body: &[u8]) -> Result<Vec<PmsEvent>> {
    let refuse = |why: &'static str| Error::invalid("opera.businessEvents", why);
    let value: Value =
        serde_json::from_slice(body).map_err(|_| refuse("the body is not valid JSON"))?;
    let events = BusinessEvent::batch(&value).ok_or_else(|| {
        refuse("not business events of OPERA: neither businessEventData nor newEvents is there")
    })?;
    let mut told: Vec<PmsEvent> = Vec::new();
    for event in &events {
        let said = read(event);
        if !told.contains(&said) {
            told.push(said);
        }
    }
    Ok(told)
}

fn read(event: &BusinessEvent) -> PmsEvent {
    match (&event.hotel, kind(event).zip(key(event))) {
        (Some(hotel), Some((kind, id))) => PmsEvent::Changed {
            remote_property_id: hotel.clone(),
            record: ExternalRef { kind, id },
        },
        (hotel, _) => PmsEvent::Unknown {
            remote_property_id: hotel.clone(),
            name: format!("{}/{}", event.module, event.action),
        },
    }
}

/// What an event is about: its module, or where that is a number the last word of what happened.
fn kind(event: &BusinessEvent) -> Option<EntityKind> {
    let is = |word: &str| event.module.eq_ignore_ascii_case(word);
    let happened = event.action.to_ascii_uppercase();
    let is_number = event.module.bytes().all(|byte| byte.is_ascii_digit());
    if is("Reservation") || (is_number && happened.ends_with("RESERVATION")) {
        return Some(EntityKind::Reservation);
    }
    if is("Profile") || (is_number && happened.ends_with("PROFILE")) {
        return Some(EntityKind::Guest);
    }
    (is("Housekeeping") && happened.contains("ROOM")).then_some(EntityKind::Room)
}

/// The record's id. Of a room it is its number, which an element may name where the key is one of
/// OPERA's own.
fn key(event: &BusinessEvent) -> Option<String> {
    let named = || {
        let room = event.elements.iter().find(|(element, _)| {
            ["ROOM", "ROOM NUMBER"]
                .iter()
                .any(|name| element.eq_ignore_ascii_case(name))
        });
        room.and_then(|(_, value)| value.clone())
    };
    match kind(event)? {
        EntityKind::Room => named().or_else(|| event.key.clone()),
        _ => event.key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn batch(module: Value, action: &str, key: Value) -> Vec<u8> {
        let event = json!({"businessEvent": {"header": {"moduleName": module, "actionType": action,
            "primaryKey": key, "hotelId": "HOTEL1"}, "details": []}, "businessEventId": {"id": 1}});
        serde_json::to_vec(&json!({"businessEventData": [event, event]})).unwrap()
    }

    #[test]
    fn an_event_names_its_record_by_module_or_by_what_happened() {
        use EntityKind::{Guest, Reservation, Room};
        for (module, action, kind) in [
            (json!("Reservation"), "UPDATE RESERVATION", Reservation),
            (json!("RESERVATION"), "CHECK IN", Reservation),
            (json!("Profile"), "NEW PROFILE", Guest),
            (json!(14), "UPDATE PROFILE", Guest),
            (json!("Housekeeping"), "ROOM STATUS CHANGED", Room),
        ] {
            let events = parse_event(&batch(module, action, json!(7))).unwrap();
            let record = ExternalRef {
                kind,
                id: "7".to_owned(),
            };
            let expected = PmsEvent::Changed {
                remote_property_id: "HOTEL1".to_owned(),
                record,
            };
            assert_eq!(events, [expected], "{action}");
        }
    }

    #[test]
    fn a_streamed_event_says_the_same_as_a_polled_one() {
        let event = json!({"metadata": {"offset": "150", "uniqueEventId": "u"},
            "moduleName": "HOUSEKEEPING", "eventName": "ROOM STATUS CHANGED", "primaryKey": "112",
            "hotelId": "HOTEL1", "detail": [{"elementName": "ROOM STATUS", "newValue": "CL"}]});
        let expected = PmsEvent::Changed {
            remote_property_id: "HOTEL1".to_owned(),
            record: ExternalRef {
                kind: EntityKind::Room,
                id: "112".to_owned(),
            },
        };
        for body in [
            json!({"newEvents": [event, event]}),
            json!({"type": "next", "payload": {"data": {"newEvent": event}}}),
        ] {
            let told = parse_event(body.to_string().as_bytes()).unwrap();
            assert_eq!(told, std::slice::from_ref(&expected), "{body}");
        }
    }

    #[test]
    fn invariant_u_other_events_are_kept_by_name() {
        for (module, action, key) in [
            (json!("NightAudit"), "END OF DAY", json!("1")),
            (json!("Reservation"), "UPDATE RESERVATION", Value::Null),
            (json!(99), "SOMETHING NEW", json!("1")),
            (json!("Housekeeping"), "TASK SHEET", json!("1")),
        ] {
            let events = parse_event(&batch(module, action, key)).unwrap();
            assert!(
                matches!(&events[..], [PmsEvent::Unknown { .. }]),
                "{events:?}"
            );
        }
    }

    #[test]
    fn a_body_that_is_not_of_opera_is_an_error_that_does_not_quote_it() {
        for body in [&b"secret-words"[..], br#"{"secret-words":1}"#, b"[1]", b""] {
            let error = format!("{:?}", parse_event(body).unwrap_err());
            assert!(!error.contains("secret-words"), "{error}");
        }
    }
}
