//! No edit is lost, no write echoes, nothing is written where nothing changed.

use serde_json::{Value, json};
use stayzr_core::transform::EntityKind::{Guest, Property, Reservation, Room, RoomType};

use crate::{hotel::Hotel, vendor::Answer};

pub async fn email(hotel: &Hotel) -> Option<String> {
    hotel.text(Guest, "ada", "email").await
}

pub fn vendors(hotel: &Hotel, field: &str) -> Option<Value> {
    hotel.vendor.record(Guest, "ada").fields.get(field).cloned()
}

pub async fn edit(hotel: &Hotel, set: Value) {
    hotel.edit(Guest, "ada", set).await;
}

/// Every row and mapping as it stands.
pub async fn snapshot(hotel: &Hotel) -> Vec<String> {
    let mut all = Vec::new();
    let ids = hotel
        .vendor
        .lock()
        .records
        .keys()
        .cloned()
        .collect::<Vec<_>>();
    for (kind, id) in ids {
        all.push(format!("{:?}", hotel.row(kind, &id).await));
        all.push(format!("{:?}", hotel.mapping(kind, &id).await));
        all.push(format!("{}", hotel.journal(kind, &id).await.len()));
    }
    all.push(format!("{:?}", hotel.jobs().await));
    all
}

#[tokio::test]
async fn invariant_c_synchronising_unchanged_data_again_writes_no_row() {
    let hotel = Hotel::synchronised().await;
    let before = snapshot(&hotel).await;

    let whole = hotel.backfill().await;
    let recent = hotel.incremental().await;
    for (kind, id) in [
        (Property, "enterprise"),
        (RoomType, "double"),
        (Room, "101"),
    ] {
        hotel.read(kind, id).await;
    }
    for id in ["ada", "alan", "grace"] {
        hotel.read(Guest, id).await;
        hotel.push(Guest, id).await.unwrap();
    }
    hotel.read(Reservation, "r1").await;

    assert_eq!(snapshot(&hotel).await, before);
    assert_eq!((whole.created, whole.updated), (0, 0));
    assert_eq!((recent.created, recent.updated), (0, 0));
    assert!(hotel.vendor.pushes().is_empty());
}

#[tokio::test]
async fn invariant_b_an_edit_is_pushed_and_does_not_echo() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;

    hotel.drain().await;
    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
    let settled = snapshot(&hotel).await;
    hotel.read(Guest, "ada").await;
    hotel.incremental().await;
    hotel.drain().await;

    assert_eq!(hotel.vendor.pushes().len(), 1);
    assert_eq!(snapshot(&hotel).await, settled, "the echo changes nothing");
}

#[tokio::test]
async fn invariant_b_a_webhook_before_the_push_does_not_take_the_edit_back() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));

    hotel.read(Guest, "ada").await;
    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    assert_eq!(
        hotel.text(Guest, "ada", "last_name").await.as_deref(),
        Some("King")
    );
    hotel.drain().await;

    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
    assert_eq!(vendors(&hotel, "last_name"), Some(json!("King")));
    let pushes = hotel.vendor.pushes();
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0].changed.names().collect::<Vec<_>>(), ["email"]);
}

#[tokio::test]
async fn invariant_b_a_stale_read_after_the_push_changes_nothing() {
    let hotel = Hotel::synchronised().await;
    let stale = hotel.vendor.record(Guest, "ada");
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel.drain().await;
    let settled = snapshot(&hotel).await;

    hotel.vendor.lock().stale_reads.push_back(stale);
    hotel.read(Guest, "ada").await;

    assert_eq!(snapshot(&hotel).await, settled);
}

#[tokio::test]
async fn invariant_b_a_stale_read_under_the_same_mark_does_not_take_the_edit_back() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel.drain().await;
    // The vendor's marks have whole seconds: the read looks as new as the push.
    let mut stale = hotel.vendor.record(Guest, "ada");
    stale.fields.insert("email", "Ada@Example.com");
    stale.fields.insert("loyalty_code", "L1");

    hotel.vendor.lock().stale_reads.push_back(stale);
    hotel.read(Guest, "ada").await;
    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    hotel.quiet().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
    assert_eq!(
        hotel.mapping(Guest, "ada").await.base.get("loyalty_code"),
        Some(&json!("L1"))
    );
}

#[tokio::test]
async fn invariant_b_a_change_back_in_the_same_second_is_taken_once_it_cannot_be_late() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel.drain().await;
    hotel
        .vendor
        .change_at_once(Guest, "ada", json!({"email": "Ada@Example.com"}));

    hotel.read(Guest, "ada").await;
    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    hotel.quiet().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("Ada@Example.com"));
    assert_eq!(hotel.vendor.pushes().len(), 1);
}

#[tokio::test]
async fn invariant_b_an_answer_from_before_the_push_does_not_take_the_edit_back() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel.vendor.lock().answers.push_back(Answer::Stale);

    hotel.drain().await;
    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    hotel.read(Guest, "ada").await;
    hotel.quiet().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
    assert_eq!(hotel.vendor.pushes().len(), 1);
}

#[tokio::test]
async fn invariant_b_a_value_the_vendor_writes_in_its_own_form_is_taken_and_not_fought_over() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"phone": "00351 912 345 678"})).await;
    hotel
        .vendor
        .lock()
        .answers
        .push_back(Answer::Normalised("phone", json!("+351912345678")));

    hotel.drain().await;
    hotel.read(Guest, "ada").await;
    hotel.quiet().await;

    assert_eq!(
        hotel.text(Guest, "ada", "phone").await.as_deref(),
        Some("+351912345678")
    );
    assert_eq!(hotel.vendor.pushes().len(), 1);
}
