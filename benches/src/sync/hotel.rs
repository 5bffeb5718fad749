//! A hotel in a store of its own, and an engine that synchronises it.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use serde_json::Value;
use stayzr_core::{
    Result,
    clock::{Clock, SystemClock},
    ids::{ApiTokenId, IntegrationId, OrganizationId, PropertyId},
    model::{
        Address, Integration, IntegrationStatus, Organization, PricingMode, Property, RunMode,
        SyncRun,
    },
    port::{entities::Entities, queue::JobQueue, setup::NewToken, setup::Setup, sync::SyncStore},
    tenant::{Principal, Role, TenantScope},
};
use stayzr_pms::{
    PmsProvider,
    engine::{Connect, EngineOptions, EnginePorts, SyncEngine},
};

use super::vendor::Vendor;

/// A hotel that is connected to a [`Vendor`].
pub(super) struct Hotel {
    pub(super) organization_id: OrganizationId,
    pub(super) integration_id: IntegrationId,
    pub(super) vendor: Arc<Vendor>,
    scope: TenantScope,
    engine: SyncEngine,
}

struct Opens(Arc<Vendor>);

#[async_trait]
impl Connect for Opens {
    async fn connect(&self, _: TenantScope, _: &Integration) -> Result<Arc<dyn PmsProvider>> {
        Ok(self.0.clone())
    }
}

impl Hotel {
    /// A hotel in an empty store, with nothing synchronised.
    pub(super) async fn open<S>(store: Arc<S>, records: usize) -> Result<Self>
    where
        S: SyncStore + Entities + JobQueue + Setup + 'static,
    {
        let now = SystemClock.now();
        let organization_id = OrganizationId::generate(&SystemClock);
        let property_id = PropertyId::generate(&SystemClock);
        let integration_id = IntegrationId::generate(&SystemClock);
        let organization = Organization {
            id: organization_id,
            name: "Aurelia".to_owned(),
            created_at: now,
        };
        let principal = Principal {
            token_id: ApiTokenId::generate(&SystemClock),
            name: "front desk".to_owned(),
            organization_id,
            role: Role::Admin,
            property_ids: Vec::new(),
        };
        let hash = "00".to_owned();
        store
            .create_organization(organization, NewToken { principal, hash })
            .await?;
        store
            .create_property(Property {
                id: property_id,
                organization_id,
                version: 1,
                created_at: now,
                updated_at: now,
                name: "Aurelia Lisboa".to_owned(),
                address: Address {
                    country_code: Some("PT".to_owned()),
                    ..Address::default()
                },
                geo: None,
                time_zone: "Europe/Lisbon".to_owned(),
                currency: "EUR".parse()?,
                pricing: PricingMode::Gross,
                languages: Vec::new(),
                check_in: None,
                check_out: None,
                phone: None,
                email: None,
                website: None,
                amenities: Vec::new(),
                policies: Vec::new(),
            })
            .await?;
        store
            .create_integration(Integration {
                id: integration_id,
                organization_id,
                property_id,
                provider: "memory".to_owned(),
                account: "account".to_owned(),
                remote_property_id: "hotel".to_owned(),
                settings: Value::Null,
                sealed: String::new(),
                status: IntegrationStatus::Active,
                created_at: now,
                updated_at: now,
            })
            .await?;
        let vendor = Arc::new(Vendor::new(records));
        let engine = SyncEngine::new(
            EnginePorts::of(store),
            Arc::new(Opens(vendor.clone())),
            Arc::new(SystemClock),
            EngineOptions::default(),
        );
        Ok(Self {
            organization_id,
            integration_id,
            vendor,
            scope: TenantScope::property(organization_id, property_id),
            engine,
        })
    }

    /// Reads everything once: records a second, and what the run came to.
    pub(super) async fn read_everything(&self) -> Result<(f64, SyncRun)> {
        let started = Instant::now();
        let run = self
            .engine
            .run(self.scope, self.integration_id, RunMode::Backfill, None)
            .await?;
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        let records = run.read as f64;
        Ok((records / started.elapsed().as_secs_f64(), run))
    }
}
