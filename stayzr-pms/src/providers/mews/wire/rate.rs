use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    ActivityState, Amount, Interval, Limitation,
    open::{list, text},
};

/// A rate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rate {
    /// Its id.
    pub id: String,
    /// The service it prices.
    #[serde(default)]
    pub service_id: Option<String>,
    /// The rate it derives from.
    #[serde(default)]
    pub base_rate_id: Option<String>,
    /// Whether others derive from it.
    #[serde(default)]
    pub is_base_rate: Option<bool>,
    /// Whether it is the service's default.
    #[serde(default)]
    pub is_default: Option<bool>,
    /// Whether it exists.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// Whether it is sold.
    #[serde(default)]
    pub is_enabled: Option<bool>,
    /// Whether everybody may book it.
    #[serde(default)]
    pub is_public: Option<bool>,
    /// `Public`, `Private` or `AvailabilityBlock`.
    #[serde(default)]
    pub r#type: Option<String>,
    /// Its name, in the older form.
    #[serde(default)]
    pub name: Option<String>,
    /// Names by language.
    #[serde(default)]
    pub names: Option<BTreeMap<String, Option<String>>>,
    /// Its short name.
    #[serde(default, deserialize_with = "text")]
    pub short_name: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The answer of `rates/getPricing`: prices by night.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pricing {
    /// The currency.
    #[serde(default)]
    pub currency: Option<String>,
    /// Starts of the nights.
    #[serde(default, deserialize_with = "list")]
    pub time_unit_starts_utc: Vec<DateTime<Utc>>,
    /// Prices by category.
    #[serde(default, deserialize_with = "list")]
    pub category_prices: Vec<CategoryPrice>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Prices of a category by night.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CategoryPrice {
    /// The category.
    pub category_id: String,
    /// One amount for each night.
    #[serde(default, deserialize_with = "list")]
    pub amount_prices: Vec<Amount>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `rates/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RatesGetAll {
    /// Services; required.
    pub service_ids: Vec<String>,
    /// Ids, at most 1000.
    pub rate_ids: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `rates/getPricing`. Times are exact starts of nights: local midnight in UTC.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RatesGetPricing {
    /// The rate.
    pub rate_id: String,
    /// Start of the first night.
    pub first_time_unit_start_utc: String,
    /// Start of the last night.
    pub last_time_unit_start_utc: String,
}

/// Rates that belong together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RateGroup {
    /// Its id.
    pub id: String,
    /// The service it prices.
    #[serde(default)]
    pub service_id: Option<String>,
    /// Whether it exists.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// Names by language.
    #[serde(default)]
    pub names: Option<BTreeMap<String, Option<String>>>,
    /// Its id in other systems.
    #[serde(default, deserialize_with = "text")]
    pub external_identifier: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `rateGroups/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RateGroupsGetAll {
    /// Ids, at most 1000.
    pub rate_group_ids: Option<Vec<String>>,
    /// Services, at most 1000.
    pub service_ids: Option<Vec<String>>,
    /// Only those with these ids of other systems.
    pub external_identifiers: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Whether they are in use.
    pub activity_states: Option<Vec<ActivityState>>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}
