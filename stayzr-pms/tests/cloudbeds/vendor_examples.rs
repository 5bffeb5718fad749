//! The vendor's examples are read whole, and are as its specification says but for what is listed.

use serde_json::{Value, json};
use stayzr_core::{ErrorKind, model::PmsEvent, transform::EntityKind};
use stayzr_pms::providers::cloudbeds::{delivery_hash, parse_event, read_body};

use crate::{
    spec::{bodies, shared},
    vendor_spec,
};

fn example(name: &str) -> Option<Value> {
    shared(&format!("cloudbeds/{name}"))
}

/// Examples with records: operation, rest of the file's name, and what they hold.
const RECORDS: [(&str, &str, EntityKind, &[&str]); 14] = [
    (
        "getHotels",
        ".response.synthetic.json",
        EntityKind::Property,
        &["318267"],
    ),
    (
        "getHotelDetails",
        ".response.synthetic.json",
        EntityKind::Property,
        &["318267"],
    ),
    (
        "getRoomTypes",
        ".response.synthetic.json",
        EntityKind::RoomType,
        &["650000"],
    ),
    (
        "getRooms",
        ".response.synthetic.json",
        EntityKind::Room,
        &["650000-0"],
    ),
    (
        "getGuest",
        ".response.synthetic.json",
        EntityKind::Guest,
        &["as-asked"],
    ),
    (
        "getGuestList",
        ".response.synthetic.json",
        EntityKind::Guest,
        &["159926682"],
    ),
    (
        "getGuestsModified",
        ".response.synthetic.json",
        EntityKind::Guest,
        &["159926682", "159926682"],
    ),
    (
        "getReservation",
        ".assigned.response.synthetic.json",
        EntityKind::Reservation,
        &["7061304407766"],
    ),
    (
        "getReservation",
        ".checkedin.response.synthetic.json",
        EntityKind::Reservation,
        &["7061304407900"],
    ),
    (
        "getReservation",
        ".unassigned.response.synthetic.json",
        EntityKind::Reservation,
        &["7061304407801"],
    ),
    (
        "getReservations",
        ".response.synthetic.json",
        EntityKind::Reservation,
        &["7061304407766"],
    ),
    (
        "postReservation",
        ".response.synthetic.json",
        EntityKind::Reservation,
        &["7061304407766"],
    ),
    (
        "putReservation",
        ".response.synthetic.json",
        EntityKind::Reservation,
        &["7061304407766"],
    ),
    (
        "getHotels",
        ".response.synthetic.json",
        EntityKind::Property,
        &["318267"],
    ),
];

#[test]
fn every_record_of_the_vendors_examples_is_read() {
    for (operation, rest, kind, ids) in RECORDS {
        let file = format!("{operation}{rest}");
        let Some(body) = example(&file) else { return };
        let reading = read_body(&file, &body).unwrap();
        assert_eq!(reading.page.parked, [], "{file}");
        assert!(reading.unknown.is_empty(), "{file}");
        let found: Vec<&str> = reading
            .page
            .records
            .iter()
            .map(|record| record.external_id.as_str())
            .collect();
        assert_eq!(found, ids, "{file}");
        assert!(
            reading
                .page
                .records
                .iter()
                .all(|record| record.kind == kind)
        );
    }
}

#[test]
fn a_reservation_of_the_vendor_has_our_fields() {
    let Some(body) = example("getReservation.assigned.response.synthetic.json") else {
        return;
    };
    let reading = read_body("getReservation", &body).unwrap();
    let record = &reading.page.records[0];
    for (field, value) in [
        ("status", json!("confirmed")),
        ("status_vendor", json!("confirmed")),
        ("arrival", json!("2024-05-01T16:00:00Z")),
        ("departure", json!("2024-05-03T11:00:00Z")),
        ("adults", json!(2)),
        ("children", json!(0)),
        ("channel_number", Value::Null),
        ("origin", json!("Website/Booking Engine")),
    ] {
        assert_eq!(record.fields.get(field), Some(&value), "{field}");
    }
    let link = |field: &str| record.links[field].as_ref().map(|link| link.id.as_str());
    assert_eq!(link("guest_id"), Some("159926682"));
    assert_eq!(link("room_type_id"), Some("650000"));
    assert_eq!(link("room_id"), Some("650000-0"));
    let Some(body) = example("getReservation.unassigned.response.synthetic.json") else {
        return;
    };
    let reading = read_body("getReservation", &body).unwrap();
    let record = &reading.page.records[0];
    assert_eq!(record.fields.text("status"), Some("tentative"));
    assert_eq!(record.fields.text("channel_number"), Some("BDC-4431"));
    assert_eq!(record.links["room_id"], None);
}

#[test]
fn a_property_and_a_guest_of_the_vendor_have_our_fields() {
    if let Some(body) = example("getHotelDetails.response.synthetic.json") {
        let reading = read_body("getHotelDetails", &body).unwrap();
        let fields = &reading.page.records[0].fields;
        assert_eq!(fields.text("name"), Some("Sample Inn"));
        assert_eq!(fields.text("check_in"), Some("15:00"));
        assert_eq!(fields.text("currency"), Some("USD"));
        assert_eq!(fields.get("address").unwrap()["city"], "Springfield");
    }
    if let Some(body) = example("getGuest.response.synthetic.json") {
        let reading = read_body("getGuest", &body).unwrap();
        let record = &reading.page.records[0];
        assert_eq!(record.fields.text("last_name"), Some("Morgan"));
        assert_eq!(record.fields.get("birth_date"), Some(&Value::Null));
        assert!(
            reading.kept.contains("specialRequests"),
            "{:?}",
            reading.kept
        );
    }
}

#[test]
fn bodies_without_records_are_read_and_complaints_are_errors() {
    for file in [
        "getAvailableRoomTypes.response.synthetic.json",
        "getAvailableRoomTypes.soldout.response.synthetic.json",
        "getWebhooks.response.synthetic.json",
        "postGuest.response.synthetic.json",
        "postHousekeepingStatus.request.form.synthetic.json",
        "postHousekeepingStatus.response.synthetic.json",
        "postRoomAssign.request.form.synthetic.json",
        "postRoomCheckIn.request.form.synthetic.json",
        "postWebhook.response.synthetic.json",
        "putGuest.request.form.synthetic.json",
        "putReservation.request.form.synthetic.json",
    ] {
        let Some(body) = example(file) else { return };
        assert_eq!(read_body(file, &body).unwrap().page.parked, [], "{file}");
    }
    for (file, kind) in [
        ("error.200.success-false.json", ErrorKind::Unauthorized),
        (
            "error.success-false.response.synthetic.json",
            ErrorKind::NotFound,
        ),
        ("error.401.expired-code.json", ErrorKind::Invalid),
    ] {
        let Some(body) = example(file) else { return };
        let read = read_body("getReservation", &body);
        assert_eq!(read.unwrap_err().kind(), kind, "{file}");
    }
}

#[test]
fn webhooks_of_the_vendor_name_their_records() {
    let named = |file: &str| -> Option<Vec<(EntityKind, String)>> {
        let body = serde_json::to_vec(&example(file)?).unwrap();
        assert_eq!(delivery_hash(&body).unwrap().len(), 64);
        let events = parse_event(&body).unwrap();
        let events = events.into_iter().filter_map(|event| match event {
            PmsEvent::Changed { record, .. } => Some((record.kind, record.id)),
            PmsEvent::Message { .. } | PmsEvent::Unknown { .. } => None,
        });
        Some(events.collect())
    };
    use EntityKind::{Guest, Reservation};
    for (file, expected) in [
        ("webhook.guest.created.json", vec![(Guest, "159926682")]),
        (
            "webhook.reservation.created.json",
            vec![(Reservation, "7061304407766")],
        ),
        (
            "webhook.reservation.dates_changed.json",
            vec![(Reservation, "31415926")],
        ),
        (
            "webhook.integration.appstate_changed.synthetic.json",
            vec![],
        ),
    ] {
        let Some(found) = named(file) else { return };
        let found: Vec<(EntityKind, &str)> = found
            .iter()
            .map(|(kind, id)| (*kind, id.as_str()))
            .collect();
        assert_eq!(found, expected, "{file}");
    }
}

/// Where the vendor's examples break the vendor's schema: the text says "can be null", and days stand
/// where the schema has times.
const KNOWN: [(&str, &str); 4] = [
    ("getGuest", "/data/documentIssueDate"),
    ("getGuest", "/data/documentExpirationDate"),
    ("getGuestsModified", "/startDate"),
    ("getGuestsModified", "/endDate"),
];

#[test]
fn the_vendors_examples_are_as_its_specification_says() {
    let answers = RECORDS
        .iter()
        .map(|(operation, rest, ..)| (*operation, format!("{operation}{rest}")));
    for (operation, file) in answers {
        let Some(body) = example(&file) else { return };
        let mut wrong = vendor_spec::named(operation).unwrap().answer(&body);
        wrong.retain(|error| {
            !KNOWN
                .iter()
                .any(|(of, part)| *of == operation && error.contains(part))
        });
        assert_eq!(wrong, [""; 0], "{file}");
    }
    for (operation, rest) in [
        ("postHousekeepingStatus", ""),
        ("postRoomAssign", ""),
        ("postRoomCheckIn", ""),
        ("putGuest", ""),
        ("putReservation", ""),
    ] {
        let file = format!("{operation}{rest}.request.form.synthetic.json");
        let Some(body) = example(&file) else { return };
        assert_eq!(
            vendor_spec::named(operation).unwrap().request(&body),
            [""; 0],
            "{file}"
        );
    }
}

#[test]
fn every_body_of_the_vendor_is_read_by_the_name_of_its_file() {
    for (operation, body) in bodies("cloudbeds").unwrap_or_default() {
        let read = read_body(&operation, &body);
        assert!(read.is_ok(), "{operation}: {read:?}");
    }
}
