use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::open::open_enum;

/// Something the property sells; stays are a bookable service by the day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Service {
    /// Its id.
    pub id: String,
    /// Whether it is sold.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// Names by language.
    #[serde(default)]
    pub names: Option<BTreeMap<String, Option<String>>>,
    /// Start of a stay, in the older form: `PT14H`.
    #[serde(default)]
    pub start_time: Option<String>,
    /// End of a stay, in the older form.
    #[serde(default)]
    pub end_time: Option<String>,
    /// What it is, in the older form: `Reservable`.
    #[serde(default)]
    pub r#type: Option<String>,
    /// What it is.
    #[serde(default)]
    pub data: Option<ServiceDetail>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Service {
    /// Whether nights are booked through it. A bookable service that does not say its unit counts.
    pub fn is_stay(&self) -> bool {
        match &self.data {
            Some(detail) => {
                let unit = detail
                    .value
                    .as_ref()
                    .and_then(|times| times.time_unit_period.as_deref());
                detail.discriminator.as_deref() == Some("Bookable")
                    && unit.is_none_or(|unit| unit == "Day")
            }
            None => self.r#type.as_deref() == Some("Reservable"),
        }
    }
}

/// What a service is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceDetail {
    /// `Bookable` or `Additional`.
    #[serde(default)]
    pub discriminator: Option<String>,
    /// What a bookable one has.
    #[serde(default)]
    pub value: Option<ServiceTimes>,
}

/// What a bookable service has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceTimes {
    /// Arrival, from the start of the unit: `P0M0DT15H0M0S`.
    #[serde(default)]
    pub start_offset: Option<String>,
    /// Departure, from the end of the unit.
    #[serde(default)]
    pub end_offset: Option<String>,
    /// `Day`, `Month` or `Hour`.
    #[serde(default)]
    pub time_unit_period: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

open_enum! {
    /// Whether an age category pays as an adult.
    AgeClassification {
        Adult = "Adult",
        Child = "Child",
    }
}

/// An age category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgeCategory {
    /// Its id.
    pub id: String,
    /// The service it belongs to.
    #[serde(default)]
    pub service_id: Option<String>,
    /// Whether it pays as an adult.
    #[serde(default)]
    pub classification: Option<AgeClassification>,
    /// Whether it is in use.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
