//! A row in conflict stays as it is, whatever becomes of its record.

use chrono::TimeDelta;
use serde_json::json;
use stayzr_core::{
    model::{ChangeOutcome, ConflictStatus, ResolutionChoice},
    transform::EntityKind::{self, Guest, Reservation, Room},
};
use stayzr_pms::RemoteRecord;

use crate::{
    disputes::{careful, decide, disputed, the_conflict},
    hotel::Hotel,
    vendor::map,
};

async fn lose(hotel: &Hotel, kind: EntityKind, id: &str) -> RemoteRecord {
    let key = (kind, id.to_owned());
    let record = hotel.vendor.lock().records.remove(&key).unwrap();
    hotel
        .engine
        .reconcile(hotel.scope, hotel.integration_id, true, None)
        .await
        .unwrap();
    assert!(hotel.mapping(kind, id).await.gone_at.is_some());
    record
}

async fn back(hotel: &Hotel, record: RemoteRecord) {
    let key = (record.kind, record.external_id.clone());
    hotel.vendor.lock().records.insert(key.clone(), record);
    hotel.read(key.0, &key.1).await;
}

#[tokio::test]
async fn invariant_b_a_row_in_conflict_stays_as_it_is_when_its_record_is_gone() {
    let hotel = disputed().await;
    let row = hotel.row(Guest, "ada").await;
    let before = the_conflict(&hotel).await;

    lose(&hotel, Guest, "ada").await;

    assert_eq!(hotel.row(Guest, "ada").await, row);
    let conflict = the_conflict(&hotel).await;
    assert_eq!(conflict.status, ConflictStatus::Open);
    assert_eq!(conflict.revision, before.revision + 1);
    assert_eq!(conflict.remote, before.remote);
    assert_eq!(
        conflict.waiting,
        map(json!({"last_name": "King", "active": false}))
    );
    let journal = hotel.journal(Guest, "ada").await;
    let line = journal.first().unwrap();
    assert_eq!(line.outcome, ChangeOutcome::Refused);
    let reason = line.reason.as_deref().unwrap();
    assert!(reason.contains("no longer at the PMS"), "{reason}");

    decide(&hotel, conflict, ResolutionChoice::Local).await;
    let row = hotel.row(Guest, "ada").await;
    assert_eq!(row.fields.get("active"), Some(&json!(false)));
    assert_eq!(row.fields.text("email"), Some("ours@example.com"));
}

#[tokio::test]
async fn invariant_c_a_conflict_about_a_record_that_is_gone_is_written_once() {
    let hotel = disputed().await;
    lose(&hotel, Guest, "ada").await;
    let before = (
        the_conflict(&hotel).await,
        hotel.mapping(Guest, "ada").await,
        hotel.journal(Guest, "ada").await,
    );

    hotel
        .engine
        .reconcile(hotel.scope, hotel.integration_id, true, None)
        .await
        .unwrap();
    hotel.drain().await;

    let after = (
        the_conflict(&hotel).await,
        hotel.mapping(Guest, "ada").await,
        hotel.journal(Guest, "ada").await,
    );
    assert_eq!(before, after);
}

#[tokio::test]
async fn invariant_b_a_record_that_comes_back_in_conflict_waits_no_more_to_be_gone() {
    let hotel = disputed().await;
    let row = hotel.row(Guest, "ada").await;
    let before = the_conflict(&hotel).await;
    let record = lose(&hotel, Guest, "ada").await;

    back(&hotel, record).await;

    assert_eq!(hotel.mapping(Guest, "ada").await.gone_at, None);
    assert_eq!(hotel.row(Guest, "ada").await, row);
    let conflict = the_conflict(&hotel).await;
    assert_eq!(conflict.remote, before.remote);
    assert_eq!(conflict.waiting, before.waiting);
    assert_eq!(conflict.local, before.local);
}

#[tokio::test]
async fn invariant_b_a_stay_in_conflict_is_cancelled_when_that_is_decided() {
    let hotel = careful().await;
    let ours = json!({"departure": "2026-07-04T10:00:00Z"});
    hotel.edit(Reservation, "r1", ours.clone()).await;
    let theirs = json!({"departure": "2026-07-05T10:00:00Z"});
    hotel.vendor.change(Reservation, "r1", theirs);
    hotel.read(Reservation, "r1").await;
    let row = hotel.row(Reservation, "r1").await;

    lose(&hotel, Reservation, "r1").await;

    assert_eq!(hotel.row(Reservation, "r1").await, row);
    let conflict = hotel.conflicts(Reservation, "r1").await.remove(0);
    assert_eq!(conflict.waiting.text("status"), Some("cancelled"));
    assert_eq!(
        conflict.waiting.text("cancellation_reason"),
        Some("no longer at the PMS")
    );
}

/// A room whose condition both sides changed.
async fn disputed_room() -> Hotel {
    let hotel = careful().await;
    hotel.edit(Room, "101", json!({"condition": "dirty"})).await;
    hotel
        .vendor
        .change(Room, "101", json!({"condition": "inspected"}));
    hotel.read(Room, "101").await;
    hotel
}

#[tokio::test]
async fn invariant_b_a_room_in_conflict_stays_as_it_is_when_its_record_is_merged() {
    let hotel = disputed_room().await;
    let row = hotel.row(Room, "101").await;
    hotel.vendor.lock().now += TimeDelta::seconds(1);
    hotel.vendor.edit(Room, "101", |record| {
        record.merged_into = Some("102".to_owned());
    });

    hotel.read(Room, "101").await;
    hotel.drain().await;

    assert_eq!(hotel.row(Room, "101").await, row);
    let conflict = hotel.conflicts(Room, "101").await.remove(0);
    assert_eq!(conflict.status, ConflictStatus::Open);
    assert_eq!(conflict.remote, map(json!({"condition": "inspected"})));
    assert_eq!(conflict.waiting, map(json!({"active": false})));
    let mapping = hotel.mapping(Room, "101").await;
    hotel.read(Room, "101").await;
    assert_eq!(hotel.mapping(Room, "101").await, mapping, "and once");

    hotel
        .edit(Room, "101", json!({"condition": "inspected"}))
        .await;
    hotel.read(Room, "101").await;
    let row = hotel.row(Room, "101").await;
    assert_eq!(row.fields.get("active"), Some(&json!(false)));
    let conflict = hotel.conflicts(Room, "101").await.remove(0);
    assert_eq!(conflict.status, ConflictStatus::Resolved);
}

#[tokio::test]
async fn invariant_b_a_guest_whose_merge_is_taken_back_in_conflict_waits_for_the_decision() {
    let hotel = careful().await;
    hotel.vendor.lock().now += TimeDelta::seconds(1);
    hotel.vendor.edit(Guest, "ada", |record| {
        record.merged_into = Some("alan".to_owned());
    });
    hotel.read(Guest, "ada").await;
    hotel
        .edit(Guest, "ada", json!({"email": "ours@example.com"}))
        .await;
    let row = hotel.row(Guest, "ada").await;
    assert!(row.fields.text("merged_into").is_some());
    hotel.vendor.lock().now += TimeDelta::seconds(1);
    hotel.vendor.edit(Guest, "ada", |record| {
        record.merged_into = None;
        record.fields.insert("email", "theirs@example.com");
        record.fields.insert("active", true);
    });

    // The second read finds nothing of the merge in the mapping any more.
    for notes in ["tea", "coffee"] {
        hotel
            .vendor
            .change(Guest, "ada", json!({"loyalty_code": notes}));
        hotel.read(Guest, "ada").await;
    }

    assert_eq!(hotel.row(Guest, "ada").await, row);
    let conflict = the_conflict(&hotel).await;
    assert_eq!(conflict.status, ConflictStatus::Open);
    assert_eq!(
        conflict.waiting,
        map(json!({"active": true, "merged_into": null, "loyalty_code": "coffee"}))
    );
    decide(&hotel, conflict, ResolutionChoice::Remote).await;
    hotel.read(Guest, "ada").await;
    let row = hotel.row(Guest, "ada").await;
    assert_eq!(row.fields.text("merged_into"), None);
    assert_eq!(row.fields.get("active"), Some(&json!(true)));
}
