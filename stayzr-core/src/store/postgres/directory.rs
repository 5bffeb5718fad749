use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

use super::{
    PostgresStore,
    error::failed,
    jobs::{self, Held},
    lock,
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
impl Directory for PostgresStore {
    async fn principal(&self, hash: &str) -> Result<Option<Principal>> {
        const OPERATION: &str = "postgres.principal";
        let row: Option<String> = sqlx::query_scalar(
            "select json_build_object('token_id', id, 'name', name, 'organization_id', organization_id,
                 'role', role, 'property_ids', property_ids)::text
             from api_tokens where hash = $1 and revoked_at is null",
        )
        .bind(hash)
        .fetch_optional(&mut *self.system(OPERATION).await?)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| codec::decode(OPERATION, &row)).transpose()
    }

    async fn channel_owner(&self, channel: Channel, address: &str) -> Result<Option<ChannelOwner>> {
        const OPERATION: &str = "postgres.channel_owner";
        let row: Option<String> = sqlx::query_scalar(
            "select json_build_object('id', id, 'organization_id', organization_id,
                 'property_id', property_id)::text
             from channel_accounts where channel = $1 and address = $2",
        )
        .bind(channel.as_str())
        .bind(address)
        .fetch_optional(&mut *self.system(OPERATION).await?)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| {
            let owner: Owner<ChannelAccountId> = codec::decode(OPERATION, &row)?;
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
        const OPERATION: &str = "postgres.integration_owner";
        let row: Option<String> = match query {
            IntegrationQuery::Id(id) => sqlx::query_scalar(
                "select json_build_object('id', id, 'organization_id', organization_id,
                     'property_id', property_id, 'provider', provider, 'account', account)::text
                 from pms_integrations where id = $1",
            )
            .bind(id.uuid()),
            IntegrationQuery::Remote {
                provider,
                account,
                remote_property_id,
            } => sqlx::query_scalar(
                "select json_build_object('id', id, 'organization_id', organization_id,
                     'property_id', property_id, 'provider', provider, 'account', account)::text
                 from pms_integrations
                 where provider = $1 and account = $2 and remote_property_id = $3",
            )
            .bind(provider)
            .bind(account)
            .bind(remote_property_id),
        }
        .fetch_optional(&mut *self.system(OPERATION).await?)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| {
            let owner: Owner<IntegrationId> = codec::decode(OPERATION, &row)?;
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
        const OPERATION: &str = "postgres.claim";
        if limit == 0 {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let until = TimeDelta::from_std(lease)
            .ok()
            .and_then(|lease| now.checked_add_signed(lease))
            .ok_or_else(|| Error::invalid(OPERATION, "the lease is too long"))?;
        let mut tx = self.system(OPERATION).await?;
        let lanes = json!(self.lanes.of(queue)).to_string();
        let upkeep = self.lanes.is_upkeep_due(queue);
        // Workers ask often and mostly in vain: that costs a read, not a write.
        if !upkeep && !has_due(&mut tx, queue, &lanes, now).await? {
            return Ok(Vec::new());
        }
        // One claim of a queue at a time, in all processes: what one claim chose, the next one sees
        // as held, so that no job is held twice and jobs with one key keep their order.
        lock::names(&mut tx, &[format!("claim {queue}")]).await?;
        expire(&mut tx, queue, now).await?;
        wake(&mut tx, queue, now).await?;
        if upkeep {
            let begun = Instant::now();
            keep_up(&mut tx, queue, &lanes, now).await?;
            self.lanes.upkeep_done(queue, begun.elapsed());
        }
        let chosen = choose(&mut tx, queue, &lanes, limit).await?;
        let claimed = hold(&mut tx, &chosen, worker, until, now).await?;
        tx.commit().await.map_err(failed(OPERATION))?;
        if !chosen.is_empty() {
            let latest = chosen.iter().map(|next| next.latest).max().unwrap_or(0);
            let read: Vec<(String, i32, i64)> = chosen
                .into_iter()
                .map(|next| (next.lane, next.priority, next.seq))
                .collect();
            self.lanes.advance(queue, latest, &read);
        }
        Ok(claimed)
    }

    async fn oldest_due(&self, queue: Queue) -> Result<Option<DateTime<Utc>>> {
        const OPERATION: &str = "postgres.oldest_due";
        sqlx::query_scalar(
            "select min(at) from (
                 select min(coalesce(next_retry_at, created_at)) as at from jobs
                 where queue = $1 and status = 'PENDING'
                 union all
                 select min(locked_until) from jobs where queue = $1 and place = 'held') due
             where at <= $2",
        )
        .bind(queue.as_str())
        .bind(self.clock.now())
        .fetch_one(&mut *self.system(OPERATION).await?)
        .await
        .map_err(failed(OPERATION))
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

/// How far behind its position a lane is read at every claim: transactions that run side by side
/// commit in another order than they took their numbers.
const LOOK_BACK: i64 = 256;

/// The lanes of a queue, from what the database and this process know. $1 is the queue, $2 the
/// process's lanes.
const LANES: &str = "lanes as materialized (
        select l.lane, l.priority, greatest(max(l.position), max(m.position)) as position,
            max(greatest(max(l.served), max(m.served))) over (partition by l.lane) as served
        from job_lanes l
        left join jsonb_to_recordset($2::jsonb)
            m(lane text, priority integer, position bigint, served bigint)
          on m.lane = l.lane and m.priority = l.priority
        where l.queue = $1
        group by l.lane, l.priority
    )";

/// Whether a lane `l` has a job that is ready. `limit` keeps it a look into the index for each lane:
/// as a join it would read all that was ready since the last vacuum.
const READY: &str = "(select true from jobs r
     where r.queue = $1 and r.lane = l.lane and r.priority = l.priority
       and r.place = 'ready' and r.seq > l.position - 256
     order by r.seq limit 1)";

async fn has_due(
    tx: &mut PgConnection,
    queue: Queue,
    lanes: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    sqlx::query_scalar(AssertSqlSafe(format!(
        "with {LANES}
         select exists (select 1 from lanes l where {READY})
             or exists (select 1 from jobs
                        where queue = $1 and place = 'delayed' and next_retry_at <= $3)
             or exists (select 1 from jobs
                        where queue = $1 and place = 'held' and locked_until <= $3)"
    )))
    .bind(queue.as_str())
    .bind(lanes)
    .bind(now)
    .fetch_one(tx)
    .await
    .map_err(failed("postgres.has_due"))
}

/// Leases that ran out: due again, or FAILED after the last attempt.
async fn expire(tx: &mut PgConnection, queue: Queue, now: DateTime<Utc>) -> Result<()> {
    const OPERATION: &str = "postgres.expire";
    let held = jobs::HELD;
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select {held} from jobs
         where queue = $1 and place = 'held' and locked_until <= $2
         order by locked_until limit $3
         for no key update skip locked",
    )))
    .bind(queue.as_str())
    .bind(now)
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
        .bind(job.id.uuid())
        .bind(RAN_OUT)
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        jobs::done(tx, &job, "FAILED", Some(RAN_OUT), now).await?;
    }
    Ok(())
}

const RAN_OUT: &str = "the lease ran out on the last attempt: the worker died or was too slow";

/// Waits that ended.
async fn wake(tx: &mut PgConnection, queue: Queue, now: DateTime<Utc>) -> Result<()> {
    let due: Vec<i64> = sqlx::query_scalar(
        "select number from jobs
         where queue = $1 and place = 'delayed' and next_retry_at <= $2
         order by next_retry_at, number limit $3
         for no key update skip locked",
    )
    .bind(queue.as_str())
    .bind(now)
    .bind(PROMOTED)
    .fetch_all(&mut *tx)
    .await
    .map_err(failed("postgres.wake"))?;
    if due.is_empty() {
        return Ok(());
    }
    jobs::promote(tx, &due, now).await
}

/// Finds what transactions that committed late have left, and writes down what this process knows:
/// jobs that are ready further behind the position than a claim looks, and jobs that still wait for
/// one with their key which has ended meanwhile.
async fn keep_up(
    tx: &mut PgConnection,
    queue: Queue,
    lanes: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "postgres.keep_up";
    let left: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
        "with {LANES}, left_behind as (
             select r.number from lanes l
             join jobs r on r.queue = $1 and r.lane = l.lane and r.priority = l.priority
              and r.place = 'ready' and r.seq <= l.position - {LOOK_BACK}
             limit $3
         ), freed as (
             select j.number from jobs j
             where j.queue = $1 and j.place = 'blocked' and not exists (
                 select 1 from jobs o
                 where o.queue = j.queue and o.lane = j.lane and o.key = j.key
                   and o.number < j.number)
               and (j.next_retry_at is null or j.next_retry_at <= $4)
             limit $3
         )
         select number from left_behind union all select number from freed"
    )))
    .bind(queue.as_str())
    .bind(lanes)
    .bind(PROMOTED)
    .bind(now)
    .fetch_all(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    if !left.is_empty() {
        sqlx::query(
            "update jobs set place = 'ready', seq = nextval('jobs_seq')
             where number in (
                 select number from jobs
                 where number = any($1) and place in ('ready', 'blocked')
                 order by number for no key update skip locked)",
        )
        .bind(&left)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
    }
    sqlx::query(
        "update job_lanes l
         set position = greatest(l.position, m.position), served = greatest(l.served, m.served)
         from jsonb_to_recordset($2::jsonb)
             m(lane text, priority integer, position bigint, served bigint)
         where l.queue = $1 and m.lane = l.lane and m.priority = l.priority
           and (m.position > l.position or m.served > l.served)",
    )
    .bind(queue.as_str())
    .bind(lanes)
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// A job that is next.
#[derive(Debug, sqlx::FromRow)]
struct Next {
    number: i64,
    lane: String,
    priority: i32,
    seq: i64,
    latest: i64,
}

/// The next jobs: one of each lane in turn, the lane served longest ago first; within a lane by
/// priority, then in order, read forward from the lane's position. A job whose key an older one has
/// is left out, as is one that another transaction is writing to.
async fn choose(tx: &mut PgConnection, queue: Queue, lanes: &str, limit: u32) -> Result<Vec<Next>> {
    sqlx::query_as(AssertSqlSafe(format!(
        "with {LANES}, busy as (
             select lane, min(served) as served from lanes l
             where {READY}
             group by lane order by min(served), lane limit $3
         ), candidates as (
             select j.number, l.lane, l.priority, j.seq, busy.served,
                 row_number() over (partition by l.lane order by l.priority desc, j.seq) as turn
             from busy
             join lanes l on l.lane = busy.lane
             cross join lateral (
                 select r.number, r.seq from jobs r
                 where r.queue = $1 and r.lane = l.lane and r.priority = l.priority
                   and r.place = 'ready' and r.seq > l.position - {LOOK_BACK}
                   and (r.key is null or not exists (
                       select 1 from jobs o
                       where o.queue = r.queue and o.lane = r.lane and o.key = r.key
                         and (o.number < r.number or o.place = 'held')))
                 order by r.seq limit $3
                 for no key update of r skip locked) j
         )
         select number, lane, priority, seq, (select max(served) from lanes) as latest
         from candidates order by turn, served, lane limit $3"
    )))
    .bind(queue.as_str())
    .bind(lanes)
    .bind(i64::from(limit))
    .fetch_all(tx)
    .await
    .map_err(failed("postgres.choose"))
}

/// Gives the chosen jobs to a worker.
async fn hold(
    tx: &mut PgConnection,
    chosen: &[Next],
    worker: &str,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>> {
    const OPERATION: &str = "postgres.hold";
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<i64> = chosen.iter().map(|next| next.number).collect();
    let job = jobs::JOB;
    let rows: Vec<(i64, String)> = sqlx::query_as(AssertSqlSafe(format!(
        "update jobs
         set status = 'PROCESSING', place = 'held', attempts = attempts + 1, locked_by = $2,
             locked_until = $3, next_retry_at = null, updated_at = $4
         where number = any($1)
         returning number, {job}"
    )))
    .bind(&numbers)
    .bind(worker)
    .bind(until)
    .bind(now)
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    let mut rows: HashMap<i64, String> = rows.into_iter().collect();
    numbers
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
