//! Reads named records.

use std::collections::{BTreeSet, HashSet};

use stayzr_core::{
    Result,
    ids::IntegrationId,
    model::{RunMode, SyncRun},
    queue::Lease,
    tenant::TenantScope,
    transform::EntityKind,
};

use super::session::{Progress, Session, SyncEngine};

/// What became of a targeted read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetedRead {
    /// The run.
    pub run: SyncRun,
    /// Ids that the vendor does not know.
    pub missing: Vec<String>,
}

impl SyncEngine {
    /// Reads these records, each once, in as few calls as the vendor takes. A kind that cannot be
    /// asked for by id is read whole. Errors as for [`SyncEngine::run`].
    pub async fn targeted(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        ids: &[String],
        lease: Option<&Lease>,
    ) -> Result<TargetedRead> {
        let integration = self.integration(scope, integration_id).await?;
        let mut progress = self.begin(&integration, RunMode::Targeted, lease).await?;
        let mut missing = Vec::new();
        let result = match self.open(scope, integration).await {
            Ok(session) => {
                self.read_named(&session, kind, ids, &mut progress, &mut missing)
                    .await
            }
            Err(error) => Err(error),
        };
        let run = self.end(progress, result).await?;
        if !missing.is_empty() {
            tracing::info!(
                integration_id = %integration_id,
                %kind,
                missing = missing.len(),
                "the vendor does not know records that were asked for"
            );
        }
        Ok(TargetedRead { run, missing })
    }

    async fn read_named(
        &self,
        session: &Session,
        kind: EntityKind,
        ids: &[String],
        progress: &mut Progress<'_>,
        missing: &mut Vec<String>,
    ) -> Result<()> {
        let Some(&most) = session.provider.capabilities().by_id.get(&kind) else {
            self.read_whole(session, kind, progress, None).await?;
            return Ok(());
        };
        let unique: Vec<String> = ids
            .iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .cloned()
            .collect();
        for ids in unique.chunks(most.max(1)) {
            let page = session.provider.fetch_ids(kind, ids).await?;
            let found: HashSet<&str> = page
                .records
                .iter()
                .map(|record| record.external_id.as_str())
                .chain(
                    page.parked
                        .iter()
                        .filter_map(|parked| parked.external_id.as_deref()),
                )
                .collect();
            missing.extend(
                ids.iter()
                    .filter(|id| !found.contains(id.as_str()))
                    .cloned(),
            );
            self.write_read(session, kind, &page, "webhook", progress, None)
                .await?;
        }
        Ok(())
    }
}
