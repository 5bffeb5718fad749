use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    Result,
    model::{ExternalRef, PmsEvent},
    transform::EntityKind,
};
use stayzr_pms::{
    PmsProvider,
    conformance::{Access, Act, Bench, Call, Done, EventExample, Fault, Says, Vendor},
    providers::mews::{MewsConfig, MewsCredentials, MewsProvider},
    sandbox::{Counts, MewsSandbox, SandboxOptions},
};

use crate::desk::{Desk, ids, quick_http, without};

pub struct MewsBench;

struct Mews {
    sandbox: MewsSandbox,
    desk: Desk,
    changes: AtomicU32,
}

#[async_trait]
impl Bench for MewsBench {
    async fn start(&self) -> Result<Box<dyn Vendor>> {
        let sandbox = MewsSandbox::start(SandboxOptions {
            limit: 1_000_000,
            webhook_delay: None,
            // Guests come in pages of a thousand.
            counts: Counts {
                rooms: 12,
                guests: 1010,
                reservations: 30,
            },
            ..SandboxOptions::default()
        })
        .await?;
        let desk = Desk::new(sandbox.base_url());
        let stays = desk.get("reservations").await.unwrap_or_default();
        let note = json!({"OrderId": stays[0]["Id"], "Text": "Late arrival"});
        desk.post("notes", note).await;
        Ok(Box::new(Mews {
            desk,
            sandbox,
            changes: AtomicU32::new(0),
        }))
    }

    fn events(&self) -> Vec<EventExample> {
        let event = |discriminator: &str| {
            json!({"EnterpriseId": "e-1", "IntegrationId": "i-1", "Events": [
                {"Discriminator": discriminator, "Value": {"Id": "r-1"}}]})
        };
        let changed = |kind| PmsEvent::Changed {
            remote_property_id: "e-1".to_owned(),
            record: ExternalRef {
                kind,
                id: "r-1".to_owned(),
            },
        };
        let example = |name, body: Value, says| EventExample {
            name,
            body: body.to_string().into_bytes(),
            says,
        };
        vec![
            example(
                "a reservation changed",
                event("ServiceOrderUpdated"),
                Says::Events(vec![changed(EntityKind::Reservation)]),
            ),
            example(
                "a guest changed",
                event("CustomerUpdated"),
                Says::Events(vec![changed(EntityKind::Guest)]),
            ),
            example("news of next year", event("DroneLanded"), Says::Unknown),
            example(
                "another vendor's",
                json!({"type": "email.sent"}),
                Says::NotOurs,
            ),
        ]
    }

    fn samples(&self, kind: EntityKind, field: &str) -> Option<Vec<Value>> {
        match (kind, field) {
            (EntityKind::Guest, "title") => Some(vec![json!("Mister"), json!("Misses")]),
            (EntityKind::Guest, "classifications") => {
                Some(vec![json!(["Important"]), json!(["Blacklist"])])
            }
            (EntityKind::Reservation, "purpose") => Some(vec![json!("Student"), json!("Business")]),
            _ => None,
        }
    }
}

fn path(kind: EntityKind) -> Option<&'static str> {
    match kind {
        EntityKind::Room => Some("rooms"),
        EntityKind::Guest => Some("guests"),
        EntityKind::Reservation => Some("reservations"),
        EntityKind::Note => Some("notes"),
        EntityKind::Property | EntityKind::RoomType | EntityKind::ServiceRequest => None,
    }
}

fn operation(call: Call) -> Option<&'static str> {
    Some(match call {
        Call::Read(EntityKind::Room) => "resources/getAll",
        Call::Read(EntityKind::Guest) => "customers/getAll",
        Call::Read(EntityKind::Reservation) => "reservations/getAll",
        Call::Read(EntityKind::Note) => "serviceOrderNotes/getAll",
        Call::Update(EntityKind::Room) => "resources/update",
        Call::Update(EntityKind::Guest) => "customers/update",
        Call::Update(EntityKind::Reservation) => "reservations/update",
        Call::Update(EntityKind::Note) => "serviceOrderNotes/update",
        Call::Create(EntityKind::Guest) => "customers/add",
        Call::Create(EntityKind::Reservation) => "reservations/add",
        Call::Create(EntityKind::Note) => "serviceOrderNotes/add",
        _ => return None,
    })
}

#[async_trait]
impl Vendor for Mews {
    fn provider(&self, access: Access) -> Result<Arc<dyn PmsProvider>> {
        let token = match access {
            Access::Granted => "sandbox-access-token",
            Access::Refused => "refused-access-token",
        };
        let mut config = MewsConfig::new(self.sandbox.base_url());
        config.history_start = Utc::now() - TimeDelta::days(500);
        let credentials = MewsCredentials::new("sandbox-client-token", token);
        Ok(Arc::new(MewsProvider::new(
            config,
            credentials,
            quick_http()?,
        )))
    }

    fn secrets(&self) -> Vec<String> {
        [
            "sandbox-client-token",
            "sandbox-access-token",
            "refused-access-token",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    async fn ids(&self, kind: EntityKind) -> Result<Option<Vec<String>>> {
        // The desk names a note by its own id alone; the provider's holds its order too.
        let Some(path) = path(kind).filter(|_| kind != EntityKind::Note) else {
            return Ok(None);
        };
        let all = self.desk.get(path).await;
        Ok(ids(all, |record| record["Id"].as_str().map(str::to_owned)))
    }

    async fn look(&self, kind: EntityKind, id: &str) -> Result<Option<Value>> {
        let Some(path) = path(kind) else {
            return Ok(None);
        };
        let record = self.desk.get(&format!("{path}/{id}")).await;
        Ok(record.map(|record| without(record, &["UpdatedUtc"])))
    }

    async fn act(&self, act: Act, kind: EntityKind, id: &str) -> Result<Option<Done>> {
        let Some(path) = path(kind).map(|path| format!("{path}/{id}")) else {
            return Ok(None);
        };
        let count = self.changes.fetch_add(1, Ordering::Relaxed);
        let word = format!("Changed {count}");
        let (fields, done) = match (act, kind) {
            (Act::Change, EntityKind::Guest) => (
                json!({"LoyaltyCode": word}),
                Done::Reads("loyalty_code", json!(word)),
            ),
            (Act::Change, EntityKind::Reservation) => (
                json!({"ChannelNumber": word}),
                Done::Reads("channel_number", json!(word)),
            ),
            (Act::UnknownField, EntityKind::Guest | EntityKind::Reservation | EntityKind::Room) => {
                (
                    json!({"BrandNewField": word}),
                    Done::Extra("BrandNewField", json!(word)),
                )
            }
            (Act::UnknownValue, EntityKind::Reservation | EntityKind::Room) => (
                json!({"State": "Teleported"}),
                Done::Unknown("Teleported".to_owned()),
            ),
            (Act::Damage, EntityKind::Guest) => (json!({"BirthDate": "yesterday"}), Done::Done),
            (Act::Remove, EntityKind::Reservation) => {
                return Ok(self.desk.delete(&path).await.map(|_| Done::Done));
            }
            (Act::MergeInto(into), EntityKind::Guest) => {
                let path = format!("{path}/merge");
                let merged = self.desk.post(&path, json!({"into": into})).await;
                return Ok(merged.map(|_| Done::Done));
            }
            _ => return Ok(None),
        };
        Ok(self.desk.patch(&path, fields).await.map(|_| done))
    }

    async fn fault(&self, fault: Fault, call: Call, times: u32) -> Result<bool> {
        let Some(operation) = operation(call) else {
            return Ok(false);
        };
        Ok(self.desk.fault(&fault, operation, times).await)
    }

    async fn calls(&self, call: Call) -> Result<u64> {
        let Some(operation) = operation(call) else {
            return Ok(0);
        };
        Ok(self.desk.calls(operation).await)
    }

    async fn side_effects(&self) -> Result<u64> {
        let figures = ["emails_sent", "fees_posted", "reprices"];
        Ok(self.desk.stats(&figures).await)
    }
}
