use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use stayzr_core::{
    Result,
    flow::PushPolicy,
    ids::IntegrationId,
    limit::LocalLimiter,
    model::Integration,
    queue::NewJob,
    tenant::TenantScope,
    transform::{EntityKind, FieldRule},
};
use stayzr_pms::{
    PmsProvider,
    config::ProviderConfig,
    engine::{Connect, SyncJob},
    http::VendorHttp,
    providers::mews::{MewsConfig, MewsCredentials, MewsProvider, QUOTA},
};
use uuid::Uuid;

/// One connection to Mews, for the engine and for edits. A program with several integrations opens
/// the one that is asked for, and keeps it open.
pub struct Mews(pub Arc<MewsProvider>);

impl Mews {
    /// A connection with these settings, as an integration keeps them, and these tokens.
    pub fn open(settings: &Value, credentials: MewsCredentials) -> Result<Self> {
        let config = ProviderConfig::parse(settings)?;
        let limiter = Arc::new(LocalLimiter::new(config.quota(QUOTA)));
        let http = VendorHttp::from_config(&config, limiter)?;
        let mews = MewsProvider::new(MewsConfig::from_provider(&config)?, credentials, http);
        Ok(Self(Arc::new(mews)))
    }
}

#[async_trait]
impl Connect for Mews {
    async fn connect(&self, _: TenantScope, _: &Integration) -> Result<Arc<dyn PmsProvider>> {
        Ok(self.0.clone())
    }
}

impl PushPolicy for Mews {
    fn rule(&self, _: &str, kind: EntityKind, field: &str) -> Option<FieldRule> {
        let mut rules = self.0.fields(kind).iter();
        rules.find(|rule| rule.field == field).copied()
    }

    fn push_job(
        &self,
        scope: TenantScope,
        integration: IntegrationId,
        kind: EntityKind,
        row: Uuid,
    ) -> NewJob {
        SyncJob::push(scope, integration, kind, row)
    }
}
