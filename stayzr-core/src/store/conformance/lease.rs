//! What leases promise: one holder, and nothing lost when a holder dies.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::{
    Report, ensure, ensure_eq, ensure_kind,
    fixture::{LEASE, claim, claim_one, complete, expire, hotel, jobs_of, name, quiet},
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    port::{directory::Directory, queue::JobQueue, setup::Setup},
    queue::{JobOutcome, JobStatus, Queue},
};

const QUEUE: Queue = Queue::PmsSyncQueue;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "lease::invariant_d_an_expired_lease_is_due_again",
        an_expired_lease_is_due_again(store, clock),
    )
    .await;
    r.scenario(
        "lease::invariant_d_the_last_attempt_fails",
        the_last_attempt_fails(store, clock),
    )
    .await;
    r.scenario(
        "lease::invariant_d_a_job_has_one_holder",
        a_job_has_one_holder(store, clock),
    )
    .await;
    r.scenario(
        "lease::heartbeat_holds_longer",
        heartbeat_holds_longer(store, clock),
    )
    .await;
    report
}

/// Jobs whose lease ran out are due again, and the old lease is worth nothing.
pub async fn an_expired_lease_is_due_again<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    store.enqueue(vec![hotel.job(QUEUE, "one")]).await?;
    let old = claim_one(store, QUEUE).await?;
    clock.advance(TimeDelta::seconds(59));
    ensure(claim(store, QUEUE, 10).await?.is_empty(), "the lease holds")?;
    expire(clock);
    let late = store.heartbeat(&old.lease, LEASE).await;
    ensure_kind(late, ErrorKind::Conflict, "a lease that ran out is lost")?;
    // The same worker's name does not make an old lease good.
    let new = claim_one(store, QUEUE).await?;
    ensure_eq(new.job.id, old.job.id, "the job is due again")?;
    ensure_eq(new.lease.attempt, 2, "with one attempt more")?;
    let follow_up = vec![hotel.job(Queue::OutboundQueue, "follow-up")];
    let stale = store
        .finish(&old.lease, JobOutcome::Completed, follow_up)
        .await;
    ensure_kind(stale, ErrorKind::Conflict, "the old lease cannot end it")?;
    let late = store.heartbeat(&old.lease, LEASE).await;
    ensure_kind(late, ErrorKind::Conflict, "nor hold it longer")?;
    ensure(
        jobs_of(store, &hotel, Queue::OutboundQueue)
            .await?
            .is_empty(),
        "and nothing is stored",
    )?;
    complete(store, &new).await?;
    let again = store
        .finish(&new.lease, JobOutcome::Completed, Vec::new())
        .await;
    ensure_kind(again, ErrorKind::Conflict, "a job ends once")
}

/// A job whose lease ran out on its last attempt is FAILED.
pub async fn the_last_attempt_fails<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let mut job = hotel.job(QUEUE, "one").key("k");
    job.max_attempts = 2;
    let ids = store
        .enqueue(vec![job, hotel.job(QUEUE, "next").key("k")])
        .await?;
    for _ in 0..2 {
        claim_one(store, QUEUE).await?;
        expire(clock);
    }
    let next = claim(store, QUEUE, 10).await?;
    // Whether the key is free in this claim or in the next one is left to the adapter.
    let next = match next.is_empty() {
        true => claim(store, QUEUE, 10).await?,
        false => next,
    };
    ensure_eq(
        next.iter()
            .map(|claimed| name(&claimed.job))
            .collect::<Vec<_>>(),
        vec!["next"],
        "it is not claimed again, and its key is free",
    )?;
    let job = store.job(hotel.scope, ids[0]).await?;
    let found = job.map(|job| (job.status, job.last_error.is_some(), job.locked_by));
    ensure_eq(
        found,
        Some((JobStatus::Failed, true, None)),
        "FAILED with its error",
    )
}

/// However many claim at once, a job has one holder.
pub async fn a_job_has_one_holder<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let jobs = (0..40).map(|n| hotel.job(QUEUE, &n.to_string())).collect();
    store.enqueue(jobs).await?;
    let mut seen = HashSet::new();
    let mut rounds = 0;
    while seen.len() < 40 {
        let workers: Vec<String> = (0..8).map(|n| format!("worker {n}")).collect();
        let claims = workers
            .iter()
            .map(|worker| store.claim(QUEUE, worker, 5, LEASE));
        for claimed in futures::future::join_all(claims).await {
            for claimed in claimed? {
                ensure(seen.insert(claimed.job.id), "no job is claimed twice")?;
            }
        }
        rounds += 1;
        ensure(rounds < 20, "every job is claimed in the end")?;
    }
    Ok(())
}

/// A heartbeat holds a job until `now + lease`.
pub async fn heartbeat_holds_longer<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    store.enqueue(vec![hotel.job(QUEUE, "long")]).await?;
    let claimed = claim_one(store, QUEUE).await?;
    let mut lease = claimed.lease.clone();
    for _ in 0..3 {
        clock.advance(TimeDelta::seconds(40));
        lease = store.heartbeat(&lease, LEASE).await?;
        ensure_eq(
            lease.until,
            clock.now() + TimeDelta::seconds(60),
            "now + lease",
        )?;
    }
    clock.advance(TimeDelta::seconds(40));
    let stolen = claim(store, QUEUE, 10).await?;
    ensure(stolen.is_empty(), "nobody else gets it")?;
    // The lease that was claimed first is still the same right.
    complete(store, &claimed).await
}
