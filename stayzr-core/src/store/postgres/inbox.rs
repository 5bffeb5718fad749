use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{PostgresStore, error::failed, jobs};
use crate::{
    Error, Result,
    ids::{DeliveryId, JobId, OrganizationId, PropertyId},
    port::inbox::{Acceptance, Delivery, EndpointKey, Inbox},
    queue::{Lease, NewJob, Queue},
    store::codec,
    tenant::TenantScope,
};

#[async_trait]
impl Inbox for PostgresStore {
    async fn accept_delivery(&self, delivery: Delivery) -> Result<Acceptance> {
        const OPERATION: &str = "postgres.accept_delivery";
        let scope = delivery.scope;
        let mut tx = self.scoped(OPERATION, scope).await?;
        let done = sqlx::query(
            "insert into webhook_deliveries (id, organization_id, property_id, endpoint,
                 dedupe_id, content_type, body, sha256, received_at, traceparent)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict do nothing",
        )
        .bind(delivery.id.uuid())
        .bind(scope.map(|scope| scope.organization_id.uuid()))
        .bind(
            scope
                .and_then(|scope| scope.property_id)
                .map(|id| id.uuid()),
        )
        .bind(json!(delivery.endpoint))
        .bind(&delivery.dedupe_id)
        .bind(&delivery.content_type)
        .bind(&delivery.body)
        .bind(&delivery.sha256)
        .bind(delivery.received_at)
        .bind(&delivery.traceparent)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        if done.rows_affected() == 0 {
            return Ok(Acceptance::Duplicate);
        }
        let job = NewJob {
            queue: Queue::WebhookInbox,
            scope,
            payload: json!({ "delivery_id": delivery.id }),
            key: None,
            dedupe_key: None,
            priority: 0,
            max_attempts: 5,
            run_at: None,
            traceparent: delivery.traceparent,
        };
        let id = JobId::from(delivery.id.uuid());
        jobs::insert(&mut tx, self.clock.now(), &[(id, &job)]).await?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(Acceptance::Stored)
    }

    async fn delivery(&self, lease: &Lease) -> Result<Delivery> {
        const OPERATION: &str = "postgres.delivery";
        let mut tx = self.scoped(OPERATION, lease.scope).await?;
        jobs::held(&mut tx, lease, self.clock.now()).await?;
        let found: Option<(String, Vec<u8>)> = sqlx::query_as(
            "select json_build_object('id', id, 'organization_id', organization_id,
                 'property_id', property_id, 'endpoint', endpoint, 'dedupe_id', dedupe_id,
                 'content_type', content_type, 'sha256', sha256, 'received_at', received_at,
                 'traceparent', traceparent)::text, body
             from webhook_deliveries where id = $1",
        )
        .bind(lease.job_id.uuid())
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        let (row, body) = found.ok_or_else(|| {
            Error::not_found(OPERATION, "the job's delivery is no longer kept")
                .with("job_id", lease.job_id)
        })?;
        let row: Stored = codec::decode(OPERATION, &row)?;
        Ok(Delivery {
            id: row.id,
            endpoint: row.endpoint,
            scope: row.organization_id.map(|organization_id| TenantScope {
                organization_id,
                property_id: row.property_id,
            }),
            dedupe_id: row.dedupe_id,
            content_type: row.content_type,
            body,
            sha256: row.sha256,
            received_at: row.received_at,
            traceparent: row.traceparent,
        })
    }
}

#[derive(Deserialize)]
struct Stored {
    id: DeliveryId,
    organization_id: Option<OrganizationId>,
    property_id: Option<PropertyId>,
    endpoint: EndpointKey,
    dedupe_id: Option<String>,
    content_type: Option<String>,
    sha256: String,
    received_at: DateTime<Utc>,
    traceparent: Option<String>,
}
