//! What the vendor writes oddly, or newly, is read and kept.

use serde_json::{Value, json};
use stayzr_core::transform::EntityKind;
use stayzr_pms::{UnknownValue, providers::cloudbeds::read_body};

use crate::common::{house, text};

fn reservation(more: Value) -> Value {
    let mut data = json!({"reservationID": 7, "status": "confirmed", "startDate": "2026-05-01",
        "endDate": "2026-05-03", "guestList": [], "balanceDetailed": [], "assigned": [],
        "unassigned": []});
    data.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"success": true, "data": data})
}

#[test]
fn numbers_as_texts_lists_as_objects_and_blanks_are_the_same() {
    let plain = reservation(
        json!({"assigned": [{"subReservationID": "7", "roomTypeID": "6",
        "roomID": "6-0", "startDate": "2026-05-01", "endDate": "2026-05-03", "adults": "2",
        "children": "0"}], "estimatedArrivalTime": "", "guestList": {"9": {"guestID": "9",
        "isMainGuest": true}}}),
    );
    let odd = reservation(
        json!({"reservationID": "7", "assigned": {"subReservationID": 7,
        "roomTypeID": 6, "roomID": "6-0", "startDate": "2026-05-01 00:00:00",
        "endDate": "2026-05-03", "adults": 2, "children": 0}, "estimatedArrivalTime": null,
        "guestList": [{"guestID": 9, "isMainGuest": "1"}], "unassigned": null,
        "balanceDetailed": {"paid": 1}}),
    );
    let read = |body: &Value| read_body("getReservation", body).unwrap().page;
    let (plain, odd) = (read(&plain), read(&odd));
    assert_eq!(plain.parked, []);
    assert_eq!(odd.parked, []);
    assert_eq!(plain.records[0].fields, odd.records[0].fields);
    assert_eq!(plain.records[0].links, odd.records[0].links);
    assert_eq!(plain.records[0].fields.get("adults"), Some(&json!(2)));
}

#[test]
fn one_record_that_cannot_be_read_is_put_aside_with_its_field() {
    let body = json!({"success": true, "data": [
        {"reservationID": "1", "status": "confirmed", "startDate": "soon", "endDate": "2026-05-03"},
        {"reservationID": "2", "status": "confirmed", "startDate": "2026-05-04", "endDate": "2026-05-03"},
        {"status": "confirmed", "startDate": "2026-05-01", "endDate": "2026-05-03"},
        {"reservationID": "4", "status": "confirmed", "startDate": "2026-05-01", "endDate": "2026-05-03"},
    ]});
    let page = read_body("getReservations", &body).unwrap().page;
    assert_eq!(page.records.len(), 1);
    let parked: Vec<(Option<&str>, &str)> = page
        .parked
        .iter()
        .map(|parked| {
            (
                parked.external_id.as_deref(),
                parked.reason.split(':').next().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        parked,
        [
            (Some("1"), "startDate"),
            (Some("2"), "endDate"),
            (None, "id")
        ]
    );
}

#[tokio::test]
async fn invariant_u_unknown_values_and_fields_survive() {
    let house = house().await;
    let booked = house.reservation(|one| one["status"] == "confirmed").await;
    let id = text(&booked, "reservationID");
    house
        .patch(
            &format!("reservations/{id}"),
            json!({"x_loyalty": {"level": 3}}),
        )
        .await;
    let guest = text(&house.get("guests").await[0], "guestID");
    house
        .patch(&format!("guests/{guest}"), json!({"x_shoes": 42}))
        .await;
    let listed = house.all(EntityKind::Reservation, None).await;
    assert_eq!(listed.parked, []);
    let record = listed
        .records
        .iter()
        .find(|record| record.external_id == id)
        .unwrap();
    assert_eq!(record.extra["x_loyalty"], json!({"level": 3}));
    let guests = house.all(EntityKind::Guest, None).await.records;
    let listed = guests
        .iter()
        .find(|record| record.external_id == guest)
        .unwrap();
    assert_eq!(listed.extra["x_shoes"], 42);
}

#[test]
fn invariant_u_unknown_words_are_kept_and_named() {
    let body = reservation(json!({"status": "abducted"}));
    let page = read_body("getReservation", &body).unwrap().page;
    let record = &page.records[0];
    assert_eq!(record.fields.text("status"), Some("unknown"));
    assert_eq!(record.fields.text("status_vendor"), Some("abducted"));
    let unknown = UnknownValue {
        field: "status".to_owned(),
        value: "abducted".to_owned(),
    };
    assert_eq!(record.unknown, [unknown]);
    let body = json!({"success": true, "data": [{"roomID": "1-0", "roomName": "101",
        "roomCondition": "haunted"}]});
    let page = read_body("getHousekeepingStatus", &body).unwrap().page;
    assert_eq!(
        page.records[0].fields.text("condition_vendor"),
        Some("haunted")
    );
    assert_eq!(page.records[0].unknown.len(), 1);
}

#[test]
fn invariant_p_cards_are_not_kept() {
    let body = reservation(json!({"cardsOnFile": [{"cardNumber": "1111", "cardType": "visa"}]}));
    let page = read_body("getReservation", &body).unwrap().page;
    assert!(!format!("{:?}", page.records[0]).contains("1111"));
}
