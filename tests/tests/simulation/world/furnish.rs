//! A hotel with a few guests, read once.

use serde_json::{Value, json};
use stayzr_core::{
    clock::{Clock, SystemClock},
    ids::ApiTokenId,
    model::{
        Address, Integration, IntegrationStatus, Organization, PricingMode, Property, RunMode,
    },
    port::setup::{NewToken, Setup},
    tenant::{Principal, Role},
    transform::EntityKind,
};
use stayzr_pms::engine::SyncJob;

use super::{World, block};
use crate::script::{GUESTS, Script};

impl World {
    /// A hotel with a few guests, read once.
    pub fn furnish(&mut self, script: &Script) -> std::result::Result<(), String> {
        let now = self.clock.now();
        let organization_id = self.scope.organization_id;
        let store = self.store.clone();
        let token = NewToken {
            principal: Principal {
                token_id: ApiTokenId::generate(&SystemClock),
                name: "front desk".to_owned(),
                organization_id,
                role: Role::Admin,
                property_ids: Vec::new(),
            },
            hash: "00".to_owned(),
        };
        let organization = Organization {
            id: organization_id,
            name: "Aurelia".to_owned(),
            created_at: now,
        };
        let property = Property {
            id: self.property_id,
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
            time_zone: "UTC".to_owned(),
            currency: "EUR".parse().expect("a currency"),
            pricing: PricingMode::Gross,
            languages: Vec::new(),
            check_in: None,
            check_out: None,
            phone: None,
            email: None,
            website: None,
            amenities: Vec::new(),
            policies: Vec::new(),
        };
        let integration = Integration {
            id: self.integration_id,
            organization_id,
            property_id: self.property_id,
            provider: "modelled".to_owned(),
            account: "account".to_owned(),
            remote_property_id: "hotel".to_owned(),
            settings: Value::Null,
            sealed: String::new(),
            status: IntegrationStatus::Active,
            created_at: now,
            updated_at: now,
        };
        block(async move {
            store.create_organization(organization, token).await?;
            store.create_property(property).await?;
            store.create_integration(integration).await
        })
        .map_err(|error| format!("set-up: {error}"))?;
        self.policy(script.strategy)?;
        for room in 0..2 {
            self.vendor.add(
                EntityKind::Room,
                &format!("m{room}"),
                json!({"name": format!("10{room}"), "condition": "clean"}),
                None,
            );
        }
        for guest in 0..GUESTS {
            let id = format!("g{guest}");
            self.vendor.add(
                EntityKind::Guest,
                &id,
                json!({"first_name": format!("first {guest}"), "last_name": format!("last {guest}"),
                       "email": format!("g{guest}@example.com"), "notes": "calm",
                       "phone": format!("+35191200030{guest}"), "classifications": [],
                       "loyalty_code": "L", "active": true}),
                None,
            );
            self.vendor.add(
                EntityKind::Reservation,
                &format!("r{guest}"),
                json!({"number": guest.to_string(), "status": "confirmed",
                       "status_vendor": "Confirmed", "arrival": "2026-07-01T14:00:00Z",
                       "departure": "2026-07-02T10:00:00Z", "adults": 2}),
                Some(("guest_id", EntityKind::Guest, &id)),
            );
        }
        self.vendor.add(
            EntityKind::Note,
            "n0",
            json!({"kind": "general", "text": "late arrival", "active": true}),
            Some(("reservation_id", EntityKind::Reservation, "r0")),
        );
        self.enqueue(vec![SyncJob::run(
            self.scope,
            self.integration_id,
            RunMode::Backfill,
        )]);
        self.drain()?;
        self.vendor.lock().events.clear();
        Ok(())
    }
}
