use async_trait::async_trait;
use serde_json::json;

use super::{SqliteStore, error::failed, inbox::Stored};
use crate::{
    Result,
    ids::DeliveryId,
    port::inbox::{Deliveries, Delivery, DeliveryRecord, REFUSED_KEPT, RefusedDelivery},
    store::codec,
    tenant::TenantScope,
};

#[async_trait]
impl Deliveries for SqliteStore {
    async fn deliveries(
        &self,
        scope: Option<TenantScope>,
        limit: u32,
    ) -> Result<Vec<DeliveryRecord>> {
        const OPERATION: &str = "sqlite.deliveries";
        let mut tx = self.reader.begin().await.map_err(failed(OPERATION))?;
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_object('id', d.id, 'endpoint', json(d.endpoint),
                 'organization_id', d.organization_id, 'dedupe_id', d.dedupe_id,
                 'body_bytes', length(d.body), 'sha256', d.sha256, 'received_at', d.received_at,
                 'status', coalesce(j.status, k.status),
                 'last_error', coalesce(j.last_error, k.last_error))
             from webhook_deliveries d
             left join jobs j on j.id = d.id left join jobs_done k on k.id = d.id
             where $1 is null or d.organization_id = $1
             order by d.id desc limit $2",
        )
        .bind(scope.map(|scope| scope.organization_id.to_string()))
        .bind(i64::from(limit.clamp(1, 1000)))
        .fetch_all(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }

    async fn stored_delivery(
        &self,
        scope: Option<TenantScope>,
        id: DeliveryId,
    ) -> Result<Option<Delivery>> {
        const OPERATION: &str = "sqlite.stored_delivery";
        let mut tx = self.reader.begin().await.map_err(failed(OPERATION))?;
        let found = Stored::find(&mut tx, OPERATION, id.to_string()).await?;
        let owned = |delivery: &Delivery| {
            let owner = delivery.scope.map(|owner| owner.organization_id);
            scope.is_none_or(|scope| owner == Some(scope.organization_id))
        };
        Ok(found.filter(owned))
    }

    async fn remember_refused(&self, refused: Vec<RefusedDelivery>) -> Result<()> {
        const OPERATION: &str = "sqlite.remember_refused";
        let mut tx = self.write(OPERATION).await?;
        sqlx::query(
            "insert into webhook_refusals (id, source, verdict, reason, status, body_bytes, at)
             select value ->> 'id', value ->> 'source', value ->> 'verdict', value ->> 'reason',
                 value ->> 'status', value ->> 'body_bytes', value ->> 'at'
             from json_each($1) where true on conflict do nothing",
        )
        .bind(codec::json(&json!(refused)))
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        sqlx::query(
            "delete from webhook_refusals where id < (
                 select id from webhook_refusals order by id desc limit 1 offset $1)",
        )
        .bind(i64::from(REFUSED_KEPT) - 1)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))
    }

    async fn refused(&self, limit: u32) -> Result<Vec<RefusedDelivery>> {
        const OPERATION: &str = "sqlite.refused";
        let mut tx = self.reader.begin().await.map_err(failed(OPERATION))?;
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_object('id', id, 'source', source, 'verdict', verdict,
                 'reason', reason, 'status', status, 'body_bytes', body_bytes, 'at', at)
             from webhook_refusals order by id desc limit $1",
        )
        .bind(i64::from(limit.clamp(1, REFUSED_KEPT)))
        .fetch_all(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }
}
