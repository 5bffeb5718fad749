//! What the sync engine keeps: integrations, mappings with their base, cursors, runs.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Page, PageRequest};
use crate::{
    Result,
    ids::{GuestId, IntegrationId, SyncRunId},
    model::{Change, Conflict, ContactChannel, Integration, RunMode, SyncRun},
    queue::{Lease, NewJob, Queue},
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};

/// Which row here is which record there, and what both sides last agreed on. Unique both ways for
/// (integration, kind).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// The integration.
    pub integration_id: IntegrationId,
    /// What kind of row.
    pub entity: EntityKind,
    /// The vendor's id.
    pub external_id: String,
    /// Our id.
    pub local_id: Uuid,
    /// The last state both sides agreed on.
    pub base: FieldMap,
    /// The vendor's own mark of the newest state seen (Mews: `UpdatedUtc`), compared only with
    /// marks of the same vendor.
    pub version: Option<String>,
    /// Hash of the newest record seen, links and extra included.
    pub hash: String,
    /// What the record holds beyond our model.
    pub extra: Value,
    /// The record that this one was merged into at the vendor.
    pub merged_into: Option<String>,
    /// Counts the writes of this mapping, from 1. A page that writes a mapping names the revision
    /// it read plus one, so that two who read the same mapping cannot both replace it.
    pub revision: i64,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
}

/// A row to make or to change.
#[derive(Debug, Clone, PartialEq)]
pub enum RowWrite {
    /// Make this row.
    Insert(EntityRow),
    /// Set these fields of a row that still has this version.
    Update {
        /// What kind of row.
        kind: EntityKind,
        /// The row.
        id: Uuid,
        /// The version that the merge saw.
        expected_version: i64,
        /// Fields to set.
        set: FieldMap,
    },
}

/// A guest's address of a kind is now this: the guest's other addresses of the same kind that came
/// from the same place go, and an address that leads to another guest stays with that guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactWrite {
    /// The guest.
    pub guest_id: GuestId,
    /// What kind of address.
    pub channel: ContactChannel,
    /// The address in the form that is compared; none takes it away.
    pub address: Option<String>,
}

/// Where a run goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The integration.
    pub integration_id: IntegrationId,
    /// What kind of records.
    pub entity: EntityKind,
    /// Of which kind of run; each mode has its own cursor.
    pub mode: RunMode,
    /// The provider's position in a run that is not over; none once it is.
    pub position: Option<Value>,
    /// The vendor's time up to which everything has been read.
    pub watermark: Option<DateTime<Utc>>,
}

/// A record put aside: it cannot be read, the rest of the page goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedRecord {
    /// What kind of record.
    pub entity: EntityKind,
    /// The vendor's id, where it has one.
    pub external_id: Option<String>,
    /// Why, naming the vendor's field.
    pub reason: String,
}

impl ParkedRecord {
    /// The job that stands FAILED for this record; retried, it reads the record again. Its payload
    /// is `{"type":"targeted","integration_id","kind","ids":[…]}`, its dedupe key names the record,
    /// so that a record which stays unreadable is shown once.
    pub fn job(&self, scope: TenantScope, integration_id: IntegrationId) -> NewJob {
        let ids: Vec<&str> = self.external_id.as_deref().into_iter().collect();
        let payload = serde_json::json!({
            "type": "targeted",
            "integration_id": integration_id,
            "kind": self.entity,
            "ids": ids,
        });
        let name = self.external_id.as_deref().unwrap_or(&self.reason);
        NewJob::new(Queue::PmsSyncQueue, scope, payload)
            .dedupe(format!("parked:{integration_id}:{}:{name}", self.entity))
    }
}

/// Counts that a page adds to its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunCounts {
    /// Records read.
    pub read: i64,
    /// Rows made.
    pub created: i64,
    /// Rows changed.
    pub updated: i64,
    /// Records that changed nothing.
    pub unchanged: i64,
    /// Records put aside.
    pub parked: i64,
    /// Conflicts opened.
    pub conflicts: i64,
}

/// Everything that follows from one page of records. Atomic.
#[derive(Debug, Clone, PartialEq)]
pub struct PageWrite {
    /// Whose page.
    pub scope: TenantScope,
    /// The integration.
    pub integration_id: IntegrationId,
    /// The lease under which it was read; lost means nothing is written.
    pub lease: Option<Lease>,
    /// The run it belongs to, and what it adds to its counts.
    pub run: Option<(SyncRunId, RunCounts)>,
    /// Rows to make or change.
    pub rows: Vec<RowWrite>,
    /// Mappings to make or replace, by (integration, kind, external id). One whose revision is not
    /// the stored one plus one (1 where none is stored), or whose row has a mapping already under
    /// another external id, is a conflict.
    pub mappings: Vec<Mapping>,
    /// Addresses of guests.
    pub contacts: Vec<ContactWrite>,
    /// Lines of the journal.
    pub changes: Vec<Change>,
    /// Conflicts to open; one that is open for the same row is replaced.
    pub conflicts: Vec<Conflict>,
    /// Records put aside; each becomes a FAILED job of the sync queue with its reason.
    pub parked: Vec<ParkedRecord>,
    /// Jobs, such as pushes.
    pub jobs: Vec<NewJob>,
    /// Where the run goes on.
    pub cursor: Option<Cursor>,
}

impl PageWrite {
    /// A page that changes nothing yet.
    pub fn new(scope: TenantScope, integration_id: IntegrationId) -> Self {
        Self {
            scope,
            integration_id,
            lease: None,
            run: None,
            rows: Vec::new(),
            mappings: Vec::new(),
            contacts: Vec::new(),
            changes: Vec::new(),
            conflicts: Vec::new(),
            parked: Vec::new(),
            jobs: Vec::new(),
            cursor: None,
        }
    }
}

/// What the sync engine keeps.
#[async_trait]
pub trait SyncStore: Send + Sync {
    /// An integration with its sealed credentials.
    async fn integration(
        &self,
        scope: TenantScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>>;

    /// Integrations of a scope, the oldest first.
    async fn integrations(&self, scope: TenantScope) -> Result<Vec<Integration>>;

    /// Mappings of these records, in one query.
    async fn mappings(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        external_ids: &[String],
    ) -> Result<Vec<Mapping>>;

    /// Mappings of these rows, in one query.
    async fn mappings_of(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        local_ids: &[Uuid],
    ) -> Result<Vec<Mapping>>;

    /// Where a run goes on.
    async fn cursor(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        mode: RunMode,
    ) -> Result<Option<Cursor>>;

    /// Writes a page. [`crate::ErrorKind::Conflict`], and nothing written, if the lease was lost, or
    /// a row has another version or a mapping another revision than expected: read again and merge
    /// again. [`crate::ErrorKind::NotFound`] if the integration is not in scope.
    async fn apply_page(&self, page: PageWrite) -> Result<()>;

    /// Stores a run that begins.
    async fn begin_run(&self, scope: TenantScope, run: &SyncRun) -> Result<()>;

    /// Ends a run with what it came to.
    async fn end_run(&self, scope: TenantScope, id: SyncRunId, error: Option<String>)
    -> Result<()>;

    /// Runs of an integration, the newest first.
    async fn runs(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>>;
}
