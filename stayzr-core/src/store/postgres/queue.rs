use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, QueryBuilder};

use super::{
    PostgresStore,
    error::failed,
    jobs::{self, Held, JOB, JOB_DONE},
};
use crate::{
    Error, Result,
    ids::JobId,
    port::{Page, PageRequest, queue::JobQueue},
    queue::{Job, JobFilter, JobOutcome, JobStatus, Lease, NewJob, Queue, QueueStats},
    store::codec,
    tenant::TenantScope,
};

#[async_trait]
impl JobQueue for PostgresStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<JobId>> {
        let mut tx = self.scoped("postgres.enqueue", owner(&jobs)).await?;
        let ids = jobs::enqueue(&mut tx, &*self.clock, &jobs).await?;
        tx.commit().await.map_err(failed("postgres.enqueue"))?;
        Ok(ids)
    }

    async fn heartbeat(&self, lease: &Lease, extend: Duration) -> Result<Lease> {
        const OPERATION: &str = "postgres.heartbeat";
        let now = self.clock.now();
        let until = TimeDelta::from_std(extend)
            .ok()
            .and_then(|extend| now.checked_add_signed(extend))
            .ok_or_else(|| Error::invalid(OPERATION, "the lease is too long"))?;
        let mut tx = self.scoped(OPERATION, lease.scope).await?;
        let job = jobs::held(&mut tx, lease, now).await?;
        sqlx::query("update jobs set locked_until = $2, updated_at = $3 where number = $1")
            .bind(job.number)
            .bind(until)
            .bind(now)
            .execute(&mut *tx)
            .await
            .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(Lease {
            until,
            ..lease.clone()
        })
    }

    async fn finish(
        &self,
        lease: &Lease,
        outcome: JobOutcome,
        follow_ups: Vec<NewJob>,
    ) -> Result<()> {
        const OPERATION: &str = "postgres.finish";
        let now = self.clock.now();
        // What a delivery leads to belongs to the organizations that it names.
        let scope = match follow_ups.is_empty() {
            true => lease.scope,
            false => lease.scope.filter(|mine| {
                owner(&follow_ups).is_some_and(|s| s.organization_id == mine.organization_id)
            }),
        };
        let mut tx = self.scoped(OPERATION, scope).await?;
        let job = jobs::held(&mut tx, lease, now).await?;
        jobs::end(&mut tx, &job, &outcome, now).await?;
        jobs::enqueue(&mut tx, &*self.clock, &follow_ups).await?;
        tx.commit().await.map_err(failed(OPERATION))
    }

    async fn job(&self, scope: TenantScope, id: JobId) -> Result<Option<Job>> {
        const OPERATION: &str = "postgres.job";
        let mut tx = self.tenant(OPERATION, scope).await?;
        find(&mut tx, scope, id, OPERATION).await
    }

    async fn jobs(
        &self,
        scope: TenantScope,
        filter: &JobFilter,
        page: &PageRequest,
    ) -> Result<Page<Job>> {
        const OPERATION: &str = "postgres.jobs";
        let after = codec::after_id(OPERATION, page)?;
        let rows = |query: &mut QueryBuilder<Postgres>, json: &str, table: &str| {
            query.push(format!(
                "select id, {json} as job from {table} where organization_id = "
            ));
            query.push_bind(scope.organization_id.uuid());
            if let Some(queue) = filter.queue {
                query.push(" and queue = ").push_bind(queue.as_str());
            }
            if let Some(status) = filter.status {
                query.push(" and status = ").push_bind(status.as_str());
            }
            if let Some(property) = scope.property_id {
                query
                    .push(" and (property_id is null or property_id = ")
                    .push_bind(property.uuid())
                    .push(")");
            }
            if let Some(after) = &after {
                query
                    .push(" and id < ")
                    .push_bind(after.clone())
                    .push("::uuid");
            }
        };
        let mut query = QueryBuilder::new("select job from (");
        rows(&mut query, JOB, "jobs");
        query.push(" union all ");
        rows(&mut query, JOB_DONE, "jobs_done");
        query.push(") found order by id desc limit ");
        query.push_bind(codec::limit(page) as i64 + 1);
        let rows: Vec<String> = query
            .build_query_scalar()
            .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
            .await
            .map_err(failed(OPERATION))?;
        let jobs: Vec<Job> = codec::decode_all(OPERATION, &rows)?;
        Ok(codec::page_of(jobs, page, |job| job.id.to_string()))
    }

    async fn retry(&self, scope: TenantScope, id: JobId) -> Result<Job> {
        const OPERATION: &str = "postgres.retry";
        let now = self.clock.now();
        let mut tx = self.tenant(OPERATION, scope).await?;
        let job = existing(&mut tx, scope, id, OPERATION).await?;
        if job.status != JobStatus::Failed {
            return Err(not_in(OPERATION, &job, "only a FAILED job can be retried"));
        }
        // It comes back as the youngest: a job with its key that began meanwhile goes first.
        sqlx::query(
            "with gone as (delete from jobs_done where id = $1 returning *)
             insert into jobs (id, queue, organization_id, property_id, status, place, attempts,
                 max_attempts, last_error, next_retry_at, payload, key, dedupe_key, priority,
                 traceparent, created_at, updated_at)
             select id, queue, organization_id, property_id, 'PENDING',
                 case when exists (select 1 from jobs j where j.queue = d.queue
                                   and j.lane = d.organization_id::text and j.key = d.key)
                      then 'blocked' else 'ready' end,
                 0, max_attempts, last_error, $2, payload, key, dedupe_key, priority, traceparent,
                 created_at, $2
             from gone d",
        )
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        // A record that was put aside was never a job that waited.
        sqlx::query(
            "insert into job_lanes (queue, lane, priority, organization_id)
             select queue, lane, priority, organization_id from jobs j
             where id = $1 and not exists (
                 select 1 from job_lanes l
                 where l.queue = j.queue and l.lane = j.lane and l.priority = j.priority)",
        )
        .bind(id.uuid())
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        // A message that the channel certainly did not take is sent after all.
        sqlx::query(
            "update messages set status = 'pending', error = null, updated_at = $2
             where job_id = $1 and status = 'failed'",
        )
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        let job = existing(&mut tx, scope, id, OPERATION).await?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(job)
    }

    async fn cancel(&self, scope: TenantScope, id: JobId) -> Result<Job> {
        const OPERATION: &str = "postgres.cancel";
        let now = self.clock.now();
        let mut tx = self.tenant(OPERATION, scope).await?;
        let job = existing(&mut tx, scope, id, OPERATION).await?;
        if job.status != JobStatus::Pending {
            return Err(not_in(
                OPERATION,
                &job,
                "only a PENDING job can be cancelled",
            ));
        }
        cancel_jobs(&mut tx, &[id], now).await?;
        let job = existing(&mut tx, scope, id, OPERATION).await?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(job)
    }

    async fn stats(&self, scope: TenantScope) -> Result<Vec<QueueStats>> {
        const OPERATION: &str = "postgres.stats";
        let now = self.clock.now();
        let rows: Vec<String> = sqlx::query_scalar(
            "with mine as (
                 select queue, status, coalesce(next_retry_at, created_at) as due from jobs
                 where organization_id = $1 and ($2 is null or property_id is null or property_id = $2)
                 union all
                 select queue, status, null::timestamptz from jobs_done
                 where organization_id = $1 and status = 'FAILED'
                   and ($2 is null or property_id is null or property_id = $2)
             )
             select json_build_object('queue', queue,
                 'pending', count(*) filter (where status = 'PENDING'),
                 'processing', count(*) filter (where status = 'PROCESSING'),
                 'failed', count(*) filter (where status = 'FAILED'),
                 'oldest_seconds', round(extract(epoch from greatest($3 - min(due) filter (
                     where status = 'PENDING' and due <= $3), interval '0')), 3)::float8)::text
             from mine group by queue",
        )
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .bind(now)
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        let found: Vec<QueueStats> = codec::decode_all(OPERATION, &rows)?;
        Ok(Queue::ALL
            .into_iter()
            .map(|queue| {
                let stats = found.iter().find(|stats| stats.queue == queue).cloned();
                stats.unwrap_or(QueueStats {
                    queue,
                    pending: 0,
                    processing: 0,
                    failed: 0,
                    oldest_seconds: None,
                })
            })
            .collect())
    }
}

/// The organization of all of these jobs; none if there are several, or none.
fn owner(jobs: &[NewJob]) -> Option<TenantScope> {
    let first = jobs.first()?.scope?;
    jobs.iter()
        .all(|job| {
            job.scope
                .is_some_and(|scope| scope.organization_id == first.organization_id)
        })
        .then_some(first)
}

/// A job, finished or not.
async fn find(
    tx: &mut PgConnection,
    scope: TenantScope,
    id: JobId,
    operation: &'static str,
) -> Result<Option<Job>> {
    let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select {JOB} from jobs
         where id = $1 and organization_id = $2 and ($3 is null or property_id is null or property_id = $3)
         union all
         select {JOB_DONE} from jobs_done
         where id = $1 and organization_id = $2
           and ($3 is null or property_id is null or property_id = $3)"
    )))
    .bind(id.uuid())
    .bind(scope.organization_id.uuid())
    .bind(scope.property_id.map(|id| id.uuid()))
    .fetch_optional(tx)
    .await
    .map_err(failed(operation))?;
    row.map(|row| codec::decode(operation, &row)).transpose()
}

async fn existing(
    tx: &mut PgConnection,
    scope: TenantScope,
    id: JobId,
    operation: &'static str,
) -> Result<Job> {
    find(tx, scope, id, operation)
        .await?
        .ok_or_else(|| Error::not_found(operation, "there is no job with this id").with("id", id))
}

/// Ends those of these jobs that nobody holds as FAILED with the error `cancelled`.
pub(super) async fn cancel_jobs(
    tx: &mut PgConnection,
    ids: &[JobId],
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "postgres.cancel";
    let held = jobs::HELD;
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select {held} from jobs
         where id = any($1) and status = 'PENDING' order by number for no key update"
    )))
    .bind(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .fetch_all(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    for job in codec::decode_all::<Held>(OPERATION, &rows)? {
        jobs::done(tx, &job, "FAILED", Some("cancelled"), now).await?;
    }
    Ok(())
}

fn not_in(operation: &'static str, job: &Job, message: &'static str) -> Error {
    Error::conflict(operation, message)
        .with("id", job.id)
        .with("status", job.status.as_str())
}
