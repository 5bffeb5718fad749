use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{
    ConversationId, GuestId, OrganizationId, PropertyId, ReservationId, ServiceRequestId,
};

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
}

/// Something a guest asked the staff for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRequest {
    /// Its id.
    pub id: ServiceRequestId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its property.
    pub property_id: PropertyId,
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
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
