use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ids::{ChangeId, ConflictId, IntegrationId, OrganizationId},
    transform::{EntityKind, FieldMap},
};

/// Who or what changed something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangeSource {
    /// The PMS, through a sync.
    Vendor {
        /// The integration.
        integration_id: IntegrationId,
        /// What made us look: `backfill`, `incremental`, `webhook`, `push`.
        event: String,
    },
    /// A member of staff, or an API client acting for one.
    Staff {
        /// The name of the token or user.
        actor: String,
    },
    /// The concierge.
    Agent {
        /// The turn.
        trace_id: String,
    },
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOutcome {
    /// The value is in force here.
    Applied,
    /// The value was not taken; the one in force is `old`.
    Refused,
}

/// A line of the journal: one field, or the creation of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its id.
    pub id: ChangeId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// What kind of row.
    pub entity: EntityKind,
    /// The row.
    pub entity_id: uuid::Uuid,
    /// The field; none for the creation of the row.
    pub field: Option<String>,
    /// The last value both sides agreed on, where known.
    pub base: Option<Value>,
    /// The value before.
    pub old: Option<Value>,
    /// The value that was offered.
    pub new: Option<Value>,
    /// Who or what.
    pub source: ChangeSource,
    /// What became of it.
    pub outcome: ChangeOutcome,
    /// Why it was refused.
    pub reason: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Where a conflict stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictStatus {
    /// Waits for a person.
    Open,
    /// Decided.
    Resolved,
}

/// Both sides changed the same fields differently, and a person must choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// Its id.
    pub id: ConflictId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// The integration.
    pub integration_id: IntegrationId,
    /// What kind of row.
    pub entity: EntityKind,
    /// The row.
    pub entity_id: uuid::Uuid,
    /// The disputed fields as both sides last agreed.
    pub base: FieldMap,
    /// The disputed fields here.
    pub local: FieldMap,
    /// The disputed fields at the vendor.
    pub remote: FieldMap,
    /// Where it stands.
    pub status: ConflictStatus,
    /// When it was found.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
