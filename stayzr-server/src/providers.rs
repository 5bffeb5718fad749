//! The PMS providers of this server: opened for an integration, asked for events and rules.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
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
    limit::{Limiter, LocalLimiter},
    model::{Integration, PmsEvent},
    queue::NewJob,
    tenant::TenantScope,
    transform::{EntityKind, FieldRule, Transformer},
};
use stayzr_pms::{
    PmsProvider,
    config::ProviderConfig,
    engine::{Connect, SyncJob},
    http::VendorHttp,
    providers::mews::{
        self, MewsConfig, MewsCredentials, MewsProvider,
        transform::{
            GuestTransformer, PropertyTransformer, ReservationTransformer, RoomTransformer,
            RoomTypeTransformer,
        },
    },
};
use uuid::Uuid;

/// Names of the providers in this server.
pub const NAMES: [&str; 1] = ["mews"];

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
        let credentials = serde_json::from_str(credentials.expose_secret()).map_err(|_| {
            Error::invalid(
                "integration.credentials",
                "the credentials must be a JSON object",
            )
        })?;
        Ok(Self {
            credentials,
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

/// An integration's settings as its provider reads them.
pub fn provider_config(settings: &Value) -> Result<ProviderConfig> {
    ProviderConfig::parse(settings)
}

type Opened = HashMap<IntegrationId, (DateTime<Utc>, Arc<dyn PmsProvider>)>;

/// Opens integrations and keeps them open.
pub struct Providers {
    codec: TokenCodec,
    /// One for all integrations, keyed by access token, so that two that share a token share its
    /// limit too.
    mews_limit: Arc<dyn Limiter>,
    opened: Mutex<Opened>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").finish_non_exhaustive()
    }
}

impl Providers {
    /// Providers whose credentials this codec opens.
    pub fn new(codec: TokenCodec) -> Self {
        Self {
            codec,
            mews_limit: Arc::new(LocalLimiter::new(mews::QUOTA)),
            opened: Mutex::default(),
        }
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
            "mews" => {
                let limiter: Arc<dyn Limiter> = match config.rate_limit {
                    None => Arc::clone(&self.mews_limit),
                    Some(_) => Arc::new(LocalLimiter::new(config.quota(mews::QUOTA))),
                };
                let http = VendorHttp::from_config(config, limiter)?;
                let provider = MewsProvider::new(
                    MewsConfig::from_provider(config)?,
                    MewsCredentials::parse(credentials)?,
                    http,
                );
                Ok(Arc::new(provider))
            }
            other => Err(not_built_in(other)),
        }
    }

    /// The vendor account of credentials: a fingerprint, not a secret.
    pub fn account(&self, name: &str, credentials: &SecretString) -> Result<String> {
        match name {
            "mews" => Ok(MewsCredentials::parse(credentials)?.account()),
            other => Err(not_built_in(other)),
        }
    }

    /// What a webhook body of a provider says happened.
    pub fn parse_event(&self, name: &str, body: &[u8]) -> Result<Vec<PmsEvent>> {
        match name {
            "mews" => mews::parse_event(body),
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

fn not_built_in(name: &str) -> Error {
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
            "mews" => mews_rules(kind),
            _ => return None,
        };
        rules.iter().find(|rule| rule.field == field).copied()
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

/// Mews' rules. Its properties and room types are read only, whatever a field's rule says.
fn mews_rules(kind: EntityKind) -> Vec<FieldRule> {
    let rules = match kind {
        EntityKind::Property => PropertyTransformer.fields(),
        EntityKind::RoomType => RoomTypeTransformer.fields(),
        EntityKind::Room => RoomTransformer.fields(),
        EntityKind::Guest => GuestTransformer.fields(),
        EntityKind::Reservation => ReservationTransformer.fields(),
    };
    let read_only = matches!(kind, EntityKind::Property | EntityKind::RoomType);
    rules
        .iter()
        .map(|rule| FieldRule {
            writable: rule.writable && !read_only,
            ..*rule
        })
        .collect()
}
