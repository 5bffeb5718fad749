//! The PMS providers of this server: opened for an integration, asked for events and rules.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{
    Error, Result,
    crypto::TokenCodec,
    flow::PushPolicy,
    ids::IntegrationId,
    limit::{Ledger, Limiter, Pacer, Priority, Quota},
    model::{Integration, PmsEvent},
    queue::NewJob,
    tenant::TenantScope,
    transform::{EntityKind, FieldRule},
};
use stayzr_pms::{
    PmsProvider,
    config::{ProviderConfig, RateLimit},
    engine::{Connect, SyncJob},
    http::VendorHttp,
    providers::{
        cloudbeds::{self, CloudbedsConfig, CloudbedsCredentials, CloudbedsProvider},
        mews::{self, MewsConfig, MewsCredentials, MewsProvider},
        opera::{self, OperaConfig, OperaCredentials, OperaProvider},
    },
};
use uuid::Uuid;

/// Names of the providers in this server.
pub const NAMES: [&str; 3] = ["cloudbeds", "mews", "opera"];

/// What an integration keeps sealed.
#[derive(Serialize, Deserialize)]
pub struct IntegrationSecrets {
    /// The vendor's credentials, in the provider's own shape.
    credentials: Value,
    /// Secrets of the webhook: the current first, then previous ones.
    webhook_secrets: Vec<String>,
}

impl IntegrationSecrets {
    /// These credentials (JSON) and this webhook secret.
    pub fn new(credentials: &SecretString, webhook_secret: &SecretString) -> Result<Self> {
        Ok(Self {
            credentials: parse(credentials)?,
            webhook_secrets: vec![webhook_secret.expose_secret().to_owned()],
        })
    }

    /// The text that is sealed.
    pub fn to_text(&self) -> Result<SecretString> {
        serde_json::to_string(self)
            .map(SecretString::from)
            .map_err(|_| Error::internal("integration.seal", "the secrets cannot be written"))
    }

    /// Opens what an integration keeps.
    pub fn open(codec: &TokenCodec, integration: &Integration) -> Result<Self> {
        let text = codec.open(&integration.sealed, integration.id)?;
        serde_json::from_str(text.expose_secret()).map_err(|_| {
            Error::corrupt(
                "integration.open",
                "the sealed secrets are not what we wrote",
            )
            .with("integration_id", integration.id)
        })
    }

    /// Takes other credentials.
    pub fn set_credentials(&mut self, credentials: &SecretString) -> Result<()> {
        self.credentials = parse(credentials)?;
        Ok(())
    }

    /// Takes another secret of the webhook; the one before it still verifies.
    pub fn rotate_webhook_secret(&mut self, secret: &SecretString) {
        let secret = secret.expose_secret();
        self.webhook_secrets.retain(|known| known != secret);
        self.webhook_secrets.insert(0, secret.to_owned());
        self.webhook_secrets.truncate(2);
    }

    /// The credentials as JSON.
    pub fn credentials(&self) -> SecretString {
        SecretString::from(self.credentials.to_string())
    }

    /// Secrets of the webhook: the current first.
    pub fn webhook_secrets(&self) -> Vec<SecretString> {
        self.webhook_secrets
            .iter()
            .map(|secret| SecretString::from(secret.clone()))
            .collect()
    }
}

fn parse(credentials: &SecretString) -> Result<Value> {
    serde_json::from_str(credentials.expose_secret())
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| {
            Error::invalid(
                "integration.credentials",
                "the credentials must be a JSON object",
            )
        })
}

/// An integration's settings as its provider reads them.
pub fn provider_config(settings: &Value) -> Result<ProviderConfig> {
    ProviderConfig::parse(settings)
}

/// Two limits that hold at once.
struct Both(Arc<dyn Limiter>, Arc<dyn Limiter>);

#[async_trait]
impl Limiter for Both {
    async fn acquire(&self, key: &str, priority: Priority) -> Result<()> {
        self.0.acquire(key, priority).await?;
        self.1.acquire(key, priority).await
    }

    async fn hold(&self, key: &str, wait: Duration) -> Result<()> {
        self.0.hold(key, wait).await?;
        self.1.hold(key, wait).await
    }
}

type Opened = HashMap<IntegrationId, (DateTime<Utc>, Arc<dyn PmsProvider>)>;

/// Opens integrations and keeps them open.
pub struct Providers {
    codec: TokenCodec,
    /// Where vendors' limits are counted.
    ledger: Arc<dyn Ledger>,
    /// One for all integrations, keyed by access token, so that two that share a token share its
    /// limit too.
    mews_limit: Arc<dyn Limiter>,
    /// One for each limit that a configuration names, likewise.
    named_limits: Mutex<HashMap<(u32, u64), Arc<dyn Limiter>>>,
    opened: Mutex<Opened>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").finish_non_exhaustive()
    }
}

impl Providers {
    /// Providers whose credentials this codec opens, and whose limits are counted in this ledger.
    pub fn new(codec: TokenCodec, ledger: Arc<dyn Ledger>) -> Self {
        Self {
            codec,
            mews_limit: Arc::new(Pacer::new(ledger.clone(), mews::QUOTA)),
            ledger,
            named_limits: Mutex::default(),
            opened: Mutex::default(),
        }
    }

    /// Where vendors' limits are counted.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.ledger
    }

    /// What seals and opens credentials.
    pub fn codec(&self) -> &TokenCodec {
        &self.codec
    }

    /// A provider with these settings and credentials.
    pub fn open(
        &self,
        name: &str,
        config: &ProviderConfig,
        credentials: &SecretString,
    ) -> Result<Arc<dyn PmsProvider>> {
        match name {
            "cloudbeds" => {
                let credentials = CloudbedsCredentials::parse(credentials)?;
                let documented = credentials.limit();
                let own = self.named(documented);
                let limiter = self.narrowed(config.rate_limit, documented, own);
                let http = VendorHttp::from_config(config, limiter)?;
                let settings = CloudbedsConfig::from_provider(config)?;
                let key = only_key(credentials)?;
                Ok(Arc::new(CloudbedsProvider::new(settings, key, http, None)))
            }
            "mews" => {
                let http = VendorHttp::from_config(config, self.limiter(config.rate_limit))?;
                let provider = MewsProvider::new(
                    MewsConfig::from_provider(config)?,
                    MewsCredentials::parse(credentials)?,
                    http,
                );
                Ok(Arc::new(provider))
            }
            "opera" => {
                let own = self.named(opera::LIMIT);
                let limiter = self.narrowed(config.rate_limit, opera::LIMIT, own);
                let http = VendorHttp::from_config(config, limiter)?;
                let settings = OperaConfig::from_provider(config)?;
                let credentials = OperaCredentials::parse(credentials)?;
                Ok(Arc::new(OperaProvider::new(settings, credentials, http)))
            }
            other => Err(not_built_in(other)),
        }
    }

    /// The vendor's documented limit, or the configured one. One that is narrower is kept beside
    /// the documented one, so that its calls count for integrations that share the token; one that
    /// is wider was granted by the vendor and stands in its place.
    fn limiter(&self, configured: Option<RateLimit>) -> Arc<dyn Limiter> {
        self.narrowed(configured, mews::LIMIT, Arc::clone(&self.mews_limit))
    }

    fn narrowed(
        &self,
        configured: Option<RateLimit>,
        documented: RateLimit,
        own: Arc<dyn Limiter>,
    ) -> Arc<dyn Limiter> {
        // One limit under two names would be one key of the ledger, and each call counted twice.
        let is_own = |limit: &RateLimit| {
            (limit.calls, limit.per_seconds) == (documented.calls, documented.per_seconds)
        };
        let Some(limit) = configured.filter(|limit| !is_own(limit)) else {
            return own;
        };
        let named = self.named(limit);
        let is_wider = u64::from(limit.calls).saturating_mul(documented.per_seconds)
            > u64::from(documented.calls).saturating_mul(limit.per_seconds);
        if is_wider || Arc::ptr_eq(&named, &own) {
            return named;
        }
        Arc::new(Both(named, own))
    }

    /// The one limiter of such a limit.
    fn named(&self, RateLimit { calls, per_seconds }: RateLimit) -> Arc<dyn Limiter> {
        let quota = Quota::new(calls, Duration::from_secs(per_seconds));
        let mut limits = self
            .named_limits
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let named = limits
            .entry((calls, per_seconds))
            .or_insert_with(|| Arc::new(Pacer::new(self.ledger.clone(), quota)));
        Arc::clone(named)
    }

    /// The vendor account of credentials: a fingerprint, not a secret.
    pub fn account(&self, name: &str, credentials: &SecretString) -> Result<String> {
        match name {
            "cloudbeds" => Ok(CloudbedsCredentials::parse(credentials)?.account()),
            "mews" => Ok(MewsCredentials::parse(credentials)?.account()),
            "opera" => Ok(OperaCredentials::parse(credentials)?.account()),
            other => Err(not_built_in(other)),
        }
    }

    /// What a webhook body of a provider says happened.
    pub fn parse_event(&self, name: &str, body: &[u8]) -> Result<Vec<PmsEvent>> {
        match name {
            "cloudbeds" => cloudbeds::parse_event(body),
            "mews" => mews::parse_event(body),
            "opera" => opera::parse_event(body),
            other => Err(not_built_in(other)),
        }
    }

    fn kept(&self, integration: &Integration) -> Option<Arc<dyn PmsProvider>> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened
            .get(&integration.id)
            .filter(|(updated_at, _)| *updated_at == integration.updated_at)
            .map(|(_, provider)| Arc::clone(provider))
    }
}

pub(crate) fn not_built_in(name: &str) -> Error {
    Error::unsupported("provider.open", "this server has no such PMS provider")
        .with("provider", name)
        .with("providers", NAMES.join(", "))
}

#[async_trait]
impl Connect for Providers {
    async fn connect(
        &self,
        _: TenantScope,
        integration: &Integration,
    ) -> Result<Arc<dyn PmsProvider>> {
        if let Some(provider) = self.kept(integration) {
            return Ok(provider);
        }
        let secrets = IntegrationSecrets::open(&self.codec, integration)?;
        let config = provider_config(&integration.settings)?;
        let provider = self.open(&integration.provider, &config, &secrets.credentials())?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.insert(
            integration.id,
            (integration.updated_at, Arc::clone(&provider)),
        );
        Ok(provider)
    }
}

/// What may be pushed, by the providers' own rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct PushRules;

impl PushPolicy for PushRules {
    fn rule(&self, provider: &str, kind: EntityKind, field: &str) -> Option<FieldRule> {
        let rules = match provider {
            "cloudbeds" => cloudbeds_rules(kind),
            "mews" => mews_rules(kind),
            "opera" => opera::fields(kind).to_vec(),
            _ => return None,
        };
        rules.iter().find(|rule| rule.field == field).copied()
    }

    fn creates(&self, provider: &str, kind: EntityKind) -> bool {
        match provider {
            // Cloudbeds makes notes, and guests only with a reservation of theirs.
            "cloudbeds" => kind == EntityKind::Note,
            "mews" => mews::capabilities().create.contains(&kind),
            _ => false,
        }
    }

    fn push_job(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        id: Uuid,
    ) -> NewJob {
        SyncJob::push(scope, integration_id, kind, id)
    }
}

/// The key of a property. Tokens change with every renewal, and this server keeps credentials as they
/// were entered.
fn only_key(credentials: CloudbedsCredentials) -> Result<CloudbedsCredentials> {
    match credentials {
        CloudbedsCredentials::ApiKey(_) => Ok(credentials),
        CloudbedsCredentials::OAuth(_) => Err(Error::unsupported(
            "provider.open",
            "renewed tokens of Cloudbeds are not kept here: use the API key of the property",
        )),
    }
}

/// Cloudbeds' rules. Its properties and room types have no field that can be written.
fn cloudbeds_rules(kind: EntityKind) -> Vec<FieldRule> {
    cloudbeds::fields(kind).to_vec()
}

/// Mews' rules. Its properties and room types are read only, whatever a field's rule says.
fn mews_rules(kind: EntityKind) -> Vec<FieldRule> {
    let read_only = !mews::capabilities().update.contains(&kind);
    mews::fields(kind)
        .iter()
        .map(|rule| FieldRule {
            writable: rule.writable && !read_only,
            ..*rule
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use stayzr_core::{crypto::MasterKey, limit::LocalLedger};

    use super::*;

    fn limits(calls: u32, per_seconds: u64) -> Option<RateLimit> {
        Some(RateLimit { calls, per_seconds })
    }

    async fn is_held(limiter: &dyn Limiter) -> bool {
        let call = limiter.acquire("token", Priority::High);
        !matches!(
            tokio::time::timeout(Duration::from_millis(1), call).await,
            Ok(Ok(()))
        )
    }

    #[test]
    fn a_configured_limit_that_is_the_documented_one_counts_once() {
        let codec = TokenCodec::new(MasterKey::generate(), []);
        let providers = Providers::new(codec, Arc::new(LocalLedger::default()));
        let configured = limits(mews::LIMIT.calls, mews::LIMIT.per_seconds);
        let (configured, documented) = (providers.limiter(configured), providers.limiter(None));
        assert!(Arc::ptr_eq(&configured, &documented));
    }

    #[tokio::test]
    async fn invariant_g_integrations_that_share_a_token_share_its_limit_however_it_is_configured()
    {
        let codec = TokenCodec::new(MasterKey::generate(), []);
        let providers = Providers::new(codec, Arc::new(LocalLedger::default()));
        let (one, other) = (
            providers.limiter(limits(1, 3600)),
            providers.limiter(limits(1, 3600)),
        );
        assert!(!is_held(&*one).await);
        assert!(is_held(&*other).await);

        let documented = providers.limiter(None);
        let (narrow, wide) = (
            providers.limiter(limits(199, 30)),
            providers.limiter(limits(400, 30)),
        );
        let hour = Duration::from_secs(3600);
        documented.hold("token", hour).await.unwrap();
        assert!(is_held(&*narrow).await, "beside the documented one");
        assert!(!is_held(&*wide).await, "in its place");
    }
}
