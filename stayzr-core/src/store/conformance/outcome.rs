//! What [`JobQueue::finish`] promises of each outcome.

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    Report, ensure, ensure_eq, ensure_kind,
    fixture::{claim, claim_one, expire, hotel, jobs_of, quiet},
    queue::look,
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    port::{directory::Directory, queue::JobQueue, setup::Setup},
    queue::{JobOutcome, JobStatus, Queue},
};

const QUEUE: Queue = Queue::AgentTurnQueue;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "outcome::completes_with_follow_ups",
        completes_with_follow_ups(store, clock),
    )
    .await;
    r.scenario(
        "outcome::retries_then_fails",
        retries_then_fails(store, clock),
    )
    .await;
    r.scenario("outcome::failed_is_final", failed_is_final(store, clock))
        .await;
    r.scenario(
        "outcome::released_counts_no_attempt",
        released_counts_no_attempt(store, clock),
    )
    .await;
    report
}

fn retry_after(seconds: u64) -> JobOutcome {
    JobOutcome::Retry {
        error: "vendor down".to_owned(),
        after: Duration::from_secs(seconds),
    }
}

/// Ends an attempt and stores what follows from it, at once.
pub async fn completes_with_follow_ups<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let ids = store.enqueue(vec![hotel.job(QUEUE, "one")]).await?;
    let claimed = claim_one(store, QUEUE).await?;
    let queue = Queue::OutboundQueue;
    let mut impossible = hotel.job(queue, "impossible");
    impossible.max_attempts = 0;
    let refused = store
        .finish(&claimed.lease, JobOutcome::Completed, vec![impossible])
        .await;
    ensure_kind(
        refused,
        ErrorKind::Invalid,
        "a follow-up that cannot be stored",
    )?;
    let still = look(store, &hotel, ids[0]).await?.status;
    ensure_eq(still, JobStatus::Processing, "leaves the job as it was")?;
    let follow_ups = vec![hotel.job(queue, "a"), hotel.job(queue, "b")];
    store
        .finish(&claimed.lease, JobOutcome::Completed, follow_ups)
        .await?;
    let job = look(store, &hotel, ids[0]).await?;
    ensure_eq(job.status, JobStatus::Completed, "COMPLETED")?;
    ensure_eq(
        (job.locked_by, job.locked_until),
        (None, None),
        "and held by nobody",
    )?;
    ensure_eq(
        jobs_of(store, &hotel, queue).await?.len(),
        2,
        "what follows is stored",
    )
}

/// Tried again after a wait; FAILED with its last error if that was the last attempt.
pub async fn retries_then_fails<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let mut job = hotel.job(QUEUE, "one");
    job.max_attempts = 2;
    let ids = store.enqueue(vec![job]).await?;
    let claimed = claim_one(store, QUEUE).await?;
    store
        .finish(&claimed.lease, retry_after(30), Vec::new())
        .await?;
    let job = look(store, &hotel, ids[0]).await?;
    let at = clock.now() + TimeDelta::seconds(30);
    ensure_eq(job.status, JobStatus::Pending, "PENDING again")?;
    ensure_eq(job.next_retry_at, Some(at), "after the wait")?;
    ensure_eq(
        job.last_error.as_deref(),
        Some("vendor down"),
        "with its error",
    )?;
    clock.advance(TimeDelta::seconds(29));
    let early = claim(store, QUEUE, 10).await?;
    ensure(early.is_empty(), "not before the wait is over")?;
    clock.advance(TimeDelta::seconds(1));
    let claimed = claim_one(store, QUEUE).await?;
    ensure_eq(claimed.job.attempts, 2, "the second attempt")?;
    store
        .finish(&claimed.lease, retry_after(30), Vec::new())
        .await?;
    let job = look(store, &hotel, ids[0]).await?;
    ensure_eq(job.status, JobStatus::Failed, "FAILED after the last")?;
    ensure_eq(
        job.last_error.as_deref(),
        Some("vendor down"),
        "with its last error",
    )?;
    expire(clock);
    let never = claim(store, QUEUE, 10).await?;
    ensure(never.is_empty(), "and never again")
}

/// A failed job is never tried again by itself.
pub async fn failed_is_final<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let ids = store.enqueue(vec![hotel.job(QUEUE, "one")]).await?;
    let claimed = claim_one(store, QUEUE).await?;
    let failed = JobOutcome::Failed {
        error: "no such type".to_owned(),
    };
    store.finish(&claimed.lease, failed, Vec::new()).await?;
    let job = look(store, &hotel, ids[0]).await?;
    ensure_eq(job.status, JobStatus::Failed, "FAILED")?;
    ensure_eq(
        job.last_error.as_deref(),
        Some("no such type"),
        "with its error",
    )?;
    clock.advance(TimeDelta::days(1));
    let never = claim(store, QUEUE, 10).await?;
    ensure(never.is_empty(), "it is not claimed again")
}

/// A released job is back in the queue and its attempt does not count.
pub async fn released_counts_no_attempt<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let ids = store.enqueue(vec![hotel.job(QUEUE, "one")]).await?;
    let claimed = claim_one(store, QUEUE).await?;
    store
        .finish(&claimed.lease, JobOutcome::Released, Vec::new())
        .await?;
    let job = look(store, &hotel, ids[0]).await?;
    ensure_eq(
        (job.status, job.attempts),
        (JobStatus::Pending, 0),
        "not tried",
    )?;
    ensure_eq(
        claim_one(store, QUEUE).await?.job.attempts,
        1,
        "and due at once",
    )
}
