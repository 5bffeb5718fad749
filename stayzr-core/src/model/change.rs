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
        /// What made us look: `backfill`, `incremental`, `webhook`, `push`, `reconcile`; `read` for
        /// a record that was put aside.
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
    /// The row; the nil id for a record of the vendor that never became one.
    pub entity_id: uuid::Uuid,
    /// The vendor's id of the record that the line is about, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The field; none for the creation of the row, or a record that was put aside.
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

/// Which side a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolutionChoice {
    /// What stands here.
    Local,
    /// What stands at the vendor.
    Remote,
    /// Field by field.
    Fields,
    /// Nobody had to choose: both sides came to say the same.
    Converged,
}

/// How a conflict ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// What was chosen.
    pub choice: ResolutionChoice,
    /// The disputed fields as they stand since.
    pub fields: FieldMap,
    /// Who chose; none where both sides converged.
    pub source: Option<ChangeSource>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Both sides changed the same fields differently, and a person must choose.
///
/// While it is open the row stays as it is: what the vendor changes in other fields waits in
/// `waiting` and is applied with the resolution, and a later state of the vendor updates this
/// conflict instead of opening another.
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
    /// The vendor's id of the record.
    #[serde(default)]
    pub external_id: String,
    /// The disputed fields as both sides last agreed.
    pub base: FieldMap,
    /// The disputed fields here.
    pub local: FieldMap,
    /// The disputed fields at the vendor.
    pub remote: FieldMap,
    /// What the vendor changed beside them, with its values.
    #[serde(default)]
    pub waiting: FieldMap,
    /// Where it stands.
    pub status: ConflictStatus,
    /// How it ended; none while it is open.
    #[serde(default)]
    pub resolution: Option<Resolution>,
    /// Counts the writes of this conflict, from 1.
    #[serde(default)]
    pub revision: i64,
    /// When it was found.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
