//! Says what a run would change, and changes nothing.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{
    Error, Result,
    ids::IntegrationId,
    model::RunMode,
    port::sync::Mapping,
    tenant::TenantScope,
    transform::{EntityKind, FieldMap},
};
use uuid::Uuid;

use super::{
    rehearsal::Rehearsal,
    session::{EnginePorts, Session, SyncEngine},
    unsent::unsent_fields,
};

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncPlan {
    /// The integration.
    pub integration_id: IntegrationId,
    /// The kind of run.
    pub mode: RunMode,
    /// Records read.
    pub read: i64,
    /// Records that would change nothing.
    pub unchanged: i64,
    /// How often each action would be taken, those that are not listed included.
    pub counts: BTreeMap<PlannedAction, u64>,
    /// The changes, in the order in which they would be made, as many as were asked for.
    pub changes: Vec<PlannedChange>,
    /// Whether there are more.
    pub truncated: bool,
    /// Why the run would be stopped by its brake.
    pub stopped: Option<String>,
}

/// What would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedAction {
    /// A row would be made.
    Create,
    /// A row would be changed.
    Update,
    /// A conflict would wait for a person.
    Conflict,
    /// A value of the vendor's would not be taken.
    Refuse,
    /// A record cannot be read and would be put aside.
    Park,
    /// A row's record is no longer at the vendor.
    Gone,
    /// The vendor would be told what was changed here.
    Push,
    /// A guest turned out to be another.
    Merge,
}

/// One change that would be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// What kind of record.
    pub kind: EntityKind,
    /// The vendor's id, where it is known.
    pub external_id: Option<String>,
    /// Our id; that of a row which would be made is another each time.
    pub local_id: Option<Uuid>,
    /// What would be done.
    pub action: PlannedAction,
    /// The fields.
    pub fields: BTreeMap<String, PlannedField>,
    /// Why.
    pub reason: Option<String>,
}

/// A field as it is and as it would be. In a conflict: as it is here and as the vendor has it. In
/// a push: as it was last agreed and as the vendor would be told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedField {
    /// As it is.
    pub from: Option<Value>,
    /// As it would be.
    pub to: Option<Value>,
}

/// So many changes are listed where nobody says how many.
pub const PLANNED_CHANGES: usize = 1000;

impl SyncEngine {
    /// Reads like a run of this mode and says what that run would change. Nothing is written, here
    /// or at the vendor: no row, no run, no cursor.
    ///
    /// At most `limit` changes are listed ([`PLANNED_CHANGES`] is usual); all are counted. Beside
    /// them memory grows by some hundred bytes for each record that would be made or changed, so
    /// that what links to it finds it. A record that would be made and changes while the plan reads
    /// is planned as it was read first. Errors as for [`SyncEngine::run`].
    pub async fn plan(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        mode: RunMode,
        limit: usize,
    ) -> Result<SyncPlan> {
        if mode == RunMode::Targeted {
            return Err(Error::invalid(
                "sync.plan",
                "a targeted run names its records and cannot be planned",
            ));
        }
        let rehearsal = Arc::new(Rehearsal::new(self.ports.sync.clone(), limit));
        let engine = Self {
            ports: EnginePorts {
                sync: rehearsal.clone(),
                ..self.ports.clone()
            },
            observer: None,
            ..self.clone()
        };
        let integration = engine.integration(scope, integration_id).await?;
        let session = engine.open(scope, integration).await?;
        let mut progress = engine.begin(&session.integration, mode, None).await?;
        let end = engine.go(&session, &mut progress, false).await?;
        let run = progress.run;
        let recorded = rehearsal.take();
        let mut changes = recorded.changes;
        engine
            .explain_pushes(&session, &mut changes, &recorded.bases)
            .await?;
        let count: u64 = recorded.counts.values().sum();
        Ok(SyncPlan {
            integration_id,
            mode,
            read: run.read,
            unchanged: run.unchanged,
            truncated: count > changes.len() as u64,
            counts: recorded.counts,
            changes,
            stopped: end.reason().map(str::to_owned),
        })
    }

    /// Fills in what the vendor would be told.
    async fn explain_pushes(
        &self,
        session: &Session,
        changes: &mut [PlannedChange],
        bases: &BTreeMap<Uuid, FieldMap>,
    ) -> Result<()> {
        let mut kinds: BTreeMap<EntityKind, Vec<Uuid>> = BTreeMap::new();
        for change in changes.iter().filter(|change| is_push(change)) {
            kinds
                .entry(change.kind)
                .or_default()
                .extend(change.local_id);
        }
        for (kind, ids) in kinds {
            let rows = self.rows(session, kind, &ids).await?;
            let mappings: BTreeMap<Uuid, Mapping> = self
                .ports
                .sync
                .mappings_of(session.scope, session.integration.id, kind, &ids)
                .await?
                .into_iter()
                .map(|mapping| (mapping.local_id, mapping))
                .collect();
            for change in changes.iter_mut().filter(|change| is_push(change)) {
                let Some(id) = change.local_id.filter(|_| change.kind == kind) else {
                    continue;
                };
                let (Some(row), Some(mapping)) = (rows.get(&id), mappings.get(&id)) else {
                    continue;
                };
                let mut mapping = mapping.clone();
                if let Some(base) = bases.get(&id) {
                    mapping.base.clone_from(base);
                }
                change.external_id = Some(mapping.external_id.clone());
                change.fields = unsent_fields(session.rules(kind), row, &mapping)
                    .into_iter()
                    .map(|(field, to)| {
                        let from = mapping.base.get(&field).cloned();
                        (field, PlannedField { from, to: Some(to) })
                    })
                    .collect();
            }
        }
        Ok(())
    }
}

fn is_push(change: &PlannedChange) -> bool {
    change.action == PlannedAction::Push
}
