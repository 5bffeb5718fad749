//! Records put aside: FAILED jobs of the sync queue, and what the journal says of them.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{document::document, error::failed, lock};
use crate::{Result, clock::Clock, ids::JobId, model::Change, port::sync::PageWrite};

const OPERATION: &str = "postgres.park";

/// Puts the records of a page aside and returns the lines of the journal about it. A record that
/// stands there already is brought up to date, and nothing is written for one that stands there
/// with the same reason.
pub(super) async fn park(
    tx: &mut PgConnection,
    clock: &dyn Clock,
    page: &PageWrite,
) -> Result<Vec<Change>> {
    if page.parked.is_empty() {
        return Ok(Vec::new());
    }
    // One that the page names twice stands there once, with its last reason.
    let mut last = BTreeMap::new();
    for parked in &page.parked {
        let job = parked.job(page.scope, page.integration_id);
        last.insert(job.dedupe_key.clone().unwrap_or_default(), (parked, job));
    }
    let names: Vec<String> = last
        .keys()
        .map(|name| format!("{} {name}", page.scope.organization_id))
        .collect();
    // Two pages may put the same record aside at once.
    lock::names(tx, &names).await?;
    let rows: Vec<Value> = last
        .iter()
        .map(|(name, (parked, job))| {
            json!({
                "id": JobId::generate(clock),
                "queue": job.queue,
                "reason": parked.reason,
                "payload": job.payload,
                "dedupe_key": name,
                "max_attempts": job.max_attempts,
            })
        })
        .collect();
    let news = write(tx, clock, page, rows).await?;
    Ok(last
        .iter()
        .filter(|(name, _)| news.contains(*name))
        .map(|(_, (parked, _))| parked.change(clock, page.scope, page.integration_id))
        .collect())
}

/// Ends the FAILED jobs of records that could be read.
pub(super) async fn unpark(
    tx: &mut PgConnection,
    page: &PageWrite,
    now: DateTime<Utc>,
) -> Result<()> {
    let names: Vec<String> = page.read_again().into_iter().collect();
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update jobs_done d set status = 'COMPLETED', updated_at = $3
         from unnest($2) name
         where exists (
             select 1 from jobs_done a
             where a.organization_id = $1 and a.queue = 'pms_sync_queue' and a.status = 'FAILED'
               and a.dedupe_key is not null)
           and d.organization_id = $1 and d.queue = 'pms_sync_queue' and d.dedupe_key = name
           and d.status = 'FAILED'",
    )
    .bind(page.scope.organization_id.uuid())
    .bind(names)
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// Writes the jobs and returns the dedupe keys of those that are new or have another reason now.
async fn write(
    tx: &mut PgConnection,
    clock: &dyn Clock,
    page: &PageWrite,
    rows: Vec<Value>,
) -> Result<HashSet<String>> {
    let news: Vec<String> = sqlx::query_scalar(
        "with e as materialized (
             select * from jsonb_to_recordset($1::jsonb) e(id uuid, queue text, dedupe_key text,
                 reason text, payload jsonb, max_attempts integer)
         ), changed as (
             update jobs_done d set last_error = e.reason, updated_at = $4
             from e
             where d.organization_id = $2 and d.queue = e.queue and d.dedupe_key = e.dedupe_key
               and d.status = 'FAILED' and d.last_error is distinct from e.reason
             returning d.dedupe_key
         ), made as (
             insert into jobs_done (id, queue, organization_id, property_id, status, attempts,
                 max_attempts, last_error, payload, dedupe_key, priority, created_at, updated_at)
             select e.id, e.queue, $2, $3, 'FAILED', 1, e.max_attempts, e.reason, e.payload,
                 e.dedupe_key, 0, $4, $4
             from e
             where not exists (
                 select 1 from jobs_done d
                 where d.organization_id = $2 and d.queue = e.queue
                   and d.dedupe_key = e.dedupe_key and d.status = 'FAILED')
             returning dedupe_key
         )
         select dedupe_key from changed union all select dedupe_key from made",
    )
    .bind(document(rows))
    .bind(page.scope.organization_id.uuid())
    .bind(page.scope.property_id.map(|id| id.uuid()))
    .bind(clock.now())
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(news.into_iter().collect())
}
