use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use sqlx::SqliteConnection;

use super::{SqliteStore, error::failed, jobs};
use crate::{
    Error, Result,
    ids::{DeliveryId, JobId, OrganizationId, PropertyId},
    port::inbox::{Acceptance, Delivery, EndpointKey, Inbox},
    queue::Lease,
    store::{codec, inbox},
    tenant::TenantScope,
};

#[async_trait]
impl Inbox for SqliteStore {
    async fn accept_delivery(&self, delivery: Delivery) -> Result<Acceptance> {
        let stored = self.accept_together(&[delivery]).await?;
        Ok(stored[0])
    }

    async fn accept_deliveries(&self, deliveries: Vec<Delivery>) -> Vec<Result<Acceptance>> {
        match self.accept_together(&deliveries).await {
            Ok(stored) => stored.into_iter().map(Ok).collect(),
            Err(error) if error.is_retryable() => inbox::all_failed(error, deliveries.len()),
            // One that cannot be stored does not cost the others.
            Err(_) => {
                let mut answers = Vec::with_capacity(deliveries.len());
                for delivery in deliveries {
                    answers.push(self.accept_delivery(delivery).await);
                }
                answers
            }
        }
    }

    async fn delivery(&self, lease: &Lease) -> Result<Delivery> {
        const OPERATION: &str = "sqlite.delivery";
        let mut tx = self.reader.begin().await.map_err(failed(OPERATION))?;
        jobs::held(&mut tx, lease, self.clock.now()).await?;
        let id = lease.job_id.to_string();
        Stored::find(&mut tx, OPERATION, id).await?.ok_or_else(|| {
            Error::not_found(OPERATION, "the job's delivery is no longer kept")
                .with("job_id", lease.job_id)
        })
    }
}

impl SqliteStore {
    /// Stores deliveries and their jobs in one transaction.
    async fn accept_together(&self, deliveries: &[Delivery]) -> Result<Vec<Acceptance>> {
        const OPERATION: &str = "sqlite.accept_delivery";
        let mut tx = self.write(OPERATION).await?;
        let mut answers = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            answers.push(insert(&mut tx, delivery).await?);
        }
        let jobs: Vec<_> = deliveries
            .iter()
            .zip(&answers)
            .filter(|(_, answer)| **answer == Acceptance::Stored)
            .map(|(delivery, _)| (JobId::from(delivery.id.uuid()), delivery.job()))
            .collect();
        let jobs: Vec<_> = jobs.iter().map(|(id, job)| (*id, job)).collect();
        jobs::insert(&mut tx, self.clock.now(), &jobs).await?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(answers)
    }
}

async fn insert(tx: &mut SqliteConnection, delivery: &Delivery) -> Result<Acceptance> {
    let scope = delivery.scope;
    let done = sqlx::query(
        "insert into webhook_deliveries (id, organization_id, property_id, endpoint,
             dedupe_id, content_type, body, sha256, received_at, traceparent)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict do nothing",
    )
    .bind(delivery.id.to_string())
    .bind(scope.map(|scope| scope.organization_id.to_string()))
    .bind(
        scope
            .and_then(|scope| scope.property_id)
            .map(|id| id.to_string()),
    )
    .bind(codec::json(&json!(delivery.endpoint)))
    .bind(&delivery.dedupe_id)
    .bind(&delivery.content_type)
    .bind(&delivery.body)
    .bind(&delivery.sha256)
    .bind(codec::time(delivery.received_at))
    .bind(&delivery.traceparent)
    .execute(tx)
    .await
    .map_err(failed("sqlite.accept_delivery"))?;
    Ok(match done.rows_affected() {
        0 => Acceptance::Duplicate,
        _ => Acceptance::Stored,
    })
}

#[derive(Deserialize)]
pub(super) struct Stored {
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

impl Stored {
    /// The delivery under an id.
    pub(super) async fn find(
        tx: &mut SqliteConnection,
        operation: &'static str,
        id: String,
    ) -> Result<Option<Delivery>> {
        let found: Option<(String, Vec<u8>)> = sqlx::query_as(
            "select json_object('id', id, 'organization_id', organization_id,
                 'property_id', property_id, 'endpoint', json(endpoint), 'dedupe_id', dedupe_id,
                 'content_type', content_type, 'sha256', sha256, 'received_at', received_at,
                 'traceparent', traceparent), body
             from webhook_deliveries where id = $1",
        )
        .bind(id)
        .fetch_optional(tx)
        .await
        .map_err(failed(operation))?;
        let Some((row, body)) = found else {
            return Ok(None);
        };
        let row: Self = codec::decode(operation, &row)?;
        Ok(Some(Delivery {
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
        }))
    }
}
