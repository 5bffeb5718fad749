use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    ids::{ConversationId, GuestId, OrganizationId, PropertyId, ReservationId, ServiceRequestId},
    transform::{Entity, EntityRow},
};

/// The category of requests that ask a person to take a conversation over. They stay here: a vendor
/// knows nothing of conversations.
pub const HANDOFF: &str = "handoff";

/// Where a service request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceRequestStatus {
    /// Nobody has taken it.
    Open,
    /// Somebody is on it.
    InProgress,
    /// Done.
    Done,
    /// No longer wanted.
    Cancelled,
    /// A word of the vendor that we do not know; it stands in `status_vendor`.
    Unknown,
}

/// Something that the staff is asked for, by a guest, the concierge or one another. Where the PMS
/// has such a thing it stands there too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRequest {
    /// Its id.
    pub id: ServiceRequestId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its property.
    pub property_id: PropertyId,
    /// Counts the changes of this row.
    pub version: i64,
    /// Who asked.
    pub guest_id: Option<GuestId>,
    /// For which stay.
    pub reservation_id: Option<ReservationId>,
    /// In which conversation.
    pub conversation_id: Option<ConversationId>,
    /// Department or kind: `housekeeping`, `maintenance`, `transport`, `handoff`, …
    pub category: String,
    /// What is wanted, in one or two sentences.
    pub description: String,
    /// Where it stands.
    pub status: ServiceRequestStatus,
    /// The vendor's own word for that.
    pub status_vendor: Option<String>,
    /// When it is wanted; none for as soon as may be.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ServiceRequest {
    /// The row that holds it.
    pub fn to_row(&self) -> Result<EntityRow> {
        Ok(EntityRow {
            kind: Self::KIND,
            id: self.id.uuid(),
            organization_id: self.organization_id,
            property_id: Some(self.property_id),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            fields: self.to_fields()?,
        })
    }
}
