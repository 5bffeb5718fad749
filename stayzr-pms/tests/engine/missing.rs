//! Records that a read by name does not find.

use stayzr_core::{
    queue::JobStatus,
    transform::EntityKind::{Guest, Reservation},
};
use stayzr_pms::engine::SyncJob;

use crate::{
    hotel::{Hotel, furnish},
    reconciling::{add_guests, is_gone, remove},
};

#[tokio::test]
async fn a_record_that_an_event_names_and_the_vendor_misses_twice_is_gone() {
    let hotel = Hotel::synchronised().await;
    remove(&hotel, Reservation, "r1");
    let ids = ["r1".to_owned(), "never-seen".to_owned()];
    let jobs = SyncJob::targeted(hotel.scope, hotel.integration_id, Reservation, ids);
    hotel.store.enqueue(jobs).await.unwrap();

    hotel.drain().await;
    assert!(!is_gone(&hotel, Reservation, "r1").await, "it may be late");
    let waiting = |jobs: Vec<stayzr_core::queue::Job>| {
        let pending = jobs
            .into_iter()
            .filter(|job| job.status == JobStatus::Pending);
        pending.count()
    };
    assert_eq!(waiting(hotel.jobs().await), 1, "it is looked for again");
    hotel.quiet().await;

    assert!(is_gone(&hotel, Reservation, "r1").await);
    assert_eq!(
        hotel.text(Reservation, "r1", "status").await.as_deref(),
        Some("cancelled")
    );
    assert_eq!(waiting(hotel.jobs().await), 0);
}

#[tokio::test]
async fn a_record_that_the_vendor_was_only_late_to_know_is_not_gone() {
    let hotel = Hotel::synchronised().await;
    let late = hotel.vendor.record(Reservation, "r1");
    remove(&hotel, Reservation, "r1");
    let jobs = SyncJob::targeted(
        hotel.scope,
        hotel.integration_id,
        Reservation,
        ["r1".to_owned()],
    );
    hotel.store.enqueue(jobs).await.unwrap();
    hotel.drain().await;
    let key = (Reservation, "r1".to_owned());
    hotel.vendor.lock().records.insert(key, late);

    hotel.quiet().await;

    assert!(!is_gone(&hotel, Reservation, "r1").await);
}

#[tokio::test]
async fn many_missing_records_in_one_read_are_left_to_a_sweep_and_its_brake() {
    let hotel = Hotel::open().await;
    furnish(&hotel.vendor);
    add_guests(&hotel, 10);
    hotel.backfill().await;
    let ids: Vec<String> = (0..6).map(|n| format!("g{n:02}")).collect();
    for id in &ids {
        remove(&hotel, Guest, id);
    }

    let read = hotel
        .engine
        .targeted(hotel.scope, hotel.integration_id, Guest, &ids, None)
        .await
        .unwrap();

    assert_eq!(read.missing, ids);
    assert!(read.doubted.is_empty());
}
