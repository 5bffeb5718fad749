//! Conflicts that wait for a person, and what a person decided.

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    Page, PageRequest,
    sync::{ContactWrite, Mapping},
};
use crate::{
    Result,
    ids::{ConflictId, IntegrationId},
    model::{Change, Conflict, ConflictStatus, Resolution},
    queue::NewJob,
    tenant::TenantScope,
    transform::{EntityKind, FieldMap},
};

/// Which conflicts to list. What is not set does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConflictFilter {
    /// Where they stand.
    pub status: Option<ConflictStatus>,
    /// Of this integration.
    pub integration_id: Option<IntegrationId>,
    /// About rows of this kind.
    pub entity: Option<EntityKind>,
    /// About this row.
    pub entity_id: Option<Uuid>,
}

/// A decision: what to set, what both sides agree on since, what to journal, what follows. Atomic.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolveWrite {
    /// Whose conflict.
    pub scope: TenantScope,
    /// The conflict.
    pub id: ConflictId,
    /// Its revision that the decision saw.
    pub expected_revision: i64,
    /// What was decided.
    pub resolution: Resolution,
    /// The version of the row that the decision saw.
    pub expected_version: i64,
    /// Fields to set in the row; none leaves it and its version as they are.
    pub set: FieldMap,
    /// The mapping with its new base, its revision one higher than the stored one.
    pub mapping: Mapping,
    /// Addresses of the guest that change with it.
    pub contacts: Vec<ContactWrite>,
    /// Lines of the journal.
    pub changes: Vec<Change>,
    /// Jobs, such as the push of what was chosen here.
    pub jobs: Vec<NewJob>,
}

/// Conflicts. They are opened by [`super::sync::SyncStore::apply_page`].
#[async_trait]
pub trait Conflicts: Send + Sync {
    /// One conflict. With a property in the scope, only one of an integration of that property.
    async fn conflict(&self, scope: TenantScope, id: ConflictId) -> Result<Option<Conflict>>;

    /// Conflicts, the newest first. With a property in the scope, those of its integrations.
    async fn conflicts(
        &self,
        scope: TenantScope,
        filter: &ConflictFilter,
        page: &PageRequest,
    ) -> Result<Page<Conflict>>;

    /// Ends an open conflict with everything that follows from it, and returns it as it stands
    /// then. [`crate::ErrorKind::NotFound`] if it is not in scope; [`crate::ErrorKind::Conflict`],
    /// and nothing written, if it is not open any more, or it, its row or its mapping has changed
    /// since it was read.
    async fn resolve_conflict(&self, resolve: ResolveWrite) -> Result<Conflict>;
}
