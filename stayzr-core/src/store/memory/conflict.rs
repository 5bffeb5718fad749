use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    edit::{check_fields, check_version},
    jobs::Jobs,
    page,
    state::{MemoryStore, State, not_found},
};
use crate::{
    Error, Result,
    ids::{ConflictId, IntegrationId},
    model::{Conflict, ConflictStatus, Resolution, ResolutionChoice},
    port::{
        Page, PageRequest,
        conflict::{ConflictFilter, Conflicts, ResolveWrite},
        sync::SettledConflict,
    },
    tenant::TenantScope,
    transform::EntityKind,
};

const RESOLVE: &str = "memory.resolve_conflict";

#[async_trait]
impl Conflicts for MemoryStore {
    async fn conflict(&self, scope: TenantScope, id: ConflictId) -> Result<Option<Conflict>> {
        Ok(self.lock().conflict_in(scope, id).cloned())
    }

    async fn conflicts(
        &self,
        scope: TenantScope,
        filter: &ConflictFilter,
        page: &PageRequest,
    ) -> Result<Page<Conflict>> {
        let before: Option<ConflictId> = page::after(page)?;
        let state = self.lock();
        let conflicts = state
            .conflicts
            .keys()
            .rev()
            .filter(|id| before.is_none_or(|before| **id < before))
            .filter_map(|id| state.conflict_in(scope, *id))
            .filter(|conflict| matches(filter, conflict))
            .map(|conflict| (conflict.id, conflict.clone()));
        Ok(page::cut(conflicts, page))
    }

    async fn resolve_conflict(&self, resolve: ResolveWrite) -> Result<Conflict> {
        Jobs::check_new(&resolve.jobs)?;
        let (mut state, now) = self.begin();
        let conflict = state.check_resolve(&resolve)?;
        let (organization, kind, id) = (
            conflict.organization_id,
            conflict.entity,
            conflict.entity_id,
        );
        if !resolve.set.is_empty() {
            state.set_fields(kind, id, &resolve.set, now);
        }
        state.put_mapping(resolve.mapping);
        state.write_contacts(organization, &resolve.contacts);
        state.add_changes(resolve.changes);
        for job in resolve.jobs {
            state.jobs.enqueue(job, &*self.clock);
        }
        let conflict = state
            .conflicts
            .get_mut(&resolve.id)
            .ok_or_else(|| not_found(RESOLVE, "conflict"))?;
        close(conflict, resolve.resolution, now);
        Ok(conflict.clone())
    }
}

fn matches(filter: &ConflictFilter, conflict: &Conflict) -> bool {
    let of = filter.integration_id;
    filter.status.is_none_or(|status| conflict.status == status)
        && of.is_none_or(|integration| conflict.integration_id == integration)
        && filter.entity.is_none_or(|kind| conflict.entity == kind)
        && filter.entity_id.is_none_or(|id| conflict.entity_id == id)
}

fn close(conflict: &mut Conflict, resolution: Resolution, now: DateTime<Utc>) {
    conflict.status = ConflictStatus::Resolved;
    conflict.resolution = Some(resolution);
    conflict.revision += 1;
    conflict.updated_at = now;
}

impl State {
    /// A conflict of an integration that a scope sees.
    fn conflict_in(&self, scope: TenantScope, id: ConflictId) -> Option<&Conflict> {
        let conflict = self.conflicts.get(&id)?;
        self.integration_in(scope, conflict.integration_id)?;
        Some(conflict)
    }

    /// Refuses a decision about what is not as it was seen.
    fn check_resolve(&self, resolve: &ResolveWrite) -> Result<Conflict> {
        let changed = || Error::conflict(RESOLVE, "it was changed meanwhile: read it again");
        let conflict = self
            .conflict_in(resolve.scope, resolve.id)
            .ok_or_else(|| not_found(RESOLVE, "conflict"))?;
        if conflict.status != ConflictStatus::Open {
            return Err(Error::conflict(RESOLVE, "it is not open any more"));
        }
        check_fields(RESOLVE, conflict.entity, &resolve.set)?;
        let row = self
            .rows
            .get(&(conflict.entity, conflict.entity_id))
            .ok_or_else(changed)?;
        check_version(RESOLVE, row, resolve.expected_version)?;
        let mapping = &resolve.mapping;
        let about = (conflict.integration_id, conflict.entity, conflict.entity_id);
        if (mapping.integration_id, mapping.entity, mapping.local_id) != about {
            return Err(Error::invalid(RESOLVE, "the mapping is of another row"));
        }
        let (of, kind) = (mapping.integration_id, mapping.entity);
        let stored = self
            .mappings
            .get(&(of, kind, mapping.external_id.clone()))
            .filter(|stored| stored.local_id == mapping.local_id);
        let next = stored.map(|stored| stored.revision + 1);
        if conflict.revision != resolve.expected_revision || next != Some(mapping.revision) {
            return Err(changed());
        }
        Ok(conflict.clone())
    }

    fn open_about(
        &mut self,
        about: (IntegrationId, EntityKind, uuid::Uuid),
    ) -> Option<&mut Conflict> {
        self.conflicts.values_mut().find(|found| {
            found.status == ConflictStatus::Open
                && (found.integration_id, found.entity, found.entity_id) == about
        })
    }

    /// Opens a conflict, or brings the one that is open about the same row up to date.
    pub(super) fn open_conflict(&mut self, new: Conflict) {
        let about = (new.integration_id, new.entity, new.entity_id);
        match self.open_about(about) {
            Some(open) => {
                *open = Conflict {
                    id: open.id,
                    created_at: open.created_at,
                    revision: open.revision + 1,
                    ..new
                };
            }
            None => {
                self.conflicts.insert(new.id, new);
            }
        }
    }

    /// Ends an open conflict that both sides ended by themselves.
    pub(super) fn settle_conflict(
        &mut self,
        integration_id: IntegrationId,
        settled: &SettledConflict,
        now: DateTime<Utc>,
    ) {
        let about = (integration_id, settled.entity, settled.entity_id);
        let row = self.rows.get(&(settled.entity, settled.entity_id));
        let fields = row.map(|row| row.fields.clone()).unwrap_or_default();
        if let Some(open) = self.open_about(about) {
            let resolution = Resolution {
                choice: ResolutionChoice::Converged,
                fields: fields.only(open.remote.names()),
                source: None,
                at: now,
            };
            close(open, resolution, now);
        }
    }
}
