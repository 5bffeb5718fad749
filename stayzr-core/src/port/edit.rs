//! Edits made here, and the journal of all changes.

use async_trait::async_trait;
use uuid::Uuid;

use super::{Page, PageRequest, sync::ContactWrite};
use crate::{
    Result,
    ids::ChangeId,
    model::{Change, ChangeOutcome},
    queue::NewJob,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};

/// An edit: what to set, what to journal, what follows. Atomic.
#[derive(Debug, Clone, PartialEq)]
pub struct EditWrite {
    /// Whose row.
    pub scope: TenantScope,
    /// What kind of row.
    pub kind: EntityKind,
    /// The row.
    pub id: Uuid,
    /// The version that the editor saw.
    pub expected_version: i64,
    /// Fields to set.
    pub set: FieldMap,
    /// Addresses of the guest that change with it.
    pub contacts: Vec<ContactWrite>,
    /// Lines of the journal.
    pub changes: Vec<Change>,
    /// Jobs, such as the push to the PMS.
    pub jobs: Vec<NewJob>,
}

/// A row that is made here. Atomic.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateWrite {
    /// Whose row.
    pub scope: TenantScope,
    /// The row, its version 1.
    pub row: EntityRow,
    /// Addresses of the guest that come with it.
    pub contacts: Vec<ContactWrite>,
    /// Lines of the journal.
    pub changes: Vec<Change>,
    /// Jobs, such as the push to the PMS.
    pub jobs: Vec<NewJob>,
}

/// Which lines of the journal to list. What is not set does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// About rows of this kind.
    pub entity: Option<EntityKind>,
    /// About this row.
    pub entity_id: Option<Uuid>,
    /// About the record with this id at a vendor.
    pub external_id: Option<String>,
    /// With this outcome.
    pub outcome: Option<ChangeOutcome>,
}

impl ChangeFilter {
    /// The journal of a row.
    pub fn of(entity: EntityKind, entity_id: Uuid) -> Self {
        Self {
            entity: Some(entity),
            entity_id: Some(entity_id),
            ..Self::default()
        }
    }
}

/// Edits and the journal.
#[async_trait]
pub trait Edits: Send + Sync {
    /// Applies an edit and returns the row as it stands then, its version one higher.
    /// [`crate::ErrorKind::NotFound`] if the row is not in scope; [`crate::ErrorKind::Conflict`],
    /// and nothing written, if its version is another.
    async fn apply_edit(&self, edit: EditWrite) -> Result<EntityRow>;

    /// Stores a row that is made here, and returns it. [`crate::ErrorKind::NotFound`] if it is not
    /// of the scope, [`crate::ErrorKind::Conflict`] if a row with its id is there; nothing is
    /// written then.
    async fn create_row(&self, create: CreateWrite) -> Result<EntityRow>;

    /// One line of the journal, as far as [`Edits::changes`] shows it.
    async fn change(&self, scope: TenantScope, id: ChangeId) -> Result<Option<Change>>;

    /// The journal, the newest line first. With a property in the scope, lines about rows that
    /// [`super::entities::Entities`] shows there.
    async fn changes(
        &self,
        scope: TenantScope,
        filter: &ChangeFilter,
        page: &PageRequest,
    ) -> Result<Page<Change>>;
}
