//! What stands here, for those who judge it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use stayzr_core::{
    model::Conflict,
    port::{
        PageRequest,
        conflict::{ConflictFilter, Conflicts},
        entities::Entities,
        queue::JobQueue,
        sync::{Mapping, SyncStore},
    },
    queue::{Job, JobFilter, JobStatus, Queue},
    transform::{EntityKind, EntityRow},
};
use uuid::Uuid;

use super::{World, block};

impl World {
    /// The mapping of a record.
    pub fn mapping(&self, kind: EntityKind, id: &str) -> Option<Mapping> {
        let store = self.store.clone();
        let (scope, integration) = (self.everything(), self.integration_id);
        let ids = [id.to_owned()];
        block(async move { store.mappings(scope, integration, kind, &ids).await })
            .ok()?
            .into_iter()
            .next()
    }

    pub fn row(&self, kind: EntityKind, id: Uuid) -> Option<EntityRow> {
        let store = self.store.clone();
        let scope = self.everything();
        block(async move { store.row(scope, kind, id).await }).ok()?
    }

    /// The row of a record.
    pub fn row_of(&self, kind: EntityKind, id: &str) -> Option<EntityRow> {
        let local = self.mapping(kind, id)?.local_id;
        self.row(kind, local)
    }

    /// Jobs of the sync queue.
    pub fn jobs(&self, status: JobStatus) -> Vec<Job> {
        let store = self.store.clone();
        let scope = self.everything();
        let filter = JobFilter {
            queue: Some(Queue::PmsSyncQueue),
            status: Some(status),
        };
        let page = PageRequest {
            limit: 1000,
            cursor: None,
        };
        block(async move { store.jobs(scope, &filter, &page).await })
            .map(|page| page.items)
            .unwrap_or_default()
    }

    /// Every conflict that ever was.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let (store, scope) = (self.store.clone(), self.everything());
        let page = PageRequest {
            limit: 1000,
            cursor: None,
        };
        let all = ConflictFilter::default();
        block(async move { store.conflicts(scope, &all, &page).await })
            .map(|page| page.items)
            .unwrap_or_default()
    }

    /// Every id that the vendor ever had, by kind.
    pub fn known(&self) -> BTreeMap<EntityKind, BTreeSet<String>> {
        let mut known: BTreeMap<EntityKind, BTreeSet<String>> = BTreeMap::new();
        for record in &self.vendor.lock().history {
            let ids = known.entry(record.kind).or_default();
            ids.insert(record.external_id.clone());
        }
        known
    }

    /// Everything that a run may write but cursor, run and job.
    pub fn snapshot(&self) -> String {
        let mut out = String::new();
        for (kind, ids) in self.known() {
            for id in ids {
                if let Some(mapping) = self.mapping(kind, &id) {
                    out.push_str(&json!([kind, id, mapping]).to_string());
                    if let Some(row) = self.row(kind, mapping.local_id) {
                        out.push_str(&json!(row).to_string());
                    }
                    out.push('\n');
                }
            }
        }
        out.push_str(&json!(self.conflicts()).to_string());
        let lines = self.store.journal(self.scope.organization_id).len();
        out.push_str(&lines.to_string());
        out
    }
}
