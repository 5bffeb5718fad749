//! Where a vendor posts its webhooks, where it is told so by a call.

use std::sync::Arc;

use secrecy::SecretString;
use stayzr_core::{Result, model::Integration, port::Store, tenant::TenantScope};
use stayzr_pms::{PmsProvider, config::WebhookMode, engine::Connect};

use crate::{
    credentials::IntegrationSecrets,
    document::{connection_config, layered},
    providers::Providers,
    setup::webhook_url,
};

/// Connections of a server whose address vendors know.
#[derive(Clone, Copy)]
pub struct Subscriptions<'s> {
    /// The store.
    pub store: &'s dyn Store,
    /// Opens connections.
    pub providers: &'s Providers,
    /// Under which address vendors reach this server.
    pub public_url: &'s str,
}

impl Subscriptions<'_> {
    /// Lets the vendor post to this connection's address, and returns the events that are new; none
    /// where the address is entered at the vendor by hand, or nothing is posted.
    pub async fn make(&self, integration: &Integration) -> Result<Option<Vec<String>>> {
        let Some((provider, address)) = self.open(integration).await? else {
            return Ok(None);
        };
        match provider.desk() {
            Some(desk) => desk.subscribe(&address).await.map(Some),
            None => Ok(None),
        }
    }

    /// Ends the vendor's posts to this connection's address, and returns how many subscriptions there
    /// were.
    pub async fn end(&self, integration: &Integration) -> Result<usize> {
        let Some((provider, address)) = self.open(integration).await? else {
            return Ok(0);
        };
        match provider.desk() {
            Some(desk) => desk.unsubscribe(&address).await,
            None => Ok(0),
        }
    }

    /// The connection and its address, where the vendor takes subscriptions and is to post.
    async fn open(
        &self,
        integration: &Integration,
    ) -> Result<Option<(Arc<dyn PmsProvider>, SecretString)>> {
        let scope = TenantScope::property(integration.organization_id, integration.property_id);
        let config = connection_config(self.store, scope, integration).await?;
        if config.webhook == WebhookMode::Poll {
            return Ok(None);
        }
        let secrets = IntegrationSecrets::open(self.providers.codec(), integration)?;
        let Some(secret) = secrets.webhook_secrets().into_iter().next() else {
            return Ok(None);
        };
        let whole = layered(self.store, scope, integration).await?;
        let provider = self.providers.connect(scope, &whole).await?;
        if !provider.capabilities().desk.subscriptions {
            return Ok(None);
        }
        let address = webhook_url(self.public_url, &whole, &secret);
        Ok(Some((provider, address.into())))
    }
}
