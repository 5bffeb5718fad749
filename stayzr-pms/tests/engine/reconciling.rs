//! What the vendor no longer has, and what was lost on the way.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use serde_json::{Value, json};
use stayzr_core::{
    ErrorKind,
    clock::Clock,
    model::{ChangeSource, RunMode, RunStatus, SyncRun},
    queue::Handler,
    transform::EntityKind::{self, Guest, Property, Reservation, Room, RoomType},
};
use stayzr_pms::engine::{SyncEngine, SyncJob};

use crate::{
    hotel::{Hotel, set_silently},
    vendor::{Answer, Call},
    wide::Wide,
};

pub fn remove(hotel: &Hotel, kind: EntityKind, id: &str) {
    let removed = hotel.vendor.lock().records.remove(&(kind, id.to_owned()));
    assert!(removed.is_some(), "{id} was there");
}

pub async fn reconcile(hotel: &Hotel, engine: &SyncEngine) -> SyncRun {
    engine
        .run(hotel.scope, hotel.integration_id, RunMode::Reconcile, None)
        .await
        .unwrap()
}

pub async fn accept(hotel: &Hotel, engine: &SyncEngine) -> SyncRun {
    engine
        .reconcile(hotel.scope, hotel.integration_id, true, None)
        .await
        .unwrap()
}

pub async fn is_gone(hotel: &Hotel, kind: EntityKind, id: &str) -> bool {
    hotel.mapping(kind, id).await.gone_at.is_some()
}

/// So many guests more than the three that a hotel has.
pub fn add_guests(hotel: &Hotel, count: usize) {
    for n in 0..count {
        let fields = json!({"first_name": "Guest", "last_name": format!("Number {n}")});
        hotel.vendor.add(Guest, &format!("g{n:02}"), fields);
    }
}

async fn check_departures(hotel: &Hotel, engine: &SyncEngine) {
    remove(hotel, Guest, "ada");
    remove(hotel, Reservation, "r1");
    hotel
        .vendor
        .change(Reservation, "r2", json!({"status": "departed"}));
    hotel.incremental().await;
    remove(hotel, Reservation, "r2");

    let run = reconcile(hotel, engine).await;

    assert_eq!(run.status, RunStatus::Completed);
    assert_eq!(run.gone, 3);
    let guest = hotel.row(Guest, "ada").await;
    assert_eq!(guest.fields.get("active"), Some(&json!(false)));
    let mapping = hotel.mapping(Guest, "ada").await;
    assert_eq!(mapping.gone_at, Some(hotel.clock.now()));
    assert_eq!(mapping.hash, "");
    let cancelled = hotel.row(Reservation, "r1").await;
    assert_eq!(cancelled.fields.text("status"), Some("cancelled"));
    assert_eq!(
        cancelled.fields.text("cancellation_reason"),
        Some("no longer at the PMS")
    );
    let departed = hotel.row(Reservation, "r2").await;
    assert_eq!(departed.fields.text("status"), Some("departed"));
    for (kind, id) in [(Guest, "ada"), (Reservation, "r1"), (Reservation, "r2")] {
        let journal = hotel.journal(kind, id).await;
        let source = ChangeSource::Vendor {
            integration_id: hotel.integration_id,
            event: "reconcile".to_owned(),
        };
        assert!(journal.iter().any(|line| line.source == source), "{id}");
    }
    assert!(hotel.jobs().await.is_empty(), "nothing of it is pushed");
    let versions = (guest.version, cancelled.version);
    let again = reconcile(hotel, engine).await;
    assert_eq!((again.gone, again.updated), (0, 0));
    assert_eq!(hotel.row(Guest, "ada").await.version, versions.0);
    assert_eq!(hotel.row(Reservation, "r1").await.version, versions.1);
}

#[tokio::test]
async fn what_the_vendor_no_longer_has_is_gone_where_it_is_asked_by_id() {
    let hotel = Hotel::synchronised().await;
    let (wide, engine) = Wide::open(&hotel, 100);

    check_departures(&hotel, &engine).await;

    assert!(!wide.asked(Guest).is_empty());
}

#[tokio::test]
async fn what_the_vendor_no_longer_has_is_gone_where_it_is_read_whole() {
    let hotel = Hotel::synchronised().await;
    let engine = hotel.engine.clone();
    check_departures(&hotel, &engine).await;
}

#[tokio::test]
async fn what_the_vendor_no_longer_has_is_gone_where_it_cannot_be_asked_at_all() {
    let hotel = Hotel::synchronised().await;
    let (_, engine) = Wide::with(&hotel, |capabilities| capabilities.by_id.clear());
    check_departures(&hotel, &engine).await;
}

#[tokio::test]
async fn invariant_c_a_sweep_of_unchanged_data_writes_no_row() {
    let hotel = Hotel::synchronised().await;
    let (_, wide) = Wide::open(&hotel, 100);
    let mut before = Vec::new();
    for (kind, id) in all(&hotel) {
        before.push((hotel.row(kind, &id).await, hotel.mapping(kind, &id).await));
    }

    for engine in [&wide, &hotel.engine] {
        let run = reconcile(&hotel, engine).await;
        assert_eq!((run.created, run.updated, run.gone), (0, 0, 0));
    }

    let mut after = Vec::new();
    for (kind, id) in all(&hotel) {
        after.push((hotel.row(kind, &id).await, hotel.mapping(kind, &id).await));
    }
    assert_eq!(after, before);
    assert!(hotel.jobs().await.is_empty());
    assert!(hotel.vendor.pushes().is_empty());
}

fn all(hotel: &Hotel) -> Vec<(EntityKind, String)> {
    let state = hotel.vendor.lock();
    state.records.keys().cloned().collect()
}

#[tokio::test]
async fn what_is_found_when_it_is_asked_for_again_is_not_gone() {
    let hotel = Hotel::synchronised().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    wide.hidden.lock().unwrap().insert("ada".to_owned());

    let run = reconcile(&hotel, &engine).await;

    assert_eq!(run.gone, 0);
    assert!(!is_gone(&hotel, Guest, "ada").await);
    assert_eq!(wide.asked(Guest).last().unwrap(), &["ada"]);
}

#[tokio::test]
async fn a_record_that_comes_back_is_in_use_again() {
    let hotel = Hotel::synchronised().await;
    let (_, engine) = Wide::open(&hotel, 100);
    let kept: Vec<_> = [(Guest, "ada"), (Reservation, "r1"), (Room, "101")]
        .into_iter()
        .map(|(kind, id)| hotel.vendor.record(kind, id))
        .collect();
    for record in &kept {
        remove(&hotel, record.kind, &record.external_id);
    }
    assert_eq!(reconcile(&hotel, &engine).await.gone, 3);

    for record in kept {
        let key = (record.kind, record.external_id.clone());
        hotel.vendor.lock().records.insert(key.clone(), record);
        hotel.read(key.0, &key.1).await;
    }

    for (kind, id) in [(Guest, "ada"), (Reservation, "r1"), (Room, "101")] {
        assert!(!is_gone(&hotel, kind, id).await, "{id}");
    }
    let active = |row: stayzr_core::transform::EntityRow| row.fields.get("active").cloned();
    assert_eq!(active(hotel.row(Guest, "ada").await), Some(json!(true)));
    assert_eq!(active(hotel.row(Room, "101").await), Some(json!(true)));
    let reservation = hotel.row(Reservation, "r1").await.fields;
    assert_eq!(reservation.text("status"), Some("confirmed"));
    assert_eq!(reservation.get("cancellation_reason"), Some(&Value::Null));
    hotel.drain().await;
    assert!(hotel.vendor.pushes().is_empty(), "none of it was our edit");
}

#[tokio::test]
async fn a_change_that_every_event_and_window_missed_is_found() {
    for ids in [3, 100] {
        let hotel = Hotel::synchronised().await;
        let (_, engine) = Wide::open(&hotel, ids);
        hotel.vendor.lock().now += TimeDelta::hours(2);
        hotel.incremental().await;
        // Its mark lies an hour behind what was read last.
        hotel.vendor.lock().now -= TimeDelta::hours(1);
        hotel
            .vendor
            .change(Guest, "ada", json!({"last_name": "King"}));
        hotel.vendor.lock().now += TimeDelta::hours(1);
        assert_eq!(hotel.incremental().await.updated, 0);

        let run = reconcile(&hotel, &engine).await;

        assert_eq!(run.updated, 1);
        let name = hotel.text(Guest, "ada", "last_name").await;
        assert_eq!(name.as_deref(), Some("King"));
    }
}

#[tokio::test]
async fn invariant_b_an_edit_whose_push_was_lost_reaches_the_vendor_after_a_sweep() {
    for ids in [3, 100] {
        let hotel = Hotel::synchronised().await;
        let (_, engine) = Wide::open(&hotel, ids);
        let row = hotel.row(Guest, "ada").await;
        let set = json!({"email": "ada@new.example"});
        set_silently(&*hotel.store, hotel.everything(), &row, set).await;
        assert!(hotel.jobs().await.is_empty(), "its push is lost");

        reconcile(&hotel, &engine).await;
        reconcile(&hotel, &engine).await;
        assert_eq!(hotel.jobs().await.len(), 1, "one that waits is not doubled");
        hotel.drain().await;

        let theirs = hotel.vendor.record(Guest, "ada").fields;
        assert_eq!(theirs.text("email"), Some("ada@new.example"));
        reconcile(&hotel, &engine).await;
        assert_eq!(hotel.vendor.pushes().len(), 1);
    }
}

#[tokio::test]
async fn what_the_vendor_refused_is_not_pushed_again_by_a_sweep() {
    let hotel = Hotel::synchronised().await;
    let (_, engine) = Wide::open(&hotel, 100);
    let refuses = Answer::Unsupported(vec!["notes".to_owned()]);
    hotel.vendor.lock().answers.push_back(refuses);
    hotel
        .edit(Guest, "ada", json!({"notes": "Likes the sea"}))
        .await;
    hotel.drain().await;
    let pushes = hotel.vendor.pushes().len();
    let jobs = hotel.jobs().await.len();

    reconcile(&hotel, &engine).await;

    assert_eq!(hotel.jobs().await.len(), jobs);
    assert_eq!(hotel.vendor.pushes().len(), pushes);
}

#[tokio::test]
async fn invariant_b_an_edit_that_was_never_sent_stays_in_a_row_that_is_gone() {
    let hotel = Hotel::synchronised().await;
    let (_, engine) = Wide::open(&hotel, 100);
    hotel
        .edit(Guest, "ada", json!({"email": "ada@new.example"}))
        .await;
    remove(&hotel, Guest, "ada");

    let run = reconcile(&hotel, &engine).await;

    assert_eq!(run.gone, 1);
    let email = hotel.text(Guest, "ada", "email").await;
    assert_eq!(email.as_deref(), Some("ada@new.example"));
    let journal = hotel.journal(Guest, "ada").await;
    assert!(
        journal
            .iter()
            .any(|line| line.field.as_deref() == Some("email"))
    );
}

#[tokio::test]
async fn an_interrupted_sweep_goes_on_where_it_stood() {
    let hotel = Hotel::synchronised().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    remove(&hotel, Guest, "ada");
    // Calls for ids: room type, room, guest, reservation.
    wide.failing_call.store(4, Ordering::SeqCst);
    let error = engine
        .run(hotel.scope, hotel.integration_id, RunMode::Reconcile, None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!is_gone(&hotel, Guest, "ada").await);
    hotel.vendor.take_calls();

    let run = reconcile(&hotel, &engine).await;

    assert_eq!(run.gone, 1);
    assert_eq!(
        wide.asked(Guest),
        [vec!["ada".to_owned()]],
        "only once more"
    );
    assert!(wide.asked(Room).is_empty());
    assert_eq!(wide.asked(Reservation).len(), 1);
    hotel.vendor.take_calls();
    reconcile(&hotel, &engine).await;
    assert_eq!(wide.asked(Guest).len(), 1, "the next one starts over");
}

#[tokio::test]
async fn a_vendor_that_takes_too_long_is_asked_for_half() {
    let hotel = Hotel::synchronised().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    wide.patience.store(1, Ordering::SeqCst);

    let run = reconcile(&hotel, &engine).await;

    assert_eq!((run.status, run.gone), (RunStatus::Completed, 0));
    let sizes: Vec<usize> = wide.asked(Guest).iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1, 2, 1, 1]);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_not_gone() {
    let hotel = Hotel::synchronised().await;
    remove(&hotel, RoomType, "double");
    let parked = stayzr_core::port::sync::ParkedRecord {
        entity: RoomType,
        external_id: Some("double".to_owned()),
        local_id: None,
        reason: "Capacity: not a number".to_owned(),
    };
    hotel.vendor.lock().parked.push(parked);

    let run = reconcile(&hotel, &hotel.engine.clone()).await;

    assert_eq!(run.gone, 0);
    assert!(!is_gone(&hotel, RoomType, "double").await);
}

#[tokio::test]
async fn the_property_is_not_gone_while_we_may_ask() {
    let hotel = Hotel::synchronised().await;
    let (_, engine) = Wide::open(&hotel, 100);
    remove(&hotel, Property, "enterprise");

    let run = reconcile(&hotel, &engine).await;

    assert_eq!((run.status, run.gone), (RunStatus::Completed, 0));
    assert!(!is_gone(&hotel, Property, "enterprise").await);
}

#[tokio::test]
async fn invariant_d_a_sweep_whose_lease_was_lost_marks_nothing() {
    let hotel = Hotel::synchronised().await;
    remove(&hotel, Guest, "ada");
    let job = SyncJob::run(hotel.scope, hotel.integration_id, RunMode::Reconcile);
    hotel.store.enqueue(vec![job]).await.unwrap();
    let slow = hotel.claim("slow").await.remove(0);
    hotel.clock.advance(TimeDelta::minutes(5));
    assert_eq!(hotel.claim("quick").await.len(), 1);

    let error = hotel.engine.handle(slow).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(!is_gone(&hotel, Guest, "ada").await);
}

#[tokio::test]
async fn a_sweep_reads_what_changed_under_the_cursor_of_incremental_runs() {
    let hotel = Hotel::synchronised().await;
    let (_, engine) = Wide::open(&hotel, 100);
    hotel.vendor.lock().now += TimeDelta::hours(3);
    reconcile(&hotel, &engine).await;
    hotel.vendor.take_calls();

    hotel.incremental().await;

    let now = hotel.vendor.lock().now;
    let from = hotel
        .vendor
        .take_calls()
        .into_iter()
        .find_map(|call| match call {
            Call::Page(query) if query.kind == Guest => query.changed.map(|(from, _)| from),
            _ => None,
        });
    assert_eq!(from, Some(now - TimeDelta::minutes(5)));
}
