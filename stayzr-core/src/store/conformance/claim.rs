//! What [`Directory::claim`] promises.

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    Report, ensure, ensure_eq,
    fixture::{claim, claim_one, complete, expire, hotel, name, quiet},
};
use crate::{
    Result,
    clock::{Clock, ManualClock},
    port::{directory::Directory, queue::JobQueue, setup::Setup},
    queue::{Claimed, JobOutcome, JobStatus, Queue},
};

const QUEUE: Queue = Queue::PmsSyncQueue;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario("claim::holds_and_counts", holds_and_counts(store, clock))
        .await;
    r.scenario(
        "claim::takes_no_more_than_asked",
        takes_no_more_than_asked(store, clock),
    )
    .await;
    r.scenario("claim::priority_then_age", priority_then_age(store, clock))
        .await;
    r.scenario(
        "claim::invariant_e_lanes_take_turns",
        lanes_take_turns(store, clock),
    )
    .await;
    r.scenario(
        "claim::invariant_e_keys_in_order",
        keys_in_order(store, clock),
    )
    .await;
    r.scenario(
        "claim::invariant_e_a_delayed_job_holds_its_key",
        a_delayed_job_holds_its_key(store, clock),
    )
    .await;
    r.scenario(
        "claim::not_before_its_time",
        not_before_its_time(store, clock),
    )
    .await;
    r.scenario("claim::oldest_due", oldest_due(store, clock))
        .await;
    report
}

fn names(claimed: &[Claimed]) -> Vec<&str> {
    claimed.iter().map(|claimed| name(&claimed.job)).collect()
}

/// Claims for a worker until `now + lease`, and counts an attempt.
pub async fn holds_and_counts<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let mut job = hotel.job(QUEUE, "one");
    job.scope = Some(hotel.property_scope());
    job.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let ids = store.enqueue(vec![job.clone()]).await?;
    let claimed = claim_one(store, QUEUE).await?;
    let until = clock.now() + TimeDelta::seconds(60);
    ensure_eq(claimed.job.id, ids[0], "the stored job is claimed")?;
    ensure_eq(claimed.job.payload, job.payload, "the payload is as stored")?;
    ensure_eq(claimed.job.traceparent, job.traceparent, "so is the trace")?;
    ensure_eq(
        claimed.job.status,
        JobStatus::Processing,
        "a claimed job is PROCESSING",
    )?;
    ensure_eq(claimed.job.attempts, 1, "a claim counts an attempt")?;
    ensure_eq(claimed.job.locked_until, Some(until), "until now + lease")?;
    ensure_eq(
        claimed.job.locked_by.as_deref(),
        Some("worker"),
        "by this worker",
    )?;
    let lease = claimed.lease;
    ensure_eq(
        (lease.attempt, lease.until),
        (1, until),
        "the lease says the same",
    )?;
    ensure_eq(
        lease.worker.as_str(),
        "worker",
        "the lease names its worker",
    )?;
    ensure_eq(
        lease.scope,
        Some(hotel.property_scope()),
        "and whose work it is",
    )?;
    ensure(
        claim(store, QUEUE, 10).await?.is_empty(),
        "a held job is not claimed",
    )
}

/// Claims up to `limit` jobs.
pub async fn takes_no_more_than_asked<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let jobs = (0..5).map(|n| hotel.job(QUEUE, &n.to_string())).collect();
    store.enqueue(jobs).await?;
    store
        .enqueue(vec![hotel.job(Queue::OutboundQueue, "other")])
        .await?;
    ensure_eq(
        claim(store, QUEUE, 3).await?.len(),
        3,
        "three were asked for",
    )?;
    ensure_eq(
        claim(store, QUEUE, 10).await?.len(),
        2,
        "two were left in this queue",
    )
}

/// Jobs of one lane come in order of priority, then age.
pub async fn priority_then_age<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    for (name, priority) in [("c", 0), ("a", 5), ("d", 0), ("b", 5), ("e", -1)] {
        let job = hotel.job(QUEUE, name).priority(priority);
        store.enqueue(vec![job]).await?;
        clock.advance(TimeDelta::seconds(1));
    }
    let mut order = claim(store, QUEUE, 2).await?;
    order.extend(claim(store, QUEUE, 10).await?);
    ensure_eq(
        names(&order),
        vec!["a", "b", "c", "d", "e"],
        "priority, then age",
    )
}

/// One organization's backlog delays another's jobs by at most one batch.
pub async fn lanes_take_turns<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let busy = hotel(store, clock).await?;
    let calm = hotel(store, clock).await?;
    let backlog = (0..50).map(|n| busy.job(QUEUE, &format!("busy {n}")).priority(9));
    store.enqueue(backlog.collect()).await?;
    for claimed in claim(store, QUEUE, 4).await? {
        complete(store, &claimed).await?;
    }
    let few = (0..2).map(|n| calm.job(QUEUE, &format!("calm {n}")));
    store.enqueue(few.collect()).await?;
    let batch = claim(store, QUEUE, 4).await?;
    let calm_jobs = names(&batch)
        .iter()
        .filter(|name| name.starts_with("calm"))
        .count();
    ensure_eq(calm_jobs, 2, "the other lane's jobs are in the next batch")?;
    ensure_eq(batch.len(), 4, "and the batch is full")
}

/// A job waits while an older one with its key is unfinished.
pub async fn keys_in_order<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let one = hotel(store, clock).await?;
    let other = hotel(store, clock).await?;
    store
        .enqueue(vec![
            one.job(QUEUE, "first").key("k"),
            one.job(QUEUE, "second").key("k").priority(9),
            one.job(QUEUE, "free"),
        ])
        .await?;
    store
        .enqueue(vec![one.job(QUEUE, "third").key("k")])
        .await?;
    store
        .enqueue(vec![other.job(QUEUE, "elsewhere").key("k")])
        .await?;
    let batch = claim(store, QUEUE, 10).await?;
    let mut found = names(&batch);
    found.sort_unstable();
    ensure_eq(
        found,
        vec!["elsewhere", "first", "free"],
        "one of a key at a time, in one organization",
    )?;
    for expected in ["second", "third"] {
        ensure(
            claim(store, QUEUE, 10).await?.is_empty(),
            "the key is taken",
        )?;
        let holder = batch.iter().find(|claimed| name(&claimed.job) == "first");
        match (expected, holder) {
            ("second", Some(first)) => complete(store, first).await?,
            _ => {
                expire(clock);
                // The lease of the second ran out: it goes on before the third.
                let again = claim(store, QUEUE, 10).await?;
                let second = again.iter().find(|claimed| name(&claimed.job) == "second");
                ensure(
                    second.is_some() && !names(&again).contains(&"third"),
                    "an expired job keeps its place",
                )?;
                for claimed in &again {
                    complete(store, claimed).await?;
                }
            }
        }
        let next = claim(store, QUEUE, 10).await?;
        ensure_eq(
            names(&next),
            vec![expected],
            "the next of the key, in order",
        )?;
    }
    Ok(())
}

/// A job that waits for another attempt is unfinished, and holds its key.
pub async fn a_delayed_job_holds_its_key<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let jobs = ["first", "second"].map(|name| hotel.job(QUEUE, name).key("k"));
    store.enqueue(jobs.to_vec()).await?;
    let first = claim_one(store, QUEUE).await?;
    let retry = JobOutcome::Retry {
        error: "down".to_owned(),
        after: Duration::from_secs(10),
    };
    store.finish(&first.lease, retry, Vec::new()).await?;
    ensure(
        claim(store, QUEUE, 10).await?.is_empty(),
        "the second waits",
    )?;
    clock.advance(TimeDelta::seconds(11));
    let again = claim(store, QUEUE, 10).await?;
    ensure_eq(names(&again), vec!["first"], "the first goes on")?;
    let failed = JobOutcome::Failed {
        error: "gone".to_owned(),
    };
    store.finish(&again[0].lease, failed, Vec::new()).await?;
    let next = claim(store, QUEUE, 10).await?;
    ensure_eq(
        names(&next),
        vec!["second"],
        "a failed job lets the next through",
    )
}

/// A job runs not before its time.
pub async fn not_before_its_time<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let at = clock.now() + TimeDelta::seconds(30);
    store
        .enqueue(vec![hotel.job(QUEUE, "later").run_at(at)])
        .await?;
    ensure(claim(store, QUEUE, 10).await?.is_empty(), "it is not due")?;
    clock.set(at);
    ensure_eq(claim(store, QUEUE, 10).await?.len(), 1, "now it is")
}

/// How old is the oldest job that is due and unclaimed?
pub async fn oldest_due<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    ensure_eq(store.oldest_due(QUEUE).await?, None, "none waits")?;
    let later = clock.now() + TimeDelta::hours(1);
    store
        .enqueue(vec![hotel.job(QUEUE, "later").run_at(later)])
        .await?;
    ensure_eq(store.oldest_due(QUEUE).await?, None, "none is due")?;
    let stored = clock.now();
    store.enqueue(vec![hotel.job(QUEUE, "now")]).await?;
    clock.advance(TimeDelta::seconds(5));
    store.enqueue(vec![hotel.job(QUEUE, "newer")]).await?;
    ensure_eq(
        store.oldest_due(QUEUE).await?,
        Some(stored),
        "the oldest that is due",
    )?;
    claim(store, QUEUE, 10).await?;
    ensure_eq(
        store.oldest_due(QUEUE).await?,
        None,
        "claimed ones do not count",
    )
}
