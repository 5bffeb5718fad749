//! How much may be missing before a person is asked.

use serde_json::json;
use stayzr_core::{
    model::{RunMode, RunStatus},
    port::PageRequest,
    queue::JobStatus,
    transform::EntityKind::{Guest, Reservation},
};
use stayzr_pms::engine::{Notes, SyncJob};

use crate::{
    hotel::{Hotel, furnish},
    reconciling::{accept, add_guests, is_gone, reconcile, remove},
    vendor::Call,
    wide::Wide,
};

#[tokio::test]
async fn guests_who_were_erased_here_and_there_do_not_stop_a_sweep() {
    let hotel = Hotel::furnished().await;
    add_guests(&hotel, 12);
    hotel.backfill().await;
    let (_, wide) = Wide::open(&hotel, 100);
    for n in 0..12 {
        let id = format!("g{n:02}");
        let mut mapping = hotel.mapping(Guest, &id).await;
        let mut notes = Notes::of(&mapping);
        notes.erased = true;
        notes.write(&mut mapping);
        mapping.revision += 1;
        hotel.write_mapping(mapping).await;
        remove(&hotel, Guest, &id);
    }

    for engine in [&wide, &hotel.engine] {
        let run = reconcile(&hotel, engine).await;
        assert_eq!((run.status, run.gone), (RunStatus::Completed, 0));
    }
}

#[tokio::test]
async fn more_missing_records_than_may_be_stop_the_run_before_anything_is_marked() {
    for ids in [3, 100] {
        let hotel = Hotel::open().await;
        furnish(&hotel.vendor);
        add_guests(&hotel, 10);
        hotel.backfill().await;
        let (_, engine) = Wide::open(&hotel, ids);
        remove(&hotel, Reservation, "r1");
        for n in 0..6 {
            remove(&hotel, Guest, &format!("g{n:02}"));
        }

        let run = reconcile(&hotel, &engine).await;

        assert_eq!((run.status, run.gone), (RunStatus::Stopped, 0));
        let reason = run.error.clone().unwrap();
        assert!(reason.contains("6 of 13"), "{reason}");
        assert!(reason.contains("limit 5"), "{reason}");
        let command = format!(
            "stayzr sync reconcile --integration {} --accept-missing",
            hotel.integration_id
        );
        assert!(reason.contains(&command), "{reason}");
        assert!(!is_gone(&hotel, Guest, "g00").await);
        // Its kind is under the limit, and it waits with the rest.
        assert!(!is_gone(&hotel, Reservation, "r1").await);
        let page = PageRequest::default();
        let runs = hotel
            .store
            .runs(hotel.everything(), hotel.integration_id, &page);
        let runs = runs.await.unwrap().items;
        let stored = runs.iter().find(|stored| stored.id == run.id).unwrap();
        assert_eq!(stored.status, RunStatus::Stopped);
        assert_eq!(stored.error, run.error);

        let again = reconcile(&hotel, &engine).await;
        assert_eq!(again.status, RunStatus::Stopped, "it asks until it is told");
        let accepted = accept(&hotel, &engine).await;
        assert_eq!(
            (accepted.status, accepted.gone),
            (RunStatus::Completed, 7),
            "{ids} ids in a call"
        );
        assert!(is_gone(&hotel, Guest, "g05").await);
        assert!(!is_gone(&hotel, Guest, "g06").await);
    }
}

#[tokio::test]
async fn what_left_the_window_of_dates_that_is_read_is_asked_for_before_it_counts() {
    let hotel = Hotel::open().await;
    furnish(&hotel.vendor);
    add_guests(&hotel, 10);
    hotel.backfill().await;
    hotel.vendor.take_calls();
    let left = (0..8).map(|n| format!("g{n:02}"));
    hotel.vendor.lock().out_of_window.extend(left);
    remove(&hotel, Guest, "g00");

    let run = reconcile(&hotel, &hotel.engine.clone()).await;

    assert_eq!((run.status, run.gone), (RunStatus::Completed, 1));
    assert!(is_gone(&hotel, Guest, "g00").await);
    assert!(!is_gone(&hotel, Guest, "g01").await);
    let asked: Vec<usize> = hotel
        .vendor
        .take_calls()
        .iter()
        .filter_map(|call| match call {
            Call::Ids(Guest, ids) => Some(ids.len()),
            _ => None,
        })
        .collect();
    assert_eq!(asked, [3, 3, 2, 1], "in as few calls as the vendor takes");
}

#[tokio::test]
async fn how_much_may_be_missing_is_configured() {
    let settings = json!({"reconcile": {"min_missing": 0, "max_missing_share": 0.34}});
    let hotel = Hotel::with_settings(settings).await;
    furnish(&hotel.vendor);
    hotel.backfill().await;
    let (_, engine) = Wide::open(&hotel, 100);
    remove(&hotel, Guest, "ada");

    let one = reconcile(&hotel, &engine).await;
    // One of three is under the share; one of the two that are left is not.
    remove(&hotel, Guest, "alan");
    let other = reconcile(&hotel, &engine).await;

    assert_eq!((one.status, one.gone), (RunStatus::Completed, 1));
    assert_eq!((other.status, other.gone), (RunStatus::Stopped, 0));
}

#[tokio::test]
async fn a_sweep_is_a_job_and_so_is_one_that_a_person_accepted() {
    let hotel = Hotel::open().await;
    furnish(&hotel.vendor);
    add_guests(&hotel, 10);
    hotel.backfill().await;
    for n in 0..6 {
        remove(&hotel, Guest, &format!("g{n:02}"));
    }
    let sweep = SyncJob::run(hotel.scope, hotel.integration_id, RunMode::Reconcile);
    hotel
        .store
        .enqueue(vec![sweep.clone(), sweep])
        .await
        .unwrap();
    hotel.drain().await;
    assert!(!is_gone(&hotel, Guest, "g00").await);

    let accepting = SyncJob::reconcile_accepting(hotel.scope, hotel.integration_id);
    hotel.store.enqueue(vec![accepting]).await.unwrap();
    hotel.drain().await;

    assert!(is_gone(&hotel, Guest, "g00").await);
    let jobs = hotel.jobs().await;
    assert_eq!(jobs.len(), 2);
    assert!(jobs.iter().all(|job| job.status == JobStatus::Completed));
}
