//! Works on the jobs of the sync queue.

use async_trait::async_trait;
use stayzr_core::{
    Error, ErrorKind, Result,
    queue::{Claimed, Handler, HandlerResult},
};

use super::{job::SyncJob, session::SyncEngine};

/// The worker of [`stayzr_core::queue::Queue::PmsSyncQueue`] runs this.
#[async_trait]
impl Handler for SyncEngine {
    async fn handle(&self, claimed: Claimed) -> Result<HandlerResult> {
        let Claimed { job, lease } = claimed;
        let scope = job.scope().ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "sync.job", "the job names no tenant").with("id", job.id)
        })?;
        let lease = Some(&lease);
        match SyncJob::parse(&job.payload)? {
            SyncJob::Run {
                integration_id,
                mode,
            } => {
                let run = self.run(scope, integration_id, mode, lease).await?;
                tracing::info!(
                    %integration_id,
                    mode = mode.as_str(),
                    read = run.read,
                    created = run.created,
                    updated = run.updated,
                    parked = run.parked,
                    conflicts = run.conflicts,
                    "synchronised"
                );
            }
            SyncJob::Targeted {
                integration_id,
                kind,
                ids,
            } => {
                self.targeted(scope, integration_id, kind, &ids, lease)
                    .await?;
            }
            SyncJob::Push {
                integration_id,
                kind,
                id,
            } => {
                self.push(scope, integration_id, kind, id, lease).await?;
            }
        }
        Ok(HandlerResult::Complete(Vec::new()))
    }
}
