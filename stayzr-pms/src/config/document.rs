use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use stayzr_core::{
    Error, Result,
    limit::Quota,
    queue::Backoff,
    retry::RetryPolicy,
    transform::{ConflictStrategy, EntityKind, FieldRule},
};

/// The version of [`ProviderConfig`] that this crate reads and writes.
pub const CONFIG_VERSION: u32 = 1;

/// How the vendor tells us that something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookMode {
    /// A secret in the URL of the webhook.
    #[default]
    UrlToken,
    /// `X-Signature`: base64 of HMAC-SHA256 over the raw body, set by a signing relay.
    HmacSha256,
    /// Not at all: we ask.
    Poll,
}

/// How a connection proves itself to the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// Mews: the tokens of application and connection.
    Tokens,
    /// Cloudbeds: the key of a property.
    ApiKey,
    /// Cloudbeds: tokens that the hotel granted an application.
    Oauth2,
    /// OPERA Cloud: an integration user.
    Password,
    /// OPERA Cloud: an enterprise.
    ClientCredentials,
}

/// Fields of ours and the vendor's keys that they come from, by kind of record; none for a field that
/// comes from nowhere and stays what staff wrote. A key is looked for in what the vendor's record
/// holds beyond our model; `customFields/0/value` leads into it.
pub type Mappings = BTreeMap<EntityKind, BTreeMap<String, Option<String>>>;

/// How often the vendor may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Calls, at least 1.
    pub calls: u32,
    /// In any window of this many seconds, at least 1.
    pub per_seconds: u64,
}

/// How a failed call is tried again at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retries {
    /// Attempts after the first.
    pub retries: u32,
    /// The first wait in milliseconds; each next one is twice as long.
    pub first_wait_ms: u64,
    /// The longest `Retry-After`, in seconds, that is waited for while a job is held.
    pub patience_seconds: u64,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            retries: 3,
            first_wait_ms: 1000,
            patience_seconds: 30,
        }
    }
}

/// How long to wait for the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For a connection, in seconds.
    pub connect_seconds: u64,
    /// For a whole call, in seconds.
    pub call_seconds: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_seconds: 5,
            call_seconds: 30,
        }
    }
}

/// Who decides conflicts about a kind of record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conflicts {
    /// For fields without a strategy of their own.
    pub strategy: Option<ConflictStrategy>,
    /// For these fields.
    pub fields: BTreeMap<String, ConflictStrategy>,
}

/// How we look whether the vendor still has every record that is mapped here.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reconcile {
    /// How often, in seconds.
    pub interval_seconds: u64,
    /// More missing records of a kind than this share of the mapped ones stop the run until a
    /// person says that they are really gone; 0 to 1.
    pub max_missing_share: f64,
    /// So many missing records of a kind never stop it.
    pub min_missing: u32,
}

impl Default for Reconcile {
    fn default() -> Self {
        Self {
            interval_seconds: 21_600,
            max_missing_share: 0.1,
            min_missing: 5,
        }
    }
}

impl Reconcile {
    /// How many of so many mapped records may be missing before a person is asked.
    pub fn limit(&self, mapped: u64) -> u64 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "the share is between 0 and 1, and a limit need not be exact beyond 2^52"
        )]
        let share = (mapped as f64 * self.max_missing_share) as u64;
        share.max(u64::from(self.min_missing))
    }
}

/// What is configured for a connection to a vendor; the table `pms_provider_configs` holds it as
/// JSON. Unknown keys are refused. Everything has a default.
///
/// ```
/// use stayzr_pms::config::ProviderConfig;
///
/// let config = ProviderConfig::parse(&serde_json::json!({
///     "base_url": "https://api.mews-demo.com",
///     "conflicts": {"guest": {"strategy": "MANUAL_REVIEW", "fields": {"notes": "LOCAL_WINS"}}}
/// }))
/// .unwrap();
/// assert_eq!(config.timeouts.call_seconds, 30);
/// assert!(ProviderConfig::parse(&serde_json::json!({"base_uri": "x"})).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderConfig {
    /// [`CONFIG_VERSION`].
    pub version: u32,
    /// Where the vendor's API is; none for the provider's default.
    pub base_url: Option<String>,
    /// The version of that API, such as `v1.3`; none for the provider's default.
    pub api_version: Option<String>,
    /// How connections prove themselves; none for whatever their credentials are for.
    pub authentication: Option<Authentication>,
    /// Kinds of records that are kept equal; none for all that the provider reads.
    pub entities: Option<BTreeSet<EntityKind>>,
    /// Fields of ours that come from another key of the vendor, or from nowhere.
    pub mappings: Mappings,
    /// How often it may be called; none for the vendor's documented limit.
    pub rate_limit: Option<RateLimit>,
    /// How a failed call is tried again.
    pub retry: Retries,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// The largest body of an answer, in bytes.
    pub max_body_bytes: usize,
    /// How the vendor tells us that something changed.
    pub webhook: WebhookMode,
    /// How often to ask what changed, in seconds.
    pub sync_interval_seconds: u64,
    /// How often to ask for events, in seconds, where `webhook` is `poll`.
    pub events_interval_seconds: u64,
    /// How we look whether the vendor still has every record that is mapped here.
    pub reconcile: Reconcile,
    /// Who decides conflicts, by kind of record.
    pub conflicts: BTreeMap<EntityKind, Conflicts>,
    /// Settings of this vendor; each provider documents and checks its own.
    pub vendor: Map<String, Value>,
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self {
            version: CONFIG_VERSION,
            base_url: None,
            api_version: None,
            authentication: None,
            entities: None,
            mappings: Mappings::new(),
            rate_limit: None,
            retry: Retries::default(),
            timeouts: Timeouts::default(),
            max_body_bytes: 32 * 1024 * 1024,
            webhook: WebhookMode::default(),
            sync_interval_seconds: 300,
            events_interval_seconds: 30,
            reconcile: Reconcile::default(),
            conflicts: BTreeMap::new(),
            vendor: Map::new(),
        }
    }
}

impl ProviderConfig {
    /// Reads and checks a configuration; `null` is the default one.
    pub fn parse(value: &Value) -> Result<Self> {
        if value.is_null() {
            return Ok(Self::default());
        }
        let config = Self::deserialize(value).map_err(|error| unreadable(value, &error))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks what types cannot say.
    pub fn validate(&self) -> Result<()> {
        let refuse = |key: &'static str, reason: &'static str| {
            Err(Error::invalid("provider_config.validate", reason).with("key", key))
        };
        if self.version != CONFIG_VERSION {
            return refuse("version", "this release reads version 1");
        }
        if let Some(url) = &self.base_url {
            let host = url
                .strip_prefix("https://")
                .or_else(|| url.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
                return refuse("base_url", "must start with https:// or http:// and a host");
            }
        }
        if self
            .rate_limit
            .is_some_and(|limit| limit.calls == 0 || limit.per_seconds == 0)
        {
            return refuse("rate_limit", "calls and per_seconds must be at least 1");
        }
        if self.timeouts.call_seconds == 0 || self.timeouts.connect_seconds == 0 {
            return refuse("timeouts", "must be at least 1 second");
        }
        if self.sync_interval_seconds == 0 {
            return refuse("sync_interval_seconds", "must be at least 1");
        }
        if self.events_interval_seconds == 0 {
            return refuse("events_interval_seconds", "must be at least 1");
        }
        if self.reconcile.interval_seconds == 0 {
            return refuse("reconcile.interval_seconds", "must be at least 1");
        }
        if !(0.0..=1.0).contains(&self.reconcile.max_missing_share) {
            return refuse("reconcile.max_missing_share", "must be between 0 and 1");
        }
        for (kind, mapped) in &self.mappings {
            let is_text = |field: &str| super::apply::column(*kind, field).is_some();
            if let Some(field) = mapped.keys().find(|field| !is_text(field)) {
                return Err(Error::invalid(
                    "provider_config.validate",
                    "not a text field of this kind",
                )
                .with("key", format!("mappings.{kind}.{field}")));
            }
        }
        for (kind, conflicts) in &self.conflicts {
            let columns = kind.columns();
            if let Some(field) = conflicts
                .fields
                .keys()
                .find(|field| columns.iter().all(|column| column.name != field.as_str()))
            {
                return Err(
                    Error::invalid("provider_config.validate", "not a field of this kind")
                        .with("key", format!("conflicts.{kind}.fields.{field}")),
                );
            }
        }
        Ok(())
    }

    /// The version of the vendor's API: the configured one, or the first of those that are spoken.
    /// [`stayzr_core::ErrorKind::Invalid`] for one that is not.
    pub fn api_version<'v>(&'v self, spoken: &[&'v str]) -> Result<&'v str> {
        let default = spoken.first().copied().unwrap_or_default();
        let version = self.api_version.as_deref().unwrap_or(default);
        if spoken.contains(&version) {
            return Ok(version);
        }
        let why = format!("is not spoken here; there is {}", spoken.join(", "));
        Err(Error::invalid("provider_config.validate", why).with("key", "api_version"))
    }

    /// Who decides conflicts about a kind of record where a field has no strategy of its own.
    pub fn strategy(&self, kind: EntityKind) -> ConflictStrategy {
        self.conflicts
            .get(&kind)
            .and_then(|conflicts| conflicts.strategy)
            .unwrap_or_default()
    }

    /// A provider's rules with the strategies of this configuration in place of the provider's.
    pub fn rules(&self, kind: EntityKind, rules: &[FieldRule]) -> Vec<FieldRule> {
        let conflicts = self.conflicts.get(&kind);
        rules
            .iter()
            .map(|rule| {
                let named = conflicts.and_then(|all| all.fields.get(rule.field).copied());
                let whole = conflicts.and_then(|all| all.strategy);
                FieldRule {
                    strategy: named.or(whole).or(rule.strategy),
                    ..*rule
                }
            })
            .collect()
    }

    /// The limit, or `documented` where none is configured.
    pub fn quota(&self, documented: Quota) -> Quota {
        self.rate_limit.map_or(documented, |limit| {
            Quota::new(limit.calls, Duration::from_secs(limit.per_seconds))
        })
    }

    /// The policy of retries.
    pub fn retry_policy(&self) -> RetryPolicy {
        let base = Duration::from_millis(self.retry.first_wait_ms);
        RetryPolicy {
            retries: self.retry.retries,
            backoff: Backoff {
                base,
                cap: base.saturating_mul(4),
            },
            patience: Duration::from_secs(self.retry.patience_seconds),
        }
    }
}

/// Says which key cannot be read, which the deserializer does not.
fn unreadable(value: &Value, error: &serde_json::Error) -> Error {
    let invalid = Error::invalid("provider_config.parse", format!("cannot be read: {error}"));
    let key = value.as_object().and_then(|keys| {
        keys.iter()
            .find(|(key, value)| ProviderConfig::deserialize(json!({key.as_str(): value})).is_err())
    });
    match key {
        Some((key, _)) => invalid.with("key", key),
        None => invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_values_are_refused_with_their_key() {
        for (value, key) in [
            (json!({"version": 2}), "version"),
            (json!({"base_url": "api.mews.com"}), "base_url"),
            (
                json!({"rate_limit": {"calls": 0, "per_seconds": 30}}),
                "rate_limit",
            ),
            (json!({"timeouts": {"call_seconds": 0}}), "timeouts"),
            (json!({"retry": {"attempts": 1}}), "attempts"),
            (json!({"timeouts": {"call_seconds": "long"}}), "timeouts"),
            (json!({"reconcile": {"interval_seconds": 0}}), "reconcile"),
            (
                json!({"reconcile": {"max_missing_share": 10}}),
                "max_missing_share",
            ),
            (
                json!({"conflicts": {"guest": {"fields": {"nickname": "LOCAL_WINS"}}}}),
                "conflicts.guest.fields.nickname",
            ),
            (
                json!({"mappings": {"reservation": {"adults": "Persons"}}}),
                "mappings.reservation.adults",
            ),
            (json!({"entities": ["guest", "invoice"]}), "entities"),
        ] {
            let error = ProviderConfig::parse(&value).unwrap_err().to_string();
            assert!(error.contains(key), "{value}: {error}");
        }
    }

    #[test]
    fn a_named_field_beats_the_kind_and_the_kind_beats_the_provider() {
        let config = ProviderConfig::parse(&json!({
            "conflicts": {"guest": {"strategy": "MANUAL_REVIEW", "fields": {"notes": "REMOTE_WINS"}}}
        }))
        .unwrap();
        let rules = [
            FieldRule::shared("notes"),
            FieldRule::shared("classifications").with_strategy(ConflictStrategy::MergeFields),
        ];
        let guest = config.rules(EntityKind::Guest, &rules);
        assert_eq!(guest[0].strategy, Some(ConflictStrategy::RemoteWins));
        assert_eq!(guest[1].strategy, Some(ConflictStrategy::ManualReview));
        let room = config.rules(EntityKind::Room, &rules);
        assert_eq!(room[1].strategy, Some(ConflictStrategy::MergeFields));
    }

    #[test]
    fn few_missing_records_never_ask_a_person_and_a_share_of_many_does() {
        let reconcile = Reconcile::default();
        assert_eq!(reconcile.limit(0), 5);
        assert_eq!(reconcile.limit(30), 5);
        assert_eq!(reconcile.limit(1000), 100);
    }
}
