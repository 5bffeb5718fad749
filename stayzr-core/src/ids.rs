//! Identifiers: one newtype per noun over a UUIDv7, so that a guest is never passed for a room.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id of this clock.
            pub fn generate(clock: &dyn Clock) -> Self {
                Self(clock.uuid())
            }

            /// The id as a UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// An organization: the tenant.
    OrganizationId;
    /// A property (hotel) of an organization.
    PropertyId;
    /// A room type of a property.
    RoomTypeId;
    /// A room of a property.
    RoomId;
    /// A guest of an organization.
    GuestId;
    /// A reservation at a property.
    ReservationId;
    /// A note about a reservation or a guest.
    NoteId;
    /// A request of a guest to the staff.
    ServiceRequestId;
    /// A conversation with a guest.
    ConversationId;
    /// A message of a conversation.
    MessageId;
    /// A connection of a property to a PMS.
    IntegrationId;
    /// An address that guests write to, such as a WhatsApp number.
    ChannelAccountId;
    /// A job of a queue.
    JobId;
    /// A stored webhook delivery; also the id of its job.
    DeliveryId;
    /// A conflict between a local and a remote value.
    ConflictId;
    /// A line of the journal.
    ChangeId;
    /// One run of a synchronisation.
    SyncRunId;
    /// A knowledge document.
    DocumentId;
    /// A passage of a knowledge document.
    ChunkId;
    /// An API token.
    ApiTokenId;
}
