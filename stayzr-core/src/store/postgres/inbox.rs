use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{PostgresStore, error::failed, jobs};
use crate::{
    Error, Result,
    ids::{DeliveryId, JobId, OrganizationId, PropertyId},
    port::inbox::{Acceptance, Delivery, EndpointKey, Inbox},
    queue::Lease,
    store::{codec, inbox},
    tenant::TenantScope,
};

#[async_trait]
impl Inbox for PostgresStore {
    async fn accept_delivery(&self, delivery: Delivery) -> Result<Acceptance> {
        let stored = self.accept_together(&[&delivery]).await?;
        Ok(stored[0])
    }

    async fn accept_deliveries(&self, deliveries: Vec<Delivery>) -> Vec<Result<Acceptance>> {
        // A transaction belongs to one organization, so each has a commit of its own.
        let mut tenants: BTreeMap<Option<OrganizationId>, Vec<usize>> = BTreeMap::new();
        for (index, delivery) in deliveries.iter().enumerate() {
            let tenant = delivery.scope.map(|scope| scope.organization_id);
            tenants.entry(tenant).or_default().push(index);
        }
        let mut answers = Vec::with_capacity(deliveries.len());
        for indices in tenants.into_values() {
            let group: Vec<_> = indices.iter().map(|index| &deliveries[*index]).collect();
            let stored = match self.accept_together(&group).await {
                Ok(stored) => stored.into_iter().map(Ok).collect(),
                Err(error) if error.is_retryable() => inbox::all_failed(error, group.len()),
                // One that cannot be stored does not cost the others.
                Err(_) => {
                    let mut alone = Vec::with_capacity(group.len());
                    for delivery in group {
                        let stored = self.accept_together(&[delivery]).await;
                        alone.push(stored.map(|stored| stored[0]));
                    }
                    alone
                }
            };
            answers.extend(indices.into_iter().zip(stored));
        }
        answers.sort_by_key(|(index, _)| *index);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    async fn delivery(&self, lease: &Lease) -> Result<Delivery> {
        const OPERATION: &str = "postgres.delivery";
        let mut tx = self.scoped(OPERATION, lease.scope).await?;
        jobs::held(&mut tx, lease, self.clock.now()).await?;
        let id = lease.job_id.uuid();
        Stored::find(&mut tx, OPERATION, id).await?.ok_or_else(|| {
            Error::not_found(OPERATION, "the job's delivery is no longer kept")
                .with("job_id", lease.job_id)
        })
    }
}

impl PostgresStore {
    /// Stores deliveries of one organization and their jobs in one transaction.
    async fn accept_together(&self, deliveries: &[&Delivery]) -> Result<Vec<Acceptance>> {
        const OPERATION: &str = "postgres.accept_delivery";
        let scope = deliveries.first().and_then(|delivery| delivery.scope);
        let mut tx = self.scoped(OPERATION, scope).await?;
        let stored = insert(&mut tx, deliveries).await?;
        let answers =
            deliveries
                .iter()
                .map(|delivery| match stored.contains(&delivery.id.uuid()) {
                    true => Acceptance::Stored,
                    false => Acceptance::Duplicate,
                });
        let answers: Vec<_> = answers.collect();
        if !stored.is_empty() {
            let jobs: Vec<_> = deliveries
                .iter()
                .filter(|delivery| stored.contains(&delivery.id.uuid()))
                .map(|delivery| (JobId::from(delivery.id.uuid()), delivery.job()))
                .collect();
            let jobs: Vec<_> = jobs.iter().map(|(id, job)| (*id, job)).collect();
            jobs::insert(&mut tx, self.clock.now(), &jobs).await?;
            tx.commit().await.map_err(failed(OPERATION))?;
        }
        Ok(answers)
    }
}

/// The ids of those that were not there before. Two processes that store the same ones wait for each
/// other in one order, that of the senders' ids.
async fn insert(tx: &mut PgConnection, deliveries: &[&Delivery]) -> Result<HashSet<Uuid>> {
    fn column<'a, T>(deliveries: &[&'a Delivery], read: impl Fn(&'a Delivery) -> T) -> Vec<T> {
        deliveries.iter().map(|delivery| read(delivery)).collect()
    }
    let organization = |delivery: &Delivery| Some(delivery.scope?.organization_id.uuid());
    let property = |delivery: &Delivery| Some(delivery.scope?.property_id?.uuid());
    let stored: Vec<Uuid> = sqlx::query_scalar(
        "insert into webhook_deliveries (id, organization_id, property_id, endpoint,
             dedupe_id, content_type, body, sha256, received_at, traceparent)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::jsonb[], $5::text[],
             $6::text[], $7::bytea[], $8::text[], $9::timestamptz[], $10::text[])
         order by 5
         on conflict do nothing returning id",
    )
    .bind(column(deliveries, |delivery| delivery.id.uuid()))
    .bind(column(deliveries, organization))
    .bind(column(deliveries, property))
    .bind(column(deliveries, |delivery| json!(delivery.endpoint)))
    .bind(column(deliveries, |delivery| delivery.dedupe_id.as_deref()))
    .bind(column(deliveries, |delivery| {
        delivery.content_type.as_deref()
    }))
    .bind(column(deliveries, |delivery| delivery.body.as_slice()))
    .bind(column(deliveries, |delivery| delivery.sha256.as_str()))
    .bind(column(deliveries, |delivery| delivery.received_at))
    .bind(column(deliveries, |delivery| {
        delivery.traceparent.as_deref()
    }))
    .fetch_all(tx)
    .await
    .map_err(failed("postgres.accept_delivery"))?;
    Ok(stored.into_iter().collect())
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
        tx: &mut PgConnection,
        operation: &'static str,
        id: Uuid,
    ) -> Result<Option<Delivery>> {
        let found: Option<(String, Vec<u8>)> = sqlx::query_as(
            "select json_build_object('id', id, 'organization_id', organization_id,
                 'property_id', property_id, 'endpoint', endpoint, 'dedupe_id', dedupe_id,
                 'content_type', content_type, 'sha256', sha256, 'received_at', received_at,
                 'traceparent', traceparent)::text, body
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
