//! Many events about few records are few calls.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use chrono::TimeDelta;
use serde_json::json;
use stayzr_core::{
    ErrorKind, Result,
    model::{ExternalRef, PmsEvent},
    port::directory::Directory,
    queue::{Claimed, Handler, HandlerResult, JobStatus, Queue, Wakes, Worker, WorkerConfig},
    transform::EntityKind::{Guest, Reservation},
};
use stayzr_pms::engine::{SyncEngine, SyncJob, jobs_for_events};
use tokio_util::sync::CancellationToken;

use crate::{hotel::Hotel, wide::Wide};

/// A hotel with ten reservations, `b0` to `b9`.
async fn busy() -> Hotel {
    let hotel = Hotel::furnished().await;
    for n in 0..10 {
        hotel.vendor.add_linked(
            Reservation,
            &format!("b{n}"),
            json!({"number": format!("b{n}"), "status": "confirmed", "adults": 1,
                "arrival": "2026-07-01T14:00:00Z", "departure": "2026-07-03T10:00:00Z"}),
            &[("guest_id", Guest, "ada")],
        );
    }
    hotel.backfill().await;
    for n in 0..10 {
        let status = json!({"status": "in_house"});
        hotel.vendor.change(Reservation, &format!("b{n}"), status);
    }
    hotel.vendor.take_calls();
    hotel
}

fn changed(n: usize) -> PmsEvent {
    PmsEvent::Changed {
        remote_property_id: "enterprise".to_owned(),
        record: ExternalRef {
            kind: Reservation,
            id: format!("b{}", n % 10),
        },
    }
}

/// Works until nothing is left to do.
async fn work(hotel: &Hotel, engine: SyncEngine) {
    let stop = CancellationToken::new();
    let config = WorkerConfig {
        batch: 100,
        poll: Duration::from_millis(5),
        ..WorkerConfig::new(Queue::PmsSyncQueue, "worker-1")
    };
    let directory: Arc<dyn Directory> = hotel.store.clone();
    let worker = Worker::new(
        directory,
        hotel.store.clone(),
        Arc::new(engine),
        Wakes::new(),
        config,
    );
    let working = tokio::spawn(worker.run(stop.clone()));
    let done = async {
        while hotel
            .jobs()
            .await
            .iter()
            .any(|job| matches!(job.status, JobStatus::Pending | JobStatus::Processing))
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), done)
        .await
        .expect("the queue empties");
    stop.cancel();
    working.await.unwrap();
}

async fn check(hotel: &Hotel, wide: &Wide) {
    let calls = wide.asked(Reservation);
    let records: usize = calls.iter().map(Vec::len).sum();
    assert!(records <= 10, "{records} records were read");
    assert!(calls.len() <= 2, "{} calls", calls.len());
    for n in 0..10 {
        let status = hotel.text(Reservation, &format!("b{n}"), "status").await;
        assert_eq!(status.as_deref(), Some("in_house"));
    }
    let jobs = hotel.jobs().await;
    assert!(jobs.iter().all(|job| job.status == JobStatus::Completed));
}

#[tokio::test]
async fn a_thousand_deliveries_about_ten_reservations_are_one_call_for_ten() {
    let hotel = busy().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    for n in 0..1000 {
        let jobs = jobs_for_events(&hotel.owner(), &[changed(n)]);
        hotel.store.enqueue(jobs).await.unwrap();
    }

    work(&hotel, engine).await;

    check(&hotel, &wide).await;
}

#[tokio::test]
async fn one_delivery_of_a_thousand_events_about_ten_reservations_is_one_call_for_ten() {
    let hotel = busy().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    let events: Vec<PmsEvent> = (0..1000).map(changed).collect();
    let jobs = jobs_for_events(&hotel.owner(), &events);
    hotel.store.enqueue(jobs).await.unwrap();

    work(&hotel, engine).await;

    check(&hotel, &wide).await;
}

/// Reads of `b0` to `b9`, claimed.
async fn claimed(hotel: &Hotel) -> Vec<Claimed> {
    let ids = (0..10).map(|n| format!("b{n}"));
    let jobs = SyncJob::targeted(hotel.scope, hotel.integration_id, Reservation, ids);
    hotel.store.enqueue(jobs).await.unwrap();
    hotel.claim("worker").await
}

fn done(results: &[Result<HandlerResult>]) -> Vec<bool> {
    results
        .iter()
        .map(|result| matches!(result, Ok(HandlerResult::Complete(_))))
        .collect()
}

#[tokio::test]
async fn a_record_that_fails_a_call_for_many_does_not_fail_the_others() {
    let hotel = busy().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    *wide.error.lock().unwrap() = ErrorKind::Invalid;
    wide.failing_call.store(1, Ordering::SeqCst);

    let results = engine.handle_batch(claimed(&hotel).await).await;

    assert_eq!(done(&results), [true; 10], "each was tried alone");
    assert_eq!(wide.asked(Reservation).len(), 11);
}

#[tokio::test]
async fn a_vendor_that_is_down_is_not_called_for_each_record() {
    let hotel = busy().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    wide.failing_call.store(1, Ordering::SeqCst);

    let results = engine.handle_batch(claimed(&hotel).await).await;

    assert_eq!(wide.asked(Reservation).len(), 1);
    assert!(
        results
            .into_iter()
            .all(|result| { result.is_err_and(|error| error.kind() == ErrorKind::Unavailable) })
    );
}

#[tokio::test]
async fn invariant_d_a_batch_whose_first_lease_was_lost_is_worked_on_one_by_one() {
    let hotel = busy().await;
    let (_, engine) = Wide::open(&hotel, 100);
    let mut claimed = claimed(&hotel).await;
    hotel.clock.advance(TimeDelta::minutes(5));
    let again = hotel.claim("quick").await;
    assert_eq!(again.len(), 10);
    // The first was lost, the others are held anew.
    claimed.splice(1.., again.into_iter().skip(1));

    let results = engine.handle_batch(claimed).await;

    assert_eq!(done(&results)[1..], [true; 9]);
    let error = results.into_iter().next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn what_is_missing_is_looked_for_again_by_the_job_that_named_it() {
    let hotel = busy().await;
    let (_, engine) = Wide::open(&hotel, 100);
    hotel
        .vendor
        .lock()
        .records
        .remove(&(Reservation, "b3".to_owned()));
    let claimed = claimed(&hotel).await;
    let named: Vec<SyncJob> = claimed
        .iter()
        .map(|claimed| SyncJob::parse(&claimed.job.payload).unwrap())
        .collect();

    let results = engine.handle_batch(claimed).await;

    for (job, result) in named.iter().zip(results) {
        let SyncJob::Targeted { ids, .. } = job else {
            panic!("unexpected {job:?}");
        };
        let Ok(HandlerResult::Complete(follow_ups)) = result else {
            panic!("{ids:?} is done");
        };
        assert_eq!(follow_ups.len(), usize::from(ids[0] == "b3"));
    }
}

#[tokio::test]
async fn reads_of_one_kind_and_connection_go_together_and_nothing_else() {
    let hotel = busy().await;
    let (scope, id) = (hotel.scope, hotel.integration_id);
    let mut jobs = SyncJob::targeted(scope, id, Reservation, ["b1".to_owned()]);
    jobs.extend(SyncJob::targeted(scope, id, Reservation, ["b2".to_owned()]));
    jobs.extend(SyncJob::targeted(scope, id, Guest, ["ada".to_owned()]));
    let row = hotel.row(Guest, "ada").await.id;
    jobs.push(SyncJob::push(scope, id, Guest, row));
    jobs.push(SyncJob::run(
        scope,
        id,
        stayzr_core::model::RunMode::Backfill,
    ));
    hotel.store.enqueue(jobs).await.unwrap();

    let mut keys: Vec<Option<String>> = hotel
        .claim("worker")
        .await
        .iter()
        .map(|claimed| hotel.engine.batch_key(&claimed.job))
        .collect();

    keys.sort();
    assert_eq!(keys.len(), 5);
    assert_eq!(keys[..2], [None, None]);
    assert_ne!(keys[2], keys[3], "guests");
    assert_eq!(keys[3], keys[4], "reservations");
}
