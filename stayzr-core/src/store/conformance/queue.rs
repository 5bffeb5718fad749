//! What [`JobQueue`] promises.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::{
    Report, claim, ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, claim_one, complete, hotel, jobs_of, name, quiet},
    lease, outcome,
};
use crate::{
    ErrorKind, Result,
    clock::ManualClock,
    ids::{JobId, PropertyId},
    port::{PageRequest, directory::Directory, queue::JobQueue, setup::Setup},
    queue::{Job, JobFilter, JobOutcome, JobStatus, Queue},
    tenant::TenantScope,
};

const QUEUE: Queue = Queue::AgentTurnQueue;

/// Runs every scenario, those of [`claim`], [`lease`] and [`outcome`] included.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    let mut report = claim::run(store, clock).await;
    report.join(lease::run(store, clock).await);
    report.join(outcome::run(store, clock).await);
    let r = &mut report;
    r.scenario(
        "queue::stores_all_or_none",
        stores_all_or_none(store, clock),
    )
    .await;
    r.scenario(
        "queue::dedupes_what_waits",
        dedupes_what_waits(store, clock),
    )
    .await;
    r.scenario("queue::retry_by_hand", retry_by_hand(store, clock))
        .await;
    r.scenario("queue::cancel_by_hand", cancel_by_hand(store, clock))
        .await;
    r.scenario(
        "queue::lists_newest_first",
        lists_newest_first(store, clock),
    )
    .await;
    r.scenario("queue::figures", figures(store, clock)).await;
    r.scenario(
        "queue::invariant_t_others_see_nothing",
        others_see_nothing(store, clock),
    )
    .await;
    r.scenario("queue::property_narrows", property_narrows(store, clock))
        .await;
    report
}

pub(super) async fn look<S: JobQueue + ?Sized>(store: &S, hotel: &Hotel, id: JobId) -> Result<Job> {
    store
        .job(hotel.scope, id)
        .await?
        .ok_or_else(|| crate::Error::internal("conformance.look", "the job is gone").with("id", id))
}

/// Stores jobs, all or none, and returns an id for each.
pub async fn stores_all_or_none<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let mut impossible = hotel.job(QUEUE, "impossible");
    impossible.max_attempts = 0;
    let refused = store
        .enqueue(vec![hotel.job(QUEUE, "good"), impossible])
        .await;
    ensure_kind(refused, ErrorKind::Invalid, "a job needs an attempt")?;
    ensure(
        jobs_of(store, &hotel, QUEUE).await?.is_empty(),
        "none is stored",
    )?;
    let ids = store
        .enqueue(vec![hotel.job(QUEUE, "a"), hotel.job(QUEUE, "b")])
        .await?;
    ensure_eq(
        name(&look(store, &hotel, ids[0]).await?),
        "a",
        "an id for each",
    )?;
    ensure_eq(name(&look(store, &hotel, ids[1]).await?), "b", "in order")?;
    ensure_eq(store.enqueue(Vec::new()).await?, Vec::new(), "none of none")
}

/// A job is dropped while one with its dedupe key waits unclaimed.
pub async fn dedupes_what_waits<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let one = hotel(store, clock).await?;
    let other = hotel(store, clock).await?;
    let job = |hotel: &Hotel| hotel.job(QUEUE, "x").dedupe("d");
    let ids = store.enqueue(vec![job(&one), job(&one)]).await?;
    ensure_eq(ids[0], ids[1], "twice in one call")?;
    let again = store.enqueue(vec![job(&one)]).await?;
    ensure_eq(again[0], ids[0], "the id of the one that waits")?;
    let elsewhere = store.enqueue(vec![job(&other)]).await?;
    ensure(elsewhere[0] != ids[0], "another organization has its own")?;
    let queue = Queue::OutboundQueue;
    let mut moved = job(&one);
    moved.queue = queue;
    ensure(
        store.enqueue(vec![moved]).await?[0] != ids[0],
        "so has another queue",
    )?;
    let claimed = super::fixture::claim(store, QUEUE, 10).await?;
    ensure_eq(claimed.len(), 2, "each was stored once")?;
    let after = store.enqueue(vec![job(&one)]).await?;
    ensure(after[0] != ids[0], "a claimed one waits no more")
}

/// A FAILED job can be put back with its attempts counted from zero.
pub async fn retry_by_hand<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let ids = store.enqueue(vec![hotel.job(QUEUE, "one")]).await?;
    let early = store.retry(hotel.scope, ids[0]).await;
    ensure_kind(early, ErrorKind::Conflict, "it is not FAILED")?;
    let claimed = claim_one(store, QUEUE).await?;
    let failed = JobOutcome::Failed {
        error: "bad".to_owned(),
    };
    store.finish(&claimed.lease, failed, Vec::new()).await?;
    let job = store.retry(hotel.scope, ids[0]).await?;
    ensure_eq(
        (job.status, job.attempts),
        (JobStatus::Pending, 0),
        "put back",
    )?;
    let claimed = claim_one(store, QUEUE).await?;
    ensure_eq(
        (claimed.job.id, claimed.job.attempts),
        (ids[0], 1),
        "the same job",
    )?;
    complete(store, &claimed).await?;
    let late = store.retry(hotel.scope, ids[0]).await;
    ensure_kind(late, ErrorKind::Conflict, "nor is it now")?;
    let unknown = store.retry(hotel.scope, JobId::generate(clock)).await;
    ensure_kind(unknown, ErrorKind::NotFound, "a job nobody knows")
}

/// A PENDING job can be ended as FAILED with the error `cancelled`.
pub async fn cancel_by_hand<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let jobs = ["first", "second"].map(|name| hotel.job(QUEUE, name).key("k"));
    let ids = store.enqueue(jobs.to_vec()).await?;
    let job = store.cancel(hotel.scope, ids[0]).await?;
    ensure_eq(job.status, JobStatus::Failed, "FAILED")?;
    ensure_eq(job.last_error.as_deref(), Some("cancelled"), "cancelled")?;
    let claimed = claim_one(store, QUEUE).await?;
    ensure_eq(claimed.job.id, ids[1], "its key is free")?;
    let held = store.cancel(hotel.scope, ids[1]).await;
    ensure_kind(held, ErrorKind::Conflict, "a held job is not PENDING")?;
    let twice = store.cancel(hotel.scope, ids[0]).await;
    ensure_kind(twice, ErrorKind::Conflict, "nor is a cancelled one")
}

/// Jobs come the newest first, finished ones too, and no page skips or repeats one.
pub async fn lists_newest_first<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let mut expected = Vec::new();
    for n in 0..7 {
        let ids = store
            .enqueue(vec![hotel.job(QUEUE, &n.to_string())])
            .await?;
        expected.extend(ids);
        clock.advance(TimeDelta::milliseconds(5));
    }
    for _ in 0..3 {
        let claimed = claim_one(store, QUEUE).await?;
        complete(store, &claimed).await?;
    }
    expected.reverse();
    let mut page = PageRequest {
        limit: 3,
        cursor: None,
    };
    let mut found = Vec::new();
    loop {
        let part = store
            .jobs(hotel.scope, &JobFilter::default(), &page)
            .await?;
        ensure(part.items.len() <= 3, "no page is longer than asked")?;
        found.extend(part.items.iter().map(|job| job.id));
        page.cursor = part.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    ensure_eq(found, expected, "newest first, each once")?;
    let filter = JobFilter {
        queue: Some(QUEUE),
        status: Some(JobStatus::Completed),
    };
    let completed = store
        .jobs(hotel.scope, &filter, &PageRequest::default())
        .await?;
    ensure_eq(completed.items.len(), 3, "only of this status")?;
    let filter = JobFilter {
        queue: Some(Queue::OutboundQueue),
        status: None,
    };
    let other = store
        .jobs(hotel.scope, &filter, &PageRequest::default())
        .await?;
    ensure(other.items.is_empty(), "only of this queue")
}

/// Every queue of an organization in figures.
pub async fn figures<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let jobs = (0..4).map(|n| hotel.job(QUEUE, &n.to_string())).collect();
    store.enqueue(jobs).await?;
    claim_one(store, QUEUE).await?;
    let failing = claim_one(store, QUEUE).await?;
    let failed = JobOutcome::Failed {
        error: "bad".to_owned(),
    };
    store.finish(&failing.lease, failed, Vec::new()).await?;
    clock.advance(TimeDelta::seconds(7));
    let stats = store.stats(hotel.scope).await?;
    let queues: HashSet<Queue> = stats.iter().map(|stats| stats.queue).collect();
    ensure_eq(queues.len(), Queue::ALL.len(), "every queue")?;
    let found = stats
        .into_iter()
        .find(|stats| stats.queue == QUEUE)
        .map(|stats| {
            (
                stats.pending,
                stats.processing,
                stats.failed,
                stats.oldest_seconds,
            )
        });
    ensure_eq(found, Some((2, 1, 1, Some(7.0))), "counted")
}

/// Another organization's jobs are not there.
pub async fn others_see_nothing<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let owner = hotel(store, clock).await?;
    let stranger = hotel(store, clock).await?;
    let id = store.enqueue(vec![owner.job(QUEUE, "mine")]).await?[0];
    ensure_eq(store.job(stranger.scope, id).await?, None, "one job")?;
    ensure(jobs_of(store, &stranger, QUEUE).await?.is_empty(), "jobs")?;
    let cancelled = store.cancel(stranger.scope, id).await;
    ensure_kind(cancelled, ErrorKind::NotFound, "cancel")?;
    let pending: i64 = store
        .stats(stranger.scope)
        .await?
        .iter()
        .map(|stats| stats.pending)
        .sum();
    ensure_eq(pending, 0, "figures")?;
    let claimed = claim_one(store, QUEUE).await?;
    let failed = JobOutcome::Failed {
        error: "bad".to_owned(),
    };
    store.finish(&claimed.lease, failed, Vec::new()).await?;
    let retried = store.retry(stranger.scope, id).await;
    ensure_kind(retried, ErrorKind::NotFound, "retry")
}

/// With a property in the scope, jobs of another property are not there.
pub async fn property_narrows<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let mut mine = hotel.job(QUEUE, "mine");
    mine.scope = Some(hotel.property_scope());
    let ids = store.enqueue(vec![mine, hotel.job(QUEUE, "all")]).await?;
    let elsewhere = TenantScope::property(hotel.scope.organization_id, PropertyId::generate(clock));
    ensure_eq(
        store.job(elsewhere, ids[0]).await?,
        None,
        "of another property",
    )?;
    ensure(
        store.job(elsewhere, ids[1]).await?.is_some(),
        "of the organization",
    )?;
    let list = store
        .jobs(elsewhere, &JobFilter::default(), &PageRequest::default())
        .await?;
    ensure_eq(list.items.len(), 1, "in lists too")
}
