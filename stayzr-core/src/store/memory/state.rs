use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    idempotency::{RequestKey, SeenRequest},
    jobs::Jobs,
};
use crate::{
    Error, Result,
    clock::Clock,
    ids::{
        ApiTokenId, ChangeId, ChannelAccountId, ConflictId, ConversationId, DeliveryId, DocumentId,
        GuestId, IntegrationId, JobId, MessageId, OrganizationId, PropertyId, SyncRunId,
    },
    model::{
        Change, ChannelAccount, Chunk, Conflict, ContactChannel, Conversation, Document,
        Integration, Message, Organization, ProviderDocument, RunMode, SyncRun,
    },
    port::{
        inbox::{Delivery, RefusedDelivery},
        knowledge::EmbedderMark,
        setup::NewToken,
        sync::{Cursor, Mapping},
    },
    transform::{EntityKind, EntityRow},
};

/// A store in memory. Cloned, it is the same store.
#[derive(Clone)]
pub struct MemoryStore {
    pub(super) clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store that lives by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Arc::default(),
        }
    }

    /// The state, alone. Commands look at everything before they write anything, so that one which
    /// panics leaves the state whole.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state and the time.
    pub(super) fn begin(&self) -> (MutexGuard<'_, State>, DateTime<Utc>) {
        (self.lock(), self.clock.now())
    }

    /// Lines of the journal of an organization, the oldest first.
    pub fn journal(&self, organization: OrganizationId) -> Vec<Change> {
        let state = self.lock();
        let lines = state.changes.values();
        lines
            .filter(|change| change.organization_id == organization)
            .cloned()
            .collect()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// (integration, kind, external id)
pub(super) type MappingKey = (IntegrationId, EntityKind, String);

/// Where an address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContactSource {
    /// It stands in the guest's row.
    Record,
    /// The guest wrote from it.
    Channel,
}

/// Whom an address leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct ContactEntry {
    pub(super) guest_id: GuestId,
    pub(super) source: ContactSource,
}

/// A message and what is known beside it.
#[derive(Debug, Clone)]
pub(super) struct MessageEntry {
    pub(super) message: Message,
    /// The order in which messages came.
    pub(super) number: u64,
    pub(super) property_id: PropertyId,
    pub(super) account: Option<ChannelAccountId>,
    /// The job that sends it.
    pub(super) job: Option<JobId>,
    /// A person took over while it was being sent: it is not tried again.
    pub(super) withdrawn: bool,
}

/// A token and when it was ended.
#[derive(Debug, Clone)]
pub(super) struct TokenEntry {
    pub(super) token: NewToken,
    pub(super) revoked: bool,
}

/// Everything.
#[derive(Default)]
pub(super) struct State {
    pub(super) organizations: BTreeMap<OrganizationId, Organization>,
    pub(super) tokens: BTreeMap<ApiTokenId, TokenEntry>,
    pub(super) rows: BTreeMap<(EntityKind, Uuid), EntityRow>,
    pub(super) contacts: HashMap<(OrganizationId, ContactChannel, String), ContactEntry>,
    pub(super) integrations: BTreeMap<IntegrationId, Integration>,
    /// By organization and provider.
    pub(super) provider_documents: BTreeMap<(OrganizationId, String), ProviderDocument>,
    pub(super) accounts: BTreeMap<ChannelAccountId, ChannelAccount>,
    pub(super) mappings: BTreeMap<MappingKey, Mapping>,
    pub(super) mapped: HashMap<(IntegrationId, EntityKind, Uuid), String>,
    pub(super) cursors: HashMap<(IntegrationId, EntityKind, RunMode), Cursor>,
    pub(super) runs: BTreeMap<SyncRunId, SyncRun>,
    pub(super) changes: BTreeMap<ChangeId, Change>,
    pub(super) conflicts: BTreeMap<ConflictId, Conflict>,
    pub(super) jobs: Jobs,
    pub(super) deliveries: HashMap<DeliveryId, Delivery>,
    pub(super) refused: Vec<RefusedDelivery>,
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    pub(super) messages: BTreeMap<u64, MessageEntry>,
    pub(super) message_numbers: HashMap<MessageId, u64>,
    pub(super) documents: BTreeMap<DocumentId, Document>,
    pub(super) chunks: HashMap<DocumentId, Vec<Chunk>>,
    /// Where an organization's vectors come from, and how often its documents were written.
    pub(super) marks: HashMap<OrganizationId, (EmbedderMark, i64)>,
    pub(super) seen: HashMap<RequestKey, SeenRequest>,
}

impl State {
    pub(super) fn message_mut(&mut self, id: MessageId) -> Option<&mut MessageEntry> {
        let number = self.message_numbers.get(&id)?;
        self.messages.get_mut(number)
    }

    pub(super) fn push_message(
        &mut self,
        message: Message,
        property_id: PropertyId,
        account: Option<ChannelAccountId>,
        job: Option<JobId>,
    ) {
        let number = self.messages.keys().next_back().map_or(1, |last| last + 1);
        self.message_numbers.insert(message.id, number);
        self.messages.insert(
            number,
            MessageEntry {
                message,
                number,
                property_id,
                account,
                job,
                withdrawn: false,
            },
        );
    }
}

pub(super) fn not_found(operation: &'static str, what: &'static str) -> Error {
    Error::not_found(operation, format!("there is no {what} with this id"))
}

/// Refuses what would be stored twice under one key.
pub(super) fn unless(taken: bool, operation: &'static str, why: &'static str) -> Result<()> {
    if taken {
        return Err(Error::conflict(operation, why));
    }
    Ok(())
}
