//! Guests whose records were merged at the vendor.

use chrono::TimeDelta;
use serde_json::{Value, json};
use stayzr_core::{
    model::{ChangeOutcome, ConflictStatus, ContactChannel},
    transform::{
        ConflictStrategy,
        EntityKind::{Guest, Reservation},
    },
};

use crate::{
    hotel::Hotel,
    reconciling::{accept, is_gone, reconcile, remove},
    wide::Wide,
};

/// The vendor merges a guest into another.
fn merge(hotel: &Hotel, from: &str, into: &str) {
    hotel.vendor.lock().now += TimeDelta::seconds(1);
    let into = into.to_owned();
    hotel.vendor.edit(Guest, from, |record| {
        record.merged_into = Some(into);
    });
}

async fn guest_of(hotel: &Hotel, reservation: &str) -> Option<String> {
    hotel.text(Reservation, reservation, "guest_id").await
}

async fn id(hotel: &Hotel, guest: &str) -> Option<String> {
    Some(hotel.row(Guest, guest).await.id.to_string())
}

#[tokio::test]
async fn everything_of_a_merged_guest_hangs_on_the_one_who_remains() {
    let hotel = Hotel::synchronised().await;
    merge(&hotel, "alan", "ada");

    hotel.read(Guest, "alan").await;

    let merged = hotel.row(Guest, "alan").await;
    let remains = id(&hotel, "ada").await;
    assert_eq!(merged.fields.get("active"), Some(&json!(false)));
    assert_eq!(
        merged.fields.text("merged_into").map(str::to_owned),
        remains
    );
    assert_eq!(guest_of(&hotel, "r2").await, remains);
    let owner = hotel
        .owner_of(ContactChannel::Email, "alan@example.com")
        .await;
    assert_eq!(owner.map(|id| id.to_string()), remains);
    assert_eq!(hotel.count(Guest).await, 3);
    let journal = hotel.journal(Guest, "alan").await;
    let line = journal
        .iter()
        .find(|line| line.field.as_deref() == Some("merged_into"))
        .expect("the merge is journalled");
    assert_eq!(line.new, remains.map(Value::from));
    assert_eq!(line.external_id.as_deref(), Some("alan"));
}

#[tokio::test]
async fn invariant_c_a_merge_that_is_read_again_writes_nothing() {
    let hotel = Hotel::synchronised().await;
    merge(&hotel, "alan", "ada");
    hotel.read(Guest, "alan").await;
    // The reservation itself did not change, and leads to the one who remains.
    hotel.read(Reservation, "r2").await;
    let before = (
        hotel.row(Guest, "alan").await,
        hotel.mapping(Guest, "alan").await,
        hotel.row(Reservation, "r2").await,
        hotel.mapping(Reservation, "r2").await,
        hotel.row(Guest, "ada").await,
    );

    hotel.backfill().await;
    hotel.read(Guest, "alan").await;
    hotel.read(Reservation, "r2").await;
    hotel.drain().await;

    let after = (
        hotel.row(Guest, "alan").await,
        hotel.mapping(Guest, "alan").await,
        hotel.row(Reservation, "r2").await,
        hotel.mapping(Reservation, "r2").await,
        hotel.row(Guest, "ada").await,
    );
    assert_eq!(before, after);
    assert!(hotel.vendor.pushes().is_empty());
}

#[tokio::test]
async fn a_changed_record_of_a_merged_guest_does_not_wake_him() {
    let hotel = Hotel::synchronised().await;
    merge(&hotel, "alan", "ada");
    hotel.read(Guest, "alan").await;

    hotel
        .vendor
        .change(Guest, "alan", json!({"last_name": "T.", "active": true}));
    hotel.read(Guest, "alan").await;

    let merged = hotel.row(Guest, "alan").await;
    assert_eq!(merged.fields.get("active"), Some(&json!(false)));
    assert_eq!(merged.fields.text("last_name"), Some("Turing"));
}

#[tokio::test]
async fn a_guest_who_remains_and_is_not_known_is_fetched_first() {
    let hotel = Hotel::synchronised().await;
    hotel
        .vendor
        .add(Guest, "new", json!({"last_name": "Turing"}));
    merge(&hotel, "alan", "new");

    hotel.read(Guest, "alan").await;

    assert_eq!(guest_of(&hotel, "r2").await, id(&hotel, "new").await);
}

#[tokio::test]
async fn a_guest_who_remains_but_cannot_be_read_is_waited_for() {
    let hotel = Hotel::synchronised().await;
    merge(&hotel, "alan", "hidden");

    hotel.read(Guest, "alan").await;
    let waiting = hotel.mapping(Guest, "alan").await;
    assert_eq!(waiting.merged_into.as_deref(), Some("hidden"));
    assert_eq!(
        guest_of(&hotel, "r2").await,
        id(&hotel, "alan").await,
        "nobody else is known"
    );
    hotel.read(Guest, "alan").await;
    assert_eq!(hotel.mapping(Guest, "alan").await, waiting);

    hotel
        .vendor
        .add(Guest, "hidden", json!({"last_name": "Turing"}));
    hotel.read(Guest, "hidden").await;
    hotel.read(Guest, "alan").await;

    assert_eq!(guest_of(&hotel, "r2").await, id(&hotel, "hidden").await);
    let merged = hotel.row(Guest, "alan").await;
    assert_eq!(merged.fields.get("active"), Some(&json!(false)));
}

#[tokio::test]
async fn a_chain_of_merges_leads_to_its_end_in_whatever_order_it_is_read() {
    for order in [["alan", "ada"], ["ada", "alan"]] {
        let hotel = Hotel::synchronised().await;
        merge(&hotel, "alan", "ada");
        merge(&hotel, "ada", "grace");

        for guest in order {
            hotel.read(Guest, guest).await;
        }

        let remains = id(&hotel, "grace").await;
        for reservation in ["r1", "r2", "r3"] {
            assert_eq!(guest_of(&hotel, reservation).await, remains);
        }
    }
}

#[tokio::test]
async fn a_chain_in_one_page_leads_to_its_end() {
    let hotel = Hotel::synchronised().await;
    hotel.vendor.lock().page_size = 10;
    merge(&hotel, "alan", "ada");
    merge(&hotel, "ada", "grace");

    hotel.incremental().await;

    let remains = id(&hotel, "grace").await;
    for reservation in ["r1", "r2", "r3"] {
        assert_eq!(guest_of(&hotel, reservation).await, remains);
    }
}

#[tokio::test]
async fn guests_merged_in_a_circle_leave_somebody() {
    for page_size in [1, 10] {
        let hotel = Hotel::synchronised().await;
        hotel.vendor.lock().page_size = page_size;
        merge(&hotel, "alan", "ada");
        merge(&hotel, "ada", "alan");

        hotel.incremental().await;
        hotel.backfill().await;

        let mut active = Vec::new();
        for guest in ["ada", "alan"] {
            let row = hotel.row(Guest, guest).await;
            if row.fields.get("active") == Some(&json!(true)) {
                active.push(Some(row.id.to_string()));
            }
        }
        for reservation in ["r1", "r2"] {
            assert!(active.contains(&guest_of(&hotel, reservation).await));
        }
    }
}

#[tokio::test]
async fn strangers_in_a_circle_end_the_reading_of_it() {
    let hotel = Hotel::synchronised().await;
    for id in ["x", "y", "z"] {
        hotel.vendor.add(Guest, id, json!({"last_name": id}));
    }
    merge(&hotel, "x", "y");
    merge(&hotel, "y", "z");
    merge(&hotel, "z", "x");

    hotel.read(Guest, "x").await;

    assert_eq!(hotel.count(Guest).await, 6);
}

#[tokio::test]
async fn a_first_read_makes_merged_guests_as_such() {
    let hotel = Hotel::furnished().await;
    merge(&hotel, "alan", "ada");
    hotel.vendor.lock().page_size = 10;

    hotel.backfill().await;

    let merged = hotel.row(Guest, "alan").await;
    let remains = id(&hotel, "ada").await;
    assert_eq!(merged.fields.get("active"), Some(&json!(false)));
    assert_eq!(
        merged.fields.text("merged_into").map(str::to_owned),
        remains
    );
    assert_eq!(guest_of(&hotel, "r2").await, remains);
    let owner = hotel
        .owner_of(ContactChannel::Email, "alan@example.com")
        .await;
    assert_eq!(owner, None);
}

#[tokio::test]
async fn invariant_b_an_edit_that_never_left_goes_to_the_guest_who_remains() {
    let hotel = Hotel::synchronised().await;
    hotel
        .edit(
            Guest,
            "alan",
            json!({"notes": "Allergic to nuts", "first_name": "Al"}),
        )
        .await;
    merge(&hotel, "alan", "ada");

    hotel.read(Guest, "alan").await;
    hotel.drain().await;

    let remains = hotel.row(Guest, "ada").await;
    assert_eq!(remains.fields.text("notes"), Some("Allergic to nuts"));
    assert_eq!(remains.fields.text("first_name"), Some("Ada"));
    let record = hotel.vendor.record(Guest, "ada");
    assert_eq!(record.fields.text("notes"), Some("Allergic to nuts"));
    let journal = hotel.journal(Guest, "ada").await;
    let refused: Vec<_> = journal
        .iter()
        .filter(|line| line.outcome == ChangeOutcome::Refused)
        .collect();
    assert_eq!(refused.len(), 1, "what stands in its way can be restored");
    assert_eq!(refused[0].field.as_deref(), Some("first_name"));
    assert_eq!(refused[0].new, Some(json!("Al")));
    assert!(refused[0].reason.as_ref().unwrap().contains("merged"));
    assert_eq!(refused[0].external_id.as_deref(), Some("ada"));
}

#[tokio::test]
async fn invariant_b_an_edit_whose_push_finds_the_merge_is_told_of_the_guest_who_remains() {
    let hotel = Hotel::synchronised().await;
    hotel
        .edit(Guest, "alan", json!({"notes": "Allergic to nuts"}))
        .await;
    merge(&hotel, "alan", "ada");

    hotel.push(Guest, "alan").await.unwrap();
    hotel.drain().await;

    let record = hotel.vendor.record(Guest, "ada");
    assert_eq!(record.fields.text("notes"), Some("Allergic to nuts"));
}

#[tokio::test]
async fn an_answer_that_is_the_first_to_tell_of_a_merge_is_followed() {
    let hotel = Hotel::synchronised().await;
    hotel
        .edit(Guest, "alan", json!({"notes": "Allergic to nuts"}))
        .await;
    let before = hotel.vendor.record(Guest, "alan");
    merge(&hotel, "alan", "ada");
    hotel.vendor.lock().stale_reads.push_back(before);

    let report = hotel.push(Guest, "alan").await.unwrap();

    assert_eq!(report.sent, ["notes"]);
    let merged = hotel.row(Guest, "alan").await;
    assert_eq!(merged.fields.get("active"), Some(&json!(false)));
    assert_eq!(guest_of(&hotel, "r2").await, id(&hotel, "ada").await);
}

#[tokio::test]
async fn a_page_that_changes_both_guests_names_each_row_once() {
    let hotel = Hotel::synchronised().await;
    hotel.vendor.lock().page_size = 10;
    hotel
        .edit(Guest, "alan", json!({"notes": "Allergic to nuts"}))
        .await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));
    merge(&hotel, "alan", "ada");

    hotel.incremental().await;

    let remains = hotel.row(Guest, "ada").await;
    assert_eq!(remains.fields.text("last_name"), Some("King"));
    assert_eq!(remains.fields.text("notes"), Some("Allergic to nuts"));
}

#[tokio::test]
async fn a_conflict_of_a_merged_guest_ends() {
    let mut hotel = Hotel::furnished().await;
    hotel.decide_by(ConflictStrategy::ManualReview);
    hotel.backfill().await;
    hotel
        .edit(Guest, "alan", json!({"email": "ours@example.com"}))
        .await;
    hotel
        .vendor
        .change(Guest, "alan", json!({"email": "theirs@example.com"}));
    hotel.read(Guest, "alan").await;
    merge(&hotel, "alan", "ada");

    hotel.read(Guest, "alan").await;
    hotel.drain().await;

    let conflicts = hotel.conflicts(Guest, "alan").await;
    assert_eq!(conflicts[0].status, ConflictStatus::Resolved);
    let journal = hotel.journal(Guest, "ada").await;
    assert!(
        journal
            .iter()
            .any(|line| line.new == Some(json!("ours@example.com"))),
        "what staff wrote can be restored"
    );
}

#[tokio::test]
async fn a_merge_that_the_vendor_takes_back_wakes_the_guest() {
    let hotel = Hotel::synchronised().await;
    merge(&hotel, "alan", "ada");
    hotel.read(Guest, "alan").await;

    hotel.vendor.lock().now += TimeDelta::seconds(1);
    hotel
        .vendor
        .edit(Guest, "alan", |record| record.merged_into = None);
    hotel.read(Guest, "alan").await;

    let guest = hotel.row(Guest, "alan").await;
    assert_eq!(guest.fields.get("active"), Some(&json!(true)));
    assert_eq!(guest.fields.get("merged_into"), Some(&Value::Null));
}

#[tokio::test]
async fn a_merge_that_was_taken_back_unnoticed_is_found() {
    for ids in [3, 100] {
        let hotel = Hotel::synchronised().await;
        let (_, engine) = Wide::open(&hotel, ids);
        merge(&hotel, "alan", "ada");
        hotel.read(Guest, "alan").await;
        hotel.vendor.lock().now += TimeDelta::hours(2);
        hotel.incremental().await;
        // Its mark lies an hour behind what was read last.
        hotel.vendor.lock().now -= TimeDelta::hours(1);
        hotel
            .vendor
            .edit(Guest, "alan", |record| record.merged_into = None);
        hotel.vendor.lock().now += TimeDelta::hours(1);
        assert_eq!(hotel.incremental().await.updated, 0);

        reconcile(&hotel, &engine).await;

        assert_eq!(hotel.mapping(Guest, "alan").await.merged_into, None);
        let guest = hotel.row(Guest, "alan").await;
        assert_eq!(guest.fields.get("active"), Some(&json!(true)));
    }
}

#[tokio::test]
async fn a_merged_record_may_be_missing_at_the_vendor() {
    for ids in [3, 100] {
        let hotel = Hotel::synchronised().await;
        let (_, engine) = Wide::open(&hotel, ids);
        merge(&hotel, "alan", "ada");
        hotel.read(Guest, "alan").await;
        remove(&hotel, Guest, "alan");

        assert_eq!(reconcile(&hotel, &engine).await.gone, 0);
        assert_eq!(accept(&hotel, &engine).await.gone, 0);

        assert!(!is_gone(&hotel, Guest, "alan").await);
    }
}
