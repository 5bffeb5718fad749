//! The moves of a job between its places. Each runs inside the caller's transaction.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection, Transaction};

use super::{SqliteStore, error::failed};
use crate::{
    Error, Result,
    clock::Clock,
    ids::JobId,
    queue::{JobOutcome, Lease, NewJob, Queue},
    store::codec,
};

/// The JSON of a [`crate::queue::Job`] from `jobs`.
pub(super) const JOB: &str = "json_object('id', id, 'queue', queue, \
    'organization_id', organization_id, 'property_id', property_id, 'status', status, \
    'attempts', attempts, 'max_attempts', max_attempts, 'last_error', last_error, \
    'next_retry_at', next_retry_at, 'locked_by', locked_by, 'locked_until', locked_until, \
    'payload', json(payload), 'key', key, 'dedupe_key', dedupe_key, 'priority', priority, \
    'traceparent', traceparent, 'created_at', created_at, 'updated_at', updated_at)";

/// The same from `jobs_done`.
pub(super) const JOB_DONE: &str = "json_object('id', id, 'queue', queue, \
    'organization_id', organization_id, 'property_id', property_id, 'status', status, \
    'attempts', attempts, 'max_attempts', max_attempts, 'last_error', last_error, \
    'next_retry_at', null, 'locked_by', null, 'locked_until', null, \
    'payload', json(payload), 'key', key, 'dedupe_key', dedupe_key, 'priority', priority, \
    'traceparent', traceparent, 'created_at', created_at, 'updated_at', updated_at)";

impl SqliteStore {
    /// Stores a job in a transaction of the caller, so that it exists exactly if the caller's own
    /// rows do. For users with tables of their own in the same file.
    pub async fn enqueue_in(&self, tx: &mut Transaction<'_, Sqlite>, job: NewJob) -> Result<JobId> {
        let ids = enqueue(tx, &*self.clock, &[job]).await?;
        ids.first()
            .copied()
            .ok_or_else(|| Error::internal("sqlite.enqueue", "a job was neither stored nor found"))
    }
}

/// Stores jobs. Returns an id for each, which is that of the waiting job where one was dropped for
/// its dedupe key.
pub(super) async fn enqueue(
    tx: &mut SqliteConnection,
    clock: &dyn Clock,
    jobs: &[NewJob],
) -> Result<Vec<JobId>> {
    let mut ids = waiting(tx, jobs).await?;
    let mut fresh = Vec::new();
    let mut seen: HashMap<(&str, Option<_>, &str), JobId> = HashMap::new();
    for (job, slot) in jobs.iter().zip(&mut ids) {
        if slot.is_some() {
            continue;
        }
        let id = JobId::generate(clock);
        if let Some(key) = &job.dedupe_key {
            let name = (
                job.queue.as_str(),
                job.scope.map(|scope| scope.organization_id),
                key.as_str(),
            );
            if let Some(first) = seen.get(&name) {
                *slot = Some(*first);
                continue;
            }
            seen.insert(name, id);
        }
        *slot = Some(id);
        fresh.push((id, job));
    }
    insert(tx, clock.now(), &fresh).await?;
    Ok(ids.into_iter().flatten().collect())
}

/// For each job, the one that waits with its dedupe key.
async fn waiting(tx: &mut SqliteConnection, jobs: &[NewJob]) -> Result<Vec<Option<JobId>>> {
    const OPERATION: &str = "sqlite.enqueue";
    let mut ids = vec![None; jobs.len()];
    let document: Vec<Value> = jobs
        .iter()
        .enumerate()
        .filter(|(_, job)| job.dedupe_key.is_some())
        .map(|(index, job)| {
            json!({
                "index": index,
                "queue": job.queue,
                "lane": job.scope.map(|scope| scope.organization_id.to_string()).unwrap_or_default(),
                "dedupe_key": job.dedupe_key,
            })
        })
        .collect();
    if document.is_empty() {
        return Ok(ids);
    }
    let found: Vec<(i64, String)> = sqlx::query_as(
        "select e.value ->> 'index', min(j.id) from json_each($1) e
         cross join jobs j on j.queue = e.value ->> 'queue' and j.lane = e.value ->> 'lane'
          and j.dedupe_key = e.value ->> 'dedupe_key' and j.status = 'PENDING'
         group by e.key",
    )
    .bind(Value::from(document).to_string())
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    for (index, id) in found {
        let id = id.parse().map_err(|error: uuid::Error| {
            Error::corrupt(OPERATION, "a stored id is none").with_source(error)
        })?;
        if let Some(slot) = usize::try_from(index).ok().and_then(|i| ids.get_mut(i)) {
            *slot = Some(id);
        }
    }
    Ok(ids)
}

/// Stores jobs under these ids, in this order.
pub(super) async fn insert(
    tx: &mut SqliteConnection,
    now: DateTime<Utc>,
    jobs: &[(JobId, &NewJob)],
) -> Result<()> {
    const OPERATION: &str = "sqlite.enqueue";
    if jobs.is_empty() {
        return Ok(());
    }
    let mut keys = HashSet::new();
    let mut document = Vec::with_capacity(jobs.len());
    for (id, job) in jobs {
        if job.max_attempts < 1 {
            return Err(Error::invalid(
                OPERATION,
                "a job needs at least one attempt",
            ));
        }
        if job.scope.is_none() && job.queue != Queue::WebhookInbox {
            return Err(Error::invalid(
                OPERATION,
                "only jobs of the inbox may have no organization",
            )
            .with("queue", job.queue));
        }
        let organization = job.scope.map(|scope| scope.organization_id);
        // An earlier job of the same batch is older too.
        let follows = job
            .key
            .as_deref()
            .is_some_and(|key| !keys.insert((job.queue.as_str(), organization, key)));
        document.push(json!({
            "id": id,
            "queue": job.queue,
            "organization_id": organization,
            "property_id": job.scope.and_then(|scope| scope.property_id),
            "lane": organization.map(|id| id.to_string()).unwrap_or_default(),
            "follows": follows,
            "max_attempts": job.max_attempts,
            "run_at": job.run_at.filter(|at| *at > now).map(codec::time),
            "payload": codec::json(&job.payload),
            "key": job.key,
            "dedupe_key": job.dedupe_key,
            "priority": job.priority,
            "traceparent": job.traceparent,
        }));
    }
    sqlx::query(
        "insert into jobs (id, queue, organization_id, property_id, status, place, seq, attempts,
             max_attempts, next_retry_at, payload, key, dedupe_key, priority, traceparent,
             created_at, updated_at)
         select value ->> 'id', value ->> 'queue', value ->> 'organization_id',
             value ->> 'property_id', 'PENDING',
             case when value ->> 'follows' or exists (
                      select 1 from jobs j
                      where j.queue = value ->> 'queue' and j.lane = value ->> 'lane'
                        and j.key = value ->> 'key') then 'blocked'
                  when value ->> 'run_at' is not null then 'delayed'
                  else 'ready' end,
             coalesce((select l.last_seq from job_lanes l
                       where l.queue = value ->> 'queue' and l.lane = value ->> 'lane'
                         and l.priority = value ->> 'priority'), 0)
                 + row_number() over (partition by value ->> 'queue', value ->> 'lane',
                                                   value ->> 'priority' order by e.key),
             0, value ->> 'max_attempts', value ->> 'run_at', value ->> 'payload',
             value ->> 'key', value ->> 'dedupe_key', value ->> 'priority',
             value ->> 'traceparent', $2, $2
         from json_each($1) e order by e.key",
    )
    .bind(Value::from(document).to_string())
    .bind(codec::time(now))
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// What a move needs to know of a job that is held.
#[derive(Debug, Deserialize)]
pub(super) struct Held {
    pub(super) number: i64,
    pub(super) id: JobId,
    queue: String,
    lane: String,
    key: Option<String>,
    attempts: i32,
    max_attempts: i32,
}

impl Held {
    /// Whether the attempt that is under way is the last one.
    pub(super) fn is_exhausted(&self) -> bool {
        self.attempts >= self.max_attempts
    }
}

pub(super) const HELD: &str = "json_object('number', number, 'id', id, 'queue', queue, \
    'lane', lane, 'key', key, 'attempts', attempts, 'max_attempts', max_attempts)";

/// The job of a lease; [`crate::ErrorKind::Conflict`] if the lease was lost.
pub(super) async fn held(
    tx: &mut SqliteConnection,
    lease: &Lease,
    now: DateTime<Utc>,
) -> Result<Held> {
    const OPERATION: &str = "sqlite.lease";
    let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select {HELD} from jobs
         where id = $1 and locked_by = $2 and attempts = $3 and place = 'held'
           and locked_until > $4"
    )))
    .bind(lease.job_id.to_string())
    .bind(&lease.worker)
    .bind(lease.attempt)
    .bind(codec::time(now))
    .fetch_optional(tx)
    .await
    .map_err(failed(OPERATION))?;
    match row {
        Some(row) => codec::decode(OPERATION, &row),
        None => Err(Error::conflict(
            OPERATION,
            "the lease was lost: another worker may have the job",
        )
        .with("job_id", lease.job_id)
        .with("attempt", lease.attempt)),
    }
}

/// Ends an attempt at a job that is held.
pub(super) async fn end(
    tx: &mut SqliteConnection,
    job: &Held,
    outcome: &JobOutcome,
    now: DateTime<Utc>,
) -> Result<()> {
    match outcome {
        JobOutcome::Completed => done(tx, job, "COMPLETED", None, now).await,
        JobOutcome::Failed { error } => done(tx, job, "FAILED", Some(error), now).await,
        JobOutcome::Retry { error, .. } if job.is_exhausted() => {
            done(tx, job, "FAILED", Some(error), now).await
        }
        JobOutcome::Retry { error, after } => delay(tx, job, error, *after, now).await,
        JobOutcome::Released => {
            sqlx::query("update jobs set attempts = attempts - 1 where number = $1")
                .bind(job.number)
                .execute(&mut *tx)
                .await
                .map_err(failed("sqlite.release"))?;
            promote(tx, &[job.number], now).await
        }
    }
}

/// Moves a job to `jobs_done` and lets the next one with its key go.
pub(super) async fn done(
    tx: &mut SqliteConnection,
    job: &Held,
    status: &'static str,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "sqlite.finish";
    sqlx::query(
        "insert into jobs_done (id, queue, organization_id, property_id, status, attempts,
             max_attempts, last_error, payload, key, dedupe_key, priority, traceparent, created_at,
             updated_at)
         select id, queue, organization_id, property_id, $2, attempts, max_attempts,
             coalesce($3, last_error), payload, key, dedupe_key, priority, traceparent, created_at,
             $4
         from jobs where number = $1",
    )
    .bind(job.number)
    .bind(status)
    .bind(error)
    .bind(codec::time(now))
    .execute(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    sqlx::query("delete from jobs where number = $1")
        .bind(job.number)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
    match &job.key {
        Some(key) => unblock(tx, &job.queue, &job.lane, key, now).await,
        None => Ok(()),
    }
}

async fn delay(
    tx: &mut SqliteConnection,
    job: &Held,
    error: &str,
    after: Duration,
    now: DateTime<Utc>,
) -> Result<()> {
    let wait = TimeDelta::from_std(after).unwrap_or(TimeDelta::days(3650));
    sqlx::query(
        "update jobs set status = 'PENDING', place = 'delayed', last_error = $2,
             next_retry_at = $3, locked_by = null, locked_until = null, updated_at = $4
         where number = $1",
    )
    .bind(job.number)
    .bind(error)
    .bind(codec::time(now + wait))
    .bind(codec::time(now))
    .execute(tx)
    .await
    .map_err(failed("sqlite.retry_later"))?;
    Ok(())
}

/// Lets the oldest job with a key go, if it waits for nothing else.
async fn unblock(
    tx: &mut SqliteConnection,
    queue: &str,
    lane: &str,
    key: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "sqlite.unblock";
    let next: Option<(i64, String, Option<String>)> = sqlx::query_as(
        "select number, place, next_retry_at from jobs
         where queue = $1 and lane = $2 and key = $3 order by number limit 1",
    )
    .bind(queue)
    .bind(lane)
    .bind(key)
    .fetch_optional(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    match next {
        Some((number, place, at)) if place == "blocked" => {
            if at.is_some_and(|at| at > codec::time(now)) {
                sqlx::query("update jobs set place = 'delayed' where number = $1")
                    .bind(number)
                    .execute(tx)
                    .await
                    .map_err(failed(OPERATION))?;
                Ok(())
            } else {
                promote(tx, &[number], now).await
            }
        }
        _ => Ok(()),
    }
}

/// Makes jobs ready. One that the lane's position has passed goes behind all that are ready, so
/// that claims only ever read forward.
pub(super) async fn promote(
    tx: &mut SqliteConnection,
    numbers: &[i64],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "update jobs
         set status = 'PENDING', place = 'ready', seq = p.seq, locked_by = null,
             locked_until = null, updated_at = $2
         from (
             select j.number,
                 case when j.seq > l.position then j.seq
                      else l.last_seq + row_number() over (
                          partition by j.queue, j.lane, j.priority order by j.number) end as seq
             from jobs j
             join job_lanes l
               on l.queue = j.queue and l.lane = j.lane and l.priority = j.priority
             where j.number in (select value from json_each($1))
         ) p
         where jobs.number = p.number",
    )
    .bind(json!(numbers).to_string())
    .bind(codec::time(now))
    .execute(tx)
    .await
    .map_err(failed("sqlite.promote"))?;
    Ok(())
}
