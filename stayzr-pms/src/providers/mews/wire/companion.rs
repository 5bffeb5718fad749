use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Interval, Limitation};

/// The body of `companionships/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CompanionshipsGetAll {
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Ids, at most 1000.
    pub companionship_ids: Option<Vec<String>>,
    /// Persons, at most 1000.
    pub customer_ids: Option<Vec<String>>,
    /// Reservations, at most 1000.
    pub reservation_ids: Option<Vec<String>>,
    /// Groups, at most 1000.
    pub reservation_group_ids: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `reservationGroups/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationGroupsGetAll {
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Ids, at most 1000.
    pub reservation_group_ids: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// Who stays with whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Companionship {
    /// Its id.
    pub id: String,
    /// The person.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// The reservation; none where they belong to a group only.
    #[serde(default)]
    pub reservation_id: Option<String>,
    /// The group.
    #[serde(default)]
    pub reservation_group_id: Option<String>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Reservations that were made together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationGroup {
    /// Its id.
    pub id: String,
    /// The property.
    #[serde(default)]
    pub enterprise_id: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
