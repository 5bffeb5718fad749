//! The vendor's examples are read whole, whatever they break of its specifications.

use serde_json::{Value, json};
use stayzr_core::{ErrorKind, model::PmsEvent, transform::EntityKind};
use stayzr_pms::providers::opera::{read_body, wire::subscribe};

use crate::{
    spec::{bodies, shared},
    vendor_spec,
};

fn example(name: &str) -> Option<Value> {
    shared(&format!("ohip/{name}"))
}

/// Examples with records: file, and what they hold.
const RECORDS: [(&str, EntityKind, &[&str]); 6] = [
    (
        "getHotels.response.synthetic.json",
        EntityKind::Property,
        &["HOTEL1", "HOTEL2"],
    ),
    // The posting master beside it is none.
    (
        "getRoomTypes.response.synthetic.json",
        EntityKind::RoomType,
        &["STDK"],
    ),
    (
        "getRooms.page2.response.synthetic.json",
        EntityKind::Room,
        &["D209"],
    ),
    (
        "getHotelReservations.response.synthetic.json",
        EntityKind::Reservation,
        &["571062", "571070"],
    ),
    (
        "getHotelReservations.lastpage.response.synthetic.json",
        EntityKind::Reservation,
        &["571099"],
    ),
    (
        "getProfileByExtId.response.spec.json",
        EntityKind::Guest,
        &["a"],
    ),
];

#[test]
fn every_record_of_the_vendors_examples_is_read() {
    for (file, kind, ids) in RECORDS {
        let Some(body) = example(file) else { return };
        let reading = read_body(file, &body).unwrap();
        assert_eq!(reading.page.parked, [], "{file}");
        assert!(reading.unknown.is_empty(), "{file}");
        let records = reading.page.records;
        let found: Vec<&str> = records
            .iter()
            .map(|record| record.external_id.as_str())
            .collect();
        assert_eq!(found, ids, "{file}");
        assert!(records.iter().all(|record| record.kind == kind), "{file}");
    }
    let file = "getHousekeepingOverview.response.spec.json";
    let Some(body) = example(file) else { return };
    let reading = read_body(file, &body).unwrap();
    assert_eq!(reading.page.parked, []);
    assert!(reading.page.records.len() > 5);
    let room = &reading.page.records[0];
    assert_eq!(room.external_id, "112");
    assert_eq!(room.fields.text("condition"), Some("dirty"));
}

#[test]
fn a_reservation_of_the_vendor_has_our_fields() {
    let Some(body) = example("getHotelReservations.response.synthetic.json") else {
        return;
    };
    let reading = read_body("getHotelReservations", &body).unwrap();
    let record = &reading.page.records[1];
    for (field, value) in [
        ("number", json!("813603")),
        ("status", json!("in_house")),
        ("status_vendor", json!("InHouse")),
        ("arrival", json!("2024-04-29T15:00:00Z")),
        ("departure", json!("2024-05-01T11:00:00Z")),
        ("adults", json!(2)),
        ("children", json!(0)),
        ("rate_vendor", json!("DFLEX")),
        ("origin", json!("WEB")),
    ] {
        assert_eq!(record.fields.get(field), Some(&value), "{field}");
    }
    let link = |field: &str| record.links[field].as_ref().map(|link| link.id.as_str());
    assert_eq!(link("guest_id"), Some("687128"));
    assert_eq!(link("room_type_id"), Some("STDK"));
    assert_eq!(link("room_id"), Some("112"));
    assert_eq!(reading.page.records[0].links["room_id"], None);
}

#[test]
fn reservations_that_the_vendor_shows_being_written_are_read_in_either_envelope() {
    for (file, arrival) in [
        ("postReservation.request.postman1.json", "2022-05-06"),
        ("putReservation.request.spec.json", "2021-02-27"),
    ] {
        let Some(mut body) = example(file) else {
            return;
        };
        // They have no id, or one for each that is changed.
        let one = match body.pointer_mut("/reservations/reservation") {
            Some(one) => one,
            None => body.pointer_mut("/reservations/0").unwrap(),
        };
        one["reservationIdList"] = json!({"id": 571_062, "type": "Reservation"});
        let reading = read_body("getReservation", &body).unwrap();
        assert_eq!(reading.page.parked, [], "{file}");
        let record = &reading.page.records[0];
        assert_eq!(record.external_id, "571062", "{file}");
        assert!(
            record.fields.text("arrival").unwrap().starts_with(arrival),
            "{file}"
        );
        assert_eq!(record.fields.get("adults"), Some(&json!(1)), "{file}");
        let guest = record.links["guest_id"].as_ref().unwrap();
        assert_eq!(guest.id, "687128", "{file}");
    }
}

#[test]
fn a_profile_of_the_vendor_has_our_fields() {
    let Some(body) = example("getProfileByExtId.response.spec.json") else {
        return;
    };
    let reading = read_body("getProfileByExtId", &body).unwrap();
    let record = &reading.page.records[0];
    for (field, value) in [
        ("first_name", json!("Thomas")),
        ("last_name", json!("Smith")),
        ("title", json!("Mr")),
        ("nationality", json!("US")),
        ("birth_date", json!("2000-01-01")),
    ] {
        assert_eq!(record.fields.get(field), Some(&value), "{field}");
    }
}

#[test]
fn business_events_of_the_vendor_name_their_records() {
    let file = "getBusinessEventsByExternalSystem.response.spec.json";
    let Some(body) = example(file) else { return };
    let reading = read_body(file, &body).unwrap();
    let named: Vec<(EntityKind, &str)> = reading
        .events
        .iter()
        .filter_map(|event| match event {
            PmsEvent::Changed { record, .. } => Some((record.kind, record.id.as_str())),
            PmsEvent::Message { .. } | PmsEvent::Unknown { .. } => None,
        })
        .collect();
    assert_eq!(
        named,
        [(EntityKind::Guest, "42212"), (EntityKind::Guest, "494139")]
    );
}

#[test]
fn streamed_events_of_the_vendor_name_their_records_and_its_question_is_ours() {
    for (file, kind, id) in [
        (
            "streaming.next.room-status.synthetic.json",
            EntityKind::Room,
            "112",
        ),
        (
            "streaming.next.update-profile.synthetic.json",
            EntityKind::Guest,
            "1280812",
        ),
    ] {
        let Some(body) = example(file) else { return };
        let reading = read_body(file, &body).unwrap();
        let [
            PmsEvent::Changed {
                record,
                remote_property_id,
            },
        ] = &reading.events[..]
        else {
            panic!("{file}: {:?}", reading.events);
        };
        assert_eq!((record.kind, record.id.as_str()), (kind, id), "{file}");
        assert_eq!(remote_property_id, "HOTEL1", "{file}");
    }
    let Some(theirs) = example("streaming.subscribe.synthetic.json") else {
        return;
    };
    let id = theirs["id"].as_str().unwrap();
    assert_eq!(subscribe(id, "CHAIN", Some("147")), theirs);
}

#[test]
fn bodies_without_records_are_read_and_complaints_are_errors() {
    for file in [
        "getReservationGuarantees.response.spec.json",
        "oauth.token.min.response.synthetic.json",
        "postCheckIn.request.spec.json",
        "postCheckOut.request.postman1.json",
        "postGuestMessages.request.postman1.json",
        "postPreCheckInReservation.request.postman1.json",
        "postProfile.request.postman1.json",
        "postReservation.request.spec.json",
        "postRoomAssignment.request.postman1.json",
        "postServiceRequests.request.postman1.json",
        "putProfile.request.postman1.json",
        "putReservation.request.postman2.json",
        "putReservation.request.postman3.json",
        "putRoomRelatedStatus.request.spec.json",
    ] {
        let Some(body) = example(file) else { return };
        assert_eq!(read_body(file, &body).unwrap().page.parked, [], "{file}");
    }
    let Some(body) = example("error.404.synthetic.json") else {
        return;
    };
    let error = read_body("getReservation", &body).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// The vendor's own examples that break the vendor's own schemas: numbers as texts, one object for a
/// list and the other way round, capitals in enumerations, keys that the schema does not have. Days of
/// ten letters where eight are allowed are not counted: see [`vendor_spec`].
const BROKEN: [&str; 19] = [
    "getBusinessEventsByExternalSystem.response.spec.json",
    "getHousekeepingOverview.response.spec.json",
    "getProfileByExtId.response.spec.json",
    "getReservationGuarantees.response.spec.json",
    "postCheckOut.request.postman1.json",
    "postGuestMessages.request.postman3.json",
    "postProfile.request.postman1.json",
    "postReservation.request.postman1.json",
    "postReservation.request.postman2.json",
    "postReservation.request.postman3.json",
    "postReservation.request.postman4.json",
    "postReservation.request.postman5.json",
    "postReservation.request.postman6.json",
    "postReservation.request.spec.json",
    "putProfile.request.postman1.json",
    "putReservation.request.postman2.json",
    "putReservation.request.postman3.json",
    "putReservation.request.spec.json",
    "putServiceRequests.request.postman1.json",
];

#[test]
fn the_vendors_examples_are_as_its_specification_says_but_for_those_that_are_known_not_to_be() {
    let Some(shared) = std::env::var_os("STAYZR_SHARED") else {
        eprintln!("skipped: STAYZR_SHARED is not set");
        return;
    };
    let folder = std::path::PathBuf::from(shared).join("vendor/ohip");
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut broken = Vec::new();
    let mut held = 0;
    for name in names {
        let (operation, rest) = name.split_once('.').unwrap();
        let operation = match operation {
            "oauth" => "getToken",
            // Of no operation, or not of REST.
            "error" | "streaming" => continue,
            other => other,
        };
        let (is_request, is_answer) = (rest.contains("request."), rest.contains("response."));
        if !is_request && !is_answer {
            continue;
        }
        let operation = vendor_spec::named(operation).unwrap();
        let body = example(&name).unwrap();
        let wrong = match is_request {
            true => operation.request(&body),
            false => operation.answer(200, &body),
        };
        held += 1;
        if !wrong.is_empty() {
            broken.push(name);
        }
    }
    assert!(held > 35, "{held}");
    assert_eq!(broken, BROKEN);
}

#[test]
fn every_body_of_the_vendor_is_read_by_the_name_of_its_file() {
    for (operation, body) in bodies("ohip").unwrap_or_default() {
        let read = read_body(&operation, &body);
        assert!(read.is_ok(), "{operation}: {read:?}");
    }
}
