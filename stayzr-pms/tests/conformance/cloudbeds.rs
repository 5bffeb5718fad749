use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use stayzr_core::{
    Result,
    model::{ExternalRef, PmsEvent},
    transform::{EntityKind, FieldMap},
};
use stayzr_pms::{
    PageQuery, PmsProvider, Push,
    conformance::{Access, Act, Bench, Call, Done, EventExample, Fault, Says, Vendor},
    providers::cloudbeds::{CloudbedsConfig, CloudbedsCredentials, CloudbedsProvider},
    sandbox::{CloudbedsOptions, CloudbedsSandbox, Counts},
};

use crate::desk::{Desk, ids, quick_http, without};

pub struct CloudbedsBench;

struct Cloudbeds {
    sandbox: CloudbedsSandbox,
    desk: Desk,
    changes: AtomicU32,
}

#[async_trait]
impl Bench for CloudbedsBench {
    async fn start(&self) -> Result<Box<dyn Vendor>> {
        let sandbox = CloudbedsSandbox::start(CloudbedsOptions {
            limit: 1_000_000,
            webhook_delay: None,
            // Guests come in pages of a hundred.
            counts: Counts {
                rooms: 12,
                guests: 110,
                reservations: 25,
            },
            ..CloudbedsOptions::default()
        })
        .await?;
        let vendor = Cloudbeds {
            desk: Desk::new(sandbox.base_url()),
            sandbox,
            changes: AtomicU32::new(0),
        };
        vendor.note().await?;
        Ok(Box::new(vendor))
    }

    fn events(&self) -> Vec<EventExample> {
        let event = |name: &str| {
            json!({"event": name, "version": "1.0", "propertyID": "1", "propertyID_str": "1",
                "reservationID": "7", "guestID": "8"})
        };
        let changed = |kind, id: &str| PmsEvent::Changed {
            remote_property_id: "1".to_owned(),
            record: ExternalRef {
                kind,
                id: id.to_owned(),
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
                event("reservation/dates_changed"),
                Says::Events(vec![changed(EntityKind::Reservation, "7")]),
            ),
            example(
                "a guest changed",
                event("guest/details_changed"),
                Says::Events(vec![changed(EntityKind::Guest, "8")]),
            ),
            example("news of next year", event("drone/landed"), Says::Unknown),
            example(
                "another vendor's",
                json!({"type": "email.sent"}),
                Says::NotOurs,
            ),
        ]
    }
}

impl Cloudbeds {
    /// A note to read: the desk makes none, so a provider does, for the last who leaves, since the
    /// notes of stays that have ended are not read.
    async fn note(&self) -> Result<()> {
        let kind = EntityKind::Reservation;
        let provider = self.provider(Access::Granted)?;
        let query = PageQuery {
            kind,
            changed: None,
            position: None,
        };
        let booked = provider.fetch_page(&query).await?.records;
        let last = booked
            .into_iter()
            .max_by_key(|one| one.fields.text("departure").map(str::to_owned));
        let id = last.unwrap().external_id;
        let text = ("text".to_owned(), json!("Late arrival"));
        let note = Push {
            kind: EntityKind::Note,
            external_id: None,
            base: FieldMap::new(),
            changed: [text].into_iter().collect(),
            links: [("reservation_id".to_owned(), Some(ExternalRef { kind, id }))].into(),
        };
        provider.push(&note).await?;
        Ok(())
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
        Call::Read(EntityKind::Guest) => "getGuestList",
        Call::Update(EntityKind::Guest) => "putGuest",
        Call::Update(EntityKind::Room) => "postHousekeepingStatus",
        Call::Update(EntityKind::Reservation) => "putReservation",
        Call::Create(EntityKind::Reservation) => "postReservation",
        Call::Create(EntityKind::Note) => "postReservationNote",
        _ => return None,
    })
}

#[async_trait]
impl Vendor for Cloudbeds {
    fn provider(&self, access: Access) -> Result<Arc<dyn PmsProvider>> {
        let key = match access {
            Access::Granted => "cbat_sandbox",
            Access::Refused => "cbat_refused",
        };
        Ok(Arc::new(CloudbedsProvider::new(
            CloudbedsConfig::new(self.sandbox.base_url()),
            CloudbedsCredentials::api_key(key),
            quick_http()?,
            None,
        )))
    }

    fn secrets(&self) -> Vec<String> {
        vec!["cbat_sandbox".to_owned(), "cbat_refused".to_owned()]
    }

    async fn ids(&self, kind: EntityKind) -> Result<Option<Vec<String>>> {
        let (path, id) = match kind {
            EntityKind::Room => ("rooms", "roomID"),
            EntityKind::Guest => ("guests", "guestID"),
            EntityKind::Reservation => ("reservations", "reservationID"),
            _ => return Ok(None),
        };
        let all = self.desk.get(path).await;
        Ok(ids(all, |record| record[id].as_str().map(str::to_owned)))
    }

    async fn look(&self, kind: EntityKind, id: &str) -> Result<Option<Value>> {
        let Some(path) = path(kind) else {
            return Ok(None);
        };
        let record = self.desk.get(&format!("{path}/{id}")).await;
        Ok(record.map(|record| without(record, &["dateModified", "dateModifiedUTC"])))
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
                json!({"lastName": word}),
                Done::Reads("last_name", json!(word)),
            ),
            (Act::Change, EntityKind::Reservation) => (
                json!({"thirdPartyIdentifier": format!("ch-{count}")}),
                Done::Reads("channel_number", json!(format!("ch-{count}"))),
            ),
            (Act::UnknownField, EntityKind::Guest | EntityKind::Reservation) => (
                json!({"brandNewField": word}),
                Done::Extra("brandNewField", json!(word)),
            ),
            (Act::UnknownValue, EntityKind::Reservation) => (
                json!({"status": "teleported"}),
                Done::Unknown("teleported".to_owned()),
            ),
            (Act::Damage, EntityKind::Reservation) => (json!({"adults": -1}), Done::Done),
            (Act::MergeInto(into), EntityKind::Guest) => {
                (json!({"isMerged": true, "newGuestID": into}), Done::Done)
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
        Ok(self.desk.stats(&["emails_sent", "reprices"]).await)
    }
}
