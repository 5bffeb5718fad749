use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::open::list;

/// Everything that `services/getAvailability/2024-01-22` counts.
pub const METRICS: &[&str] = &[
    "OutOfOrderBlocks",
    "PublicAvailabilityAdjustment",
    "OtherServiceReservationCount",
    "Occupied",
    "ConfirmedReservations",
    "OptionalReservations",
    "BlockAvailability",
    "AllocatedBlockAvailability",
    "UsableResources",
    "ActiveResources",
    "HouseUse",
];

/// The body of `services/getAvailability`, of at most 367 days. Times are exact starts of nights:
/// local midnight in UTC.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServicesGetAvailability {
    /// The service.
    pub service_id: String,
    /// Start of the first night.
    pub first_time_unit_start_utc: String,
    /// Start of the last night.
    pub last_time_unit_start_utc: String,
}

/// The answer of `services/getAvailability`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Availability {
    /// Starts of the nights.
    #[serde(default, deserialize_with = "list")]
    pub time_unit_starts_utc: Vec<DateTime<Utc>>,
    /// Free rooms by category.
    #[serde(default, deserialize_with = "list")]
    pub category_availabilities: Vec<CategoryAvailability>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Free rooms of a category by night.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CategoryAvailability {
    /// The category.
    #[serde(default)]
    pub category_id: Option<String>,
    /// One count for each night.
    #[serde(default, deserialize_with = "list")]
    pub availabilities: Vec<i64>,
    /// What the hotel adds to or takes from each count. Mews' own example has a space at the end of
    /// the key.
    #[serde(default, alias = "Adjustments ", deserialize_with = "list")]
    pub adjustments: Vec<i64>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `services/getAvailability/2024-01-22`, which counts what availability is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServicesGetAvailabilityMetrics {
    /// The service.
    pub service_id: String,
    /// Start of the first night.
    pub first_time_unit_start_utc: String,
    /// Start of the last night.
    pub last_time_unit_start_utc: String,
    /// What to count: [`METRICS`].
    pub metrics: Vec<String>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The answer of `services/getAvailability/2024-01-22`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AvailabilityMetrics {
    /// Starts of the nights.
    #[serde(default, deserialize_with = "list")]
    pub time_unit_starts_utc: Vec<DateTime<Utc>>,
    /// Counts by category.
    #[serde(default, deserialize_with = "list")]
    pub resource_category_availabilities: Vec<CategoryMetrics>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Counts of a category by night.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CategoryMetrics {
    /// The category.
    #[serde(default)]
    pub resource_category_id: Option<String>,
    /// Metric → one count for each night.
    #[serde(default)]
    pub metrics: BTreeMap<String, Vec<i64>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
