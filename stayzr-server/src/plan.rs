//! A plan as a person reads it: whose record each change is about.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stayzr_core::{
    Result,
    ids::IntegrationId,
    model::RunMode,
    port::{PageRequest, Store, entities::EntityFilter},
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};
use stayzr_pms::engine::{PlannedAction, PlannedChange, SyncPlan};
use uuid::Uuid;

use crate::review::name;

/// A plan with the names of what it is about.
#[derive(Debug, Clone, Serialize)]
pub struct PlanView {
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
    pub changes: Vec<ChangeView>,
    /// Whether there are more.
    pub truncated: bool,
    /// Why the run would be stopped by its brake.
    pub stopped: Option<String>,
}

/// A change with the name of its record.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeView {
    /// What people call the record.
    pub name: Option<String>,
    /// The change.
    #[serde(flatten)]
    pub change: PlannedChange,
}

/// Names what a plan is about: a query for each kind of record.
pub async fn named(store: &dyn Store, scope: TenantScope, plan: SyncPlan) -> Result<PlanView> {
    const AT_ONCE: usize = 1000;
    let scope = TenantScope::organization(scope.organization_id);
    let mut ids: BTreeMap<EntityKind, BTreeSet<Uuid>> = BTreeMap::new();
    for change in &plan.changes {
        ids.entry(change.kind).or_default().extend(change.local_id);
    }
    let mut names: BTreeMap<Uuid, String> = BTreeMap::new();
    for (kind, ids) in ids {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        for ids in ids.chunks(AT_ONCE) {
            let page = PageRequest {
                limit: AT_ONCE as u32,
                cursor: None,
            };
            let filter = EntityFilter {
                ids: Some(ids.to_vec()),
                ..EntityFilter::default()
            };
            let rows = store.rows(scope, kind, &filter, &page).await?;
            names.extend(
                rows.items
                    .iter()
                    .filter_map(|row| Some((row.id, name(row)?))),
            );
        }
    }
    let changes = plan
        .changes
        .into_iter()
        .map(|change| ChangeView {
            name: change
                .local_id
                .and_then(|id| names.get(&id).cloned())
                .or_else(|| name_of_new(scope, &change)),
            change,
        })
        .collect();
    Ok(PlanView {
        integration_id: plan.integration_id,
        mode: plan.mode,
        read: plan.read,
        unchanged: plan.unchanged,
        counts: plan.counts,
        changes,
        truncated: plan.truncated,
        stopped: plan.stopped,
    })
}

/// What people will call a row that is not made yet.
fn name_of_new(scope: TenantScope, change: &PlannedChange) -> Option<String> {
    let fields: FieldMap = change
        .fields
        .iter()
        .filter_map(|(field, planned)| Some((field.clone(), planned.to.clone()?)))
        .collect();
    name(&EntityRow {
        kind: change.kind,
        id: change.local_id.unwrap_or_default(),
        organization_id: scope.organization_id,
        property_id: scope.property_id,
        version: 1,
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
        fields,
    })
}
