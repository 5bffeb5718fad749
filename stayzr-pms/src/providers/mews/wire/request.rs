use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::{ReservationUpdate, ResourceUpdate};

/// Whether records are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ActivityState {
    /// In use.
    Active,
    /// Removed.
    Deleted,
}

/// A span of time: its start is in it, its end is not. At most three months long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Interval {
    /// The start.
    pub start_utc: String,
    /// The end.
    pub end_utc: String,
}

impl Interval {
    /// A span in whole seconds, as Mews writes times.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        Self {
            start_utc: start.to_rfc3339_opts(SecondsFormat::Secs, true),
            end_utc: end.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Limitation {
    /// Records on the page, 1 to 1000.
    pub count: u32,
    /// The cursor of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The body of `configuration/get`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConfigurationGet {
    /// The property, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_id: Option<String>,
}

/// What `customers/getAll` gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomerExtent {
    /// The customers.
    pub customers: bool,
    /// Their addresses.
    pub addresses: bool,
}

/// The body of `customers/getAll`, which wants at least one filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomersGetAll {
    /// Chains, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_ids: Option<Vec<String>>,
    /// Ids, at most 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_ids: Option<Vec<String>>,
    /// Only those with these emails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emails: Option<Vec<String>>,
    /// Only those with these given names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_names: Option<Vec<String>>,
    /// Only those with these family names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_names: Option<Vec<String>>,
    /// When they changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_utc: Option<Interval>,
    /// Whether they are in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_states: Option<Vec<ActivityState>>,
    /// What to give; required.
    pub extent: CustomerExtent,
    /// Which page; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limitation: Option<Limitation>,
}

/// The body of `reservations/getAll/2023-06-06`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsGetAll {
    /// Ids, at most 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation_ids: Option<Vec<String>>,
    /// Services, at most 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_ids: Option<Vec<String>>,
    /// When they changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_utc: Option<Interval>,
    /// Properties, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limitation: Option<Limitation>,
}

/// What `resources/getAll` gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceExtent {
    /// The resources.
    pub resources: bool,
    /// Those no longer in use too.
    pub inactive: bool,
}

/// The body of `resources/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourcesGetAll {
    /// Ids, at most 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_ids: Option<Vec<String>>,
    /// What to give; required.
    pub extent: ResourceExtent,
    /// When they changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_utc: Option<Interval>,
    /// Properties, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limitation: Option<Limitation>,
}

/// The body of `resourceCategories/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CategoriesGetAll {
    /// Services; required.
    pub service_ids: Vec<String>,
    /// When they changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_utc: Option<Interval>,
    /// Whether they are in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_states: Option<Vec<ActivityState>>,
    /// Properties, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limitation: Option<Limitation>,
}

/// The body of `resourceCategoryAssignments/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssignmentsGetAll {
    /// Categories, at most 1000.
    pub resource_category_ids: Vec<String>,
    /// Whether they are in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_states: Option<Vec<ActivityState>>,
    /// Properties, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limitation: Option<Limitation>,
}

/// The body of `services/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServicesGetAll {
    /// Properties, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limitation: Option<Limitation>,
}

/// The body of `ageCategories/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgeCategoriesGetAll {
    /// Properties, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_ids: Option<Vec<String>>,
    /// Services.
    pub service_ids: Vec<String>,
    /// Whether they are in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_states: Option<Vec<ActivityState>>,
    /// Which page; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limitation: Option<Limitation>,
}

/// The body of `rates/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RatesGetAll {
    /// Services; required.
    pub service_ids: Vec<String>,
    /// Properties, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limitation: Option<Limitation>,
}

/// The body of `rates/getPricing`. Times are exact starts of nights: local midnight in UTC.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PricingGet {
    /// The rate.
    pub rate_id: String,
    /// Start of the first night.
    pub first_time_unit_start_utc: String,
    /// Start of the last night.
    pub last_time_unit_start_utc: String,
}

/// The body of `reservations/update`. Mews would set new prices and take a fee by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsUpdate {
    /// What to change.
    pub reservation_updates: Vec<ReservationUpdate>,
    /// Whether prices are computed anew.
    pub reprice: bool,
    /// Whether a fee is taken for nights that fall away.
    pub apply_cancellation_fee: bool,
    /// The reservation again, which the table of the operation wants.
    pub reservation_id: String,
    /// The property, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_id: Option<String>,
}

/// The body of `reservations/cancel`. Mews would write to the guest by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsCancel {
    /// Which, at most 1000.
    pub reservation_ids: Vec<String>,
    /// Whether a fee is taken.
    pub post_cancellation_fee: bool,
    /// Whether Mews writes to the guest.
    pub send_email: bool,
    /// Why; required.
    pub notes: String,
    /// The property, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_id: Option<String>,
}

/// The body of `resources/update`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourcesUpdate {
    /// What to change.
    pub resource_updates: Vec<ResourceUpdate>,
    /// The property, for a token of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_id: Option<String>,
}
