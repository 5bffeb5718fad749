//! Edits made here, and the journal of all changes.

use async_trait::async_trait;
use uuid::Uuid;

use super::{Page, PageRequest, sync::ContactWrite};
use crate::{
    Result,
    model::Change,
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

/// Edits and the journal.
#[async_trait]
pub trait Edits: Send + Sync {
    /// Applies an edit and returns the row as it stands then, its version one higher.
    /// [`crate::ErrorKind::NotFound`] if the row is not in scope; [`crate::ErrorKind::Conflict`],
    /// and nothing written, if its version is another.
    async fn apply_edit(&self, edit: EditWrite) -> Result<EntityRow>;

    /// The journal of a row, the newest line first.
    async fn changes(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        id: Uuid,
        page: &PageRequest,
    ) -> Result<Page<Change>>;
}
