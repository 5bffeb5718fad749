use serde_json::Value;
use sha2::{Digest, Sha256};
use stayzr_core::{
    Error, Result,
    model::{ExternalRef, PmsEvent},
    transform::EntityKind,
};

use super::{transform::NoteOwner, wire::Webhook};

/// Events that tell what we keep: what to subscribe to.
pub const EVENTS: [&str; 17] = [
    "reservation/created",
    "reservation/status_changed",
    "reservation/dates_changed",
    "reservation/accommodation_status_changed",
    "reservation/accommodation_type_changed",
    "reservation/accommodation_changed",
    "reservation/deleted",
    "reservation/notes_changed",
    "reservation/custom_fields_changed",
    "guest/created",
    "guest/assigned",
    "guest/removed",
    "guest/details_changed",
    "guest/accommodation_changed",
    "housekeeping/room_condition_changed",
    "roomblock/created",
    "roomblock/removed",
];

/// What a webhook body of Cloudbeds says happened: each record it names, once.
///
/// Keys come in several casings and ids as numbers or texts. Errors never quote the body.
pub fn parse_event(body: &[u8]) -> Result<Vec<PmsEvent>> {
    let webhook = read(body)?;
    let property = webhook.id("propertyid");
    let reservation = webhook.id("reservationid");
    let mut records = Vec::new();
    let mut name = |kind, id: Option<String>| {
        records.extend(id.map(|id| ExternalRef { kind, id }));
    };
    let (object, action) = webhook
        .event
        .split_once('/')
        .unwrap_or((&webhook.event, ""));
    match object.to_ascii_lowercase().as_str() {
        "reservation" if action == "notes_changed" => {
            let notes = reservation.map(|id| NoteOwner::Reservation(id).to_string());
            name(EntityKind::Note, notes);
        }
        "reservation" => name(EntityKind::Reservation, reservation),
        "guest" => {
            name(EntityKind::Guest, webhook.id("guestid"));
            // Who comes is part of the reservation.
            if matches!(action, "assigned" | "removed") {
                name(EntityKind::Reservation, reservation);
            }
        }
        "housekeeping" | "roomblock" => {
            for room in webhook.rooms() {
                name(EntityKind::Room, Some(room));
            }
        }
        _ => {}
    }
    Ok(match (property, records.is_empty()) {
        (Some(property), false) => records
            .into_iter()
            .map(|record| PmsEvent::Changed {
                remote_property_id: property.clone(),
                record,
            })
            .collect(),
        (property, _) => vec![PmsEvent::Unknown {
            remote_property_id: property,
            name: webhook.event,
        }],
    })
}

/// What tells one delivery from another: SHA-256 over event, property, record and time, in
/// hexadecimal. Cloudbeds gives deliveries no id and sends one up to five times.
pub fn delivery_hash(body: &[u8]) -> Result<String> {
    let webhook = read(body)?;
    let mut digest = Sha256::new();
    let part = |name: &str| webhook.id(name).unwrap_or_default();
    let rooms = webhook.rooms().join(",");
    for text in [
        webhook.event.as_str(),
        &part("propertyid"),
        &part("reservationid"),
        &part("guestid"),
        &rooms,
        &webhook.timestamp,
    ] {
        digest.update(text.as_bytes());
        digest.update([0]);
    }
    Ok(digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn read(body: &[u8]) -> Result<Webhook> {
    let refuse = |why: &'static str| Error::invalid("cloudbeds.webhook", why);
    let value: Value =
        serde_json::from_slice(body).map_err(|_| refuse("the body is not valid JSON"))?;
    Webhook::read(&value).ok_or_else(|| refuse("not a webhook of Cloudbeds: event is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(kind: EntityKind, id: &str) -> PmsEvent {
        PmsEvent::Changed {
            remote_property_id: "12".to_owned(),
            record: ExternalRef {
                kind,
                id: id.to_owned(),
            },
        }
    }

    #[test]
    fn records_are_found_whatever_the_casing_and_type_of_their_ids() {
        for (body, expected) in [
            (
                r#"{"event":"reservation/created","propertyID":12,"propertyID_str":"12","reservationID":"7"}"#,
                vec![changed(EntityKind::Reservation, "7")],
            ),
            (
                r#"{"event":"reservation/status_changed","propertyId":12,"reservationId":7}"#,
                vec![changed(EntityKind::Reservation, "7")],
            ),
            (
                r#"{"event":"guest/details_changed","PropertyId":"12","GUESTID":9,"guestId_str":"9"}"#,
                vec![changed(EntityKind::Guest, "9")],
            ),
            (
                r#"{"event":"guest/assigned","propertyId":12,"guestId":9,"reservationId":"7"}"#,
                vec![
                    changed(EntityKind::Guest, "9"),
                    changed(EntityKind::Reservation, "7"),
                ],
            ),
            (
                r#"{"event":"housekeeping/room_condition_changed","propertyId":12,"roomId":"650000-0"}"#,
                vec![changed(EntityKind::Room, "650000-0")],
            ),
            (
                r#"{"event":"roomblock/created","propertyID":12,"rooms":[{"roomID":"1-0"},{"roomId":"1-1"}]}"#,
                vec![
                    changed(EntityKind::Room, "1-0"),
                    changed(EntityKind::Room, "1-1"),
                ],
            ),
            (
                r#"{"event":"reservation/notes_changed","propertyID":12,"reservationID":"7"}"#,
                vec![changed(EntityKind::Note, "reservation/7")],
            ),
        ] {
            assert_eq!(parse_event(body.as_bytes()).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn invariant_u_other_events_are_kept_by_name() {
        for body in [
            r#"{"event":"night_audit/completed","propertyId":12}"#,
            r#"{"event":"reservation/created","propertyId":12}"#,
            r#"{"event":"allotmenBlock/created","propertyId":12,"reservationId":"7"}"#,
        ] {
            let events = parse_event(body.as_bytes()).unwrap();
            assert!(
                matches!(&events[..], [PmsEvent::Unknown { remote_property_id: Some(id), .. }] if id == "12"),
                "{events:?}"
            );
        }
    }

    #[test]
    fn a_repeated_delivery_has_the_same_hash_and_a_later_change_another() {
        let body = |time: &str, casing: &str| {
            format!(r#"{{"event":"guest/created","{casing}":12,"guestId":9,"timestamp":{time}}}"#)
        };
        let hash = |body: String| delivery_hash(body.as_bytes()).unwrap();
        let first = hash(body("1766005021.042568", "propertyId"));
        assert_eq!(first, hash(body("1766005021.042568", "propertyID")));
        assert_ne!(first, hash(body("1766005021.042569", "propertyId")));
    }

    #[test]
    fn a_body_that_is_not_of_cloudbeds_is_an_error_that_does_not_quote_it() {
        for body in [&b"secret-words"[..], br#"{"secret-words":1}"#, b"[1]", b""] {
            let error = format!("{:?}", parse_event(body).unwrap_err());
            assert!(!error.contains("secret-words"), "{error}");
        }
    }
}
