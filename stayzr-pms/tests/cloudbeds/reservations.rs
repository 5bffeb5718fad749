//! Reservations are changed and made at the sandbox.

use serde_json::{Value, json};
use stayzr_core::transform::{EntityKind, FieldMap};
use stayzr_pms::{PmsProvider, Push, PushOutcome};

use crate::common::{House, change, house, link, text};

async fn confirmed(house: &House, assigned: bool) -> String {
    let wanted =
        |one: &Value| one["status"] == "confirmed" && (one["assigned"] != json!([])) == assigned;
    let booked = house.reservation(wanted).await;
    text(&booked, "reservationID")
}

fn stay(id: &str, fields: &[(&str, Value)]) -> Push {
    change(EntityKind::Reservation, id, fields)
}

#[tokio::test]
async fn dates_arrival_time_and_persons_are_written_and_read_back() {
    let house = house().await;
    let id = confirmed(&house, false).await;
    let fields = [
        ("arrival", json!("2031-07-01T17:45:00Z")),
        ("departure", json!("2031-07-05T10:00:00Z")),
        ("adults", json!(3)),
        ("children", json!(1)),
    ];
    let record = house.push(&stay(&id, &fields)).await;
    for (field, value) in &fields {
        assert_eq!(record.fields.get(field), Some(value), "{field}");
    }
    let form = house.recorder.last("putReservation").form;
    // Lisbon is an hour ahead in July.
    assert_eq!(form["estimatedArrivalTime"], "18:45");
    assert_eq!(form["rooms"][0]["checkinDate"], "2031-07-01");
    assert_eq!(form["rooms"][0]["adjustPrice"], "false");
}

#[tokio::test]
async fn a_departure_alone_is_one_field_and_its_time_of_day_cannot_be_set() {
    let house = house().await;
    let id = confirmed(&house, false).await;
    let now = house.one(EntityKind::Reservation, &id).await.unwrap();
    let last = now.fields.text("departure").unwrap();
    let later: chrono::DateTime<chrono::Utc> = last.parse().unwrap();
    let next = json!(later + chrono::TimeDelta::days(1));
    house.push(&stay(&id, &[("departure", next)])).await;
    let form = house.recorder.last("putReservation").form;
    assert!(
        form["checkoutDate"].is_string() && form["rooms"].is_null(),
        "{form}"
    );

    let evening = json!(later + chrono::TimeDelta::days(1) + chrono::TimeDelta::hours(6));
    let outcome = house
        .provider
        .push(&stay(&id, &[("departure", evening)]))
        .await
        .unwrap();
    assert_eq!(
        outcome,
        PushOutcome::Unsupported(vec!["departure".to_owned()])
    );
}

#[tokio::test]
async fn a_room_is_assigned_moved_and_taken_back() {
    let house = house().await;
    let id = confirmed(&house, false).await;
    house
        .patch(
            &format!("reservations/{id}"),
            json!({"startDate": "2031-01-01", "endDate": "2031-01-03"}),
        )
        .await;
    let rooms = house.get("rooms").await;
    let (one, other) = (text(&rooms[0], "roomID"), text(&rooms[20], "roomID"));
    for room in [&one, &other] {
        let mut push = stay(&id, &[]);
        link(&mut push, "room_id", EntityKind::Room, room);
        let record = house.push(&push).await;
        assert_eq!(record.links["room_id"].as_ref().unwrap().id, *room);
    }
    // The other room is of another type: the reservation follows.
    let record = house.one(EntityKind::Reservation, &id).await.unwrap();
    assert_eq!(
        record.links["room_type_id"].as_ref().unwrap().id,
        text(&rooms[20], "roomTypeID")
    );
    let mut push = stay(&id, &[]);
    push.links.insert("room_id".to_owned(), None);
    let record = house.push(&push).await;
    assert_eq!(record.links["room_id"], None);
}

#[tokio::test]
async fn a_guest_is_checked_in_and_out_room_by_room() {
    let house = house().await;
    let id = confirmed(&house, true).await;
    let record = house
        .push(&stay(&id, &[("status", json!("in_house"))]))
        .await;
    assert_eq!(record.fields.text("status_vendor"), Some("checked_in"));
    let record = house
        .push(&stay(&id, &[("status", json!("departed"))]))
        .await;
    assert_eq!(record.fields.text("status_vendor"), Some("checked_out"));
    assert!(house.recorder.calls("putReservation").is_empty());

    let roomless = confirmed(&house, false).await;
    let push = stay(&roomless, &[("status", json!("in_house"))]);
    let outcome = house.provider.push(&push).await.unwrap();
    assert_eq!(outcome, PushOutcome::Unsupported(vec!["status".to_owned()]));
}

#[tokio::test]
async fn a_cancelled_reservation_says_when() {
    let house = house().await;
    let id = confirmed(&house, true).await;
    let record = house
        .push(&stay(&id, &[("status", json!("cancelled"))]))
        .await;
    assert_eq!(record.fields.text("status"), Some("cancelled"));
    assert!(record.fields.text("cancelled_at").is_some());
    assert_eq!(
        house.recorder.last("putReservation").form["sendStatusChangeEmail"],
        "false"
    );
}

async fn booking(house: &House) -> Push {
    let guest = text(&house.get("guests").await[3], "guestID");
    let room_type = text(&house.get("rooms").await[0], "roomTypeID");
    let mut push = Push {
        external_id: None,
        ..stay(
            "",
            &[
                ("arrival", json!("2031-03-01T15:00:00Z")),
                ("departure", json!("2031-03-04T11:00:00Z")),
                ("adults", json!(1)),
                ("children", json!(0)),
            ],
        )
    };
    link(&mut push, "guest_id", EntityKind::Guest, &guest);
    link(&mut push, "room_type_id", EntityKind::RoomType, &room_type);
    push
}

#[tokio::test]
async fn a_reservation_that_leaves_at_another_hour_than_the_house_is_not_made() {
    let house = house().await;
    let mut push = booking(&house).await;
    push.changed
        .insert("departure", json!("2031-03-04T14:00:00Z"));
    let outcome = house.provider.push(&push).await.unwrap();
    assert_eq!(
        outcome,
        PushOutcome::Unsupported(vec!["departure".to_owned()])
    );
    assert!(house.recorder.calls("postReservation").is_empty());
}

#[tokio::test]
async fn a_reservation_is_made_once_however_often_it_is_tried() {
    let house = house().await;
    let push = booking(&house).await;
    assert_eq!(house.provider.find(&push).await.unwrap(), []);
    house.fault("cut", "postReservation", 1);
    let outcome = house.provider.push(&push).await.unwrap();
    assert!(matches!(outcome, PushOutcome::Ambiguous(_)), "{outcome:?}");
    let record = house.push(&push).await;
    assert_eq!(house.recorder.calls("postReservation").len(), 1);
    assert_eq!(record.fields.text("status"), Some("confirmed"));
    assert_eq!(record.fields.text("arrival"), Some("2031-03-01T15:00:00Z"));
    assert!(
        record
            .fields
            .text("channel_number")
            .unwrap()
            .starts_with("stayzr-")
    );
    let found = house.provider.find(&push).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].external_id, record.external_id);
    assert_eq!(house.stats().await["emails_sent"], 0);
}

#[tokio::test]
async fn a_reservation_that_the_desk_made_meanwhile_is_found_by_guest_and_dates() {
    let house = house().await;
    let mut push = booking(&house).await;
    let made = house.push(&push).await;
    let guest = made.links["guest_id"].clone().unwrap();
    push.links.insert("guest_id".to_owned(), Some(guest));
    push.changed.insert("channel_number", "another number");
    let found = house.provider.find(&push).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].external_id, made.external_id);
}

#[tokio::test]
async fn a_reservation_of_two_rooms_keeps_what_we_cannot_tell_apart() {
    let house = house().await;
    let id = confirmed(&house, false).await;
    let two = json!([
        {"subReservationID": "1", "roomTypeID": "6", "roomCheckIn": "2031-01-01",
            "roomCheckOut": "2031-01-03", "adults": "2", "children": "0"},
        {"subReservationID": "2", "roomTypeID": "6", "roomCheckIn": "2031-01-01",
            "roomCheckOut": "2031-01-03", "adults": "1", "children": "1"},
    ]);
    house
        .patch(&format!("reservations/{id}"), json!({"rooms": two}))
        .await;
    let record = house.one(EntityKind::Reservation, &id).await.unwrap();
    assert_eq!(record.fields.get("adults"), Some(&json!(3)));
    let outcome = house
        .provider
        .push(&stay(&id, &[("adults", json!(4))]))
        .await
        .unwrap();
    assert_eq!(outcome, PushOutcome::Unsupported(vec!["adults".to_owned()]));
}

#[tokio::test]
async fn a_person_is_added_to_a_reservation_beside_its_guest() {
    let house = house().await;
    let id = confirmed(&house, true).await;
    let fields: FieldMap = [
        ("first_name", "Bo"),
        ("last_name", "Day"),
        ("email", "bo@day.example"),
    ]
    .into_iter()
    .map(|(field, value)| (field.to_owned(), json!(value)))
    .collect();
    let added = house.provider.add_guest(&id, &fields).await.unwrap();
    assert_eq!(added.fields.text("last_name"), Some("Day"));
    let reservation = house.get(&format!("reservations/{id}")).await;
    assert!(reservation["guestList"][&added.external_id].is_object());
    let main = house.one(EntityKind::Reservation, &id).await.unwrap();
    assert_ne!(
        main.links["guest_id"].as_ref().unwrap().id,
        added.external_id
    );
}
