use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Value, json};
use stayzr_core::{
    Result,
    model::{ExternalRef, PmsEvent},
    transform::EntityKind,
};
use stayzr_pms::{
    PmsProvider,
    conformance::{Access, Act, Bench, Call, Done, EventExample, Fault, Says, Vendor},
    providers::opera::{OperaConfig, OperaCredentials, OperaProvider},
    sandbox::{Counts, OperaOptions, OperaSandbox},
};

use crate::desk::{Desk, ids, quick_http, without};

pub struct OperaBench;

struct Opera {
    sandbox: OperaSandbox,
    desk: Desk,
    changes: AtomicU32,
}

const APP_KEY: &str = "41ecd082-8997-4c69-af34-2f72b83645ff";

#[async_trait]
impl Bench for OperaBench {
    async fn start(&self) -> Result<Box<dyn Vendor>> {
        let sandbox = OperaSandbox::start(OperaOptions {
            limit: 1_000_000,
            largest_page: 10,
            counts: Counts {
                rooms: 12,
                guests: 14,
                reservations: 25,
            },
            ..OperaOptions::default()
        })
        .await?;
        Ok(Box::new(Opera {
            desk: Desk::new(sandbox.base_url()),
            sandbox,
            changes: AtomicU32::new(0),
        }))
    }

    fn events(&self) -> Vec<EventExample> {
        let event = |module: &str, action: &str| {
            json!({"businessEventData": [{"businessEvent": {"header": {"moduleName": module,
                "actionType": action, "primaryKey": "7", "hotelId": "SAND01"}, "details": []},
                "businessEventId": {"id": 1}}]})
        };
        let changed = |kind| PmsEvent::Changed {
            remote_property_id: "SAND01".to_owned(),
            record: ExternalRef {
                kind,
                id: "7".to_owned(),
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
                event("Reservation", "UPDATE RESERVATION"),
                Says::Events(vec![changed(EntityKind::Reservation)]),
            ),
            example(
                "a profile changed",
                event("Profile", "UPDATE PROFILE"),
                Says::Events(vec![changed(EntityKind::Guest)]),
            ),
            example(
                "news of next year",
                event("Drones", "DRONE LANDED"),
                Says::Unknown,
            ),
            example(
                "another vendor's",
                json!({"type": "email.sent"}),
                Says::NotOurs,
            ),
        ]
    }
}

fn path(kind: EntityKind) -> Option<&'static str> {
    match kind {
        EntityKind::Room => Some("rooms"),
        EntityKind::Guest => Some("guests"),
        EntityKind::Reservation => Some("reservations"),
        _ => None,
    }
}

fn operation(call: Call) -> Option<&'static str> {
    Some(match call {
        Call::Read(EntityKind::RoomType) => "getRoomTypes",
        Call::Read(EntityKind::Reservation) => "getHotelReservations",
        Call::Update(EntityKind::Room) => "putRoomRelatedStatus",
        Call::Update(EntityKind::Guest) => "putProfile",
        Call::Update(EntityKind::Reservation) => "putReservation",
        Call::Create(EntityKind::Guest) => "postProfile",
        _ => return None,
    })
}

#[async_trait]
impl Vendor for Opera {
    fn provider(&self, access: Access) -> Result<Arc<dyn PmsProvider>> {
        let password = match access {
            Access::Granted => "sandbox-password",
            Access::Refused => "refused-password",
        };
        let credentials = json!({"client_id": "sandbox-client", "app_key": APP_KEY,
            "client_secret": "sandbox-client-secret", "username": "SANDBOX_USER",
            "password": password});
        let credentials = OperaCredentials::parse(&SecretString::from(credentials.to_string()))?;
        let config = OperaConfig::new(self.sandbox.base_url(), "SAND01");
        Ok(Arc::new(OperaProvider::new(
            config,
            credentials,
            quick_http()?,
        )))
    }

    fn secrets(&self) -> Vec<String> {
        [
            "sandbox-client-secret",
            "sandbox-password",
            "refused-password",
            APP_KEY,
        ]
        .map(str::to_owned)
        .to_vec()
    }

    async fn ids(&self, kind: EntityKind) -> Result<Option<Vec<String>>> {
        // Guests are those of the reservations: who has none is not read.
        let Some(path) = path(kind).filter(|_| kind != EntityKind::Guest) else {
            return Ok(None);
        };
        Ok(ids(self.desk.get(path).await, |record| {
            let id = match kind {
                EntityKind::Room => &record["roomId"],
                _ => &record["reservationIdList"][0]["id"],
            };
            id.as_str().map(str::to_owned)
        }))
    }

    async fn look(&self, kind: EntityKind, id: &str) -> Result<Option<Value>> {
        let Some(path) = path(kind) else {
            return Ok(None);
        };
        let record = self.desk.get(&format!("{path}/{id}")).await;
        Ok(record.map(|record| without(record, &["lastModifyDateTime", "lastModifierId"])))
    }

    async fn act(&self, act: Act, kind: EntityKind, id: &str) -> Result<Option<Done>> {
        let Some(path) = path(kind).map(|path| format!("{path}/{id}")) else {
            return Ok(None);
        };
        let count = self.changes.fetch_add(1, Ordering::Relaxed);
        let letter = char::from(b'a' + u8::try_from(count % 26).unwrap_or_default());
        let word = format!("Changed{letter}");
        let (fields, done) = match (act, kind) {
            (Act::Change, EntityKind::Guest) => (
                json!({"surname": word}),
                Done::Reads("last_name", json!(word)),
            ),
            (Act::Change, EntityKind::Reservation) => (
                json!({"childCount": count + 3}),
                Done::Reads("children", json!(count + 3)),
            ),
            (Act::UnknownField, EntityKind::Reservation) => (
                json!({"brandNewField": word}),
                Done::Extra("brandNewField", json!(word)),
            ),
            (Act::UnknownValue, EntityKind::Reservation) => (
                json!({"reservationStatus": "Teleported"}),
                Done::Unknown("Teleported".to_owned()),
            ),
            (Act::Damage, EntityKind::Reservation) => (json!({"adultCount": -1}), Done::Done),
            (Act::Remove, EntityKind::Reservation) => {
                return Ok(self.desk.delete(&path).await.map(|_| Done::Done));
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
        Ok(self.desk.stats(&["letters_sent", "reprices"]).await)
    }
}
