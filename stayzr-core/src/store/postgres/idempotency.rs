use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{PostgresStore, error::failed, lock};
use crate::{
    Error, Result,
    port::idempotency::{Idempotency, IdempotencyCheck, StoredResponse},
    store::codec,
    tenant::TenantScope,
};

/// How long an answer is remembered.
const KEEP: TimeDelta = TimeDelta::hours(24);
/// After so long without an answer the first request is taken for dead.
const DEAD: TimeDelta = TimeDelta::minutes(1);

#[derive(Deserialize)]
struct Known {
    fingerprint: String,
    status: Option<u16>,
    body: Option<String>,
    begun_at: DateTime<Utc>,
}

#[async_trait]
impl Idempotency for PostgresStore {
    async fn begin(
        &self,
        scope: TenantScope,
        route: &str,
        key: &str,
        fingerprint: &str,
    ) -> Result<IdempotencyCheck> {
        const OPERATION: &str = "postgres.idempotency_begin";
        let now = self.clock.now();
        let mut tx = self.tenant(OPERATION, scope).await?;
        let organization = scope.organization_id;
        let name = format!("idempotency {organization} {route} {key}");
        lock::names(&mut tx, &[name]).await?;
        let row: Option<String> = sqlx::query_scalar(
            "select json_build_object('fingerprint', fingerprint, 'status', status, 'body', body,
                 'begun_at', begun_at)::text
             from idempotency_keys where organization_id = $1 and route = $2 and key = $3",
        )
        .bind(scope.organization_id.uuid())
        .bind(route)
        .bind(key)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        if let Some(row) = row {
            let known: Known = codec::decode(OPERATION, &row)?;
            if let Some(answer) = answer(known, fingerprint, now) {
                return Ok(answer);
            }
        }
        sqlx::query(
            "insert into idempotency_keys (organization_id, route, key, fingerprint, begun_at)
             values ($1, $2, $3, $4, $5)
             on conflict (organization_id, route, key) do update
             set fingerprint = excluded.fingerprint, begun_at = excluded.begun_at, status = null,
                 body = null",
        )
        .bind(scope.organization_id.uuid())
        .bind(route)
        .bind(key)
        .bind(fingerprint)
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(IdempotencyCheck::Proceed)
    }

    async fn complete(
        &self,
        scope: TenantScope,
        route: &str,
        key: &str,
        response: Option<StoredResponse>,
    ) -> Result<()> {
        const OPERATION: &str = "postgres.idempotency_complete";
        let mut tx = self.tenant(OPERATION, scope).await?;
        let Some(response) = response else {
            sqlx::query(
                "delete from idempotency_keys
                 where organization_id = $1 and route = $2 and key = $3 and status is null",
            )
            .bind(scope.organization_id.uuid())
            .bind(route)
            .bind(key)
            .execute(&mut *tx)
            .await
            .map_err(failed(OPERATION))?;
            return tx.commit().await.map_err(failed(OPERATION));
        };
        let done = sqlx::query(
            "update idempotency_keys set status = $4, body = $5
             where organization_id = $1 and route = $2 and key = $3 and status is null",
        )
        .bind(scope.organization_id.uuid())
        .bind(route)
        .bind(key)
        .bind(i64::from(response.status))
        .bind(&response.body)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        match done.rows_affected() {
            0 => Err(Error::not_found(
                OPERATION,
                "no request with this key waits for an answer",
            )),
            _ => Ok(()),
        }
    }
}

/// What a known key answers; nothing if it may be claimed anew.
fn answer(known: Known, fingerprint: &str, now: DateTime<Utc>) -> Option<IdempotencyCheck> {
    let age = now - known.begun_at;
    if age > KEEP {
        return None;
    }
    if known.fingerprint != fingerprint {
        return Some(IdempotencyCheck::Mismatch);
    }
    match (known.status, known.body) {
        (Some(status), Some(body)) => {
            Some(IdempotencyCheck::Replay(StoredResponse { status, body }))
        }
        _ if age > DEAD => None,
        _ => Some(IdempotencyCheck::Running),
    }
}
