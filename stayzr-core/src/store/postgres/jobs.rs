//! The moves of a job between its places. Each runs inside the caller's transaction.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::{PostgresStore, document::document, error::failed, lock};
use crate::{
    Error, Result,
    clock::Clock,
    ids::JobId,
    queue::{JobOutcome, Lease, NewJob, Queue},
    store::codec,
};

/// The JSON of a [`crate::queue::Job`] from `jobs`.
pub(super) const JOB: &str = "json_build_object('id', id, 'queue', queue, \
    'organization_id', organization_id, 'property_id', property_id, 'status', status, \
    'attempts', attempts, 'max_attempts', max_attempts, 'last_error', last_error, \
    'next_retry_at', next_retry_at, 'locked_by', locked_by, 'locked_until', locked_until, \
    'payload', payload, 'key', key, 'dedupe_key', dedupe_key, 'priority', priority, \
    'traceparent', traceparent, 'created_at', created_at, 'updated_at', updated_at)::text";

/// The same from `jobs_done`.
pub(super) const JOB_DONE: &str = "json_build_object('id', id, 'queue', queue, \
    'organization_id', organization_id, 'property_id', property_id, 'status', status, \
    'attempts', attempts, 'max_attempts', max_attempts, 'last_error', last_error, \
    'next_retry_at', null, 'locked_by', null, 'locked_until', null, \
    'payload', payload, 'key', key, 'dedupe_key', dedupe_key, 'priority', priority, \
    'traceparent', traceparent, 'created_at', created_at, 'updated_at', updated_at)::text";

impl PostgresStore {
    /// Stores a job in a transaction of the caller, so that it exists exactly if the caller's own
    /// rows do. For users with tables of their own in the same database: the transaction's role and
    /// search path are as before when this returns.
    ///
    /// The caller's user needs the membership that the migration grants.
    pub async fn enqueue_in(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        job: NewJob,
    ) -> Result<JobId> {
        const OPERATION: &str = "postgres.enqueue_in";
        let (role, path): (String, String) =
            sqlx::query_as("select current_setting('role'), current_setting('search_path')")
                .fetch_one(&mut **tx)
                .await
                .map_err(failed(OPERATION))?;
        take_role(tx, "stayzr_system", &self.options.schema).await?;
        let ids = enqueue(tx, &*self.clock, &[job]).await;
        // A job that is refused leaves the caller's transaction as it was.
        let restored = take_role(tx, &role, &path).await;
        let ids = ids?;
        restored?;
        ids.first()
            .copied()
            .ok_or_else(|| Error::internal(OPERATION, "a job was neither stored nor found"))
    }
}

async fn take_role(tx: &mut PgConnection, role: &str, path: &str) -> Result<()> {
    sqlx::query("select set_config('role', $1, true), set_config('search_path', $2, true)")
        .bind(role)
        .bind(path)
        .execute(tx)
        .await
        .map_err(failed("postgres.enqueue_in"))?;
    Ok(())
}

/// Stores jobs. Returns an id for each, which is that of the waiting job where one was dropped for
/// its dedupe key.
pub(super) async fn enqueue(
    tx: &mut PgConnection,
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
///
/// Two transactions never store the same dedupe key at once. A job that is found stays unclaimed
/// until this transaction ends: whoever claims it then sees what this one writes.
async fn waiting(tx: &mut PgConnection, jobs: &[NewJob]) -> Result<Vec<Option<JobId>>> {
    const OPERATION: &str = "postgres.enqueue";
    let mut ids = vec![None; jobs.len()];
    let mut names = Vec::new();
    let mut rows = Vec::new();
    for (index, job) in jobs.iter().enumerate() {
        let Some(key) = &job.dedupe_key else {
            continue;
        };
        let lane = lane(job);
        names.push(format!("dedupe {} {lane} {key}", job.queue));
        rows.push(json!({
            "index": index,
            "queue": job.queue,
            "lane": lane,
            "dedupe_key": key,
        }));
    }
    if rows.is_empty() {
        return Ok(ids);
    }
    lock::names(tx, &names).await?;
    let found: Vec<(i64, Uuid)> = sqlx::query_as(
        "select e.index, j.id
         from jsonb_to_recordset($1::jsonb)
             e(index bigint, queue text, lane text, dedupe_key text)
         join jobs j on j.queue = e.queue and j.lane = e.lane and j.dedupe_key = e.dedupe_key
          and j.status = 'PENDING'
         order by j.number desc
         for share of j",
    )
    .bind(document(rows))
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    // The oldest comes last and stands.
    for (index, id) in found {
        if let Some(slot) = usize::try_from(index).ok().and_then(|i| ids.get_mut(i)) {
            *slot = Some(JobId::from(id));
        }
    }
    Ok(ids)
}

fn lane(job: &NewJob) -> String {
    job.scope
        .map(|scope| scope.organization_id.to_string())
        .unwrap_or_default()
}

/// Stores jobs under these ids, in this order.
pub(super) async fn insert(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    jobs: &[(JobId, &NewJob)],
) -> Result<()> {
    const OPERATION: &str = "postgres.enqueue";
    if jobs.is_empty() {
        return Ok(());
    }
    let mut keys = HashSet::new();
    let mut rows = Vec::with_capacity(jobs.len());
    for (index, (id, job)) in jobs.iter().enumerate() {
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
        rows.push(json!({
            "index": index,
            "id": id,
            "queue": job.queue,
            "organization_id": organization,
            "property_id": job.scope.and_then(|scope| scope.property_id),
            "lane": lane(job),
            "follows": follows,
            "max_attempts": job.max_attempts,
            "run_at": job.run_at.filter(|at| *at > now).map(codec::time),
            "payload": job.payload,
            "key": job.key,
            "dedupe_key": job.dedupe_key,
            "priority": job.priority,
            "traceparent": job.traceparent,
        }));
    }
    // A job that another transaction is storing with the same key is not seen here: the claim sees
    // both and takes the older one.
    sqlx::query(
        "with e as materialized (
             select * from jsonb_to_recordset($1::jsonb) e(index bigint, id uuid, queue text,
                 organization_id uuid, property_id uuid, lane text, follows boolean,
                 max_attempts integer, run_at timestamptz, payload jsonb, key text,
                 dedupe_key text, priority integer, traceparent text)
         ), lanes as (
             insert into job_lanes (queue, lane, priority, organization_id)
             select distinct e.queue, e.lane, e.priority, e.organization_id from e
             where not exists (
                 select 1 from job_lanes l
                 where l.queue = e.queue and l.lane = e.lane and l.priority = e.priority)
         )
         insert into jobs (id, queue, organization_id, property_id, status, place, seq, attempts,
             max_attempts, next_retry_at, payload, key, dedupe_key, priority, traceparent,
             created_at, updated_at)
         select e.id, e.queue, e.organization_id, e.property_id, 'PENDING',
             case when e.follows or exists (
                      select 1 from jobs j
                      where j.queue = e.queue and j.lane = e.lane and j.key = e.key) then 'blocked'
                  when e.run_at is not null then 'delayed'
                  else 'ready' end,
             nextval('jobs_seq'), 0, e.max_attempts, e.run_at, coalesce(e.payload, 'null'), e.key,
             e.dedupe_key, e.priority, e.traceparent, $2, $2
         from (select * from e order by index) e",
    )
    .bind(document(rows))
    .bind(now)
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

pub(super) const HELD: &str = "json_build_object('number', number, 'id', id, 'queue', queue, \
    'lane', lane, 'key', key, 'attempts', attempts, 'max_attempts', max_attempts)::text";

/// The job of a lease, locked until the transaction ends; [`crate::ErrorKind::Conflict`] if the
/// lease was lost.
pub(super) async fn held(tx: &mut PgConnection, lease: &Lease, now: DateTime<Utc>) -> Result<Held> {
    const OPERATION: &str = "postgres.lease";
    // By its status, not by its place: the index of what is held, which is kept for leases that ran
    // out, would read every job that was held since the last vacuum.
    let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select {HELD} from jobs
         where id = $1 and locked_by = $2 and attempts = $3 and status = 'PROCESSING'
           and locked_until > $4
         for no key update"
    )))
    .bind(lease.job_id.uuid())
    .bind(&lease.worker)
    .bind(lease.attempt)
    .bind(now)
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
    tx: &mut PgConnection,
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
                .map_err(failed("postgres.release"))?;
            promote(tx, &[job.number], now).await
        }
    }
}

/// Moves a job to `jobs_done` and lets the next one with its key go.
pub(super) async fn done(
    tx: &mut PgConnection,
    job: &Held,
    status: &'static str,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "postgres.finish";
    sqlx::query(
        "with gone as (delete from jobs where number = $1 returning *)
         insert into jobs_done (id, queue, organization_id, property_id, status, attempts,
             max_attempts, last_error, payload, key, dedupe_key, priority, traceparent, created_at,
             updated_at)
         select id, queue, organization_id, property_id, $2, attempts, max_attempts,
             coalesce($3, last_error), payload, key, dedupe_key, priority, traceparent, created_at,
             $4
         from gone",
    )
    .bind(job.number)
    .bind(status)
    .bind(error)
    .bind(now)
    .execute(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    match &job.key {
        Some(key) => unblock(tx, &job.queue, &job.lane, key, now).await,
        None => Ok(()),
    }
}

async fn delay(
    tx: &mut PgConnection,
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
    .bind(now + wait.min(TimeDelta::days(3650)))
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed("postgres.retry_later"))?;
    Ok(())
}

/// Lets the oldest job with a key go, if it waits for nothing else. One that another transaction is
/// storing at this moment is found by the upkeep of the claims.
async fn unblock(
    tx: &mut PgConnection,
    queue: &str,
    lane: &str,
    key: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "postgres.unblock";
    let next: Option<(i64, String, Option<DateTime<Utc>>)> = sqlx::query_as(
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
            if at.is_some_and(|at| at > now) {
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

/// Makes jobs ready. One that was claimed before, or that the lane's position has passed, goes behind
/// all that are ready, so that claims only ever read forward.
pub(super) async fn promote(
    tx: &mut PgConnection,
    numbers: &[i64],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "update jobs j
         set status = 'PENDING', place = 'ready', locked_by = null, locked_until = null,
             updated_at = $2,
             seq = case when j.attempts = 0 and j.place <> 'held' and j.seq > (
                                select max(l.position) from job_lanes l
                                where l.queue = j.queue and l.lane = j.lane
                                  and l.priority = j.priority)
                        then j.seq else nextval('jobs_seq') end
         where j.number = any($1)",
    )
    .bind(numbers)
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed("postgres.promote"))?;
    Ok(())
}
