//! What a connection keeps sealed: credentials, which a vendor may renew, and webhook secrets.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{
    Error, Result, crypto::TokenCodec, ids::IntegrationId, model::Integration, port::Store,
    tenant::TenantScope,
};
use stayzr_pms::providers::cloudbeds::{CloudbedsCredentials, CredentialStore};

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

/// Keeps renewed credentials sealed with their integration, where every process finds them.
pub(crate) struct SealedCredentials {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) codec: TokenCodec,
    pub(crate) scope: TenantScope,
    pub(crate) integration_id: IntegrationId,
}

impl fmt::Debug for SealedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedCredentials")
            .field("integration_id", &self.integration_id)
            .finish_non_exhaustive()
    }
}

impl SealedCredentials {
    async fn integration(&self) -> Result<Option<Integration>> {
        self.store
            .integration(self.scope, self.integration_id)
            .await
    }
}

#[async_trait]
impl CredentialStore for SealedCredentials {
    async fn current(&self) -> Result<Option<CloudbedsCredentials>> {
        let Some(integration) = self.integration().await? else {
            return Ok(None);
        };
        let secrets = IntegrationSecrets::open(&self.codec, &integration)?;
        CloudbedsCredentials::parse(&secrets.credentials()).map(Some)
    }

    async fn keep(&self, credentials: &CloudbedsCredentials) -> Result<()> {
        let found = self.integration().await?;
        let mut integration = found.ok_or_else(|| {
            Error::not_found("integration.keep", "the integration was removed meanwhile")
        })?;
        let mut secrets = IntegrationSecrets::open(&self.codec, &integration)?;
        secrets.set_credentials(&credentials.to_secret())?;
        integration.sealed = self.codec.seal(&secrets.to_text()?, integration.id);
        // Its time of change stays: nobody has to open the connection again for a token that whoever
        // needs it finds here.
        self.store.update_integration(integration).await
    }
}

/// Holds what a vendor renewed while it was asked with credentials that are not stored yet.
#[derive(Debug, Default)]
pub(crate) struct HeldCredentials(Mutex<Option<CloudbedsCredentials>>);

impl HeldCredentials {
    /// The renewed ones, or else those that were given.
    pub(crate) fn or(&self, given: &SecretString) -> SecretString {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref()
            .map_or_else(|| given.clone(), CloudbedsCredentials::to_secret)
    }
}

#[async_trait]
impl CredentialStore for HeldCredentials {
    async fn current(&self) -> Result<Option<CloudbedsCredentials>> {
        Ok(self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone())
    }

    async fn keep(&self, credentials: &CloudbedsCredentials) -> Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials.clone());
        Ok(())
    }
}
