use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{GuestId, NoteId, OrganizationId, PropertyId, ReservationId};

/// What a note is for. Lossy: the vendor's own word is kept beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Anything the staff should know.
    General,
    /// What the channel of the booking sent along.
    Channel,
    /// What the guest asked for.
    SpecialRequest,
    /// A word of the vendor that we do not know; it stands in `kind_vendor`.
    Unknown,
}

/// A note about a reservation or a guest that the PMS keeps as a record of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its property.
    pub property_id: PropertyId,
    /// Counts the changes of this row.
    pub version: i64,
    /// When it was made here.
    pub created_at: DateTime<Utc>,
    /// When it last changed here.
    pub updated_at: DateTime<Utc>,
    /// The reservation that it is about.
    pub reservation_id: Option<ReservationId>,
    /// The guest that it is about.
    pub guest_id: Option<GuestId>,
    /// What it is for.
    pub kind: NoteKind,
    /// The vendor's own word for that.
    pub kind_vendor: Option<String>,
    /// What it says.
    pub text: String,
    /// False once removed.
    pub active: bool,
}
