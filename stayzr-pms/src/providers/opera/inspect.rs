use serde_json::Value;
use stayzr_core::{Error, Result, transform::EntityKind};

use super::{
    OperaConfig,
    context::transform_context,
    error::DIALECT,
    parse_event, record,
    wire::{Hotel, Node},
};
use crate::reading::{Reading, VendorComplaint, status_in};

/// What an operation's answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Records under one of these paths, each a list of elements by these names.
    Records(
        EntityKind,
        &'static [(&'static str, &'static [&'static str])],
    ),
    /// One profile, in either of the envelopes that the vendor gives it.
    Profile,
    /// Nothing that we keep.
    Nothing,
    /// Events.
    Events,
    /// An error.
    Error,
}

const LISTED: Holds = Holds::Records(
    EntityKind::Reservation,
    &[("reservations", &["reservationInfo", "reservation"])],
);

/// Operations whose bodies are read, by the start of their names.
const OPERATIONS: [(&str, Holds); 32] = [
    ("getBusinessEvents", Holds::Events),
    (
        "getHotel",
        Holds::Records(EntityKind::Property, &[("hotelConfigInfo", &[])]),
    ),
    ("getHotelReservations", LISTED),
    (
        "getHotels",
        Holds::Records(EntityKind::Property, &[("hotelSummaryInfoList", &[])]),
    ),
    (
        "getHousekeepingOverview",
        Holds::Records(
            EntityKind::Room,
            &[("housekeepingRoomInfo/housekeepingRooms", &["room"])],
        ),
    ),
    ("getProfile", Holds::Profile),
    ("getProfileByExtId", Holds::Profile),
    (
        "getProfiles",
        Holds::Records(EntityKind::Guest, &[("profileSummaries", &["profileInfo"])]),
    ),
    (
        "getProfilesByIds",
        Holds::Records(EntityKind::Guest, &[("profiles", &["profileInfo"])]),
    ),
    ("getReservation", LISTED),
    ("getReservationGuarantees", Holds::Nothing),
    ("getReservations", LISTED),
    (
        "getRoomTypes",
        Holds::Records(
            EntityKind::RoomType,
            &[
                ("roomTypes", &["roomType"]),
                ("roomTypesSummary", &["roomTypeSummary"]),
            ],
        ),
    ),
    (
        "getRooms",
        Holds::Records(EntityKind::Room, &[("rooms", &["room"])]),
    ),
    ("getToken", Holds::Nothing),
    ("oauth", Holds::Nothing),
    ("error", Holds::Error),
    ("postCheckIn", Holds::Nothing),
    ("postCheckOut", Holds::Nothing),
    ("postGuestMessages", Holds::Nothing),
    ("postPreCheckInReservation", Holds::Nothing),
    ("postProfile", Holds::Nothing),
    ("postReservation", Holds::Nothing),
    ("postRoomAssignment", Holds::Nothing),
    ("postServiceRequests", Holds::Nothing),
    ("putProfile", Holds::Nothing),
    ("putReservation", Holds::Nothing),
    ("putRoomRelatedStatus", Holds::Nothing),
    ("putServiceRequests", Holds::Nothing),
    ("setGuestHousekeepingServiceRequest", Holds::Nothing),
    ("streaming.next", Holds::Events),
    ("streaming.subscribe", Holds::Nothing),
];

/// Reads a body of OPERA without asking OPERA anything: `operation` as OPERA names it
/// (`getHotelReservations`, `getBusinessEvents`). Local times are read in the time zone of the body,
/// or in UTC where it says none.
///
/// [`stayzr_core::ErrorKind::Unsupported`] for operations whose bodies are not read,
/// [`stayzr_core::ErrorKind::Invalid`] for a body that is not of the operation, and the kind of the
/// complaint for a body that is one.
pub fn read_body(operation: &str, body: &Value) -> Result<Reading> {
    let known = OPERATIONS
        .iter()
        .filter(|(start, _)| operation.starts_with(start))
        .max_by_key(|(start, _)| start.len());
    let Some((_, holds)) = known else {
        return Err(
            Error::unsupported("opera.read_body", "no body of this operation is read")
                .with("operation", operation),
        );
    };
    let complaint = complained(operation, body);
    if *holds == Holds::Error {
        return complaint
            .map(Reading::of_complaint)
            .ok_or_else(|| Error::invalid("opera.read_body", "the body is no error of OPERA"));
    }
    if let Some(complaint) = complaint {
        return Err(complaint.error("opera.read_body"));
    }
    let whole = Node::of(body);
    let mut reading = Reading::default();
    match holds {
        Holds::Events => reading.events = parse_event(body.to_string().as_bytes())?,
        Holds::Nothing | Holds::Error => {}
        Holds::Profile => match whole.at("profiles") {
            many if many.is_there() => {
                add_all(&mut reading, EntityKind::Guest, many, &["profileInfo"]);
            }
            _ => add(&mut reading, EntityKind::Guest, body),
        },
        Holds::Records(kind, lists) => {
            let (path, names) = lists
                .iter()
                .find(|(path, _)| whole.at(path).is_there())
                .ok_or_else(|| {
                    Error::invalid("opera.read_body", "not a body of this operation")
                        .with("operation", operation)
                })?;
            add_all(&mut reading, *kind, whole.at(path), names);
        }
    }
    Ok(reading)
}

/// The complaint that stands in place of an answer.
fn complained(operation: &str, body: &Value) -> Option<VendorComplaint> {
    let problem = ["title", "o:errorCode"]
        .iter()
        .any(|key| body.get(*key).is_some());
    let status = Node::of(body).at("status").whole().ok().flatten();
    let status = status.and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| http::StatusCode::from_u16(status).ok());
    let status = status
        .filter(|status| !status.is_success())
        .unwrap_or_else(|| status_in(operation));
    problem.then(|| VendorComplaint::of(&DIALECT, status, body))?
}

fn add_all(reading: &mut Reading, kind: EntityKind, at: Node<'_>, names: &[&str]) {
    for item in at.items(names) {
        if let Some(value) = item.0 {
            add(reading, kind, value);
        }
    }
}

fn add(reading: &mut Reading, kind: EntityKind, value: &Value) {
    let hotel = Hotel::read(value).unwrap_or_default();
    let mut config = OperaConfig::new("", hotel.id.clone());
    let zone = hotel
        .time_zone
        .clone()
        .filter(|zone| zone.parse::<chrono_tz::Tz>().is_ok());
    if zone.is_none() {
        let why = "no time zone beside the record: local times are read as UTC";
        reading.tolerated.insert(why.to_owned());
    }
    config.time_zone = Some(zone.unwrap_or_else(|| "UTC".to_owned()));
    let Ok(context) = transform_context(&hotel, &config) else {
        return;
    };
    match record::read(kind, value, &context) {
        Ok(Some(found)) => reading.take(Ok(found)),
        Ok(None) => reading.foreign += 1,
        Err(parked) => reading.take(Err(parked)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stayzr_core::ErrorKind;

    use super::*;

    #[test]
    fn the_longest_known_name_of_an_operation_says_how_its_body_is_read() {
        let hotels = json!({"hotelSummaryInfoList": [{"hotelId": "H", "hotelName": "Inn"}]});
        let one = json!({"hotelConfigInfo": {"hotelId": "H", "hotelName": "Inn"}});
        for (operation, body) in [("getHotels.response", &hotels), ("getHotel", &one)] {
            let reading = read_body(operation, body).unwrap();
            assert_eq!(reading.page.records[0].external_id, "H", "{operation}");
        }
        assert!(read_body("getFolios", &hotels).is_err());
        assert!(read_body("getRooms", &hotels).is_err());
    }

    #[test]
    fn values_nobody_knows_are_named_and_complaints_are_errors() {
        let body = json!({"reservations": {"reservationInfo": [{
            "reservationIdList": [{"id": "7", "type": "Reservation"}], "hotelId": "H",
            "roomStay": {"arrivalDate": "2026-05-01", "departureDate": "2026-05-03", "adultCount": 1},
            "reservationStatus": "Abducted", "ufo": true}]}});
        let reading = read_body("getHotelReservations", &body).unwrap();
        assert!(
            reading.unknown.contains("reservationStatus: Abducted"),
            "{reading:?}"
        );
        assert!(reading.kept.contains("ufo"), "{reading:?}");
        let body = json!({"title": "Resource not found", "status": 404, "o:errorCode": "RSV0001"});
        let error = read_body("getReservation", &body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let complaint = read_body("error.404", &body).unwrap().complaint.unwrap();
        assert_eq!(complaint.kind, ErrorKind::NotFound);
    }
}
