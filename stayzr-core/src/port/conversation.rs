//! Conversations: messages in, turns, takeovers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Page, PageRequest};
use crate::{
    Result,
    ids::{ChannelAccountId, ConversationId, GuestId, MessageId, PropertyId},
    model::{
        Author, Channel, Citation, Contact, Conversation, ConversationStatus, LanguageTag, Message,
        ServiceRequest, TurnStatus,
    },
    queue::{Lease, NewJob, Queue},
    tenant::TenantScope,
};

/// A message of a guest to be stored. Atomic: guest, address, conversation, message, job.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptMessage {
    /// The organization and property that the account belongs to.
    pub scope: TenantScope,
    /// The property.
    pub property_id: PropertyId,
    /// How the guest writes.
    pub channel: Channel,
    /// The account written to; none for the API.
    pub channel_account_id: Option<ChannelAccountId>,
    /// The guest, where already known (API).
    pub guest_id: Option<GuestId>,
    /// The conversation, where already known (API).
    pub conversation_id: Option<ConversationId>,
    /// Addresses of the sender, the surest first. The first that leads to a guest names him; the
    /// others are then his too unless they lead elsewhere. None leads anywhere: a guest of origin
    /// `channel` is made, who is not pushed to any PMS.
    pub contacts: Vec<Contact>,
    /// The address to answer to.
    pub reply_to: Option<String>,
    /// The sender's name as the channel shows it.
    pub name: Option<String>,
    /// The channel's id of the message: stored once for each account.
    pub vendor_message_id: Option<String>,
    /// The vendor's kind of message.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// Whether a turn of the concierge follows through the queue: a job of
    /// [`crate::queue::Queue::AgentTurnQueue`] with the payload `{"conversation_id": …}`
    /// ([`crate::flow::TurnJob`]) and the key `conversation:<id>`. None follows where the caller
    /// runs the turn at once, nor in a conversation that a person answers.
    pub enqueue_turn: bool,
}

impl AcceptMessage {
    /// The job of the turn that answers: turns of one conversation run one at a time, and one that
    /// still waits answers this message too.
    pub fn turn_job(&self, conversation_id: ConversationId) -> NewJob {
        let name = format!("conversation:{conversation_id}");
        NewJob::new(
            Queue::AgentTurnQueue,
            TenantScope::property(self.scope.organization_id, self.property_id),
            serde_json::json!({ "conversation_id": conversation_id }),
        )
        .dedupe(name.clone())
        .key(name)
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptedMessage {
    /// The message, or the one stored before.
    pub message_id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its guest.
    pub guest_id: GuestId,
    /// Whether it was stored before; then nothing was written.
    pub duplicate: bool,
}

/// The end of a turn. Atomic: reply, trace, outbound job, service request, state.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitTurn {
    /// Whose conversation.
    pub scope: TenantScope,
    /// The lease of the turn's job, where it came through the queue; the job is completed with it.
    pub lease: Option<Lease>,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The newest message of the guest that the turn has read. If there is a newer one, or it was
    /// answered meanwhile, or a person has taken over, nothing of the reply is written.
    pub answered_up_to: MessageId,
    /// The reply; none for silence.
    pub reply: Option<Reply>,
    /// Hands the conversation to a person, with this request to the staff.
    pub handoff: Option<ServiceRequest>,
    /// The language seen.
    pub language: LanguageTag,
}

/// A reply to a guest.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The id it will have.
    pub message_id: MessageId,
    /// Who wrote it.
    pub author: Author,
    /// What it says.
    pub text: String,
    /// What it rests on.
    pub citations: Vec<Citation>,
    /// How it came about.
    pub trace: Option<Value>,
    /// The job that sends it; none for the API channel, where the answer is the delivery and the
    /// message is `sent` at once.
    pub outbound: Option<NewJob>,
}

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnCommitted {
    /// Written.
    Committed,
    /// A newer message of the guest came in, or another turn has answered this one: nothing
    /// written, the turn's job is completed (a newer message has its own).
    Superseded,
    /// A person answers now: nothing written, the turn's job is completed.
    Muted,
}

impl TurnCommitted {
    /// The status to show where the turn would have ended as `status`.
    pub const fn status(self, status: TurnStatus) -> TurnStatus {
        match self {
            Self::Committed => status,
            Self::Superseded => TurnStatus::Superseded,
            Self::Muted => TurnStatus::Muted,
        }
    }
}

/// Conversations, their messages and the requests made in them.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Stores a message of a guest, once for each vendor id and account.
    async fn accept_message(&self, message: AcceptMessage) -> Result<AcceptedMessage>;

    /// Ends a turn. [`crate::ErrorKind::Conflict`], and nothing written, if the lease was lost.
    async fn commit_turn(&self, turn: CommitTurn) -> Result<TurnCommitted>;

    /// A message of staff: it cancels pending replies of the machine and takes the conversation
    /// over, at once.
    async fn staff_reply(
        &self,
        scope: TenantScope,
        conversation_id: ConversationId,
        reply: Reply,
    ) -> Result<Message>;

    /// Sets who answers. Taking over cancels pending replies of the machine, at once.
    async fn set_status(
        &self,
        scope: TenantScope,
        conversation_id: ConversationId,
        status: ConversationStatus,
    ) -> Result<Conversation>;

    /// One conversation.
    async fn conversation(
        &self,
        scope: TenantScope,
        id: ConversationId,
    ) -> Result<Option<Conversation>>;

    /// Conversations, the newest first.
    async fn conversations(
        &self,
        scope: TenantScope,
        page: &PageRequest,
    ) -> Result<Page<Conversation>>;

    /// The last messages of a conversation, the oldest of them first.
    async fn messages(
        &self,
        scope: TenantScope,
        conversation_id: ConversationId,
        last: u32,
    ) -> Result<Vec<Message>>;

    /// Service requests, the newest first.
    async fn service_requests(
        &self,
        scope: TenantScope,
        page: &PageRequest,
    ) -> Result<Page<ServiceRequest>>;
}
