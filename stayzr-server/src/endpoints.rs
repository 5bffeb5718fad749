//! Which webhook endpoint has which keys and owner.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use stayzr_core::{
    Result,
    port::{
        Store,
        directory::IntegrationQuery,
        inbox::{Endpoint, EndpointAuth, EndpointKey, Endpoints},
    },
};
use stayzr_pms::config::WebhookMode;

use crate::{
    config::Whatsapp,
    credentials::IntegrationSecrets,
    providers::{Providers, provider_config},
};

/// Endpoints of the configuration (WhatsApp) and of the store (integrations).
pub struct StoredEndpoints {
    store: Arc<dyn Store>,
    providers: Arc<Providers>,
    app_secrets: Vec<SecretString>,
    verify_token: SecretString,
}

impl StoredEndpoints {
    /// Endpoints over this store.
    pub fn new(store: Arc<dyn Store>, providers: Arc<Providers>, whatsapp: &Whatsapp) -> Self {
        let app_secrets = std::iter::once(&whatsapp.app_secret)
            .chain(&whatsapp.previous_app_secrets)
            .filter(|secret| !secret.expose_secret().is_empty())
            .cloned()
            .collect();
        Self {
            store,
            providers,
            app_secrets,
            verify_token: whatsapp.verify_token.clone(),
        }
    }

    /// WhatsApp's, once its app secret is configured.
    fn whatsapp(&self) -> Option<Endpoint> {
        (!self.app_secrets.is_empty()).then(|| Endpoint {
            key: EndpointKey::Whatsapp,
            scope: None,
            auth: EndpointAuth::MetaHub {
                app_secrets: self.app_secrets.clone(),
                verify_token: self.verify_token.clone(),
            },
        })
    }
}

#[async_trait]
impl Endpoints for StoredEndpoints {
    async fn endpoint(&self, key: &EndpointKey) -> Result<Option<Endpoint>> {
        let EndpointKey::Pms {
            provider,
            integration_id,
        } = key
        else {
            return Ok(self.whatsapp());
        };
        let query = IntegrationQuery::Id(*integration_id);
        let Some(owner) = self.store.integration_owner(&query).await? else {
            return Ok(None);
        };
        if owner.provider != *provider {
            return Ok(None);
        }
        let found = self.store.integration(owner.scope, *integration_id).await?;
        let Some(integration) = found else {
            return Ok(None);
        };
        let secrets = IntegrationSecrets::open(self.providers.codec(), &integration)?;
        let secrets = secrets.webhook_secrets();
        let auth = match provider_config(&integration.settings)?.webhook {
            WebhookMode::UrlToken => EndpointAuth::UrlToken { tokens: secrets },
            WebhookMode::HmacSha256 => EndpointAuth::HmacSha256 { secrets },
            WebhookMode::Poll => return Ok(None),
        };
        Ok(Some(Endpoint {
            key: key.clone(),
            // The endpoint serves the whole vendor account: whose an event is, its body says.
            scope: None,
            auth,
        }))
    }
}
