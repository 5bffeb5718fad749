use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    edit::{check_fields, check_version},
    jobs::Jobs,
    page,
    setup::sees,
    state::{MappingKey, MemoryStore, State, not_found},
};
use crate::{
    Error, Result,
    ids::{IntegrationId, SyncRunId},
    model::{ConflictStatus, Integration, RunMode, SyncRun},
    port::{
        Page, PageRequest,
        sync::{Cursor, Mapping, PageWrite, RowWrite, RunEnd, SyncStore},
    },
    tenant::TenantScope,
    transform::EntityKind,
};

const APPLY: &str = "memory.apply_page";

#[async_trait]
impl SyncStore for MemoryStore {
    async fn integration(
        &self,
        scope: TenantScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>> {
        Ok(self.lock().integration_in(scope, id).cloned())
    }

    async fn integrations(&self, scope: TenantScope) -> Result<Vec<Integration>> {
        let state = self.lock();
        let mut integrations: Vec<Integration> = state
            .integrations
            .values()
            .filter(|found| sees(scope, found.organization_id, found.property_id))
            .cloned()
            .collect();
        integrations.sort_by_key(|integration| (integration.created_at, integration.id));
        Ok(integrations)
    }

    async fn mappings(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        external_ids: &[String],
    ) -> Result<Vec<Mapping>> {
        let state = self.lock();
        if state.integration_in(scope, integration_id).is_none() {
            return Ok(Vec::new());
        }
        let wanted: HashSet<&String> = external_ids.iter().collect();
        Ok(wanted
            .into_iter()
            .filter_map(|id| state.mappings.get(&(integration_id, kind, id.clone())))
            .cloned()
            .collect())
    }

    async fn mappings_of(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        local_ids: &[Uuid],
    ) -> Result<Vec<Mapping>> {
        let state = self.lock();
        if state.integration_in(scope, integration_id).is_none() {
            return Ok(Vec::new());
        }
        let wanted: HashSet<Uuid> = local_ids.iter().copied().collect();
        Ok(wanted
            .into_iter()
            .filter_map(|id| state.mapped.get(&(integration_id, kind, id)))
            .filter_map(|external| {
                state
                    .mappings
                    .get(&(integration_id, kind, external.clone()))
            })
            .cloned()
            .collect())
    }

    async fn cursor(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        mode: RunMode,
    ) -> Result<Option<Cursor>> {
        let state = self.lock();
        Ok(state
            .integration_in(scope, integration_id)
            .and_then(|_| state.cursors.get(&(integration_id, kind, mode)))
            .cloned())
    }

    async fn apply_page(&self, page: PageWrite) -> Result<()> {
        let (mut state, now) = self.begin();
        // Everything is looked at before anything is written.
        state.check_page(&page, now)?;
        for row in page.rows {
            match row {
                RowWrite::Insert(row) => {
                    state.rows.insert((row.kind, row.id), row);
                }
                RowWrite::Update { kind, id, set, .. } => {
                    state.set_fields(kind, id, &set, now);
                }
            }
        }
        for mapping in page.mappings {
            let (integration, kind) = (mapping.integration_id, mapping.entity);
            let external = mapping.external_id.clone();
            let local = (integration, kind, mapping.local_id);
            let key = (integration, kind, external.clone());
            if let Some(before) = state.mappings.insert(key, mapping) {
                state.mapped.remove(&(integration, kind, before.local_id));
            }
            state.mapped.insert(local, external);
        }
        state.write_contacts(page.scope.organization_id, &page.contacts);
        state.add_changes(page.changes);
        for conflict in page.conflicts {
            state.conflicts.retain(|_, open| {
                open.status != ConflictStatus::Open
                    || (open.integration_id, open.entity, open.entity_id)
                        != (conflict.integration_id, conflict.entity, conflict.entity_id)
            });
            state.conflicts.insert(conflict.id, conflict);
        }
        for parked in page.parked {
            let job = parked.job(page.scope, page.integration_id);
            state.jobs.park(job, &parked.reason, &*self.clock);
        }
        for job in page.jobs {
            state.jobs.enqueue(job, &*self.clock);
        }
        if let Some(cursor) = page.cursor {
            let key = (cursor.integration_id, cursor.entity, cursor.mode);
            state.cursors.insert(key, cursor);
        }
        if let Some((id, counts)) = page.run
            && let Some(run) = state.runs.get_mut(&id)
        {
            run.read += counts.read;
            run.created += counts.created;
            run.updated += counts.updated;
            run.unchanged += counts.unchanged;
            run.parked += counts.parked;
            run.conflicts += counts.conflicts;
        }
        Ok(())
    }

    async fn begin_run(&self, scope: TenantScope, run: &SyncRun) -> Result<()> {
        let mut state = self.lock();
        state
            .integration_in(scope, run.integration_id)
            .ok_or_else(|| not_found("memory.begin_run", "integration"))?;
        state.runs.insert(run.id, run.clone());
        Ok(())
    }

    async fn end_run(&self, scope: TenantScope, id: SyncRunId, end: RunEnd) -> Result<()> {
        let (mut state, now) = self.begin();
        let run = state
            .runs
            .get_mut(&id)
            .filter(|run| run.organization_id == scope.organization_id)
            .ok_or_else(|| not_found("memory.end_run", "run"))?;
        run.status = end.status();
        run.error = end.reason().map(str::to_owned);
        run.finished_at = Some(now);
        Ok(())
    }

    async fn runs(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>> {
        let before: Option<SyncRunId> = page::after(page)?;
        let state = self.lock();
        let visible = state.integration_in(scope, integration_id).is_some();
        let runs = state
            .runs
            .iter()
            .rev()
            .filter(|(_, run)| visible && run.integration_id == integration_id)
            .filter(|(id, _)| before.is_none_or(|before| **id < before))
            .map(|(id, run)| (*id, run.clone()));
        Ok(page::cut(runs, page))
    }
}

impl State {
    fn check_page(&self, page: &PageWrite, now: DateTime<Utc>) -> Result<()> {
        Jobs::check_new(&page.jobs)?;
        if let Some(lease) = &page.lease {
            self.jobs.check(lease, now)?;
        }
        self.integration_in(page.scope, page.integration_id)
            .ok_or_else(|| not_found(APPLY, "integration"))?;
        let mut touched = HashSet::new();
        for row in &page.rows {
            let key = match row {
                RowWrite::Insert(row) => {
                    check_fields(APPLY, row.kind, &row.fields)?;
                    if row.organization_id != page.scope.organization_id {
                        return Err(Error::invalid(APPLY, "a row belongs to another tenant"));
                    }
                    if self.rows.contains_key(&(row.kind, row.id)) {
                        return Err(Error::conflict(APPLY, "a row exists already"));
                    }
                    (row.kind, row.id)
                }
                RowWrite::Update {
                    kind,
                    id,
                    expected_version,
                    set,
                } => {
                    check_fields(APPLY, *kind, set)?;
                    // A page names rows by their mappings: one that is gone was changed meanwhile.
                    let row = self
                        .rows
                        .get(&(*kind, *id))
                        .filter(|row| row.organization_id == page.scope.organization_id)
                        .ok_or_else(|| Error::conflict(APPLY, "a row is gone"))?;
                    check_version(APPLY, row, *expected_version)?;
                    (*kind, *id)
                }
            };
            if !touched.insert(key) {
                return Err(Error::conflict(APPLY, "a page names a row twice"));
            }
        }
        self.check_mappings(&page.mappings)
    }

    /// Refuses mappings that somebody else replaced, and a row under two external ids.
    fn check_mappings(&self, mappings: &[Mapping]) -> Result<()> {
        let mut external: HashSet<MappingKey> = HashSet::new();
        let mut local: HashMap<(IntegrationId, EntityKind, Uuid), &str> = HashMap::new();
        for mapping in mappings {
            let (integration, kind) = (mapping.integration_id, mapping.entity);
            let key = (integration, kind, mapping.external_id.clone());
            let stored = self.mappings.get(&key);
            if mapping.revision != stored.map_or(1, |stored| stored.revision + 1) {
                return Err(Error::conflict(APPLY, "a mapping was replaced meanwhile"));
            }
            let place = (integration, kind, mapping.local_id);
            let holder = local
                .insert(place, &mapping.external_id)
                .or_else(|| self.mapped.get(&place).map(String::as_str));
            let foreign = holder.is_some_and(|holder| holder != mapping.external_id);
            if foreign || !external.insert(key) {
                return Err(Error::conflict(APPLY, "a row is mapped already"));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl crate::port::conflict::Conflicts for MemoryStore {}
