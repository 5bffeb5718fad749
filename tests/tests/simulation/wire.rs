//! The ports of a store as one process sees them: with a pause around each call and, where a test
//! wants to be caught, with a fault in them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use stayzr_core::{
    Result,
    clock::{Clock, ManualClock},
    ids::{ChangeId, ConflictId, GuestId, IntegrationId, OrganizationId, SyncRunId},
    model::{
        Change, Conflict, Contact, Integration, Organization, ProviderDocument, RunMode, SyncRun,
    },
    port::{
        Page, PageRequest,
        conflict::{ConflictFilter, Conflicts, ResolveWrite},
        edit::{ChangeFilter, CreateWrite, EditWrite, Edits},
        entities::{ContactOwner, Entities, EntityFilter, RowRef},
        sync::{Cursor, MappedRecord, Mapping, PageWrite, RowWrite, RunEnd, SyncStore},
    },
    store::memory::MemoryStore,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow},
};
use uuid::Uuid;

use crate::{faults::Fault, pause::pause};

/// A store behind pauses.
pub struct Wire {
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    fault: Option<Fault>,
    /// A fault that needs a crash between two halves asks for it here.
    torn: AtomicBool,
    /// Something was written under a lease that was lost.
    pub overran: AtomicBool,
}

impl Wire {
    pub fn new(store: Arc<MemoryStore>, clock: Arc<ManualClock>, fault: Option<Fault>) -> Self {
        Self {
            store,
            clock,
            fault,
            torn: AtomicBool::new(false),
            overran: AtomicBool::new(false),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// What the engine would write if it had the fault.
    async fn spoil(&self, page: &mut PageWrite) -> Result<()> {
        let Some(fault) = self.fault else {
            return Ok(());
        };
        match fault {
            Fault::RowVersionUnchecked => {
                for row in &mut page.rows {
                    if let RowWrite::Update {
                        kind,
                        id,
                        expected_version,
                        ..
                    } = row
                        && let Some(row) = self.store.row(page.scope, *kind, *id).await?
                    {
                        *expected_version = row.version;
                    }
                }
            }
            Fault::RevisionUnchecked => {
                for mapping in &mut page.mappings {
                    let ids = [mapping.external_id.clone()];
                    let stored = self
                        .store
                        .mappings(page.scope, mapping.integration_id, mapping.entity, &ids)
                        .await?;
                    mapping.revision = stored.first().map_or(1, |stored| stored.revision + 1);
                }
            }
            Fault::BaseKeptAfterPush | Fault::BaseIsRow => {
                for mapping in &mut page.mappings {
                    let ids = [mapping.external_id.clone()];
                    let stored = self
                        .store
                        .mappings(page.scope, mapping.integration_id, mapping.entity, &ids)
                        .await?;
                    let Some(stored) = stored.first() else {
                        continue;
                    };
                    let row = self
                        .store
                        .row(page.scope, mapping.entity, mapping.local_id)
                        .await?;
                    if fault == Fault::BaseKeptAfterPush && page.run.is_none() {
                        mapping.base.clone_from(&stored.base);
                    }
                    if fault == Fault::BaseIsRow
                        && let Some(row) = row
                    {
                        let names: Vec<String> = mapping.base.names().map(str::to_owned).collect();
                        let names = names.iter().map(String::as_str);
                        mapping.base.extend(&row.fields.only(names));
                    }
                }
            }
            Fault::PushDropped => page.jobs.retain(|job| {
                job.payload.get("type").and_then(|name| name.as_str()) != Some("push")
            }),
            Fault::JournalDropped => page.changes.clear(),
            Fault::MergeNotFollowed => page.merges.clear(),
            Fault::LeaseUnchecked => page.lease = None,
            Fault::WatermarkOfOurClock => {
                if let Some(cursor) = &mut page.cursor
                    && cursor.watermark.is_some()
                {
                    cursor.watermark = Some(self.clock.now());
                }
            }
            Fault::WaitingApplied => {
                for conflict in &page.conflicts {
                    if let Some(row) = self
                        .store
                        .row(page.scope, conflict.entity, conflict.entity_id)
                        .await?
                        && !conflict.waiting.is_empty()
                    {
                        page.rows.push(RowWrite::Update {
                            kind: conflict.entity,
                            id: conflict.entity_id,
                            expected_version: row.version,
                            set: conflict.waiting.clone(),
                        });
                    }
                }
            }
            Fault::ConflictForgotten => page.conflicts.clear(),
            Fault::ReadUntold => page.read.clear(),
            Fault::ContactsForgotten => page.contacts.clear(),
            Fault::GoneUnmarked => {
                for mapping in &mut page.mappings {
                    mapping.gone_at = None;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn read(&self, mut mappings: Vec<Mapping>) -> Vec<Mapping> {
        for mapping in &mut mappings {
            if self.has(Fault::MarkIgnored) {
                mapping.version = None;
            }
            if self.has(Fault::NotesForgotten) {
                mapping.extra = serde_json::Value::Null;
            }
        }
        mappings
    }
}

#[async_trait]
impl SyncStore for Wire {
    async fn integration(
        &self,
        scope: TenantScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>> {
        pause().await;
        self.store.integration(scope, id).await
    }

    async fn integrations(&self, scope: TenantScope) -> Result<Vec<Integration>> {
        pause().await;
        self.store.integrations(scope).await
    }

    async fn mappings(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        external_ids: &[String],
    ) -> Result<Vec<Mapping>> {
        pause().await;
        let found = self
            .store
            .mappings(scope, integration_id, kind, external_ids)
            .await?;
        pause().await;
        Ok(self.read(found))
    }

    async fn mappings_of(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        local_ids: &[Uuid],
    ) -> Result<Vec<Mapping>> {
        pause().await;
        let found = self
            .store
            .mappings_of(scope, integration_id, kind, local_ids)
            .await?;
        pause().await;
        Ok(self.read(found))
    }

    async fn cursor(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        mode: RunMode,
    ) -> Result<Option<Cursor>> {
        pause().await;
        self.store.cursor(scope, integration_id, kind, mode).await
    }

    async fn apply_page(&self, mut page: PageWrite) -> Result<()> {
        pause().await;
        // A page of nothing tells whether the lease holds.
        let held = PageWrite {
            lease: page.lease.clone(),
            ..PageWrite::new(page.scope, page.integration_id)
        };
        if self.fault.is_some() {
            self.spoil(&mut page).await?;
        }
        if self.has(Fault::CursorBeforePage) && page.cursor.is_some() {
            // The place is saved, and now and then the process is no more before the page is.
            let place = PageWrite {
                cursor: page.cursor.take(),
                lease: page.lease.clone(),
                ..PageWrite::new(page.scope, page.integration_id)
            };
            self.store.apply_page(place).await?;
            if !self.torn.fetch_xor(true, Ordering::Relaxed) {
                return Err(stayzr_core::Error::unavailable("simulation", "died"));
            }
        }
        let done = self.store.apply_page(page).await;
        if done.is_ok() && self.store.apply_page(held).await.is_err() {
            self.overran.store(true, Ordering::Relaxed);
        }
        pause().await;
        done
    }

    async fn begin_run(&self, scope: TenantScope, run: &SyncRun) -> Result<()> {
        pause().await;
        self.store.begin_run(scope, run).await
    }

    async fn end_run(&self, scope: TenantScope, id: SyncRunId, end: RunEnd) -> Result<()> {
        pause().await;
        self.store.end_run(scope, id, end).await
    }

    async fn mapped(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<MappedRecord>> {
        pause().await;
        self.store
            .mapped(scope, integration_id, kind, after, limit)
            .await
    }

    async fn mapped_count(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
    ) -> Result<u64> {
        pause().await;
        self.store.mapped_count(scope, integration_id, kind).await
    }

    async fn provider_document(
        &self,
        scope: TenantScope,
        provider: &str,
    ) -> Result<Option<ProviderDocument>> {
        pause().await;
        self.store.provider_document(scope, provider).await
    }

    async fn runs(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>> {
        self.store.runs(scope, integration_id, page).await
    }
}

#[async_trait]
impl Entities for Wire {
    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>> {
        self.store.organization(id).await
    }

    async fn row(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        id: Uuid,
    ) -> Result<Option<EntityRow>> {
        pause().await;
        self.store.row(scope, kind, id).await
    }

    async fn rows(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        filter: &EntityFilter,
        page: &PageRequest,
    ) -> Result<Page<EntityRow>> {
        pause().await;
        let rows = self.store.rows(scope, kind, filter, page).await;
        pause().await;
        rows
    }

    async fn external_refs(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        ids: &[Uuid],
    ) -> Result<Vec<RowRef>> {
        self.store.external_refs(scope, kind, ids).await
    }

    async fn contact_owners(
        &self,
        scope: TenantScope,
        contacts: &[Contact],
    ) -> Result<Vec<ContactOwner>> {
        pause().await;
        self.store.contact_owners(scope, contacts).await
    }

    async fn guest_by_contact(
        &self,
        scope: TenantScope,
        contacts: &[Contact],
    ) -> Result<Option<GuestId>> {
        pause().await;
        self.store.guest_by_contact(scope, contacts).await
    }
}

#[async_trait]
impl Edits for Wire {
    async fn apply_edit(&self, edit: EditWrite) -> Result<EntityRow> {
        pause().await;
        self.store.apply_edit(edit).await
    }

    async fn create_row(&self, create: CreateWrite) -> Result<EntityRow> {
        pause().await;
        self.store.create_row(create).await
    }

    async fn change(&self, scope: TenantScope, id: ChangeId) -> Result<Option<Change>> {
        self.store.change(scope, id).await
    }

    async fn changes(
        &self,
        scope: TenantScope,
        filter: &ChangeFilter,
        page: &PageRequest,
    ) -> Result<Page<Change>> {
        self.store.changes(scope, filter, page).await
    }
}

#[async_trait]
impl Conflicts for Wire {
    async fn conflict(&self, scope: TenantScope, id: ConflictId) -> Result<Option<Conflict>> {
        pause().await;
        self.store.conflict(scope, id).await
    }

    async fn conflicts(
        &self,
        scope: TenantScope,
        filter: &ConflictFilter,
        page: &PageRequest,
    ) -> Result<Page<Conflict>> {
        pause().await;
        Conflicts::conflicts(&*self.store, scope, filter, page).await
    }

    async fn resolve_conflict(&self, resolve: ResolveWrite) -> Result<Conflict> {
        pause().await;
        self.store.resolve_conflict(resolve).await
    }
}
