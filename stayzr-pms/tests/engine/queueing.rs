//! Jobs: how many there are, and what a lease that was lost may do.

use std::collections::HashSet;

use chrono::TimeDelta;
use serde_json::json;
use stayzr_core::{
    ErrorKind,
    model::{ExternalRef, PmsEvent, RunMode},
    queue::{Handler, JobStatus, NewJob},
    transform::EntityKind::{Guest, Reservation},
};
use stayzr_pms::engine::{SyncJob, jobs_for_events};

use crate::{hotel::Hotel, vendor::Call};

fn changed(id: &str) -> PmsEvent {
    PmsEvent::Changed {
        remote_property_id: "enterprise".to_owned(),
        record: ExternalRef {
            kind: Reservation,
            id: id.to_owned(),
        },
    }
}

fn ids(jobs: &[NewJob]) -> Vec<Vec<String>> {
    jobs.iter()
        .map(|job| match SyncJob::parse(&job.payload).unwrap() {
            SyncJob::Targeted { ids, .. } => ids,
            other => panic!("unexpected {other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn a_thousand_events_about_ten_reservations_cost_ten_fetches() {
    let hotel = Hotel::synchronised().await;
    for n in 0..1000 {
        let mut events = vec![changed(&format!("r{}", n % 10))];
        if n % 3 == 0 {
            events.push(changed(&format!("r{}", (n + 1) % 10)));
        }
        let jobs = jobs_for_events(&hotel.owner(), &events);
        hotel.store.enqueue(jobs).await.unwrap();
    }

    hotel.drain().await;

    let reads = hotel
        .vendor
        .take_calls()
        .into_iter()
        .filter(|call| matches!(call, Call::Ids(Reservation, _)))
        .count();
    assert_eq!(reads, 10);
}

#[tokio::test]
async fn one_delivery_about_many_records_is_read_in_batches() {
    let hotel = Hotel::open().await;
    let mut events: Vec<PmsEvent> = (0..700).map(|n| changed(&format!("r{n}"))).collect();
    events.extend(events.clone());
    events.push(PmsEvent::Unknown {
        remote_property_id: None,
        name: "MessageAdded".to_owned(),
    });

    let jobs = jobs_for_events(&hotel.owner(), &events);

    let ids = ids(&jobs);
    assert_eq!(ids.iter().map(Vec::len).collect::<Vec<_>>(), [500, 200]);
    let unique: HashSet<&String> = ids.iter().flatten().collect();
    assert_eq!(unique.len(), 700);
    let again = jobs_for_events(&hotel.owner(), &events);
    assert_eq!(jobs[0].dedupe_key, again[0].dedupe_key);
}

#[tokio::test]
async fn jobs_come_back_from_their_payload() {
    let hotel = Hotel::open().await;
    let (scope, id) = (hotel.scope, hotel.integration_id);
    let row = uuid::Uuid::nil();

    let run = SyncJob::run(scope, id, RunMode::Incremental);
    let push = SyncJob::push(scope, id, Guest, row);

    assert_eq!(
        SyncJob::parse(&run.payload).unwrap(),
        SyncJob::Run {
            integration_id: id,
            mode: RunMode::Incremental,
            accept_missing: false
        }
    );
    assert_eq!(
        push.payload,
        json!({"type": "push", "integration_id": id, "kind": "guest", "id": row})
    );
    let error = SyncJob::parse(&json!({"type": "dance"})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_run_is_a_job_and_its_pages_are_written_under_its_lease() {
    let hotel = Hotel::furnished().await;
    let job = SyncJob::run(hotel.scope, hotel.integration_id, RunMode::Backfill);
    hotel.store.enqueue(vec![job.clone(), job]).await.unwrap();

    hotel.drain().await;

    assert_eq!(hotel.count(Reservation).await, 3);
    let jobs = hotel.jobs().await;
    assert_eq!(jobs.len(), 1, "one that waits is not doubled");
    assert_eq!(jobs[0].status, JobStatus::Completed);
}

#[tokio::test]
async fn invariant_d_a_push_whose_lease_was_lost_sends_nothing() {
    let hotel = Hotel::synchronised().await;
    hotel
        .edit(Guest, "ada", json!({"email": "ada@new.example"}))
        .await;
    let slow = hotel.claim("slow").await.remove(0);
    hotel.clock.advance(TimeDelta::minutes(5));
    let quick = hotel.claim("quick").await;
    assert_eq!(quick.len(), 1);

    let error = hotel.engine.handle(slow).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(hotel.vendor.pushes().is_empty());
    for claimed in quick {
        hotel.engine.handle(claimed).await.unwrap();
    }
    assert_eq!(hotel.vendor.pushes().len(), 1);
}

#[tokio::test]
async fn invariant_d_a_run_whose_lease_was_lost_writes_nothing_more() {
    let hotel = Hotel::furnished().await;
    let job = SyncJob::run(hotel.scope, hotel.integration_id, RunMode::Backfill);
    hotel.store.enqueue(vec![job]).await.unwrap();
    let slow = hotel.claim("slow").await.remove(0);
    hotel.clock.advance(TimeDelta::minutes(5));
    assert_eq!(hotel.claim("quick").await.len(), 1);

    let error = hotel.engine.handle(slow).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(hotel.count(Guest).await, 0);
}
