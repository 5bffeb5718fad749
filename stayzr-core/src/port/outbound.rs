//! Messages on their way out: sent once.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Page, PageRequest};
use crate::{
    Result,
    ids::{ChannelAccountId, ConversationId, MessageId},
    model::{ChannelAccount, Citation, Message, MessageStatus, StatusUpdate},
    queue::Lease,
    tenant::TenantScope,
};

/// A message and where it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboundMessage {
    /// The message.
    pub message: Message,
    /// The account it is sent from.
    pub account: ChannelAccount,
    /// The address it goes to, as the channel gave it.
    pub to: String,
    /// The guest's message that it answers, by the channel's id.
    pub in_reply_to: Option<String>,
    /// When the guest last wrote.
    pub last_inbound_at: Option<DateTime<Utc>>,
}

/// What to do about a message.
#[derive(Debug, Clone, PartialEq)]
pub enum BeginSend {
    /// Send it: it stands as `sending` now.
    Send(Box<OutboundMessage>),
    /// An earlier attempt began and never ended: it may have been sent. It stands as `unknown`
    /// now and is not sent again by the machine.
    Ambiguous,
    /// It was sent, failed for good, or was cancelled: nothing to do.
    Settled(MessageStatus),
}

/// How an attempt to send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The channel took it.
    Sent {
        /// The channel's id of the message.
        vendor_message_id: String,
    },
    /// The channel certainly did not take it; it may be tried again: `pending`.
    Retry {
        /// Why.
        error: String,
        /// How long to wait.
        after: std::time::Duration,
    },
    /// The channel refused it for good.
    Failed {
        /// Why.
        error: String,
    },
    /// Nobody can tell: `unknown`, and the job is completed.
    Ambiguous {
        /// Why.
        error: String,
    },
}

/// A line of the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxItem {
    /// The message.
    pub id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its channel.
    pub channel: String,
    /// Where it goes.
    pub to: Option<String>,
    /// What it says.
    pub text: String,
    /// Where it stands.
    pub status: MessageStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// What it rests on.
    pub citations: Vec<Citation>,
    /// The channel's id of it.
    pub vendor_message_id: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// Messages on their way out.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Marks a pending message as `sending`, durably, before anything is sent.
    /// [`crate::ErrorKind::Conflict`] if the lease was lost.
    async fn begin_send(&self, lease: &Lease, message_id: MessageId) -> Result<BeginSend>;

    /// Ends an attempt and its job, at once. [`crate::ErrorKind::Conflict`] if the lease was lost.
    async fn finish_send(
        &self,
        lease: &Lease,
        message_id: MessageId,
        outcome: SendOutcome,
    ) -> Result<()>;

    /// Moves a message on, found by our id or by the account and the channel's id. It never moves
    /// back: `sent < delivered < read`, a failure after that is ignored, and a success after a
    /// failure or an unknown outcome stands. Returns false where no message is found or it did
    /// not move.
    async fn apply_status(
        &self,
        scope: TenantScope,
        account: ChannelAccountId,
        update: &StatusUpdate,
    ) -> Result<bool>;

    /// Messages to guests, the newest first, of one conversation or of all.
    async fn outbox(
        &self,
        scope: TenantScope,
        conversation_id: Option<ConversationId>,
        page: &PageRequest,
    ) -> Result<Page<OutboxItem>>;
}

/// Sends a message through a channel. Implemented by `stayzr-webhooks`.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Sends once and says what is known of it.
    async fn send(&self, message: &OutboundMessage) -> SendOutcome;
}
