//! Which webhook endpoint has which keys and owner.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use stayzr_core::{
    Result,
    ids::IntegrationId,
    port::{
        Store,
        directory::IntegrationQuery,
        inbox::{Endpoint, EndpointAuth, EndpointKey, Endpoints},
    },
    tenant::TenantScope,
};
use stayzr_pms::config::WebhookMode;

use crate::{
    config::{Channels, PaymentAccount, Payments},
    credentials::IntegrationSecrets,
    providers::{Providers, provider_config},
};

/// Endpoints of the configuration (channels and payments) and of the store (integrations).
pub struct StoredEndpoints {
    store: Arc<dyn Store>,
    providers: Arc<Providers>,
    channels: Channels,
    payments: Payments,
}

impl StoredEndpoints {
    /// Endpoints over this store.
    pub fn new(
        store: Arc<dyn Store>,
        providers: Arc<Providers>,
        channels: Channels,
        payments: Payments,
    ) -> Self {
        Self {
            store,
            providers,
            channels,
            payments,
        }
    }

    /// How WhatsApp's deliveries are verified, once its app secret is configured.
    fn whatsapp(&self) -> Option<EndpointAuth> {
        let whatsapp = &self.channels.whatsapp;
        let app_secrets: Vec<SecretString> = std::iter::once(&whatsapp.app_secret)
            .chain(&whatsapp.previous_app_secrets)
            .filter(|secret| !secret.expose_secret().is_empty())
            .cloned()
            .collect();
        (!app_secrets.is_empty()).then(|| EndpointAuth::MetaHub {
            app_secrets,
            verify_token: whatsapp.verify_token.clone(),
        })
    }

    fn payment(&self, provider: &str, id: &str) -> Option<&PaymentAccount> {
        let mut accounts = self.payments.accounts.iter();
        accounts.find(|account| account.provider == provider && account.id == id)
    }

    async fn pms(&self, provider: &str, id: IntegrationId) -> Result<Option<EndpointAuth>> {
        let query = IntegrationQuery::Id(id);
        let Some(owner) = self.store.integration_owner(&query).await? else {
            return Ok(None);
        };
        if owner.provider != *provider {
            return Ok(None);
        }
        let Some(integration) = self.store.integration(owner.scope, id).await? else {
            return Ok(None);
        };
        let secrets = IntegrationSecrets::open(self.providers.codec(), &integration)?;
        let secrets = secrets.webhook_secrets();
        Ok(match provider_config(&integration.settings)?.webhook {
            // Cloudbeds is given a URL whose path ends in the secret; queries are for Mews.
            WebhookMode::UrlToken if provider == "cloudbeds" => {
                Some(EndpointAuth::SecretPath { secrets })
            }
            WebhookMode::UrlToken => Some(EndpointAuth::UrlToken { tokens: secrets }),
            WebhookMode::HmacSha256 => Some(EndpointAuth::HmacSha256 { secrets }),
            WebhookMode::Poll => None,
        })
    }
}

#[async_trait]
impl Endpoints for StoredEndpoints {
    async fn endpoint(&self, key: &EndpointKey) -> Result<Option<Endpoint>> {
        // WhatsApp, email providers and PMSs deliver for a whole account: whose an event is, its body
        // says.
        let mut scope = None;
        let mut owned = |account: &PaymentAccount| {
            scope = Some(TenantScope::organization(account.organization));
            account.signing_secrets.clone()
        };
        let auth = match key {
            EndpointKey::Whatsapp => self.whatsapp(),
            EndpointKey::Pms {
                provider,
                integration_id,
            } => self.pms(provider, *integration_id).await?,
            EndpointKey::Resend => some(self.channels.resend.signing_secrets())
                .map(|secrets| EndpointAuth::StandardWebhooks { secrets }),
            EndpointKey::Postmark | EndpointKey::PostmarkInbound => {
                some(self.channels.postmark.credentials())
                    .map(|credentials| EndpointAuth::Postmark { credentials })
            }
            EndpointKey::Stripe { account_id } => self
                .payment("stripe", account_id)
                .map(&mut owned)
                .map(|secrets| EndpointAuth::Stripe { secrets }),
            EndpointKey::Razorpay { account_id } => self
                .payment("razorpay", account_id)
                .map(&mut owned)
                .map(|secrets| EndpointAuth::Razorpay { secrets }),
        };
        Ok(auth.map(|auth| Endpoint {
            key: key.clone(),
            scope,
            auth,
        }))
    }
}

/// Secrets, if there are any: an endpoint that is not configured does not exist.
fn some(secrets: Vec<SecretString>) -> Option<Vec<SecretString>> {
    Some(secrets).filter(|secrets| !secrets.is_empty())
}
