use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Service,
    open::{list, text, word},
};

/// The answer of `configuration/get`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Configuration {
    /// Mews' clock.
    #[serde(default)]
    pub now_utc: Option<DateTime<Utc>>,
    /// The property.
    pub enterprise: Enterprise,
    /// The service the token is bound to, where it is bound to one.
    #[serde(default)]
    pub service: Option<Service>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A property.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Enterprise {
    /// Its id.
    pub id: String,
    /// Its chain, which customers belong to.
    #[serde(default)]
    pub chain_id: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// IANA time zone.
    #[serde(default)]
    pub time_zone_identifier: Option<String>,
    /// The language of names without another one.
    #[serde(default)]
    pub default_language_code: Option<String>,
    /// `Gross` or `Net`.
    #[serde(default, deserialize_with = "word")]
    pub pricing: Option<String>,
    /// Currencies it takes.
    #[serde(default, deserialize_with = "list")]
    pub currencies: Vec<CurrencySetting>,
    /// Where it stands.
    #[serde(default)]
    pub address: Option<EnterpriseAddress>,
    /// Email.
    #[serde(default)]
    pub email: Option<String>,
    /// Telephone.
    #[serde(default, deserialize_with = "text")]
    pub phone: Option<String>,
    /// Web site.
    #[serde(default)]
    pub website_url: Option<String>,
    /// Whether this is not a property but the dummy of a token for several.
    #[serde(default)]
    pub is_portfolio: Option<bool>,
    /// When it began to use Mews.
    #[serde(default)]
    pub created_utc: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A currency of a property.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CurrencySetting {
    /// ISO 4217.
    #[serde(default)]
    pub currency: String,
    /// Whether prices are in it where nothing else is said.
    #[serde(default)]
    pub is_default: bool,
    /// Whether it is in use.
    #[serde(default)]
    pub is_enabled: bool,
}

/// An address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnterpriseAddress {
    /// Street and number.
    #[serde(default)]
    pub line1: Option<String>,
    /// More of the street.
    #[serde(default)]
    pub line2: Option<String>,
    /// City.
    #[serde(default)]
    pub city: Option<String>,
    /// Postal code.
    #[serde(default, deserialize_with = "text")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default)]
    pub country_code: Option<String>,
    /// ISO 3166-2.
    #[serde(default)]
    pub country_subdivision_code: Option<String>,
    /// Degrees north.
    #[serde(default)]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(default)]
    pub longitude: Option<f64>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
