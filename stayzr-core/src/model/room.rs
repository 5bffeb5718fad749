use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{OrganizationId, PropertyId, RoomId, RoomTypeId};

/// A kind of room that is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomType {
    /// Its id.
    pub id: RoomTypeId,
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
    /// Its name in the property's language.
    pub name: String,
    /// Its short name.
    pub short_name: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The vendor's word for what it is, such as `Suite`.
    pub kind: Option<String>,
    /// Persons in the beds.
    pub capacity: Option<i64>,
    /// Persons in extra beds.
    pub extra_capacity: Option<i64>,
    /// Whether it is sold.
    pub active: bool,
}

/// What housekeeping says about a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomCondition {
    /// To be cleaned.
    Dirty,
    /// Cleaned.
    Clean,
    /// Cleaned and checked.
    Inspected,
    /// Not sold for a short time.
    OutOfService,
    /// Not sold for a longer time.
    OutOfOrder,
    /// A value of the vendor that we do not know; it stands in `condition_vendor`.
    Unknown,
}

/// A room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
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
    /// The room number or name on the door.
    pub name: String,
    /// What kind of room it is.
    pub room_type_id: Option<RoomTypeId>,
    /// The floor as the property names it.
    pub floor: Option<String>,
    /// What housekeeping says.
    pub condition: RoomCondition,
    /// The vendor's own word for the condition.
    pub condition_vendor: Option<String>,
    /// Whether it is in use.
    pub active: bool,
}
