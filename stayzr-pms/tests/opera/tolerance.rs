//! What the vendor writes otherwise than it says is read all the same.

use serde_json::{Value, json};
use stayzr_pms::{RemoteRecord, providers::opera::read_body};

fn one(body: &Value) -> RemoteRecord {
    let reading = read_body("getHotelReservations", body).unwrap();
    assert_eq!(reading.page.parked, [], "{body}");
    let [record] = &reading.page.records[..] else {
        panic!("{body}: {reading:?}");
    };
    record.clone()
}

fn reservation() -> Value {
    json!({
        "reservationIdList": [{"id": "571062", "type": "Reservation"},
            {"id": "813595", "type": "Confirmation"}],
        "externalReferences": [{"id": "OTA-1", "idContext": "OTA"}],
        "roomStay": {"arrivalDate": "2024-04-29", "departureDate": "2024-05-01", "adultCount": 2,
            "childCount": 0, "roomType": "STDK", "roomId": "112", "ratePlanCode": "DFLEX",
            "expectedTimes": {"reservationExpectedArrivalTime": "2024-04-29 17:30:00.0"}},
        "reservationGuest": {"id": "687128", "type": "Profile"},
        "hotelId": "HOTEL1", "reservationStatus": "InHouse",
    })
}

#[test]
fn the_same_reservation_is_read_however_it_is_written() {
    let expected = one(&json!({"reservations": {"reservationInfo": [reservation()]}}));
    assert_eq!(expected.links["room_id"].as_ref().unwrap().id, "112");
    let with = |pointer: &str, value: Value| {
        let mut other = reservation();
        *other.pointer_mut(pointer).unwrap() = value;
        other
    };
    for other in [
        with("/roomStay/adultCount", json!("2")),
        with("/roomStay/adultCount", json!("2.0")),
        with("/roomStay/childCount", json!("0")),
        with("/roomStay/roomId", json!(112)),
        with("/reservationIdList/0/id", json!(571_062)),
        with("/reservationIdList/0/type", json!("RESERVATION")),
        with("/reservationGuest/id", json!(687_128)),
        with(
            "/externalReferences",
            json!({"id": "OTA-1", "idContext": "OTA"}),
        ),
        with(
            "/reservationGuest",
            json!([{"id": "687128", "type": "Profile"}]),
        ),
        with("/roomStay/arrivalDate", json!("2024-04-29T00:00:00Z")),
        with("/roomStay/departureDate", json!("2024-05-01 00:00:00.0")),
        with(
            "/roomStay/expectedTimes/reservationExpectedArrivalTime",
            json!("2024-04-29T17:30:00"),
        ),
        with(
            "/roomStay/expectedTimes/reservationExpectedArrivalTime",
            json!("17:30"),
        ),
    ] {
        let read = one(&json!({"reservations": {"reservationInfo": [other]}}));
        assert_eq!(read, expected, "{other}");
    }
    // One object for a list, and a list of lists.
    for body in [
        json!({"reservations": {"reservationInfo": reservation()}}),
        json!({"reservations": [{"reservationInfo": [reservation()]}]}),
    ] {
        assert_eq!(one(&body), expected, "{body}");
    }
}

#[test]
fn empty_lists_for_objects_say_nothing() {
    let bare = {
        let mut bare = reservation();
        let stay = bare["roomStay"].as_object_mut().unwrap();
        stay.remove("expectedTimes");
        bare.as_object_mut().unwrap().remove("externalReferences");
        bare
    };
    let expected = one(&json!({"reservations": {"reservationInfo": [bare]}}));
    for (key, value) in [("expectedTimes", json!([])), ("expectedTimes", Value::Null)] {
        let mut other = bare.clone();
        other["roomStay"][key] = value;
        let read = one(&json!({"reservations": {"reservationInfo": [other]}}));
        assert_eq!(read, expected, "{key}");
    }
    for body in [
        json!({"reservations": {"reservationInfo": []}}),
        json!({"reservations": {"reservationInfo": {}}}),
        json!({"reservations": {"reservationInfo": null}}),
    ] {
        let reading = read_body("getHotelReservations", &body).unwrap();
        assert_eq!(
            (reading.page.records, reading.page.parked),
            (vec![], vec![]),
            "{body}"
        );
    }
}

#[test]
fn a_count_that_cannot_be_is_put_aside_with_its_name() {
    for (key, value) in [
        ("adultCount", json!("two")),
        ("adultCount", json!(-100_000_000)),
        ("arrivalDate", json!("tomorrow")),
        ("departureDate", json!("2024-04-01")),
    ] {
        let mut other = reservation();
        other["roomStay"][key] = value;
        let body = json!({"reservations": {"reservationInfo": [other]}});
        let reading = read_body("getHotelReservations", &body).unwrap();
        let [parked] = &reading.page.parked[..] else {
            panic!("{body}: {reading:?}");
        };
        assert_eq!(parked.external_id.as_deref(), Some("571062"), "{key}");
        assert!(parked.reason.contains(key), "{key}: {}", parked.reason);
    }
}
