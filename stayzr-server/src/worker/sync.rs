use std::sync::Arc;

use async_trait::async_trait;
use stayzr_core::{
    ErrorKind, Result,
    ids::IntegrationId,
    model::IntegrationStatus,
    port::Store,
    queue::{Claimed, Handler, HandlerResult, Job},
    tenant::TenantScope,
};
use stayzr_pms::engine::{SyncEngine, SyncJob};

/// Keeps a PMS and us equal, and shows on the integration whether the vendor lets us in.
pub struct SyncHandler {
    /// What does the work.
    pub engine: SyncEngine,
    /// The store.
    pub store: Arc<dyn Store>,
}

#[async_trait]
impl Handler for SyncHandler {
    async fn handle(&self, claimed: Claimed) -> Result<HandlerResult> {
        let run = run_of(&claimed);
        let result = self.engine.handle(claimed).await;
        let status = match &result {
            Ok(_) => Some(IntegrationStatus::Active),
            Err(error) if error.kind() == ErrorKind::Unauthorized => {
                Some(IntegrationStatus::Unauthorized)
            }
            Err(_) => None,
        };
        if let (Some((scope, id)), Some(status)) = (run, status)
            && let Err(error) = self.show(scope, id, status).await
        {
            tracing::warn!(integration_id = %id, %error, "the status could not be stored");
        }
        result
    }

    fn batch_key(&self, job: &Job) -> Option<String> {
        self.engine.batch_key(job)
    }

    /// Reads of named records, which say nothing about the connection as a whole.
    async fn handle_batch(&self, claimed: Vec<Claimed>) -> Vec<Result<HandlerResult>> {
        self.engine.handle_batch(claimed).await
    }
}

/// The integration of a run. Reads and writes of single records do not count: a vendor may refuse
/// one operation to credentials that are good for the rest.
fn run_of(claimed: &Claimed) -> Option<(TenantScope, IntegrationId)> {
    match SyncJob::parse(&claimed.job.payload) {
        Ok(SyncJob::Run { integration_id, .. }) => Some((claimed.job.scope()?, integration_id)),
        _ => None,
    }
}

impl SyncHandler {
    /// Writes the status where it is another. What staff switched off stays off.
    async fn show(
        &self,
        scope: TenantScope,
        id: IntegrationId,
        status: IntegrationStatus,
    ) -> Result<()> {
        let Some(stored) = self.store.integration(scope, id).await? else {
            return Ok(());
        };
        if stored.status == status || stored.status == IntegrationStatus::Disabled {
            return Ok(());
        }
        tracing::info!(integration_id = %id, from = ?stored.status, to = ?status, "status");
        self.store.set_integration_status(scope, id, status).await?;
        Ok(())
    }
}
