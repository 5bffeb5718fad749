use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{Error, Result, limit::Quota};

use crate::config::{ProviderConfig, RateLimit};

/// Where Mews' production API is.
pub const PRODUCTION_URL: &str = "https://api.mews.com";

/// Mews' limit for an access token: 200 calls in any 30 seconds.
pub const LIMIT: RateLimit = RateLimit {
    calls: 200,
    per_seconds: 30,
};

/// [`LIMIT`], as limiters take it.
pub const QUOTA: Quota = Quota::new(LIMIT.calls, Duration::from_secs(LIMIT.per_seconds));

/// What is configured for a connection to Mews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MewsConfig {
    /// Scheme and host, without a slash at the end.
    pub base_url: String,
    /// How the application is called.
    pub client: String,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
    /// The one service whose reservations are stays.
    pub service_id: Option<String>,
    /// The rate that quotes are made with.
    pub rate_id: Option<String>,
    /// How long a room that is set out of order here is blocked at Mews, where a block has an end.
    pub out_of_order_hours: u32,
    /// Guests and notes that did not change since are not read by a backfill.
    pub history_start: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    client: Option<String>,
    enterprise_id: Option<String>,
    service_id: Option<String>,
    rate_id: Option<String>,
    out_of_order_hours: Option<u32>,
    history_start: Option<DateTime<Utc>>,
}

impl MewsConfig {
    /// A connection to the API at this address, with defaults for the rest.
    pub fn new(base_url: impl Into<String>) -> Self {
        let base_url: String = base_url.into();
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            client: concat!("Stayzr ", env!("CARGO_PKG_VERSION")).to_owned(),
            enterprise_id: None,
            service_id: None,
            rate_id: None,
            out_of_order_hours: 24,
            // Mews was founded in 2012: nothing in it is older.
            history_start: Utc
                .with_ymd_and_hms(2012, 1, 1, 0, 0, 0)
                .single()
                .unwrap_or_default(),
        }
    }

    /// The settings of a provider configuration; unknown ones are refused.
    pub fn from_provider(config: &ProviderConfig) -> Result<Self> {
        config.validate()?;
        config.api_version(&["v1"])?;
        let settings =
            Settings::deserialize(Value::Object(config.vendor.clone())).map_err(|error| {
                Error::invalid(
                    "mews.config",
                    format!("the vendor settings cannot be read: {error}"),
                )
            })?;
        let base = Self::new(config.base_url.as_deref().unwrap_or(PRODUCTION_URL));
        Ok(Self {
            base_url: base.base_url,
            client: settings.client.unwrap_or(base.client),
            enterprise_id: settings.enterprise_id,
            service_id: settings.service_id,
            rate_id: settings.rate_id,
            out_of_order_hours: settings
                .out_of_order_hours
                .unwrap_or(base.out_of_order_hours)
                .max(1),
            history_start: settings.history_start.unwrap_or(base.history_start),
        })
    }

    /// The property as a filter, for a token of several.
    pub(super) fn enterprises(&self) -> Option<Vec<String>> {
        self.enterprise_id.clone().map(|id| vec![id])
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
            MewsConfig::from_provider(&config)
        };
        assert_eq!(config(json!({})).unwrap(), MewsConfig::new(PRODUCTION_URL));
        let named = config(json!({"service_id": "s", "history_start": "2020-01-01T00:00:00Z"}));
        assert_eq!(named.unwrap().service_id.as_deref(), Some("s"));
        let error = config(json!({"serviceId": "s"})).unwrap_err().to_string();
        assert!(error.contains("serviceId"), "{error}");
    }

    #[test]
    fn a_slash_at_the_end_of_the_address_is_harmless() {
        assert_eq!(
            MewsConfig::new("http://127.0.0.1:1/").base_url,
            "http://127.0.0.1:1"
        );
    }
}
