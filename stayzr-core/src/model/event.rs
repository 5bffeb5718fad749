use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MessageStatus;
use crate::{ids::MessageId, transform::EntityKind};

/// The id of a record at a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExternalRef {
    /// What kind of record.
    pub kind: EntityKind,
    /// The vendor's id.
    pub id: String,
}

/// What a PMS says happened. It only names records: they are fetched before anything changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PmsEvent {
    /// A record changed or came to be.
    Changed {
        /// The property's id at the vendor.
        remote_property_id: String,
        /// Which record.
        record: ExternalRef,
    },
    /// Somebody wrote in a message thread of the vendor's.
    Message {
        /// The property's id at the vendor.
        remote_property_id: String,
        /// The vendor's id of the message.
        id: String,
    },
    /// Something we do not know or do not use; counted and kept.
    Unknown {
        /// The property's id at the vendor, where named.
        remote_property_id: Option<String>,
        /// The vendor's name of the event.
        name: String,
    },
}

/// What a channel says happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ChannelEvent {
    /// A guest wrote.
    Message(InboundMessage),
    /// A message of ours moved on.
    Status(StatusUpdate),
    /// Something we do not know or do not use; counted and kept.
    Unknown {
        /// The channel's name of it.
        name: String,
    },
}

/// A message of a guest, as a channel delivers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// The account it was sent to; WhatsApp: the phone number id.
    pub account: String,
    /// The channel's id of the message, unique in the account.
    pub vendor_message_id: String,
    /// The channel's stable id of the sender, where it gives one.
    pub user_id: Option<String>,
    /// The sender's number as the channel gives it (digits without `+`), where not hidden.
    pub phone: Option<String>,
    /// The sender's name as the channel shows it.
    pub name: Option<String>,
    /// The vendor's kind of message.
    pub kind: String,
    /// What can be read of it; empty for a picture without words.
    pub text: String,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// The rest of the message as the channel sent it.
    pub extra: Value,
}

/// A message of ours moved on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusUpdate {
    /// The account it was sent from.
    pub account: String,
    /// The channel's id of the message.
    pub vendor_message_id: String,
    /// Our own id, where the channel hands it back.
    pub message_id: Option<MessageId>,
    /// Where it stands now.
    pub status: MessageStatus,
    /// The channel's reason for a failure.
    pub error: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}
