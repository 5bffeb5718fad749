use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use sqlx::{Sqlite, Transaction};

use super::{SqliteStore, error::failed};
use crate::{
    Error, Result,
    limit::{Decision, Gcra, Ledger, Taken, nanos},
};

/// The limits of vendors, for all processes on this file: a server, and the commands beside it. By
/// the machine's clock, read when the file is already ours.
#[async_trait]
impl Ledger for SqliteStore {
    fn place(&self) -> &'static str {
        "SQLite"
    }

    async fn take(&self, key: &str, gcra: Gcra, reserve: u32) -> Result<Taken> {
        const OPERATION: &str = "sqlite.limit.take";
        let mut tx = self.write(OPERATION).await?;
        let asked = Instant::now();
        let now = machine_time(OPERATION)?;
        let arrival = arrival(&mut tx, OPERATION, key).await?;
        match gcra.decide(arrival, now, 1, reserve) {
            Decision::Allow { tat } => {
                keep(tx, OPERATION, key, tat, now).await?;
                Ok(Taken::of(asked, gcra))
            }
            Decision::Wait(wait) => {
                tx.rollback().await.map_err(failed(OPERATION))?;
                Ok(Taken::After(wait))
            }
            Decision::TooLarge => Err(Error::internal(OPERATION, "a burst holds one call")),
        }
    }

    async fn hold(&self, key: &str, gcra: Gcra, wait: Duration) -> Result<()> {
        const OPERATION: &str = "sqlite.limit.hold";
        let mut tx = self.write(OPERATION).await?;
        let now = machine_time(OPERATION)?;
        let arrival = arrival(&mut tx, OPERATION, key).await?;
        let held = gcra.held(arrival, now, wait);
        keep(tx, OPERATION, key, held, now).await
    }

    async fn check(&self) -> Result<()> {
        const OPERATION: &str = "sqlite.limit.check";
        sqlx::query("select 1 from rate_limits limit 1")
            .fetch_optional(&self.reader)
            .await
            .map_err(failed(OPERATION))?;
        Ok(())
    }
}

/// Since 1970. The store's own clock stamps what is stored, and a test may stop it.
fn machine_time(operation: &'static str) -> Result<Duration> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| Error::internal(operation, "the machine's clock is before 1970: set it"))
}

/// The arrival time of a key; long ago for a new one.
async fn arrival(
    tx: &mut Transaction<'static, Sqlite>,
    operation: &'static str,
    key: &str,
) -> Result<Duration> {
    let kept: Option<i64> = sqlx::query_scalar("select arrival from rate_limits where key = $1")
        .bind(key)
        .fetch_optional(&mut **tx)
        .await
        .map_err(failed(operation))?;
    let kept = kept.and_then(|kept| u64::try_from(kept).ok());
    Ok(Duration::from_nanos(kept.unwrap_or(0)))
}

async fn keep(
    mut tx: Transaction<'static, Sqlite>,
    operation: &'static str,
    key: &str,
    arrival: Duration,
    now: Duration,
) -> Result<()> {
    sqlx::query(
        "insert into rate_limits (key, arrival, asked_at) values ($1, $2, $3)
         on conflict (key) do update set arrival = excluded.arrival, asked_at = excluded.asked_at",
    )
    .bind(key)
    .bind(nanos(arrival))
    .bind(nanos(now))
    .execute(&mut *tx)
    .await
    .map_err(failed(operation))?;
    tx.commit().await.map_err(failed(operation))
}
