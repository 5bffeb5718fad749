//! Business events are taken batch by batch, and our own writes are none.

use serde_json::json;
use stayzr_core::{ErrorKind, model::PmsEvent, transform::EntityKind};
use stayzr_pms::{
    Desk, PmsProvider,
    desk::EventBatch,
    providers::opera::{OperaConfig, OperaProvider},
};

use crate::common::{change, house, id, quick_http, user};

#[tokio::test]
async fn every_change_at_the_desk_is_told_once_in_batches_of_twenty() {
    let house = house().await;
    assert_eq!(house.provider.next_events(None).await.unwrap(), None);
    let guests = house.get("guests").await;
    let guests = guests.as_array().unwrap();
    for guest in guests.iter().take(25) {
        let path = format!("guests/{}", id(guest));
        house.patch(&path, json!({"surname": "Changed"})).await;
    }
    let one = house
        .reservation(|one| one["reservationStatus"] == "Reserved")
        .await;
    let path = format!("reservations/{}", id(&one));
    house.patch(&path, json!({"adultCount": 4})).await;
    house
        .patch("rooms/101", json!({"housekeepingRoomStatus": "Pickup"}))
        .await;

    let first = house.provider.next_events(None).await.unwrap().unwrap();
    let second = house.provider.next_events(None).await.unwrap().unwrap();
    let of = |batch: &EventBatch| house.provider.parse_event(&batch.body).unwrap();
    let (first, second) = (of(&first), of(&second));
    assert_eq!((first.len(), second.len()), (20, 7));
    assert_eq!(house.provider.next_events(None).await.unwrap(), None);
    let told = |kind: EntityKind, id: &str| {
        first.iter().chain(&second).any(|event| {
            matches!(event, PmsEvent::Changed { remote_property_id, record }
                if remote_property_id == "SAND01" && record.kind == kind && record.id == id)
        })
    };
    assert!(told(EntityKind::Guest, &id(&guests[0])));
    assert!(told(EntityKind::Reservation, &id(&one)));
    assert!(told(EntityKind::Room, "101"));
}

#[tokio::test]
async fn invariant_b_our_own_writes_do_not_echo() {
    let house = house().await;
    let guest = house.get("guests").await[0].clone();
    let push = change(
        EntityKind::Guest,
        &id(&guest),
        &[("last_name", json!("Ours"))],
    );
    house.push(&push).await;
    assert_eq!(house.provider.next_events(None).await.unwrap(), None);
}

#[tokio::test]
async fn a_batch_whose_answer_is_lost_is_not_asked_for_as_if_nothing_had_happened() {
    let house = house().await;
    house
        .patch("rooms/101", json!({"housekeepingRoomStatus": "Pickup"}))
        .await;
    house.fault("cut", "getBusinessEvents", 1);
    let error = house.provider.next_events(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert_eq!(house.recorder.calls("GET", "/businessEvents").len(), 1);
    assert_eq!(house.provider.next_events(None).await.unwrap(), None);
}

#[tokio::test]
async fn without_an_external_system_there_is_no_queue_to_ask() {
    let house = house().await;
    let config = OperaConfig::new(&house.recorder.base_url, "SAND01");
    let provider = OperaProvider::new(config, user(), quick_http());
    let error = provider.next_events(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("external_system"), "{error}");
}
