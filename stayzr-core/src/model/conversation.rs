use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Citation, LanguageTag};
use crate::ids::{
    ChannelAccountId, ConversationId, GuestId, MessageId, OrganizationId, PropertyId,
};

/// How a guest and we talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// WhatsApp.
    Whatsapp,
    /// The HTTP API: a web chat or a kiosk of the hotel.
    Api,
    /// Message threads of the PMS.
    Pms,
}

impl Channel {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::Api => "api",
            Self::Pms => "pms",
        }
    }
}

/// What kind of address a guest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactChannel {
    /// A telephone number in E.164.
    Phone,
    /// An email address in lower case.
    Email,
    /// WhatsApp's business-scoped user id, or its `wa_id`.
    Whatsapp,
    /// A message thread of a PMS: the integration and the thread's id there.
    Pms,
}

impl ContactChannel {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Whatsapp => "whatsapp",
            Self::Pms => "pms",
        }
    }
}

/// One address that leads to a guest; unique in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Contact {
    /// What kind of address.
    pub channel: ContactChannel,
    /// The address in the form that is compared.
    pub address: String,
}

/// Who answers a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationStatus {
    /// The concierge answers.
    Open,
    /// A person answers; the concierge is silent.
    HandedOff,
    /// Over.
    Closed,
}

impl ConversationStatus {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::HandedOff => "handed_off",
            Self::Closed => "closed",
        }
    }
}

/// A conversation with a guest at a property; one open at a time for each guest and account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its property.
    pub property_id: PropertyId,
    /// The guest.
    pub guest_id: GuestId,
    /// How they talk.
    pub channel: Channel,
    /// The account the guest wrote to; none for the API.
    pub channel_account_id: Option<ChannelAccountId>,
    /// The address to answer to, as the channel gave it.
    pub reply_to: Option<String>,
    /// Who answers.
    pub status: ConversationStatus,
    /// The language last seen.
    pub language: Option<LanguageTag>,
    /// When the guest last wrote: WhatsApp allows free text for 24 hours from then.
    pub last_inbound_at: Option<DateTime<Utc>>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the guest.
    Inbound,
    /// To the guest.
    Outbound,
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The guest.
    Guest,
    /// The machine.
    Concierge,
    /// A member of staff.
    Staff,
}

/// Where a message stands. `sent < delivered < read` only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Came in.
    Received,
    /// Waits to be sent.
    Pending,
    /// Is being sent; found so after a crash, it may have been sent.
    Sending,
    /// The channel took it.
    Sent,
    /// It reached the guest's device.
    Delivered,
    /// The guest opened it.
    Read,
    /// The channel refused it.
    Failed,
    /// It may have been sent and nobody can tell; never sent again by the machine.
    Unknown,
    /// It was withdrawn before it was sent.
    Cancelled,
}

impl MessageStatus {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its id; also the key handed to the channel so that statuses find it.
    pub id: MessageId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Which way it goes.
    pub direction: Direction,
    /// Who wrote it.
    pub author: Author,
    /// What it says; card numbers are masked before it is stored.
    pub text: String,
    /// The vendor's kind of message: `text`, `image`, `button`, …
    pub kind: String,
    /// Where it stands.
    pub status: MessageStatus,
    /// The channel's own id.
    pub vendor_message_id: Option<String>,
    /// The channel's reason for a failure: its code and title.
    pub error: Option<String>,
    /// What a reply of the machine rests on.
    #[serde(default)]
    pub citations: Vec<Citation>,
    /// How the machine came to its reply: a [`super::Turn`].
    pub trace: Option<Value>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Message {
    /// Whether a guest says something here that could be answered: a reaction or a picture without
    /// words asks nothing.
    pub fn asks(&self) -> bool {
        self.direction == Direction::Inbound
            && self.kind != "reaction"
            && !self.text.trim().is_empty()
    }
}
