//! What happens between a read and a write.

use serde_json::json;
use stayzr_core::transform::EntityKind::Guest;

use crate::{
    guard::{edit, email, vendors},
    hotel::{Hotel, edit_row},
};

#[tokio::test]
async fn invariant_b_an_edit_while_a_page_is_read_is_not_written_over() {
    let hotel = Hotel::synchronised().await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"last_name": "King", "email": "theirs@example.com"}),
    );
    let row = hotel.row(Guest, "ada").await;
    let (store, clock, scope) = (hotel.store.clone(), hotel.clock.clone(), hotel.everything());
    hotel.vendor.lock().during_page = Some(Box::pin(async move {
        let set = json!({"email": "ours@example.com"});
        edit_row(&*store, &clock, scope, Guest, row.id, set).await;
    }));

    hotel.incremental().await;
    hotel.drain().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("ours@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("ours@example.com")));
    assert_eq!(
        hotel.text(Guest, "ada", "last_name").await.as_deref(),
        Some("King")
    );
}

#[tokio::test]
async fn invariant_b_an_edit_while_the_push_is_at_the_vendor_is_pushed_too() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "first@example.com"})).await;
    let row = hotel.row(Guest, "ada").await;
    let (store, clock, scope) = (hotel.store.clone(), hotel.clock.clone(), hotel.everything());
    hotel.vendor.lock().during_push = Some(Box::pin(async move {
        let set = json!({"email": "second@example.com"});
        edit_row(&*store, &clock, scope, Guest, row.id, set).await;
    }));

    hotel.drain().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("second@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("second@example.com")));
}

#[tokio::test]
async fn invariant_b_a_page_planned_before_a_push_does_not_put_the_old_base_back() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "first@example.com"})).await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));
    let local = hotel.row(Guest, "ada").await.id;
    let (engine, scope, id) = (hotel.engine.clone(), hotel.scope, hotel.integration_id);
    // The whole push happens between the page's reading of the mapping and its writing.
    hotel.racing.after_mappings(async move {
        engine.push(scope, id, Guest, local, None).await.unwrap();
    });

    hotel.read(Guest, "ada").await;

    let mapping = hotel.mapping(Guest, "ada").await;
    assert_eq!(mapping.base.text("email"), Some("first@example.com"));
    assert_eq!(mapping.version, hotel.vendor.record(Guest, "ada").version);
    // An edit back to the first value is news to the vendor, and reaches it.
    edit(&hotel, json!({"email": "Ada@Example.com"})).await;
    hotel.drain().await;
    assert_eq!(vendors(&hotel, "email"), Some(json!("Ada@Example.com")));
    assert_eq!(email(&hotel).await.as_deref(), Some("Ada@Example.com"));
}

#[tokio::test]
async fn invariant_b_an_edit_between_reading_and_writing_a_row_is_merged_again() {
    let hotel = Hotel::synchronised().await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"last_name": "King", "email": "theirs@example.com"}),
    );
    let row = hotel.row(Guest, "ada").await;
    let (store, clock, scope) = (hotel.store.clone(), hotel.clock.clone(), hotel.everything());
    hotel.racing.before_apply(async move {
        let set = json!({"email": "ours@example.com"});
        edit_row(&*store, &clock, scope, Guest, row.id, set).await;
    });

    hotel.read(Guest, "ada").await;
    assert_eq!(email(&hotel).await.as_deref(), Some("ours@example.com"));
    hotel.drain().await;

    assert_eq!(vendors(&hotel, "email"), Some(json!("ours@example.com")));
    assert_eq!(
        hotel.text(Guest, "ada", "last_name").await.as_deref(),
        Some("King")
    );
}

#[tokio::test]
async fn two_who_read_the_same_new_record_make_one_row() {
    let hotel = Hotel::furnished().await;
    let (engine, scope, id) = (hotel.engine.clone(), hotel.scope, hotel.integration_id);
    hotel.racing.before_apply(async move {
        let ids = ["ada".to_owned()];
        engine.targeted(scope, id, Guest, &ids, None).await.unwrap();
    });

    hotel.read(Guest, "ada").await;

    assert_eq!(hotel.count(Guest).await, 1);
}
