use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{Error, Result, limit::Quota};

use crate::config::{ProviderConfig, RateLimit};

/// Where Cloudbeds' API is.
pub const PRODUCTION_URL: &str = "https://api.cloudbeds.com";

/// The versions of the PMS API that are spoken; v1.2 differs from v1.3 in its name alone.
pub const API_VERSIONS: [&str; 2] = ["v1.3", "v1.2"];

/// Cloudbeds' limit for the API key of a property: 5 calls in any second.
pub const LIMIT: RateLimit = RateLimit {
    calls: 5,
    per_seconds: 1,
};

/// Cloudbeds' limit for the client id of a technology partner: 10 calls in any second.
pub const PARTNER_LIMIT: RateLimit = RateLimit {
    calls: 10,
    per_seconds: 1,
};

/// [`LIMIT`], as limiters take it.
pub const QUOTA: Quota = Quota::new(LIMIT.calls, Duration::from_secs(LIMIT.per_seconds));

/// [`PARTNER_LIMIT`], as limiters take it.
pub const PARTNER_QUOTA: Quota = Quota::new(
    PARTNER_LIMIT.calls,
    Duration::from_secs(PARTNER_LIMIT.per_seconds),
);

/// What is configured for a connection to Cloudbeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudbedsConfig {
    /// Scheme and host, without a slash at the end.
    pub base_url: String,
    /// The version of the API, one of [`API_VERSIONS`].
    pub api_version: String,
    /// The property, for credentials of several.
    pub property_id: Option<String>,
    /// Whether Cloudbeds is asked which of its regions the property lives in.
    pub find_region: bool,
    /// Whether rooms are read with their housekeeping status, which needs a scope of its own.
    pub housekeeping: bool,
    /// The source that reservations are made with: `s-1`.
    pub source_id: Option<String>,
    /// The payment method that reservations are made with.
    pub payment_method: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    property_id: Option<String>,
    find_region: Option<bool>,
    housekeeping: Option<bool>,
    source_id: Option<String>,
    payment_method: Option<String>,
}

impl CloudbedsConfig {
    /// A connection to the API at this address, with defaults for the rest.
    pub fn new(base_url: impl Into<String>) -> Self {
        let base_url: String = base_url.into();
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            api_version: API_VERSIONS[0].to_owned(),
            property_id: None,
            find_region: true,
            housekeeping: true,
            source_id: None,
            payment_method: "cash".to_owned(),
        }
    }

    /// The settings of a provider configuration; unknown ones are refused.
    pub fn from_provider(config: &ProviderConfig) -> Result<Self> {
        config.validate()?;
        let settings =
            Settings::deserialize(Value::Object(config.vendor.clone())).map_err(|error| {
                Error::invalid(
                    "cloudbeds.config",
                    format!("the vendor settings cannot be read: {error}"),
                )
            })?;
        let base = Self::new(config.base_url.as_deref().unwrap_or(PRODUCTION_URL));
        let payment_method = settings.payment_method.unwrap_or(base.payment_method);
        if !["cash", "ebanking", "pay_pal"].contains(&payment_method.as_str()) {
            // A card would have to be sent along.
            return Err(Error::invalid(
                "cloudbeds.config",
                "payment_method must be cash, ebanking or pay_pal",
            ));
        }
        Ok(Self {
            api_version: config.api_version(&API_VERSIONS)?.to_owned(),
            base_url: base.base_url,
            property_id: settings.property_id,
            find_region: settings.find_region.unwrap_or(base.find_region),
            housekeeping: settings.housekeeping.unwrap_or(base.housekeeping),
            source_id: settings.source_id,
            payment_method,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_have_defaults_and_unknown_ones_are_refused() {
        let config = |vendor: Value| {
            let config = ProviderConfig::parse(&json!({"vendor": vendor})).unwrap();
            CloudbedsConfig::from_provider(&config)
        };
        assert_eq!(
            config(json!({})).unwrap(),
            CloudbedsConfig::new(PRODUCTION_URL)
        );
        let named = config(json!({"property_id": "318267", "housekeeping": false})).unwrap();
        assert_eq!(named.property_id.as_deref(), Some("318267"));
        assert!(!named.housekeeping);
        let error = config(json!({"propertyID": "1"})).unwrap_err().to_string();
        assert!(error.contains("propertyID"), "{error}");
        assert!(config(json!({"payment_method": "credit"})).is_err());
    }
}
