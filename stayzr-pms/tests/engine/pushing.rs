//! What the vendor is told, and what it cannot be told.

use serde_json::json;
use stayzr_core::{
    ErrorKind,
    model::{ChangeOutcome, RunMode},
    transform::EntityKind::{Guest, Reservation},
};

use crate::{
    guard::{edit, email, snapshot, vendors},
    hotel::{Hotel, set_silently},
    vendor::{Answer, Call},
};

#[tokio::test]
async fn invariant_b_an_ambiguous_push_that_happened_is_not_sent_again() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel
        .vendor
        .lock()
        .answers
        .push_back(Answer::Ambiguous { done: true });

    let error = hotel.push(Guest, "ada").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    hotel.drain().await;

    assert_eq!(hotel.vendor.pushes().len(), 1);
    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
}

#[tokio::test]
async fn invariant_b_an_ambiguous_push_that_did_not_happen_is_sent_again() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel
        .vendor
        .lock()
        .answers
        .push_back(Answer::Ambiguous { done: false });

    hotel.drain().await;

    assert_eq!(hotel.vendor.pushes().len(), 2);
    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
}

#[tokio::test]
async fn invariant_b_our_own_lost_write_coming_back_does_not_beat_a_newer_edit() {
    // Even where the vendor wins conflicts: its value is ours from a moment ago.
    let hotel = Hotel::with_settings(json!({
        "conflicts": {"guest": {"strategy": "REMOTE_WINS"}}
    }))
    .await;
    crate::hotel::furnish(&hotel.vendor);
    hotel.backfill().await;
    edit(&hotel, json!({"email": "first@example.com"})).await;
    hotel.vendor.lock().answers.push_back(Answer::Lost);
    hotel.push(Guest, "ada").await.unwrap_err();
    edit(&hotel, json!({"email": "second@example.com"})).await;

    hotel.drain().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("second@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("second@example.com")));
}

#[tokio::test]
async fn invariant_b_a_newer_change_at_the_vendor_converges_before_the_push() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"loyalty_code": "L9", "notes": "Allergic to nuts"}),
    );

    hotel.push(Guest, "ada").await.unwrap();

    let calls = hotel.vendor.take_calls();
    assert!(
        matches!(&calls[..], [Call::Ids(..), Call::Push(_)]),
        "read, then write"
    );
    assert_eq!(
        hotel.text(Guest, "ada", "notes").await.as_deref(),
        Some("Allergic to nuts")
    );
    assert_eq!(vendors(&hotel, "notes"), Some(json!("Allergic to nuts")));
    assert_eq!(
        hotel.text(Guest, "ada", "loyalty_code").await.as_deref(),
        Some("L9")
    );
}

#[tokio::test]
async fn invariant_b_a_field_the_vendor_cannot_set_is_refused_once_and_stays() {
    let hotel = Hotel::synchronised().await;
    edit(
        &hotel,
        json!({"email": "x@example.com", "notes": "Late riser"}),
    )
    .await;
    let refused = Answer::Unsupported(vec!["email".to_owned()]);
    hotel.vendor.lock().answers.push_back(refused);

    let report = hotel.push(Guest, "ada").await.unwrap();
    hotel.drain().await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));
    hotel.read(Guest, "ada").await;
    hotel.drain().await;

    assert_eq!(report.sent, ["notes"]);
    assert_eq!(report.refused.len(), 1);
    assert_eq!(email(&hotel).await.as_deref(), Some("x@example.com"));
    assert_eq!(vendors(&hotel, "notes"), Some(json!("Late riser")));
    assert_eq!(hotel.vendor.pushes().len(), 2, "and no third");
    let journal = hotel.journal(Guest, "ada").await;
    let refused: Vec<_> = journal
        .iter()
        .filter(|line| line.outcome == ChangeOutcome::Refused)
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].field.as_deref(), Some("email"));
}

#[tokio::test]
async fn a_field_the_vendor_cannot_empty_is_refused_without_a_call() {
    let hotel = Hotel::synchronised().await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"phone": "+351912345678"}));
    hotel.read(Guest, "ada").await;
    hotel.vendor.take_calls();
    let row = hotel.row(Guest, "ada").await;
    set_silently(
        &*hotel.store,
        hotel.everything(),
        &row,
        json!({"phone": null}),
    )
    .await;

    let report = hotel.push(Guest, "ada").await.unwrap();

    assert_eq!(report.refused[0].field, "phone");
    assert!(hotel.vendor.take_calls().is_empty());
}

#[tokio::test]
async fn an_empty_list_that_the_vendor_never_mentioned_is_not_told_to_it() {
    let hotel = Hotel::furnished().await;
    hotel
        .vendor
        .add(Guest, "marie", json!({"last_name": "Curie"}));
    hotel.backfill().await;
    hotel.vendor.take_calls();
    hotel
        .edit(Guest, "marie", json!({"email": "marie@example.com"}))
        .await;

    hotel.drain().await;

    let pushes = hotel.vendor.pushes();
    let names: Vec<&str> = pushes[0].changed.names().collect();
    assert_eq!((pushes.len(), names), (1, vec!["email"]));
}

#[tokio::test]
async fn a_link_is_pushed_as_the_vendors_id() {
    let hotel = Hotel::synchronised().await;
    let grace = hotel.row(Guest, "grace").await.id;
    hotel
        .edit(
            Reservation,
            "r1",
            json!({"guest_id": grace, "room_id": null}),
        )
        .await;

    hotel.drain().await;

    let record = hotel.vendor.record(Reservation, "r1");
    assert_eq!(record.links["guest_id"].as_ref().unwrap().id, "grace");
    assert_eq!(record.links["room_id"], None);
    let settled = snapshot(&hotel).await;
    hotel.read(Reservation, "r1").await;
    assert_eq!(snapshot(&hotel).await, settled);
}

#[tokio::test]
async fn a_record_that_is_gone_at_the_vendor_keeps_the_edit_here() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel
        .vendor
        .lock()
        .records
        .remove(&(Guest, "ada".to_owned()));

    let error = hotel.push(Guest, "ada").await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
}

#[tokio::test]
async fn a_guest_of_staff_is_made_at_the_vendor_and_one_who_only_wrote_is_not() {
    let hotel = Hotel::synchronised().await;
    for (origin, made) in [("staff", 1), ("channel", 0)] {
        let id = insert_guest(&hotel, origin).await;
        hotel.vendor.take_calls();

        hotel
            .engine
            .push(hotel.scope, hotel.integration_id, Guest, id, None)
            .await
            .unwrap();

        let pushes = hotel.vendor.pushes();
        assert_eq!(pushes.len(), made, "{origin}");
        assert!(pushes.iter().all(|push| push.external_id.is_none()));
    }
    hotel.read(Guest, "made-1").await;
    hotel.incremental().await;
    assert_eq!(hotel.count(Guest).await, 5, "no guest twice");
    assert_eq!(
        hotel.text(Guest, "made-1", "origin").await.as_deref(),
        Some("staff")
    );
}

async fn insert_guest(hotel: &Hotel, origin: &str) -> uuid::Uuid {
    use stayzr_core::{
        clock::{Clock, SystemClock},
        port::sync::{PageWrite, RowWrite},
        transform::EntityRow,
    };
    let template = hotel.row(Guest, "ada").await;
    let mut row = EntityRow {
        id: SystemClock.uuid(),
        ..template
    };
    row.version = 1;
    row.fields.insert("origin", origin);
    row.fields.insert("email", format!("{origin}@example.com"));
    let id = row.id;
    let write = PageWrite {
        rows: vec![RowWrite::Insert(row)],
        ..PageWrite::new(hotel.everything(), hotel.integration_id)
    };
    hotel.store.apply_page(write).await.unwrap();
    id
}

#[tokio::test]
async fn a_run_of_another_organization_finds_no_integration() {
    let hotel = Hotel::synchronised().await;
    let other = Hotel::open().await;

    let error = hotel
        .engine
        .run(other.scope, hotel.integration_id, RunMode::Backfill, None)
        .await
        .unwrap_err();

    assert_eq!(error.kind(), ErrorKind::NotFound);
}
