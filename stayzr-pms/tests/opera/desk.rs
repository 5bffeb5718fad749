//! What is done at the desk: prices, cancelling, checking in and out, notes for guests and requests.

use serde_json::{Value, json};
use stayzr_core::{ErrorKind, port::backend::StayQuery, transform::EntityKind};
use stayzr_pms::{
    Desk, PmsProvider, Push, PushOutcome,
    desk::{DeskMessage, Recipient, RemoteOrder},
    providers::opera::{OperaProvider, ServiceConfig},
};

use crate::common::{House, change, config, house, id, link, quick_http, user};

/// The same house with a hotel that said what its desk takes.
async fn desk() -> House {
    let mut house = house().await;
    let mut config = config(&house.recorder.base_url);
    config.cancellation_reason = Some("PLANS".to_owned());
    config.cashier_id = Some(4);
    let towels = ServiceConfig {
        name: "Towels".to_owned(),
        department: Some("HSK".to_owned()),
        priority: Some("HIGH".to_owned()),
    };
    config.services.insert("TOWEL".to_owned(), towels);
    house.provider = OperaProvider::new(config, user(), quick_http());
    house
}

fn to_status(id: &str, from: &str, to: &str) -> Push {
    let mut push = change(EntityKind::Reservation, id, &[("status", json!(to))]);
    push.base.insert("status", from);
    push
}

async fn upcoming(house: &House) -> Value {
    house
        .reservation(|one| {
            one["reservationStatus"] == "Reserved" && one["computedReservationStatus"] == "Reserved"
        })
        .await
}

#[tokio::test]
async fn a_stay_is_priced_by_the_lowest_rate_with_tax_of_what_can_be_sold() {
    let house = desk().await;
    let stay = StayQuery {
        arrival: "2031-07-01".parse().unwrap(),
        departure: "2031-07-04".parse().unwrap(),
        persons: 2,
    };
    let quotes = house.provider.quote(&stay).await.unwrap();
    assert!(!quotes.is_empty());
    let mut types: Vec<_> = quotes.iter().map(|quote| &quote.room_type.id).collect();
    types.sort();
    types.dedup();
    assert_eq!(types.len(), quotes.len());
    assert!(
        quotes.iter().all(|quote| quote.rate == "DNRF"),
        "{quotes:?}"
    );
    assert!(
        quotes
            .iter()
            .all(|quote| quote.total.currency.code() == "EUR")
    );
    // Nobody sleeps nine in a room.
    let crowd = StayQuery { persons: 9, ..stay };
    assert_eq!(house.provider.quote(&crowd).await.unwrap(), []);
    let long = StayQuery {
        departure: "2032-07-01".parse().unwrap(),
        ..stay
    };
    let error = house.provider.quote(&long).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(house.recorder.calls("GET", "/availability").len(), 2);
}

#[tokio::test]
async fn a_reservation_is_cancelled_for_real_and_without_an_echo() {
    let house = desk().await;
    let one = id(&upcoming(&house).await);
    let record = house.push(&to_status(&one, "confirmed", "cancelled")).await;
    assert_eq!(record.fields.text("status"), Some("cancelled"));
    let now = house.get(&format!("reservations/{one}")).await;
    assert_eq!(now["reservationStatus"], "Cancelled");
    assert_eq!(house.provider.next_events(None).await.unwrap(), None);
    let body = house.recorder.last("POST", "/cancellations").body;
    assert_eq!(body["verificationOnly"], false);
    // Again is refused by OPERA, in its words.
    let error = house
        .provider
        .push(&to_status(&one, "confirmed", "cancelled"))
        .await;
    assert!(format!("{:?}", error.unwrap_err()).contains("cannot be cancelled"));
}

#[tokio::test]
async fn a_guest_arrives_and_leaves() {
    let house = desk().await;
    let one = upcoming(&house).await;
    let number = id(&one);
    let room = house.get("rooms").await[0]["roomId"]
        .as_str()
        .unwrap()
        .to_owned();
    let today = chrono::Utc::now()
        .with_timezone(&chrono_tz::Europe::Lisbon)
        .date_naive();
    let days = json!({"arrivalDate": today, "departureDate": today + chrono::Days::new(2),
        "roomId": null});
    house.patch(&format!("reservations/{number}"), days).await;
    // Whoever is in that room leaves first.
    let all = house.get("reservations").await;
    for other in all.as_array().unwrap() {
        if other["roomStay"]["roomId"] == room.as_str() && id(other) != number {
            let gone = json!({"reservationStatus": "CheckedOut"});
            house
                .patch(&format!("reservations/{}", id(other)), gone)
                .await;
        }
    }
    let arrives = to_status(&number, "confirmed", "in_house");
    let error = house.provider.push(&arrives).await.unwrap_err();
    assert!(error.to_string().contains("assign one first"), "{error}");

    let dirty = json!({"housekeepingRoomStatus": "Dirty"});
    house.patch(&format!("rooms/{room}"), dirty).await;
    let mut with_room = arrives.clone();
    link(&mut with_room, "room_id", EntityKind::Room, &room);
    // The room is assigned by then: what became of it is to be read before anything else.
    let outcome = house.provider.push(&with_room).await.unwrap();
    assert!(matches!(outcome, PushOutcome::Ambiguous(_)), "{outcome:?}");
    let clean = json!({"housekeepingRoomStatus": "Clean"});
    house.patch(&format!("rooms/{room}"), clean).await;
    let record = house.push(&arrives).await;
    assert_eq!(record.fields.text("status"), Some("in_house"));
    assert_eq!(record.links["room_id"].as_ref().unwrap().id, room);

    let record = house
        .push(&to_status(&number, "in_house", "departed"))
        .await;
    assert_eq!(record.fields.text("status"), Some("departed"));
    let room = house.one(EntityKind::Room, &room).await.unwrap();
    assert_eq!(room.fields.text("condition"), Some("dirty"));
}

#[tokio::test]
async fn without_a_reason_and_a_cashier_the_desk_does_it() {
    let house = house().await;
    let one = id(&upcoming(&house).await);
    for (from, to) in [("confirmed", "cancelled"), ("in_house", "departed")] {
        let outcome = house
            .provider
            .push(&to_status(&one, from, to))
            .await
            .unwrap();
        assert_eq!(
            outcome,
            PushOutcome::Unsupported(vec!["status".to_owned()]),
            "{to}"
        );
    }
    assert!(house.recorder.calls("POST", "/cancellations").is_empty());
}

#[tokio::test]
async fn a_note_is_left_for_the_guest_once() {
    let house = desk().await;
    let one = upcoming(&house).await;
    let message = DeskMessage {
        to: Recipient::Reservation(id(&one)),
        text: " Your table is booked for 20:00. ".to_owned(),
        key: "k".to_owned(),
    };
    let made = house.provider.send_message(&message).await.unwrap();
    let kept = house.get("messages").await;
    assert_eq!(kept[0]["reservation"], id(&one));
    assert_eq!(kept[0]["message"]["id"], made);
    assert_eq!(
        kept[0]["message"]["message"]["messageText"],
        "Your table is booked for 20:00."
    );
    house.fault("cut", "postGuestMessages", 1);
    let error = house.provider.send_message(&message).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert_eq!(house.get("messages").await.as_array().unwrap().len(), 2);
    let to_thread = DeskMessage {
        to: Recipient::Thread("1".to_owned()),
        ..message.clone()
    };
    let error = house.provider.send_message(&to_thread).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let too_long = DeskMessage {
        text: "x".repeat(2001),
        ..message
    };
    let error = house.provider.send_message(&too_long).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn what_a_guest_asks_for_is_requested_of_the_department() {
    let house = desk().await;
    let can = house.provider.capabilities().desk.clone();
    assert!(can.products && can.orders && can.reservation_messages);
    let products = house.provider.products().await.unwrap();
    assert_eq!(products[0].id, "TOWEL");
    let one = house
        .reservation(|one| one["reservationStatus"] == "InHouse")
        .await;
    let order = RemoteOrder {
        reservation: id(&one),
        product: "TOWEL".to_owned(),
        count: 3,
        note: Some("large ones".to_owned()),
        key: "k".to_owned(),
    };
    let made = house.provider.order(&order).await.unwrap().unwrap();
    let kept = house.get("service_requests").await[0].clone();
    assert_eq!(kept["serviceRequestId"]["id"], made);
    assert_eq!(kept["comment"], "3 x Towels: large ones");
    assert_eq!(kept["room"], one["roomStay"]["roomId"]);
    assert_eq!(kept["department"]["code"], "HSK");
    let unknown = RemoteOrder {
        product: "UNICORN".to_owned(),
        ..order.clone()
    };
    let error = house.provider.order(&unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("services"), "{error}");
    let nobody = RemoteOrder {
        reservation: "404".to_owned(),
        ..order
    };
    let error = house.provider.order(&nobody).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
