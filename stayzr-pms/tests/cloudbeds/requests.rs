//! What we send has the shape of the vendor's own requests.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stayzr_core::transform::EntityKind;

use crate::{
    common::{change, house, link, text},
    spec::shared,
};

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn every_request_of_the_examples_is_made_with_the_same_keys() {
    let house = house().await;
    let guest = house.get("guests").await[0].clone();
    let fields = [
        ("email", json!("alex.new@example.com")),
        ("phone", json!("+15550199")),
    ];
    house
        .push(&change(
            EntityKind::Guest,
            &text(&guest, "guestID"),
            &fields,
        ))
        .await;

    let dirty = house.get("rooms").await;
    let dirty = dirty
        .as_array()
        .unwrap()
        .iter()
        .find(|room| room["roomCondition"] == "dirty");
    let room = text(dirty.unwrap(), "roomID");
    house
        .push(&change(
            EntityKind::Room,
            &room,
            &[("condition", json!("clean"))],
        ))
        .await;

    // Booked far ahead, so that any room of the type is free.
    let booked = house
        .reservation(|one| one["status"] == "confirmed" && one["assigned"] == json!([]))
        .await;
    let id = text(&booked, "reservationID");
    house
        .patch(
            &format!("reservations/{id}"),
            json!({"startDate": "2031-01-01", "endDate": "2031-01-03"}),
        )
        .await;
    let room_type = text(&booked["unassigned"][0], "roomTypeID");
    let mut assign = change(EntityKind::Reservation, &id, &[]);
    link(
        &mut assign,
        "room_id",
        EntityKind::Room,
        &format!("{room_type}-0"),
    );
    house.push(&assign).await;
    house
        .push(&change(
            EntityKind::Reservation,
            &id,
            &[("status", json!("in_house"))],
        ))
        .await;

    let other = house
        .reservation(|one| one["status"] == "confirmed" && one["reservationID"] != id)
        .await;
    let other = text(&other, "reservationID");
    house
        .push(&change(
            EntityKind::Reservation,
            &other,
            &[("status", json!("cancelled"))],
        ))
        .await;

    for operation in [
        "putGuest",
        "putReservation",
        "postHousekeepingStatus",
        "postRoomAssign",
        "postRoomCheckIn",
    ] {
        let Some(theirs) = shared(&format!(
            "cloudbeds/{operation}.request.form.synthetic.json"
        )) else {
            return;
        };
        assert_eq!(
            keys(&house.recorder.last(operation).form),
            keys(&theirs),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn every_call_names_the_property_and_carries_the_key() {
    let house = house().await;
    house.all(EntityKind::RoomType, None).await;
    let call = house.recorder.last("getRoomTypes");
    assert_eq!(call.headers["x-api-key"], "cbat_sandbox");
    assert_eq!(
        call.headers["x-property-id"],
        house.sandbox.property_id().as_str()
    );
    let property = ("propertyIDs".to_owned(), house.sandbox.property_id());
    assert!(call.query.contains(&property));
}

#[tokio::test]
async fn nobody_is_written_to_and_nothing_is_repriced() {
    let house = house().await;
    let booked = house.reservation(|one| one["status"] == "confirmed").await;
    let id = text(&booked, "reservationID");
    let fields = [
        ("arrival", json!("2031-01-01T15:00:00Z")),
        ("departure", json!("2031-01-04T11:00:00Z")),
        ("adults", json!(2)),
    ];
    house
        .push(&change(EntityKind::Reservation, &id, &fields))
        .await;
    house
        .push(&change(
            EntityKind::Reservation,
            &id,
            &[("status", json!("cancelled"))],
        ))
        .await;
    let stats = house.stats().await;
    assert_eq!(stats["emails_sent"], 0);
    assert_eq!(stats["reprices"], 0);
    assert_eq!(stats["conditions_switched"], 0);
}
