use std::collections::BTreeSet;

use serde_json::{Value, json};
use stayzr_core::{Error, Result, model::PmsEvent, transform::EntityKind};

use super::{
    context::transform_context,
    error::DIALECT,
    parse_event,
    record::{self, collect},
    transform::NoteOwner,
    wire::{Availability, Hotel, elements, read_element},
};
use crate::provider::RecordPage;

/// What a body of Cloudbeds is read as.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// Records and what was put aside.
    pub page: RecordPage,
    /// Events of a webhook.
    pub events: Vec<PmsEvent>,
    /// Keys of records that no field of ours holds; they are kept beside the record.
    pub kept: BTreeSet<String>,
    /// Values that are not known, as `field: value`; they are kept as they came.
    pub unknown: BTreeSet<String>,
    /// How many elements are something else than a record.
    pub foreign: usize,
}

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
}

/// Operations that we call, by the start of their names.
const OPERATIONS: [(&str, Holds); 30] = [
    ("access_token", Holds::Nothing),
    ("deleteWebhook", Holds::Nothing),
    ("error", Holds::Nothing),
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
    complained(body)?;
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
                reading.add(*kind, start, value);
            }
        }
        Holds::OneGuest => {
            let data = body.get("data").and_then(Value::as_object);
            let mut guest = data.cloned().ok_or_else(|| {
                Error::invalid("cloudbeds.read_body", "there is no guest in data")
            })?;
            guest.entry("guestID").or_insert_with(|| json!(ASKED));
            reading.add(EntityKind::Guest, start, &Value::Object(guest));
        }
        Holds::Rooms => {
            for property in records {
                let rooms = property
                    .get("rooms")
                    .map_or_else(|| vec![property], elements);
                for room in rooms {
                    reading.add(EntityKind::Room, start, room);
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
        Holds::Nothing | Holds::Event => {}
    }
    Ok(reading)
}

/// A complaint in place of an answer is an error of its kind.
fn complained(body: &Value) -> Result<()> {
    let status = http::StatusCode::OK;
    match (DIALECT.complaint)(status, body) {
        None => Ok(()),
        Some(complaint) => {
            let (kind, advice) = DIALECT.classify(status, complaint.code.as_deref());
            let says = crate::http::redact(&complaint.message.unwrap_or_default(), []);
            Err(Error::new(kind, "cloudbeds.read_body", advice).with("vendor_says", says))
        }
    }
}

impl Reading {
    fn add(&mut self, kind: EntityKind, operation: &str, value: &Value) {
        let hotel: Hotel = read_element(value).unwrap_or_default();
        let zone = hotel.property_timezone.as_deref().unwrap_or_default();
        let context = transform_context(&hotel, zone.parse().unwrap_or(chrono_tz::UTC));
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
        if let Ok(found) = &read {
            self.kept.extend(found.extra.keys().cloned());
            let named = found.unknown.iter();
            self.unknown
                .extend(named.map(|unknown| format!("{}: {}", unknown.field, unknown.value)));
        }
        collect(&mut self.page, read);
    }
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
        let body = json!({"success": false, "message": "Reservation not found"});
        let error = read_body("getReservation", &body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
