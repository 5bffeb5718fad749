use std::collections::BTreeSet;

use serde_json::{Value, json};
use stayzr_core::{Error, Result, transform::EntityKind};

use super::{
    context::transform_context,
    error::DIALECT,
    parse_event, record,
    transform::NoteOwner,
    wire::{Availability, Hotel, elements, read_element},
};
use crate::reading::{Reading, VendorComplaint, status_in};

/// What an operation's answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// A list of records, or one, in `data`.
    Records(EntityKind),
    /// One record, as the answer itself.
    Record(EntityKind),
    /// One guest without its id, which is the one that was asked for.
    OneGuest,
    /// Rooms by property.
    Rooms,
    /// Prices.
    Prices,
    /// Nothing that we keep.
    Nothing,
    /// An event.
    Event,
    /// An error.
    Error,
}

/// Operations that we call, by the start of their names.
const OPERATIONS: [(&str, Holds); 30] = [
    ("access_token", Holds::Nothing),
    ("deleteWebhook", Holds::Nothing),
    ("error", Holds::Error),
    ("getAvailableRoomTypes", Holds::Prices),
    ("getGuest", Holds::OneGuest),
    ("getGuestList", Holds::Records(EntityKind::Guest)),
    ("getGuestNotes", Holds::Records(EntityKind::Note)),
    ("getGuestsModified", Holds::Records(EntityKind::Guest)),
    ("getHotelDetails", Holds::Records(EntityKind::Property)),
    ("getHotels", Holds::Records(EntityKind::Property)),
    ("getHousekeepingStatus", Holds::Records(EntityKind::Room)),
    ("getReservation", Holds::Records(EntityKind::Reservation)),
    ("getReservationNotes", Holds::Records(EntityKind::Note)),
    ("getReservations", Holds::Records(EntityKind::Reservation)),
    (
        "getReservationsWithRateDetails",
        Holds::Records(EntityKind::Reservation),
    ),
    ("getRoomTypes", Holds::Records(EntityKind::RoomType)),
    ("getRooms", Holds::Rooms),
    ("getWebhooks", Holds::Nothing),
    ("oauth", Holds::Nothing),
    ("postGuest", Holds::Nothing),
    ("postHousekeepingStatus", Holds::Nothing),
    ("postReservation", Holds::Record(EntityKind::Reservation)),
    ("postReservationNote", Holds::Nothing),
    ("postRoomAssign", Holds::Nothing),
    ("postRoomCheckIn", Holds::Nothing),
    ("postRoomCheckOut", Holds::Nothing),
    ("postWebhook", Holds::Nothing),
    ("putGuest", Holds::Nothing),
    ("putReservation", Holds::Records(EntityKind::Reservation)),
    ("webhook", Holds::Event),
];

/// What stands for an id that only the question had.
const ASKED: &str = "as-asked";

/// Reads a body of Cloudbeds without asking Cloudbeds anything: `operation` as Cloudbeds names it
/// (`getReservation`, `webhook.reservation.created`). Local times are read in the time zone of the
/// body, or in UTC where it says none.
///
/// [`stayzr_core::ErrorKind::Unsupported`] for operations that we do not call,
/// [`stayzr_core::ErrorKind::Invalid`] for a body that is not of the operation, and the kind of the
/// complaint for a body that is one.
pub fn read_body(operation: &str, body: &Value) -> Result<Reading> {
    let operation = operation.replace('/', ".");
    let known = OPERATIONS
        .iter()
        .filter(|(start, _)| operation.starts_with(start))
        .max_by_key(|(start, _)| start.len());
    let Some((start, holds)) = known else {
        return Err(
            Error::unsupported("cloudbeds.read_body", "no body of this operation is read")
                .with("operation", operation),
        );
    };
    if *holds == Holds::Event {
        return Ok(Reading {
            events: parse_event(body.to_string().as_bytes())?,
            ..Reading::default()
        });
    }
    if *holds == Holds::Error {
        // An error of business comes with 200, another one with its status.
        let complaint = VendorComplaint::of(&DIALECT, http::StatusCode::OK, body).or_else(|| {
            let fine = body.get("success") == Some(&Value::Bool(true));
            (!fine).then(|| VendorComplaint::of(&DIALECT, status_in(&operation), body))?
        });
        return complaint.map(Reading::of_complaint).ok_or_else(|| {
            Error::invalid("cloudbeds.read_body", "the body is no error of Cloudbeds")
        });
    }
    if let Some(complaint) = VendorComplaint::of(&DIALECT, http::StatusCode::OK, body) {
        return Err(complaint.error("cloudbeds.read_body"));
    }
    // What we send has no records.
    if body.get("data").is_none() && body.get("success").is_none() {
        return Ok(Reading::default());
    }
    let empty = Value::Null;
    let records = match holds {
        Holds::Record(_) => vec![body],
        _ => elements(body.get("data").unwrap_or(&empty)),
    };
    let mut reading = Reading::default();
    match holds {
        Holds::Records(kind) | Holds::Record(kind) => {
            for value in records {
                add(&mut reading, *kind, start, value);
            }
        }
        Holds::OneGuest => {
            let data = body.get("data").and_then(Value::as_object);
            let mut guest = data.cloned().ok_or_else(|| {
                Error::invalid("cloudbeds.read_body", "there is no guest in data")
            })?;
            guest.entry("guestID").or_insert_with(|| {
                reading
                    .tolerated
                    .insert(format!("guestID is missing: {ASKED} stands for it"));
                json!(ASKED)
            });
            add(
                &mut reading,
                EntityKind::Guest,
                start,
                &Value::Object(guest),
            );
        }
        Holds::Rooms => {
            for property in records {
                let rooms = property
                    .get("rooms")
                    .map_or_else(|| vec![property], elements);
                for room in rooms {
                    add(&mut reading, EntityKind::Room, start, room);
                }
            }
        }
        Holds::Prices => {
            for found in records {
                read_element::<Availability>(found).map_err(|(field, reason)| {
                    Error::invalid("cloudbeds.read_body", "the prices cannot be read")
                        .with("field", field)
                        .with("reason", reason)
                })?;
            }
        }
        Holds::Nothing | Holds::Event | Holds::Error => {}
    }
    Ok(reading)
}

fn add(reading: &mut Reading, kind: EntityKind, operation: &str, value: &Value) {
    let hotel: Hotel = read_element(value).unwrap_or_default();
    let zone = hotel.property_timezone.as_deref().unwrap_or_default();
    let zone = zone.parse().unwrap_or_else(|_| {
        let why = "no propertyTimezone beside the record: local times are read as UTC";
        reading.tolerated.insert(why.to_owned());
        chrono_tz::UTC
    });
    let context = transform_context(&hotel, zone);
    let read = match kind {
        EntityKind::Note => {
            let owner = match operation {
                "getGuestNotes" => NoteOwner::Guest(ASKED.to_owned()),
                _ => NoteOwner::Reservation(ASKED.to_owned()),
            };
            record::note(&owner, value, &context)
        }
        _ => record::read(kind, value, &context),
    };
    drift(&mut reading.tolerated, "", value);
    reading.take(read);
}

/// Keys whose values are numbers, which PHP writes as texts at times.
const NUMBERS: [&str; 12] = [
    "adults",
    "adultsIncluded",
    "balance",
    "children",
    "childrenIncluded",
    "grandTotal",
    "maxGuests",
    "rate",
    "roomTotal",
    "roomsAvailable",
    "suggestedDeposit",
    "total",
];

/// Keys whose values are maps, for which PHP writes `[]` where they are empty.
const MAPS: [&str; 2] = ["balanceDetailed", "guestList"];

/// Names what is written in another shape than the one it is documented in.
fn drift(found: &mut BTreeSet<String>, key: &str, value: &Value) {
    let is_dated = || key.to_ascii_lowercase().contains("date");
    let said = match value {
        Value::Number(_) if key.ends_with("ID") => "a number in place of a text",
        Value::String(text) if NUMBERS.contains(&key) && !text.trim().is_empty() => {
            "a text in place of a number"
        }
        Value::String(text) if is_dated() && text.trim().is_empty() => "blank in place of no date",
        Value::String(text) if is_dated() && text.starts_with("0000-00-00") => {
            "zeros in place of no date"
        }
        Value::Array(items) if MAPS.contains(&key) && items.is_empty() => {
            "an empty list in place of a map"
        }
        Value::Array(items) => {
            items.iter().for_each(|item| drift(found, "", item));
            return;
        }
        Value::Object(fields) => {
            fields
                .iter()
                .for_each(|(key, value)| drift(found, key, value));
            return;
        }
        _ => return,
    };
    found.insert(format!("{key}: {said}"));
}

#[cfg(test)]
mod tests {
    use stayzr_core::ErrorKind;

    use super::*;

    #[test]
    fn the_longest_known_name_of_an_operation_says_how_its_body_is_read() {
        let guests = json!({"success": true, "data": {"9": {"guestID": 9, "guestName": "Ann Day", "shoes": 42}}});
        let guest = json!({"success": true, "data": {"firstName": "Ann", "lastName": "Day"}});
        for (operation, body) in [
            ("getGuestList", &guests),
            ("getGuestList.response.json", &guests),
            ("getGuest.response", &guest),
        ] {
            let reading = read_body(operation, body).unwrap();
            let record = &reading.page.records[0];
            assert_eq!(record.fields.text("first_name"), Some("Ann"), "{operation}");
            assert_eq!(record.fields.text("last_name"), Some("Day"), "{operation}");
        }
        assert!(
            read_body("getGuestList", &guests)
                .unwrap()
                .kept
                .contains("shoes")
        );
        assert!(read_body("getInvoice", &guests).is_err());
    }

    #[test]
    fn values_nobody_knows_are_named_and_complaints_are_errors() {
        let body = json!({"success": true, "data": {"reservationID": "7", "status": "abducted",
            "startDate": "2026-05-01", "endDate": "2026-05-03"}});
        let reading = read_body("getReservation", &body).unwrap();
        assert!(reading.unknown.contains("status: abducted"), "{reading:?}");
        let body = json!({"success": true, "data": {"reservationID": 7, "status": "confirmed",
            "guestList": [], "balance": "1.50", "startDate": "2026-05-01", "endDate": "2026-05-03"}});
        let reading = read_body("getReservation", &body).unwrap();
        for tolerated in [
            "reservationID: a number in place of a text",
            "guestList: an empty list in place of a map",
            "balance: a text in place of a number",
        ] {
            assert!(reading.tolerated.contains(tolerated), "{reading:?}");
        }
        let body = json!({"success": false, "message": "Reservation not found"});
        let error = read_body("getReservation", &body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let complaint = read_body("error", &body).unwrap().complaint.unwrap();
        assert_eq!(complaint.kind, ErrorKind::NotFound);
        assert!(read_body("error", &json!({"success": true})).is_err());
    }
}
