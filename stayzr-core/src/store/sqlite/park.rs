//! Records put aside: FAILED jobs of the sync queue, and what the journal says of them.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::{error::failed, journal};
use crate::{
    Result,
    clock::Clock,
    ids::JobId,
    model::Change,
    port::sync::{PageWrite, ParkedRecord},
    queue::{NewJob, Queue},
    store::codec,
};

const OPERATION: &str = "sqlite.park";

/// Ends the FAILED jobs of records that could be read.
pub(super) async fn unpark(
    tx: &mut SqliteConnection,
    page: &PageWrite,
    now: DateTime<Utc>,
) -> Result<()> {
    let names = page.read_again();
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query(
        // Asked once: mostly nothing is put aside at all.
        "update jobs_done set status = 'COMPLETED', updated_at = $4
         where exists (select 1 from jobs_done a
                       where a.organization_id = $2 and a.queue = $3 and a.status = 'FAILED'
                         and a.dedupe_key is not null)
           and rowid in (
             select d.rowid from json_each($1) e
             cross join jobs_done d on d.organization_id = $2 and d.queue = $3
              and d.dedupe_key = e.value and d.status = 'FAILED')",
    )
    .bind(json!(names).to_string())
    .bind(page.scope.organization_id.to_string())
    .bind(Queue::PmsSyncQueue.as_str())
    .bind(codec::time(now))
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// Puts the records of a page aside. A record that stands there already is brought up to date, and
/// nothing is written for one that stands there with the same reason.
pub(super) async fn park(
    tx: &mut SqliteConnection,
    clock: &dyn Clock,
    page: &PageWrite,
) -> Result<()> {
    if page.parked.is_empty() {
        return Ok(());
    }
    // One that the page names twice stands there once, with its last reason.
    let mut places = HashMap::with_capacity(page.parked.len());
    let mut records: Vec<(&ParkedRecord, NewJob)> = Vec::with_capacity(page.parked.len());
    for parked in &page.parked {
        let job = parked.job(page.scope, page.integration_id);
        match places.get(&job.dedupe_key) {
            Some(&place) => records[place] = (parked, job),
            None => {
                places.insert(job.dedupe_key.clone(), records.len());
                records.push((parked, job));
            }
        }
    }
    let document: Vec<Value> = records
        .iter()
        .map(|(parked, job)| {
            json!({
                "id": JobId::generate(clock),
                "queue": job.queue,
                "reason": parked.reason,
                "payload": codec::json(&job.payload),
                "dedupe_key": job.dedupe_key,
                "max_attempts": job.max_attempts,
            })
        })
        .collect();
    let news = write(tx, clock, page, &Value::from(document).to_string()).await?;
    let changes: Vec<Change> = records
        .iter()
        .filter(|(_, job)| {
            job.dedupe_key
                .as_ref()
                .is_some_and(|key| news.contains(key))
        })
        .map(|(parked, _)| parked.change(clock, page.scope, page.integration_id))
        .collect();
    journal::write(tx, page.scope, &changes).await
}

/// Writes the jobs and returns the dedupe keys of those that are new or have another reason now.
async fn write(
    tx: &mut SqliteConnection,
    clock: &dyn Clock,
    page: &PageWrite,
    document: &str,
) -> Result<HashSet<String>> {
    let now = codec::time(clock.now());
    let mut news: HashSet<String> = sqlx::query_scalar(
        "update jobs_done
         set updated_at = $3, last_error = (
             select e.value ->> 'reason' from json_each($1) e
             where e.value ->> 'dedupe_key' = jobs_done.dedupe_key)
         where rowid in (
             select d.rowid from json_each($1) e
             cross join jobs_done d
               on d.organization_id = $2 and d.queue = e.value ->> 'queue'
              and d.dedupe_key = e.value ->> 'dedupe_key'
             where d.status = 'FAILED' and d.last_error is not e.value ->> 'reason')
         returning dedupe_key",
    )
    .bind(document)
    .bind(page.scope.organization_id.to_string())
    .bind(&now)
    .fetch_all(&mut *tx)
    .await
    .map_err(failed(OPERATION))?
    .into_iter()
    .collect();
    let fresh: Vec<String> = sqlx::query_scalar(
        "insert into jobs_done (id, queue, organization_id, property_id, status, attempts,
             max_attempts, last_error, payload, dedupe_key, priority, created_at, updated_at)
         select e.value ->> 'id', e.value ->> 'queue', $2, $3, 'FAILED', 1,
             e.value ->> 'max_attempts', e.value ->> 'reason', e.value ->> 'payload',
             e.value ->> 'dedupe_key', 0, $4, $4
         from json_each($1) e
         where not exists (
             select 1 from jobs_done d
             where d.organization_id = $2 and d.queue = e.value ->> 'queue'
               and d.dedupe_key = e.value ->> 'dedupe_key' and d.status = 'FAILED')
         returning dedupe_key",
    )
    .bind(document)
    .bind(page.scope.organization_id.to_string())
    .bind(page.scope.property_id.map(|id| id.to_string()))
    .bind(&now)
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    news.extend(fresh);
    Ok(news)
}
