use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::open::{list, text};

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

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Amount {
    /// The currency.
    #[serde(default)]
    pub currency: Option<String>,
    /// Without tax.
    #[serde(default, deserialize_with = "decimal")]
    pub net_value: Option<Decimal>,
    /// With tax.
    #[serde(default, deserialize_with = "decimal")]
    pub gross_value: Option<Decimal>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A decimal from the digits that were sent, never through binary fractions.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    let digits = match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(digits)) => digits,
        Some(other) => other.to_string(),
    };
    digits
        .parse()
        .or_else(|_| Decimal::from_scientific(&digits))
        .map(Some)
        .map_err(|_| serde::de::Error::custom("not a decimal number"))
}
