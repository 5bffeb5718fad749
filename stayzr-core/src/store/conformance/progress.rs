//! What [`SyncStore`] promises of cursors, runs and records put aside.

use serde_json::Value;

use super::{
    Report, ensure_eq,
    fixture::{Hotel, hotel, jobs_of, quiet},
    sync::page,
};
use crate::{
    Result,
    clock::{Clock, ManualClock},
    ids::SyncRunId,
    model::{RunMode, RunStatus, SyncRun},
    port::{
        PageRequest,
        directory::Directory,
        queue::JobQueue,
        setup::Setup,
        sync::{Cursor, ParkedRecord, RunCounts, RunEnd, SyncStore},
    },
    queue::{JobStatus, Queue},
    transform::EntityKind,
};

const QUEUE: Queue = Queue::PmsSyncQueue;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + SyncStore + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "progress::parked_records_are_shown_once",
        parked_records(store, clock),
    )
    .await;
    r.scenario(
        "progress::each_mode_has_its_cursor",
        each_mode_has_its_cursor(store, clock),
    )
    .await;
    r.scenario("progress::runs_count", runs_count(store, clock))
        .await;
    report
}

pub(super) fn run_of(hotel: &Hotel, clock: &ManualClock) -> SyncRun {
    SyncRun {
        id: SyncRunId::generate(clock),
        organization_id: hotel.scope.organization_id,
        integration_id: hotel.integration.id,
        mode: RunMode::Backfill,
        status: RunStatus::Running,
        read: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        parked: 0,
        conflicts: 0,
        unknown: 0,
        gone: 0,
        error: None,
        started_at: clock.now(),
        finished_at: None,
    }
}

/// A record put aside is a FAILED job with its reason, shown once however often it comes.
pub async fn parked_records<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + SyncStore + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    for reason in [
        "arrival: not a time",
        "arrival: not a time",
        "departure: missing",
    ] {
        let mut page = page(&hotel);
        page.parked = vec![ParkedRecord {
            entity: EntityKind::Reservation,
            local_id: None,
            external_id: Some("r-1".to_owned()),
            reason: reason.to_owned(),
        }];
        store.apply_page(page).await?;
    }
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    ensure_eq(jobs.len(), 1, "shown once")?;
    ensure_eq(jobs[0].status, JobStatus::Failed, "as a FAILED job")?;
    let reason = jobs[0].last_error.as_deref();
    ensure_eq(reason, Some("departure: missing"), "with its last reason")?;
    let job = store.retry(hotel.scope, jobs[0].id).await?;
    ensure_eq(job.status, JobStatus::Pending, "that can be retried")
}

/// Each mode has its own cursor, which a page replaces.
pub async fn each_mode_has_its_cursor<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + SyncStore + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let cursor = |mode, position: Option<&str>| Cursor {
        integration_id: hotel.integration.id,
        entity: EntityKind::Room,
        mode,
        position: position.map(Value::from),
        watermark: Some(clock.now()),
    };
    let first = cursor(RunMode::Backfill, Some("p1"));
    let other = cursor(RunMode::Incremental, Some("p2"));
    let last = cursor(RunMode::Backfill, None);
    for cursor in [&first, &other, &last] {
        let mut page = page(&hotel);
        page.cursor = Some(cursor.clone());
        store.apply_page(page).await?;
    }
    let (scope, id) = (hotel.scope, hotel.integration.id);
    let read = |kind, mode| store.cursor(scope, id, kind, mode);
    let found = read(EntityKind::Room, RunMode::Backfill).await?;
    ensure_eq(found, Some(last), "replaced")?;
    let found = read(EntityKind::Room, RunMode::Incremental).await?;
    ensure_eq(found, Some(other), "of its own")?;
    let found = read(EntityKind::Guest, RunMode::Backfill).await?;
    ensure_eq(found, None, "none for another kind")
}

/// A page adds to the counts of its run; a run ends with what it came to.
pub async fn runs_count<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + SyncStore + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let first = run_of(&hotel, clock);
    clock.advance(chrono::TimeDelta::seconds(1));
    let second = run_of(&hotel, clock);
    for run in [&first, &second] {
        store.begin_run(hotel.scope, run).await?;
    }
    let counts = RunCounts {
        unknown: 7,
        gone: 8,
        read: 10,
        created: 4,
        updated: 3,
        unchanged: 2,
        parked: 1,
        conflicts: 1,
    };
    for _ in 0..2 {
        let mut page = page(&hotel);
        page.run = Some((first.id, counts));
        store.apply_page(page).await?;
    }
    let reason = "vendor down".to_owned();
    store
        .end_run(hotel.scope, first.id, RunEnd::Failed(reason.clone()))
        .await?;
    store
        .end_run(hotel.scope, second.id, RunEnd::Completed)
        .await?;
    let done = SyncRun {
        status: RunStatus::Failed,
        read: 20,
        created: 8,
        updated: 6,
        unchanged: 4,
        parked: 2,
        conflicts: 2,
        unknown: 14,
        gone: 16,
        error: Some(reason),
        finished_at: Some(clock.now()),
        ..first
    };
    let page = PageRequest {
        limit: 1,
        cursor: None,
    };
    let id = hotel.integration.id;
    let newest = store.runs(hotel.scope, id, &page).await?;
    let status = newest.items.first().map(|run| (run.id, run.status));
    let expected = Some((second.id, RunStatus::Completed));
    ensure_eq(status, expected, "the newest first")?;
    let page = PageRequest {
        limit: 1,
        cursor: newest.next_cursor,
    };
    let oldest = store.runs(hotel.scope, id, &page).await?;
    ensure_eq(oldest.items, vec![done], "with what its pages added")?;
    ensure_eq(oldest.next_cursor, None, "and no more")
}
