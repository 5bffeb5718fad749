use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{
    SqliteStore,
    error::failed,
    jobs::{self, Held},
};
use crate::{
    Error, Result,
    ids::{ChannelAccountId, IntegrationId, OrganizationId, PropertyId},
    model::Channel,
    port::directory::{ChannelOwner, Directory, IntegrationOwner, IntegrationQuery},
    queue::{Claimed, Job, Lease, Queue},
    store::codec,
    tenant::{Principal, TenantScope},
};

/// How many leases that ran out, or waits that ended, one claim looks after.
const PROMOTED: i64 = 1000;

#[async_trait]
impl Directory for SqliteStore {
    async fn principal(&self, hash: &str) -> Result<Option<Principal>> {
        let row: Option<String> = sqlx::query_scalar(
            "select json_object('token_id', id, 'name', name, 'organization_id', organization_id,
                 'role', role, 'property_ids', json(property_ids))
             from api_tokens where hash = $1 and revoked_at is null",
        )
        .bind(hash)
        .fetch_optional(&self.reader)
        .await
        .map_err(failed("sqlite.principal"))?;
        row.map(|row| codec::decode("sqlite.principal", &row))
            .transpose()
    }

    async fn channel_owner(&self, channel: Channel, address: &str) -> Result<Option<ChannelOwner>> {
        let row: Option<String> = sqlx::query_scalar(
            "select json_object('id', id, 'organization_id', organization_id,
                 'property_id', property_id)
             from channel_accounts where channel = $1 and address = $2",
        )
        .bind(channel.as_str())
        .bind(address)
        .fetch_optional(&self.reader)
        .await
        .map_err(failed("sqlite.channel_owner"))?;
        row.map(|row| {
            let owner: Owner<ChannelAccountId> = codec::decode("sqlite.channel_owner", &row)?;
            Ok(ChannelOwner {
                id: owner.id,
                scope: TenantScope::property(owner.organization_id, owner.property_id),
            })
        })
        .transpose()
    }

    async fn integration_owner(
        &self,
        query: &IntegrationQuery,
    ) -> Result<Option<IntegrationOwner>> {
        let row: Option<String> = match query {
            IntegrationQuery::Id(id) => sqlx::query_scalar(
                "select json_object('id', id, 'organization_id', organization_id,
                     'property_id', property_id, 'provider', provider, 'account', account)
                 from pms_integrations where id = $1",
            )
            .bind(id.to_string()),
            IntegrationQuery::Remote {
                provider,
                account,
                remote_property_id,
            } => sqlx::query_scalar(
                "select json_object('id', id, 'organization_id', organization_id,
                     'property_id', property_id, 'provider', provider, 'account', account)
                 from pms_integrations
                 where provider = $1 and account = $2 and remote_property_id = $3",
            )
            .bind(provider)
            .bind(account)
            .bind(remote_property_id),
        }
        .fetch_optional(&self.reader)
        .await
        .map_err(failed("sqlite.integration_owner"))?;
        row.map(|row| {
            let owner: Owner<IntegrationId> = codec::decode("sqlite.integration_owner", &row)?;
            Ok(IntegrationOwner {
                id: owner.id,
                scope: TenantScope::property(owner.organization_id, owner.property_id),
                provider: owner.provider,
                account: owner.account,
            })
        })
        .transpose()
    }

    async fn claim(
        &self,
        queue: Queue,
        worker: &str,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<Claimed>> {
        const OPERATION: &str = "sqlite.claim";
        let now = self.clock.now();
        // Workers ask often and mostly in vain: that costs a read, not a write.
        if limit == 0 || !self.has_due(queue, now).await? {
            return Ok(Vec::new());
        }
        let until = TimeDelta::from_std(lease)
            .ok()
            .and_then(|lease| now.checked_add_signed(lease))
            .ok_or_else(|| Error::invalid(OPERATION, "the lease is too long"))?;
        let mut tx = self.write(OPERATION).await?;
        expire(&mut tx, queue, now).await?;
        wake(&mut tx, queue, now).await?;
        let chosen = choose(&mut tx, queue, limit).await?;
        if chosen.is_empty() {
            tx.commit().await.map_err(failed(OPERATION))?;
            return Ok(Vec::new());
        }
        advance(&mut tx, queue, &chosen).await?;
        let claimed = hold(&mut tx, &chosen, worker, until, now).await?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(claimed)
    }

    async fn oldest_due(&self, queue: Queue) -> Result<Option<DateTime<Utc>>> {
        let oldest: Option<String> = sqlx::query_scalar(
            "select min(at) from (
                 select * from (
                     select coalesce(next_retry_at, created_at) as at
                     from jobs indexed by jobs_due
                     where queue = $1 and status = 'PENDING'
                     order by coalesce(next_retry_at, created_at) limit 1)
                 union all
                 select min(locked_until) from jobs where queue = $1 and place = 'held')
             where at <= $2",
        )
        .bind(queue.as_str())
        .bind(codec::time(self.clock.now()))
        .fetch_one(&self.reader)
        .await
        .map_err(failed("sqlite.oldest_due"))?;
        oldest
            .map(|at| codec::decode("sqlite.oldest_due", &format!("\"{at}\"")))
            .transpose()
    }
}

#[derive(Deserialize)]
struct Owner<Id> {
    id: Id,
    organization_id: OrganizationId,
    property_id: PropertyId,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    account: String,
}

impl SqliteStore {
    async fn has_due(&self, queue: Queue, now: DateTime<Utc>) -> Result<bool> {
        sqlx::query_scalar(
            "select exists (select 1 from job_lanes indexed by job_lanes_ready
                            where queue = $1 and ready > 0)
                 or exists (select 1 from jobs
                            where queue = $1 and place = 'delayed' and next_retry_at <= $2)
                 or exists (select 1 from jobs
                            where queue = $1 and place = 'held' and locked_until <= $2)",
        )
        .bind(queue.as_str())
        .bind(codec::time(now))
        .fetch_one(&self.reader)
        .await
        .map_err(failed("sqlite.has_due"))
    }
}

/// Leases that ran out: due again, or FAILED after the last attempt.
async fn expire(tx: &mut SqliteConnection, queue: Queue, now: DateTime<Utc>) -> Result<()> {
    const OPERATION: &str = "sqlite.expire";
    let held = jobs::HELD;
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select {held} from jobs
         where queue = $1 and place = 'held' and locked_until <= $2 order by number limit $3",
    )))
    .bind(queue.as_str())
    .bind(codec::time(now))
    .bind(PROMOTED)
    .fetch_all(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    let expired: Vec<Held> = codec::decode_all(OPERATION, &rows)?;
    let (over, again): (Vec<Held>, Vec<Held>) =
        expired.into_iter().partition(|job| job.is_exhausted());
    if !again.is_empty() {
        let numbers: Vec<i64> = again.iter().map(|job| job.number).collect();
        jobs::promote(tx, &numbers, now).await?;
    }
    for job in over {
        // A send that was cut off on the last attempt may have reached the guest.
        sqlx::query(
            "update messages set status = 'unknown', error = $2, updated_at = $3
             where job_id = $1 and status = 'sending'",
        )
        .bind(job.id.to_string())
        .bind(RAN_OUT)
        .bind(codec::time(now))
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        jobs::done(tx, &job, "FAILED", Some(RAN_OUT), now).await?;
    }
    Ok(())
}

const RAN_OUT: &str = "the lease ran out on the last attempt: the worker died or was too slow";

/// Waits that ended.
async fn wake(tx: &mut SqliteConnection, queue: Queue, now: DateTime<Utc>) -> Result<()> {
    let due: Vec<i64> = sqlx::query_scalar(
        "select number from jobs
         where queue = $1 and place = 'delayed' and next_retry_at <= $2
         order by next_retry_at, number limit $3",
    )
    .bind(queue.as_str())
    .bind(codec::time(now))
    .bind(PROMOTED)
    .fetch_all(&mut *tx)
    .await
    .map_err(failed("sqlite.wake"))?;
    if due.is_empty() {
        return Ok(());
    }
    jobs::promote(tx, &due, now).await
}

/// The next jobs by number: one of each lane in turn, the lane served longest ago first; within a
/// lane by priority, then in order, read forward from the lane's position.
///
/// `indexed by`, `cross join` and `+` keep SQLite from looking at lanes where nothing waits.
async fn choose(tx: &mut SqliteConnection, queue: Queue, limit: u32) -> Result<Vec<i64>> {
    sqlx::query_scalar(
        "with waiting as (
             select lane, served from job_lanes indexed by job_lanes_ready
             where queue = $1 and ready > 0 order by served limit 4 * $2
         ), lanes as (
             select lane, min(served) as served from waiting
             group by lane order by min(served), lane limit $2
         ), candidates as (
             select j.number, lanes.lane, lanes.served,
                 row_number() over (partition by lanes.lane order by l.priority desc, j.seq) as turn
             from lanes
             cross join job_lanes l on l.queue = $1 and l.lane = lanes.lane and +l.ready > 0
             cross join jobs j on j.number in (
                 select r.number from jobs r
                 where r.queue = $1 and r.lane = l.lane and r.priority = l.priority
                   and r.place = 'ready' and r.seq > l.position
                 order by r.seq limit $2)
         )
         select number from candidates order by turn, served, lane limit $2",
    )
    .bind(queue.as_str())
    .bind(limit)
    .fetch_all(tx)
    .await
    .map_err(failed("sqlite.choose"))
}

/// Moves the positions of the lanes past the chosen jobs, and the lanes to the end of the row.
async fn advance(tx: &mut SqliteConnection, queue: Queue, chosen: &[i64]) -> Result<()> {
    const OPERATION: &str = "sqlite.advance";
    sqlx::query(
        "update job_lanes set position = max(position, c.seq)
         from (select lane, priority, max(seq) as seq from jobs
               where number in (select value from json_each($2)) group by lane, priority) c
         where job_lanes.queue = $1 and job_lanes.lane = c.lane
           and job_lanes.priority = c.priority",
    )
    .bind(queue.as_str())
    .bind(json!(chosen).to_string())
    .execute(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    sqlx::query(
        "update job_lanes
         set served = 1 + (select max(served) from job_lanes where queue = $1)
         where queue = $1 and lane in (
             select lane from jobs where number in (select value from json_each($2)))",
    )
    .bind(queue.as_str())
    .bind(json!(chosen).to_string())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// Gives the chosen jobs to a worker.
async fn hold(
    tx: &mut SqliteConnection,
    chosen: &[i64],
    worker: &str,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>> {
    const OPERATION: &str = "sqlite.hold";
    let job = jobs::JOB;
    let rows: Vec<(i64, String)> = sqlx::query_as(AssertSqlSafe(format!(
        "update jobs
         set status = 'PROCESSING', place = 'held', attempts = attempts + 1, locked_by = $2,
             locked_until = $3, next_retry_at = null, updated_at = $4
         where number in (select value from json_each($1))
         returning number, {job}"
    )))
    .bind(json!(chosen).to_string())
    .bind(worker)
    .bind(codec::time(until))
    .bind(codec::time(now))
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    let mut rows: HashMap<i64, String> = rows.into_iter().collect();
    chosen
        .iter()
        .filter_map(|number| rows.remove(number))
        .map(|row| {
            let job: Job = codec::decode(OPERATION, &row)?;
            let lease = Lease {
                job_id: job.id,
                queue: job.queue,
                worker: worker.to_owned(),
                attempt: job.attempts,
                scope: job.scope(),
                until,
            };
            Ok(Claimed { job, lease })
        })
        .collect()
}
