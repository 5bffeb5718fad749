//! What the sync engine keeps: integrations, mappings with their base, cursors, runs.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Page, PageRequest};
use crate::{
    Result,
    ids::{GuestId, IntegrationId, SyncRunId},
    model::{
        Change, Conflict, Contact, ContactChannel, ExternalRef, Integration, ProviderDocument,
        RunMode, RunStatus, SyncRun,
    },
    queue::{Lease, NewJob},
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};

pub use super::parked::ParkedRecord;

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
    /// When the vendor was found not to have the record any more; none while it has.
    #[serde(default)]
    pub gone_at: Option<DateTime<Utc>>,
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

/// One guest turned out to be another: everything that hangs on `from` hangs on `into` from now on.
///
/// Moved are
/// - reservations, notes and service requests, one version higher, and the `guest_id` in the base of
///   their mappings, one revision higher, where it named `from`;
/// - conversations. Of two that are not closed, with the same property, channel and account, the one
///   that was silent longer is closed: whose guest wrote last the longer ago, or never; of equal
///   ones that of `from`. What waits to be sent in it still goes;
/// - addresses;
/// - mappings of other integrations, one revision higher, where `into` has none there.
///
/// The row of `from` stays, inactive, with `merged_into`, one version higher; its mapping of this
/// integration stays with it. Doing it twice does nothing the second time, unless something came to
/// hang on `from` meanwhile. A guest who is not of the organization is a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestMerge {
    /// The guest who is no more.
    pub from: GuestId,
    /// The guest who remains.
    pub into: GuestId,
}

/// A conflict that ended by itself: both sides came to say the same about every disputed field. It
/// ends as resolved with [`crate::model::ResolutionChoice::Converged`], nobody as its source, and
/// the disputed fields as the row holds them after the page, one revision higher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledConflict {
    /// What kind of row.
    pub entity: EntityKind,
    /// The row.
    pub entity_id: Uuid,
}

/// A mapping, as a sweep looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedRecord {
    /// The vendor's id.
    pub external_id: String,
    /// Our id.
    pub local_id: Uuid,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// It did everything.
    Completed,
    /// An error stopped it.
    Failed(String),
    /// Its brake stopped it, with what a person is asked.
    Stopped(String),
}

impl RunEnd {
    /// Where the run stands since.
    pub const fn status(&self) -> RunStatus {
        match self {
            Self::Completed => RunStatus::Completed,
            Self::Failed(_) => RunStatus::Failed,
            Self::Stopped(_) => RunStatus::Stopped,
        }
    }

    /// Why it did not do everything.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Completed => None,
            Self::Failed(reason) | Self::Stopped(reason) => Some(reason),
        }
    }
}

/// Where a run goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The integration.
    pub integration_id: IntegrationId,
    /// What kind of records.
    pub entity: EntityKind,
    /// Of which kind of run; each mode has its own cursor. That of targeted runs, kept under the
    /// property, is where the vendor's events go on, and when it was last asked for them.
    pub mode: RunMode,
    /// The provider's position in a run that is not over; none once it is.
    pub position: Option<Value>,
    /// The vendor's time up to which everything has been read.
    pub watermark: Option<DateTime<Utc>>,
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
    /// Values that the vendor sent and we do not know.
    pub unknown: i64,
    /// Records that the vendor no longer has.
    pub gone: i64,
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
    /// Rows to make or change. One whose `guest_id` names a guest who was merged into another
    /// before this page, because links were followed too early, ends up with the guest who remains,
    /// as if that merge stood in `merges`.
    pub rows: Vec<RowWrite>,
    /// Mappings to make or replace, by (integration, kind, external id). One whose revision is not
    /// the stored one plus one (1 where none is stored), or whose row has a mapping already under
    /// another external id, is a conflict.
    pub mappings: Vec<Mapping>,
    /// Records that could be read, beside those of `mappings`. What was put aside for any of them
    /// before is done: its FAILED job ([`ParkedRecord::dedupe_key`]) ends COMPLETED, unless this page
    /// puts it aside too.
    pub read: Vec<ExternalRef>,
    /// Addresses of guests.
    pub contacts: Vec<ContactWrite>,
    /// Addresses that led to nobody when the page was planned. One that leads, once `contacts` are
    /// written, to a guest to whom none of them gives it is a conflict: somebody wrote meanwhile.
    pub unclaimed: Vec<Contact>,
    /// Guests who turned out to be others; done after rows, mappings and addresses.
    pub merges: Vec<GuestMerge>,
    /// Lines of the journal.
    pub changes: Vec<Change>,
    /// Conflicts to open. One that is open for the same row keeps its id and its birth, takes the
    /// rest of what stands here, and counts one revision more.
    pub conflicts: Vec<Conflict>,
    /// Conflicts that ended by themselves, where they are open.
    pub settled: Vec<SettledConflict>,
    /// Records put aside; each becomes a FAILED job of the sync queue, of the page's scope, with its
    /// reason, and a line of the journal ([`ParkedRecord::change`]). One that stands FAILED already
    /// takes the new reason and a line more; with the same reason it writes nothing.
    pub parked: Vec<ParkedRecord>,
    /// Jobs, such as pushes.
    pub jobs: Vec<NewJob>,
    /// Where the run goes on.
    pub cursor: Option<Cursor>,
}

impl PageWrite {
    /// The dedupe keys of the jobs that may stand for records which this page could read.
    pub fn read_again(&self) -> BTreeSet<String> {
        let key = |kind, id: &str| ParkedRecord::dedupe_key(self.integration_id, kind, id);
        let again: BTreeSet<String> = self
            .parked
            .iter()
            .filter_map(|parked| Some(key(parked.entity, parked.external_id.as_deref()?)))
            .collect();
        let written = self.mappings.iter();
        written
            .map(|mapping| key(mapping.entity, &mapping.external_id))
            .chain(self.read.iter().map(|read| key(read.kind, &read.id)))
            .filter(|key| !again.contains(key))
            .collect()
    }

    /// The guests that the rows of this page link to, each once.
    pub fn linked_guests(&self) -> BTreeSet<Uuid> {
        self.rows
            .iter()
            .filter_map(|row| match row {
                RowWrite::Insert(row) => row.fields.text("guest_id"),
                RowWrite::Update { set, .. } => set.text("guest_id"),
            })
            .filter_map(|id| id.parse().ok())
            .collect()
    }

    /// A page that changes nothing yet.
    pub fn new(scope: TenantScope, integration_id: IntegrationId) -> Self {
        Self {
            scope,
            integration_id,
            lease: None,
            run: None,
            rows: Vec::new(),
            mappings: Vec::new(),
            read: Vec::new(),
            contacts: Vec::new(),
            unclaimed: Vec::new(),
            merges: Vec::new(),
            changes: Vec::new(),
            conflicts: Vec::new(),
            settled: Vec::new(),
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

    /// Ends a run with what it came to; [`crate::ErrorKind::NotFound`] if it is not of the
    /// organization.
    async fn end_run(&self, scope: TenantScope, id: SyncRunId, end: RunEnd) -> Result<()>;

    /// Mappings of an integration that a sweep asks the vendor about: those not gone, merged ones
    /// too, since a merge may be taken back; in order of the vendor's ids, those after `after`, at
    /// most `limit`.
    async fn mapped(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<MappedRecord>>;

    /// How many of the mappings that [`SyncStore::mapped`] goes through from its start the vendor
    /// must have: a merged record it may give or not.
    async fn mapped_count(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
    ) -> Result<u64>;

    /// What the organization configured for a provider, whatever the property of the scope; none
    /// where nothing is.
    async fn provider_document(
        &self,
        scope: TenantScope,
        provider: &str,
    ) -> Result<Option<ProviderDocument>>;

    /// Runs of an integration, the newest first.
    async fn runs(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>>;
}
