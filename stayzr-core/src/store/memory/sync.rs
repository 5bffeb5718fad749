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
    ids::{GuestId, IntegrationId, SyncRunId},
    model::{Contact, Integration, ProviderDocument, RunMode, SyncRun},
    port::{
        Page, PageRequest,
        sync::{Cursor, GuestMerge, MappedRecord, Mapping, PageWrite, RowWrite, RunEnd, SyncStore},
    },
    queue::Queue,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow},
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
        let mut merges = state.strays(&page);
        let read_again = page.read_again();
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
        let organization = page.scope.organization_id;
        let lane = (Queue::PmsSyncQueue, Some(organization));
        for key in read_again {
            state.jobs.unpark(lane, key, now);
        }
        for mapping in page.mappings {
            state.put_mapping(mapping);
        }
        state.write_contacts(organization, &page.contacts);
        merges.extend(page.merges);
        state.merge_guests(organization, page.integration_id, &merges, now);
        state.add_changes(page.changes);
        for conflict in page.conflicts {
            state.open_conflict(conflict);
        }
        for settled in page.settled {
            state.settle_conflict(page.integration_id, &settled, now);
        }
        for parked in page.parked {
            let job = parked.job(page.scope, page.integration_id);
            if state.jobs.park(job, &parked.reason, &*self.clock) {
                let line = parked.change(&*self.clock, page.scope, page.integration_id);
                state.add_changes(vec![line]);
            }
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
            run.unknown += counts.unknown;
            run.gone += counts.gone;
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

    async fn mapped(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<MappedRecord>> {
        let state = self.lock();
        let standing = state.standing(scope, integration_id, kind);
        Ok(standing
            .filter(|mapping| after.is_none_or(|after| mapping.external_id.as_str() > after))
            .take(limit as usize)
            .map(|mapping| MappedRecord {
                external_id: mapping.external_id.clone(),
                local_id: mapping.local_id,
            })
            .collect())
    }

    async fn mapped_count(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
    ) -> Result<u64> {
        let state = self.lock();
        let standing = state.standing(scope, integration_id, kind);
        Ok(standing
            .filter(|mapping| mapping.merged_into.is_none())
            .count() as u64)
    }

    async fn provider_document(
        &self,
        scope: TenantScope,
        provider: &str,
    ) -> Result<Option<ProviderDocument>> {
        let state = self.lock();
        let key = (scope.organization_id, provider.to_owned());
        Ok(state.provider_documents.get(&key).cloned())
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
    /// Merges to repeat: those of guests that the page's rows link to although they were merged
    /// before, because links were followed too early.
    fn strays(&self, page: &PageWrite) -> Vec<GuestMerge> {
        let linked = page.linked_guests().into_iter();
        linked
            .filter_map(|id| {
                let row = self.rows.get(&(EntityKind::Guest, id))?;
                let into = row.fields.text("merged_into")?.parse().ok()?;
                let from = GuestId::from(id);
                Some(GuestMerge { from, into })
            })
            .collect()
    }

    /// Addresses that led to nobody still do.
    fn check_claims(&self, page: &PageWrite) -> Result<()> {
        let taken = |contact: &Contact| {
            let organization = page.scope.organization_id;
            let key = (organization, contact.channel, contact.address.clone());
            self.contacts.get(&key).is_some_and(|entry| {
                !page.contacts.iter().any(|write| {
                    write.guest_id == entry.guest_id
                        && write.channel == contact.channel
                        && write.address.as_ref() == Some(&contact.address)
                })
            })
        };
        match page.unclaimed.iter().any(taken) {
            true => Err(Error::conflict(
                APPLY,
                "an address came to lead to somebody else: read and merge again",
            )),
            false => Ok(()),
        }
    }

    fn check_page(&self, page: &PageWrite, now: DateTime<Utc>) -> Result<()> {
        Jobs::check_new(&page.jobs)?;
        if let Some(lease) = &page.lease {
            self.jobs.check(lease, now)?;
        }
        self.integration_in(page.scope, page.integration_id)
            .ok_or_else(|| not_found(APPLY, "integration"))?;
        self.check_claims(page)?;
        let mut touched = HashSet::new();
        let mut made = HashSet::new();
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
                    made.insert((row.kind, row.id));
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
        for guest in page
            .merges
            .iter()
            .flat_map(|merge| [merge.from, merge.into])
        {
            let key = (EntityKind::Guest, guest.uuid());
            let ours = |row: &EntityRow| row.organization_id == page.scope.organization_id;
            if !made.contains(&key) && !self.rows.get(&key).is_some_and(ours) {
                return Err(Error::conflict(APPLY, "a guest is gone"));
            }
        }
        self.check_mappings(&page.mappings)
    }

    /// Mappings of records that are not gone, in order of the vendor's ids.
    fn standing(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
    ) -> impl Iterator<Item = &Mapping> {
        let visible = self.integration_in(scope, integration_id).is_some();
        self.mappings
            .range((integration_id, kind, String::new())..)
            .take_while(move |((of, of_kind, _), _)| (*of, *of_kind) == (integration_id, kind))
            .map(|(_, mapping)| mapping)
            .filter(move |_| visible)
            .filter(|mapping| mapping.gone_at.is_none())
    }

    /// Makes or replaces a mapping.
    pub(super) fn put_mapping(&mut self, mapping: Mapping) {
        let (integration, kind) = (mapping.integration_id, mapping.entity);
        let external = mapping.external_id.clone();
        let local = (integration, kind, mapping.local_id);
        let key = (integration, kind, external.clone());
        if let Some(before) = self.mappings.insert(key, mapping) {
            self.mapped.remove(&(integration, kind, before.local_id));
        }
        self.mapped.insert(local, external);
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
