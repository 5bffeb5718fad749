use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{Error, Result, limit::Quota};

use crate::config::{ProviderConfig, RateLimit};

/// Oracle's limit for a gateway: 50 calls in any second, shared by everybody who calls it. Where
/// other applications of the hotel take their part, configure less.
pub const LIMIT: RateLimit = RateLimit {
    calls: 50,
    per_seconds: 1,
};

/// [`LIMIT`], as limiters take it.
pub const QUOTA: Quota = Quota::new(LIMIT.calls, Duration::from_secs(LIMIT.per_seconds));

/// What is configured for a connection to OPERA Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperaConfig {
    /// Scheme and host of the gateway of the environment, without a slash at the end.
    pub base_url: String,
    /// The hotel's code.
    pub hotel_id: String,
    /// Our code as an external system, which keeps our own writes out of our events.
    pub external_system: Option<String>,
    /// The hotel's IANA time zone, where OPERA names none.
    pub time_zone: Option<String>,
    /// The hotel's currency, where OPERA names none.
    pub currency: Option<String>,
    /// How many days after their departure reservations are still read.
    pub past_days: u64,
    /// How many days before their arrival reservations are read.
    pub future_days: u64,
    /// Whether rooms are read with their housekeeping status.
    pub housekeeping: bool,
    /// OPERA's codes of languages and what they mean: `{"E": "en"}`.
    pub languages: BTreeMap<String, String>,
    /// The stream of business events; none where they are polled.
    pub stream: Option<StreamConfig>,
    /// A reason of the hotel's list, with which reservations are cancelled; none where they are not.
    pub cancellation_reason: Option<String>,
    /// The cashier by whom guests are checked out; none where they are not.
    pub cashier_id: Option<u64>,
    /// What guests may ask for, by the hotel's codes of service requests.
    pub services: BTreeMap<String, ServiceConfig>,
}

/// Something that guests may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// What it is called.
    pub name: String,
    /// The code of the department that does it.
    #[serde(default)]
    pub department: Option<String>,
    /// The code of its priority: `HIGH`.
    #[serde(default)]
    pub priority: Option<String>,
}

/// How the stream of business events is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The code of the chain whose events it gives.
    pub chain_code: String,
    /// How long events are waited for, at most 30 seconds.
    #[serde(default = "wait_seconds")]
    pub wait_seconds: u64,
    /// How long after the end of a connection the next one is made; doubled while it gives nothing.
    /// Oracle asks for ten seconds.
    #[serde(default = "reconnect_seconds")]
    pub reconnect_seconds: u64,
}

fn wait_seconds() -> u64 {
    20
}

fn reconnect_seconds() -> u64 {
    10
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    hotel_id: Option<String>,
    external_system: Option<String>,
    time_zone: Option<String>,
    currency: Option<String>,
    past_days: Option<u64>,
    future_days: Option<u64>,
    housekeeping: Option<bool>,
    languages: Option<BTreeMap<String, String>>,
    stream: Option<StreamConfig>,
    cancellation_reason: Option<String>,
    cashier_id: Option<u64>,
    services: Option<BTreeMap<String, ServiceConfig>>,
}

impl OperaConfig {
    /// A connection to a hotel through this gateway, with defaults for the rest.
    pub fn new(base_url: impl Into<String>, hotel_id: impl Into<String>) -> Self {
        let base_url: String = base_url.into();
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            hotel_id: hotel_id.into(),
            external_system: None,
            time_zone: None,
            currency: None,
            past_days: 30,
            future_days: 730,
            housekeeping: true,
            languages: BTreeMap::from([("E".to_owned(), "en".to_owned())]),
            stream: None,
            cancellation_reason: None,
            cashier_id: None,
            services: BTreeMap::new(),
        }
    }

    /// The settings of a provider configuration; unknown ones are refused. The address of the
    /// gateway and the hotel's code have no default.
    pub fn from_provider(config: &ProviderConfig) -> Result<Self> {
        config.validate()?;
        config.api_version(&["v1"])?;
        let settings = read(&config.vendor)?;
        let missing = |what: &'static str| Error::invalid(OPERATION, what);
        let base_url = config.base_url.as_deref().ok_or_else(|| {
            missing("base_url is needed: the gateway URL of the environment, from Oracle's developer portal")
        })?;
        let hotel_id = settings.hotel_id.ok_or_else(|| {
            missing("hotel_id is needed in the vendor settings: the hotel's code in OPERA")
        })?;
        let base = Self::new(base_url, hotel_id);
        Ok(Self {
            external_system: settings.external_system,
            time_zone: settings.time_zone,
            currency: settings.currency,
            past_days: settings.past_days.unwrap_or(base.past_days),
            future_days: settings.future_days.unwrap_or(base.future_days),
            housekeeping: settings.housekeeping.unwrap_or(base.housekeeping),
            languages: settings.languages.unwrap_or(base.languages),
            stream: settings.stream,
            cancellation_reason: settings.cancellation_reason,
            cashier_id: settings.cashier_id,
            services: settings.services.unwrap_or_default(),
            base_url: base.base_url,
            hotel_id: base.hotel_id,
        })
    }

    /// Checks settings that are shared by several hotels, which need not name one.
    pub fn check_shared(config: &ProviderConfig) -> Result<()> {
        config.validate()?;
        config.api_version(&["v1"])?;
        read(&config.vendor).map(drop)
    }
}

const OPERATION: &str = "opera.config";

fn read(vendor: &serde_json::Map<String, Value>) -> Result<Settings> {
    let refuse = |reason: String| Err(Error::invalid(OPERATION, reason));
    let settings = match Settings::deserialize(Value::Object(vendor.clone())) {
        Ok(settings) => settings,
        Err(error) => return refuse(format!("the vendor settings cannot be read: {error}")),
    };
    let code = |text: &String| {
        !text.is_empty()
            && text.len() <= 40
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    for (key, value) in [
        ("hotel_id", &settings.hotel_id),
        ("external_system", &settings.external_system),
    ] {
        if value.as_ref().is_some_and(|value| !code(value)) {
            return refuse(format!(
                "{key} must be a code of at most 40 letters, digits, - and _"
            ));
        }
    }
    if let Some(zone) = &settings.time_zone
        && zone.parse::<chrono_tz::Tz>().is_err()
    {
        return refuse("time_zone must be a time zone of IANA, such as Europe/Lisbon".to_owned());
    }
    if let Some(currency) = &settings.currency
        && currency.parse::<stayzr_core::model::Currency>().is_err()
    {
        return refuse("currency must be a currency of ISO 4217, such as EUR".to_owned());
    }
    // Ten years: beyond that a day cannot be meant.
    let days = [settings.past_days, settings.future_days];
    if days.into_iter().flatten().any(|days| days > 3660) {
        return refuse("past_days and future_days must be at most 3660".to_owned());
    }
    let short = |code: &String| (1..=20).contains(&code.len());
    let services = settings.services.iter().flatten();
    let codes: Vec<&String> = services
        .flat_map(|(code, service)| {
            [
                Some(code),
                service.department.as_ref(),
                service.priority.as_ref(),
            ]
        })
        .chain([settings.cancellation_reason.as_ref()])
        .flatten()
        .collect();
    if !codes.into_iter().all(short) {
        let most = "cancellation_reason and the codes of services must have 1 to 20 letters";
        return refuse(most.to_owned());
    }
    if let Some(stream) = &settings.stream {
        // The vendor's own rule for the code of a chain.
        let chain = |byte: u8| byte.is_ascii_alphanumeric() || b" _%#$&-".contains(&byte);
        let code = &stream.chain_code;
        if code.is_empty() || code.len() > 20 || !code.bytes().all(chain) {
            return refuse(
                "stream.chain_code must be the chain's code, at most 20 letters".to_owned(),
            );
        }
        if stream.wait_seconds > 30 || stream.reconnect_seconds > 120 {
            let most = "stream.wait_seconds must be at most 30, and reconnect_seconds at most 120";
            return refuse(most.to_owned());
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(vendor: Value) -> Result<OperaConfig> {
        let config = json!({"base_url": "https://gateway.example/", "vendor": vendor});
        OperaConfig::from_provider(&ProviderConfig::parse(&config).unwrap())
    }

    #[test]
    fn settings_have_defaults_and_the_hotel_and_its_gateway_must_be_named() {
        let hotel = config(json!({"hotel_id": "HOTEL1"})).unwrap();
        assert_eq!(hotel, OperaConfig::new("https://gateway.example", "HOTEL1"));
        assert!(
            config(json!({}))
                .unwrap_err()
                .to_string()
                .contains("hotel_id")
        );
        let bare = ProviderConfig::parse(&json!({"vendor": {"hotel_id": "HOTEL1"}})).unwrap();
        let error = OperaConfig::from_provider(&bare).unwrap_err();
        assert!(error.to_string().contains("base_url"), "{error}");
        assert!(OperaConfig::check_shared(&bare).is_ok());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (vendor, key) in [
            (json!({"hotelId": "HOTEL1"}), "hotelId"),
            (json!({"hotel_id": "../HOTEL1"}), "hotel_id"),
            (
                json!({"hotel_id": "H", "external_system": ""}),
                "external_system",
            ),
            (json!({"hotel_id": "H", "time_zone": "EST5"}), "time_zone"),
            (json!({"hotel_id": "H", "currency": "Euro"}), "currency"),
            (json!({"hotel_id": "H", "past_days": 100_000}), "past_days"),
            (
                json!({"hotel_id": "H", "stream": {"chain_code": "a\"b"}}),
                "chain_code",
            ),
            (
                json!({"hotel_id": "H", "stream": {"chain_code": "C", "wait_seconds": 31}}),
                "wait_seconds",
            ),
            (json!({"hotel_id": "H", "stream": {}}), "chain_code"),
            (
                json!({"hotel_id": "H", "cancellation_reason": ""}),
                "cancellation_reason",
            ),
            (
                json!({"hotel_id": "H", "services": {"": {"name": "Towels"}}}),
                "services",
            ),
        ] {
            let error = config(vendor.clone()).unwrap_err().to_string();
            assert!(error.contains(key), "{vendor}: {error}");
        }
    }
}
