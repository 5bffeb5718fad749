//! What is written at OPERA, and nothing beside it.

use serde_json::{Value, json};
use stayzr_core::transform::EntityKind;
use stayzr_pms::{PmsProvider, Push, PushOutcome};

use crate::common::{House, change, house, id, link};

async fn reserved(house: &House) -> Value {
    let upcoming = |one: &Value| {
        one["reservationStatus"] == "Reserved" && one["computedReservationStatus"] == "Reserved"
    };
    house.reservation(upcoming).await
}

#[tokio::test]
async fn dates_and_persons_change_without_a_new_price_or_a_letter() {
    let house = house().await;
    let one = reserved(&house).await;
    let push = change(
        EntityKind::Reservation,
        &id(&one),
        &[
            ("arrival", json!("2031-07-01T16:30:00Z")),
            ("departure", json!("2031-07-04T10:00:00Z")),
            ("adults", json!(2)),
            ("children", json!(1)),
        ],
    );
    let record = house.push(&push).await;
    for (field, value) in push.changed.iter() {
        assert_eq!(record.fields.get(field), Some(value), "{field}");
    }
    let now = house.get(&format!("reservations/{}", id(&one))).await;
    assert_eq!(now["roomStay"]["arrivalDate"], "2031-07-01");
    assert_eq!(now["roomStay"]["departureDate"], "2031-07-04");
    let expected = &now["roomStay"]["expectedTimes"]["reservationExpectedArrivalTime"];
    assert_eq!(expected, "2031-07-01 17:30:00.0");
    let stats = house.get("stats").await;
    assert_eq!(
        (&stats["reprices"], &stats["letters_sent"]),
        (&json!(0), &json!(0))
    );
    let body = house
        .recorder
        .last("PUT", &format!("/reservations/{}", id(&one)))
        .body;
    // What did not change is not sent.
    assert_eq!(body["reservations"][0]["reservationStatus"], Value::Null);
    assert_eq!(
        body["reservations"][0]["roomStay"]["roomRates"][0]["rates"],
        Value::Null
    );
}

#[tokio::test]
async fn a_room_is_assigned_and_the_type_that_is_charged_stays() {
    let house = house().await;
    let one = reserved(&house).await;
    let days = json!({"arrivalDate": "2031-07-01", "departureDate": "2031-07-03"});
    house
        .patch(&format!("reservations/{}", id(&one)), days)
        .await;
    let rooms = house.get("rooms").await;
    let charged = &one["roomStay"]["roomTypeCharged"];
    let other = |room: &&Value| room["roomType"]["roomType"] != *charged;
    let room = rooms.as_array().unwrap().iter().find(other).unwrap();
    let number = room["roomId"].as_str().unwrap();
    let mut push = change(EntityKind::Reservation, &id(&one), &[]);
    link(&mut push, "room_id", EntityKind::Room, number);
    let record = house.push(&push).await;
    assert_eq!(record.links["room_id"].as_ref().unwrap().id, number);
    let now = house.get(&format!("reservations/{}", id(&one))).await;
    assert_eq!(&now["roomStay"]["roomTypeCharged"], charged);
    assert_eq!(house.get("stats").await["reprices"], 0);
    assert!(house.recorder.calls("PUT", &id(&one)).is_empty());
}

#[tokio::test]
async fn a_room_that_is_taken_is_refused_in_the_vendors_words() {
    let house = house().await;
    let stays = |one: &Value| one["reservationStatus"] == "InHouse";
    let inside = house.reservation(stays).await;
    let one = reserved(&house).await;
    let days = json!({"arrivalDate": inside["roomStay"]["arrivalDate"],
        "departureDate": inside["roomStay"]["departureDate"]});
    house
        .patch(&format!("reservations/{}", id(&one)), days)
        .await;
    let mut push = change(EntityKind::Reservation, &id(&one), &[]);
    let number = inside["roomStay"]["roomId"].as_str().unwrap();
    link(&mut push, "room_id", EntityKind::Room, number);
    let error = house.provider.push(&push).await.unwrap_err();
    assert!(format!("{error:?}").contains("not available"), "{error:?}");
}

#[tokio::test]
async fn a_guest_changes_in_place_and_the_rest_of_the_profile_stays() {
    let house = house().await;
    let guest = house.get("guests").await[3].clone();
    let push = change(
        EntityKind::Guest,
        &id(&guest),
        &[
            ("last_name", json!("Weiß-Müller")),
            ("email", json!("new@hotel.example")),
            ("birth_date", json!("1980-02-29")),
        ],
    );
    let record = house.push(&push).await;
    for (field, value) in push.changed.iter() {
        assert_eq!(record.fields.get(field), Some(value), "{field}");
    }
    let now = house.get(&format!("guests/{}", id(&guest))).await;
    let (was, now) = (&guest["profileDetails"], &now["profileDetails"]);
    assert_eq!(now["emails"]["emailInfo"].as_array().unwrap().len(), 1);
    assert_eq!(now["telephones"], was["telephones"]);
    let name = &now["customer"]["personName"][0];
    assert_eq!(
        name["givenName"],
        was["customer"]["personName"][0]["givenName"]
    );
    assert_eq!(
        name["nameTitle"],
        was["customer"]["personName"][0]["nameTitle"]
    );
}

#[tokio::test]
async fn a_guest_is_made_once_and_found_before_it_is_made_again() {
    let house = house().await;
    let push = Push {
        external_id: None,
        ..change(
            EntityKind::Guest,
            "",
            &[
                ("first_name", json!("Zoë")),
                ("last_name", json!("Newcomer")),
                ("email", json!("zoe@hotel.example")),
                ("phone", json!("+351 21 000 0000")),
            ],
        )
    };
    assert_eq!(house.provider.find(&push).await.unwrap(), []);
    let made = house.push(&push).await;
    assert_eq!(made.fields.text("last_name"), Some("Newcomer"));
    assert_eq!(house.provider.find(&push).await.unwrap(), [made]);
}

#[tokio::test]
async fn a_room_is_cleaned_and_one_that_is_out_of_order_is_not() {
    let house = house().await;
    let number = house.get("rooms").await[0]["roomId"]
        .as_str()
        .unwrap()
        .to_owned();
    for (wanted, word) in [
        ("dirty", "Dirty"),
        ("clean", "Clean"),
        ("inspected", "Inspected"),
    ] {
        let push = change(EntityKind::Room, &number, &[("condition", json!(wanted))]);
        assert_eq!(
            house.push(&push).await.fields.text("condition_vendor"),
            Some(word)
        );
    }
    let blocked = json!({"housekeepingRoomStatus": "OutOfOrder"});
    house.patch(&format!("rooms/{number}"), blocked).await;
    let push = change(EntityKind::Room, &number, &[("condition", json!("clean"))]);
    assert!(house.provider.push(&push).await.is_err());
}

#[tokio::test]
async fn a_stay_whose_rate_changes_on_the_way_is_not_moved() {
    // The sandbox has none: the request is made of what a reservation in detail says.
    let house = house().await;
    let gone = change(EntityKind::Reservation, "404", &[("adults", json!(2))]);
    let error = house.provider.push(&gone).await.unwrap_err();
    assert_eq!(error.kind(), stayzr_core::ErrorKind::NotFound);
    let emptied = change(EntityKind::Guest, "1", &[("email", Value::Null)]);
    let outcome = house.provider.push(&emptied).await.unwrap();
    assert_eq!(outcome, PushOutcome::Unsupported(vec!["email".to_owned()]));
}
