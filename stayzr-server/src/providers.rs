//! The PMS providers of this server: opened for an integration, asked for events and rules.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::Value;
use stayzr_core::{
    Error, Result,
    crypto::TokenCodec,
    flow::PushPolicy,
    ids::IntegrationId,
    limit::{Ledger, Limiter, Pacer, Priority, Quota},
    model::{Integration, PmsEvent},
    port::Store,
    queue::NewJob,
    tenant::TenantScope,
    transform::{EntityKind, FieldRule},
};
use stayzr_pms::{
    PmsProvider, Reading, RemoteProperty,
    config::{Authentication, ProviderConfig, RateLimit},
    engine::{Connect, SyncJob},
    http::VendorHttp,
    providers::{
        cloudbeds::{
            self, CloudbedsConfig, CloudbedsCredentials, CloudbedsProvider, CredentialStore,
        },
        mews::{self, MewsConfig, MewsCredentials, MewsProvider},
        opera::{self, OperaConfig, OperaCredentials, OperaProvider},
    },
};
use uuid::Uuid;

use crate::credentials::{HeldCredentials, IntegrationSecrets, SealedCredentials};

/// Names of the providers in this server.
pub const NAMES: [&str; 3] = ["cloudbeds", "mews", "opera"];

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

/// What a vendor answered when it was asked who we are.
pub struct Answer {
    /// The property.
    pub remote: RemoteProperty,
    /// The credentials to be kept: those that it was asked with, or what it gave in their place.
    pub credentials: SecretString,
}

type Opened = HashMap<IntegrationId, (DateTime<Utc>, Arc<dyn PmsProvider>)>;

/// Opens integrations and keeps them open.
pub struct Providers {
    codec: TokenCodec,
    /// Where vendors' limits are counted.
    ledger: Arc<dyn Ledger>,
    /// Where credentials are kept that a vendor renews.
    store: Option<Arc<dyn Store>>,
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
            store: None,
            named_limits: Mutex::default(),
            opened: Mutex::default(),
        }
    }

    /// Keeps credentials that a vendor renews in this store; without one they end with the
    /// connection they were renewed for.
    #[must_use]
    pub fn keeping(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Where vendors' limits are counted.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.ledger
    }

    /// What seals and opens credentials.
    pub fn codec(&self) -> &TokenCodec {
        &self.codec
    }

    /// Asks a vendor who we are, with credentials that are not stored yet. It may renew them with
    /// its answer, which ends the ones it was asked with.
    pub async fn ask(
        &self,
        name: &str,
        config: &ProviderConfig,
        credentials: &SecretString,
    ) -> Result<Answer> {
        let held = Arc::new(HeldCredentials::default());
        let provider = self.open(name, config, credentials, Some(held.clone()))?;
        Ok(Answer {
            remote: provider.check().await?,
            credentials: held.or(credentials),
        })
    }

    /// A provider with these settings and credentials; renewed credentials go to `keep`.
    fn open(
        &self,
        name: &str,
        config: &ProviderConfig,
        credentials: &SecretString,
        keep: Option<Arc<dyn CredentialStore>>,
    ) -> Result<Arc<dyn PmsProvider>> {
        let provider: Arc<dyn PmsProvider> = match name {
            "cloudbeds" => {
                let credentials = CloudbedsCredentials::parse(credentials)?;
                let proof = match credentials {
                    CloudbedsCredentials::ApiKey(_) => Authentication::ApiKey,
                    CloudbedsCredentials::OAuth(_) => Authentication::Oauth2,
                };
                agree(config, proof)?;
                let documented = credentials.limit();
                let own = self.named(documented);
                let limiter = self.narrowed(config.rate_limit, documented, own);
                let http = VendorHttp::from_config(config, limiter)?;
                let settings = CloudbedsConfig::from_provider(config)?;
                let provider = CloudbedsProvider::new(settings, credentials, http, keep);
                Arc::new(provider)
            }
            "mews" => {
                agree(config, Authentication::Tokens)?;
                let http = VendorHttp::from_config(config, self.limiter(config.rate_limit))?;
                let provider = MewsProvider::new(
                    MewsConfig::from_provider(config)?,
                    MewsCredentials::parse(credentials)?,
                    http,
                );
                Arc::new(provider)
            }
            "opera" => {
                let own = self.named(opera::LIMIT);
                let limiter = self.narrowed(config.rate_limit, opera::LIMIT, own);
                let http = VendorHttp::from_config(config, limiter)?;
                let settings = OperaConfig::from_provider(config)?;
                let credentials = OperaCredentials::parse(credentials)?;
                let proof = match credentials.enterprise_id {
                    Some(_) => Authentication::ClientCredentials,
                    None => Authentication::Password,
                };
                agree(config, proof)?;
                Arc::new(OperaProvider::new(settings, credentials, http))
            }
            other => return Err(not_built_in(other)),
        };
        config.apply(provider)
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

    /// What a body of a vendor is read as, offline.
    pub fn read_body(name: &str, operation: &str, body: &Value) -> Result<Reading> {
        match name {
            "cloudbeds" => cloudbeds::read_body(operation, body),
            "mews" => mews::read_body(operation, body),
            "opera" => opera::read_body(operation, body),
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

/// Refuses credentials that are for another way in than the configured one.
fn agree(config: &ProviderConfig, given: Authentication) -> Result<()> {
    match config.authentication {
        Some(wanted) if wanted != given => Err(Error::invalid(
            "provider.open",
            "the credentials are not for the `authentication` that is configured: give others, or \
             leave it out",
        )
        .with("authentication", format!("{wanted:?}").to_lowercase())
        .with("credentials", format!("{given:?}").to_lowercase())),
        _ => Ok(()),
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
        scope: TenantScope,
        integration: &Integration,
    ) -> Result<Arc<dyn PmsProvider>> {
        if let Some(provider) = self.kept(integration) {
            return Ok(provider);
        }
        let secrets = IntegrationSecrets::open(&self.codec, integration)?;
        let config = provider_config(&integration.settings)?;
        let keep = self.store.clone().map(|store| -> Arc<dyn CredentialStore> {
            Arc::new(SealedCredentials {
                store,
                codec: self.codec.clone(),
                scope,
                integration_id: integration.id,
            })
        });
        let credentials = secrets.credentials();
        let provider = self.open(&integration.provider, &config, &credentials, keep)?;
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
            "opera" => opera::capabilities().create.contains(&kind),
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
