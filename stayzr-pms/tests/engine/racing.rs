//! A store in which something else happens at the worst moment, once.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use stayzr_core::{
    Result,
    ids::{IntegrationId, SyncRunId},
    model::{Integration, ProviderDocument, RunMode, SyncRun},
    port::{
        Page, PageRequest,
        sync::{Cursor, MappedRecord, Mapping, PageWrite, SyncStore},
    },
    tenant::TenantScope,
    transform::EntityKind,
};
use uuid::Uuid;

use crate::hotel::Ports;

type Event = Pin<Box<dyn Future<Output = ()> + Send>>;

pub struct Racing {
    store: Arc<dyn Ports>,
    after_mappings: Mutex<Option<Event>>,
    before_apply: Mutex<Option<Event>>,
}

impl Racing {
    pub fn new(store: Arc<dyn Ports>) -> Self {
        Self {
            store,
            after_mappings: Mutex::default(),
            before_apply: Mutex::default(),
        }
    }

    /// Happens once mappings were read.
    pub fn after_mappings(&self, event: impl Future<Output = ()> + Send + 'static) {
        *self.after_mappings.lock().unwrap() = Some(Box::pin(event));
    }

    /// Happens just before a page is written.
    pub fn before_apply(&self, event: impl Future<Output = ()> + Send + 'static) {
        *self.before_apply.lock().unwrap() = Some(Box::pin(event));
    }
}

async fn happen(event: &Mutex<Option<Event>>) {
    let event = event.lock().unwrap().take();
    if let Some(event) = event {
        event.await;
    }
}

#[async_trait]
impl SyncStore for Racing {
    async fn integration(
        &self,
        scope: TenantScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>> {
        self.store.integration(scope, id).await
    }

    async fn integrations(&self, scope: TenantScope) -> Result<Vec<Integration>> {
        self.store.integrations(scope).await
    }

    async fn mappings(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        external_ids: &[String],
    ) -> Result<Vec<Mapping>> {
        let found = self
            .store
            .mappings(scope, integration_id, kind, external_ids)
            .await;
        happen(&self.after_mappings).await;
        found
    }

    async fn mappings_of(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        local_ids: &[Uuid],
    ) -> Result<Vec<Mapping>> {
        self.store
            .mappings_of(scope, integration_id, kind, local_ids)
            .await
    }

    async fn cursor(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        mode: RunMode,
    ) -> Result<Option<Cursor>> {
        self.store.cursor(scope, integration_id, kind, mode).await
    }

    async fn apply_page(&self, page: PageWrite) -> Result<()> {
        happen(&self.before_apply).await;
        self.store.apply_page(page).await
    }

    async fn begin_run(&self, scope: TenantScope, run: &SyncRun) -> Result<()> {
        self.store.begin_run(scope, run).await
    }

    async fn end_run(
        &self,
        scope: TenantScope,
        id: SyncRunId,
        end: stayzr_core::port::sync::RunEnd,
    ) -> Result<()> {
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
        self.store.mapped_count(scope, integration_id, kind).await
    }

    async fn provider_document(
        &self,
        scope: TenantScope,
        provider: &str,
    ) -> Result<Option<ProviderDocument>> {
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
