//! Reads named records.

use std::collections::{BTreeSet, HashSet};

use stayzr_core::{
    Result,
    ids::IntegrationId,
    model::{RunMode, SyncRun},
    port::sync::RunEnd,
    queue::Lease,
    tenant::TenantScope,
    transform::EntityKind,
};

use super::{
    fetch::missing,
    notes::Notes,
    session::{Progress, Session, SyncEngine},
};

/// What became of a targeted read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetedRead {
    /// The run.
    pub run: SyncRun,
    /// Ids that the vendor does not know.
    pub missing: Vec<String>,
    /// Those of them that are mapped here and not known to be gone: to be read again a little
    /// later, since a vendor may be late to know its own records
    /// ([`SyncJob::look_again`](super::SyncJob::look_again)). Empty where so many are missing at
    /// once that a reconciliation has to ask a person.
    pub doubted: Vec<String>,
}

/// Which records to read.
pub(super) struct Named<'a> {
    pub(super) kind: EntityKind,
    pub(super) ids: &'a [String],
    /// Those among them that the vendor did not know a while ago.
    pub(super) doubted: &'a HashSet<String>,
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
        let named = Named {
            kind,
            ids,
            doubted: &HashSet::new(),
        };
        self.named(scope, integration_id, &named, lease).await
    }

    pub(super) async fn named(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        named: &Named<'_>,
        lease: Option<&Lease>,
    ) -> Result<TargetedRead> {
        let integration = self.integration(scope, integration_id).await?;
        let mut progress = self.begin(&integration, RunMode::Targeted, lease).await?;
        let (mut missing, mut doubted) = (Vec::new(), Vec::new());
        let result = match self.open(scope, integration).await {
            Ok(session) => match self.read_named(&session, named, &mut progress).await {
                Ok(found) => {
                    missing = found;
                    self.doubt(&session, named, &missing, &mut progress).await
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        let result = result.map(|found| {
            doubted = found;
            RunEnd::Completed
        });
        let run = self.end(progress, result).await?;
        if !missing.is_empty() {
            tracing::info!(
                integration_id = %integration_id,
                kind = %named.kind,
                missing = missing.len(),
                doubted = doubted.len(),
                "the vendor does not know records that were asked for"
            );
        }
        Ok(TargetedRead {
            run,
            missing,
            doubted,
        })
    }

    /// Reads and returns what the vendor does not know.
    async fn read_named(
        &self,
        session: &Session,
        named: &Named<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<String>> {
        let kind = named.kind;
        let Some(&most) = session.provider.capabilities().by_id.get(&kind) else {
            self.read_whole(session, kind, progress, None).await?;
            return Ok(Vec::new());
        };
        let unique: Vec<String> = named
            .ids
            .iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .cloned()
            .collect();
        let mut absent = Vec::new();
        for ids in unique.chunks(most.max(1)) {
            let page = self.fetch_named(session, kind, ids).await?;
            absent.extend(missing(ids, &page));
            self.write_read(session, kind, &page, "webhook", progress, None)
                .await?;
        }
        Ok(absent)
    }

    /// Marks what is missing for the second time, and returns what is for the first.
    async fn doubt(
        &self,
        session: &Session,
        named: &Named<'_>,
        missing: &[String],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<String>> {
        if missing.is_empty() || named.kind == EntityKind::Property {
            return Ok(Vec::new());
        }
        let mut mapped: Vec<String> = self
            .mappings(session, named.kind, missing.iter())
            .await?
            .into_values()
            .filter(|mapping| {
                mapping.gone_at.is_none()
                    && mapping.merged_into.is_none()
                    && !Notes::of(mapping).erased
            })
            .map(|mapping| mapping.external_id)
            .collect();
        mapped.sort();
        if mapped.len() as u64 > u64::from(session.reconcile.min_missing) {
            tracing::warn!(
                integration_id = %session.integration.id,
                kind = %named.kind,
                missing = mapped.len(),
                "many mapped records are missing at the vendor at once: reconciliation decides"
            );
            return Ok(Vec::new());
        }
        let (gone, doubted): (Vec<String>, Vec<String>) = mapped
            .into_iter()
            .partition(|id| named.doubted.contains(id));
        if !gone.is_empty() {
            self.mark_gone(session, named.kind, &gone, progress, None)
                .await?;
        }
        Ok(doubted)
    }
}
