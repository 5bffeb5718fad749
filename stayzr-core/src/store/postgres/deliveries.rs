use async_trait::async_trait;
use serde_json::json;

use super::{PostgresStore, error::failed, inbox::Stored};
use crate::{
    Result,
    ids::DeliveryId,
    port::inbox::{Deliveries, Delivery, DeliveryRecord, REFUSED_KEPT, RefusedDelivery},
    store::codec,
    tenant::TenantScope,
};

#[async_trait]
impl Deliveries for PostgresStore {
    async fn deliveries(
        &self,
        scope: Option<TenantScope>,
        limit: u32,
    ) -> Result<Vec<DeliveryRecord>> {
        const OPERATION: &str = "postgres.deliveries";
        let mut tx = self.scoped(OPERATION, scope).await?;
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('id', d.id, 'endpoint', d.endpoint,
                 'organization_id', d.organization_id, 'dedupe_id', d.dedupe_id,
                 'body_bytes', octet_length(d.body), 'sha256', d.sha256, 'received_at', d.received_at,
                 'status', coalesce(j.status, k.status),
                 'last_error', coalesce(j.last_error, k.last_error))::text
             from webhook_deliveries d
             left join jobs j on j.id = d.id left join jobs_done k on k.id = d.id
             where $1::uuid is null or d.organization_id = $1
             order by d.id desc limit $2",
        )
        .bind(scope.map(|scope| scope.organization_id.uuid()))
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
        const OPERATION: &str = "postgres.stored_delivery";
        let mut tx = self.scoped(OPERATION, scope).await?;
        let found = Stored::find(&mut tx, OPERATION, id.uuid()).await?;
        let owned = |delivery: &Delivery| {
            let owner = delivery.scope.map(|owner| owner.organization_id);
            scope.is_none_or(|scope| owner == Some(scope.organization_id))
        };
        Ok(found.filter(owned))
    }

    async fn remember_refused(&self, refused: Vec<RefusedDelivery>) -> Result<()> {
        const OPERATION: &str = "postgres.remember_refused";
        let mut tx = self.system(OPERATION).await?;
        sqlx::query(
            "insert into webhook_refusals (id, source, verdict, reason, status, body_bytes, at)
             select e.id, e.source, e.verdict, e.reason, e.status, e.body_bytes, e.at
             from jsonb_to_recordset($1) e(id uuid, source text, verdict text, reason text,
                 status integer, body_bytes bigint, at timestamptz)
             on conflict do nothing",
        )
        .bind(json!(refused))
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
        const OPERATION: &str = "postgres.refused";
        let mut tx = self.system(OPERATION).await?;
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('id', id, 'source', source, 'verdict', verdict,
                 'reason', reason, 'status', status, 'body_bytes', body_bytes, 'at', at)::text
             from webhook_refusals order by id desc limit $1",
        )
        .bind(i64::from(limit.clamp(1, REFUSED_KEPT)))
        .fetch_all(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }
}
