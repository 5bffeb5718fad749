//! Asks a vendor what happened, batch by batch.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use stayzr_core::{
    ErrorKind, Result,
    ids::{DeliveryId, IntegrationId},
    mask::mask_cards,
    model::{IntegrationStatus, RunMode},
    port::{
        inbox::{Delivery, EndpointKey},
        sync::{Cursor, PageWrite},
    },
    queue::{Lease, NewJob},
    tenant::TenantScope,
    transform::EntityKind,
};

use super::{
    fingerprint::hexadecimal,
    job::SyncJob,
    session::{Session, SyncEngine},
};
use crate::desk::{EventBatch, EventFeed};

/// At most so many batches in one job; the next one goes on.
const BATCHES: usize = 200;

/// Waits between attempts to keep a batch that the vendor may have forgotten already.
const PATIENCE: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(20),
];

impl SyncEngine {
    /// Takes the events of an integration that wait at its vendor, and returns what follows.
    ///
    /// Each batch is kept as a delivery of the integration's webhook before the next one is asked
    /// for, so that from there on an event takes the same way whether it was posted to us or asked
    /// for. The position of a stream is saved after its batch. Events that were lost on the way are
    /// made up for by an incremental run. Where the vendor cannot be asked nothing is done.
    pub async fn take_events(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        lease: Option<&Lease>,
    ) -> Result<Vec<NewJob>> {
        let integration = self.integration(scope, integration_id).await?;
        let session = self.open(scope, integration).await?;
        let feed = session.provider.capabilities().desk.events;
        let (Some(feed), Some(desk)) = (feed, session.provider.desk()) else {
            let provider = session.provider.name();
            tracing::debug!(provider, %integration_id, "this vendor cannot be asked for events");
            return Ok(Vec::new());
        };
        if feed == EventFeed::Account && !self.asks_for_account(&session).await? {
            return Ok(Vec::new());
        }
        let mode = RunMode::Targeted;
        let cursor = self.cursor(&session, EntityKind::Property, mode).await?;
        let mut position = cursor.and_then(|cursor| cursor.position);
        let mut batches = 0;
        let lost = loop {
            // A queue that forgets what it gives is asked under a lease that holds.
            self.hold(lease).await?;
            let batch = match desk.next_events(position.as_ref()).await {
                Ok(Some(batch)) => batch,
                Ok(None) => break false,
                Err(error) if error.kind() == ErrorKind::Ambiguous => {
                    tracing::warn!(%integration_id, %error, "events were lost on the way");
                    break true;
                }
                Err(error) => return Err(error),
            };
            batches += 1;
            let next = batch.position.clone();
            self.keep(&session, batch).await?;
            if next.is_some() {
                position = next;
                self.remember(&session, position.clone()).await?;
            }
            if batches == BATCHES {
                break false;
            }
        };
        self.remember(&session, position).await?;
        if let Some(observer) = &self.observer {
            observer.took_events(session.provider.name(), batches as u64);
        }
        let integration = &session.integration;
        let scope = TenantScope::property(integration.organization_id, integration.property_id);
        Ok(match (lost, batches == BATCHES) {
            (true, _) => vec![SyncJob::run(scope, integration.id, RunMode::Incremental)],
            (false, true) => vec![SyncJob::events(scope, integration.id)],
            (false, false) => Vec::new(),
        })
    }

    /// Whether this integration is the one that asks for its whole account: the oldest in use.
    async fn asks_for_account(&self, session: &Session) -> Result<bool> {
        let this = &session.integration;
        let all = self.ports.sync.integrations(session.scope).await?;
        let asking = all
            .into_iter()
            .filter(|other| other.provider == this.provider && other.account == this.account)
            .find(|other| other.status != IntegrationStatus::Disabled);
        Ok(asking.is_none_or(|asking| asking.id == this.id))
    }

    /// Stores a batch durably. It may be the only copy: a store that is away for moments is waited
    /// for.
    async fn keep(&self, session: &Session, batch: EventBatch) -> Result<()> {
        let integration = &session.integration;
        let scope = TenantScope::property(integration.organization_id, integration.property_id);
        let delivery = Delivery {
            id: DeliveryId::generate(&*self.clock),
            endpoint: EndpointKey::Pms {
                provider: integration.provider.clone(),
                integration_id: integration.id,
            },
            scope: Some(scope),
            dedupe_id: batch.id,
            content_type: Some("application/json".to_owned()),
            body: mask_cards(&batch.body).into_owned(),
            sha256: hexadecimal(&Sha256::digest(&batch.body)),
            received_at: self.clock.now(),
            traceparent: None,
        };
        let inbox = &self.desk_ports()?.inbox;
        for wait in PATIENCE {
            match inbox.accept_delivery(delivery.clone()).await {
                Err(error) if error.is_retryable() => {
                    tracing::warn!(%error, "events could not be kept; tried again");
                    tokio::time::sleep(wait).await;
                }
                kept => return kept.map(drop),
            }
        }
        inbox.accept_delivery(delivery).await.map(drop)
    }

    /// Saves where the next batch begins, and when we asked.
    async fn remember(&self, session: &Session, position: Option<Value>) -> Result<()> {
        let mut write = PageWrite::new(session.scope, session.integration.id);
        write.cursor = Some(Cursor {
            integration_id: session.integration.id,
            entity: EntityKind::Property,
            mode: RunMode::Targeted,
            position,
            watermark: Some(self.clock.now()),
        });
        self.ports.sync.apply_page(write).await
    }
}
