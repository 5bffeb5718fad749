use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use stayzr_core::{
    Result,
    model::{ExternalRef, PmsEvent},
    transform::EntityKind,
};
use stayzr_pms::{
    PmsProvider,
    conformance::{Access, Act, Bench, Call, Done, EventExample, Fault, Says, Vendor},
};

use super::{
    Flaw,
    provider::AcmeProvider,
    vendor::{Acme, MARKS, TOKEN, WRONG_TOKEN, object},
};

/// A bench of the provider with this flaw, or of the right one.
pub struct AcmeBench(pub Option<Flaw>);

struct House {
    acme: Arc<Acme>,
    flaw: Option<Flaw>,
}

#[async_trait]
impl Bench for AcmeBench {
    async fn start(&self) -> Result<Box<dyn Vendor>> {
        Ok(Box::new(House {
            acme: Arc::new(Acme::new()),
            flaw: self.0,
        }))
    }

    fn events(&self) -> Vec<EventExample> {
        let example = |name, body: Value, says| EventExample {
            name,
            body: body.to_string().into_bytes(),
            says,
        };
        let changed = PmsEvent::Changed {
            remote_property_id: "h1".to_owned(),
            record: ExternalRef {
                kind: EntityKind::Guest,
                id: "g001".to_owned(),
            },
        };
        let says = Says::Events(vec![changed]);
        vec![
            example(
                "a guest changed",
                json!({"hotel": "h1", "guest": "g001"}),
                says,
            ),
            example("news", json!({"hotel": "h1", "comet": "c1"}), Says::Unknown),
            example("another vendor's", json!({"shop": 1}), Says::NotOurs),
        ]
    }
}

#[async_trait]
impl Vendor for House {
    fn provider(&self, access: Access) -> Result<Arc<dyn PmsProvider>> {
        let token = match access {
            Access::Granted => TOKEN,
            Access::Refused => WRONG_TOKEN,
        };
        Ok(Arc::new(AcmeProvider::new(
            self.acme.clone(),
            token,
            self.flaw,
        )))
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned(), WRONG_TOKEN.to_owned()]
    }

    async fn ids(&self, kind: EntityKind) -> Result<Option<Vec<String>>> {
        Ok(Some(self.acme.state().of(kind).keys().cloned().collect()))
    }

    async fn look(&self, kind: EntityKind, id: &str) -> Result<Option<Value>> {
        let mut record = self.acme.state().of(kind).get(id).cloned();
        if let Some(record) = &mut record {
            record.retain(|key, _| !MARKS.contains(&key.as_str()));
        }
        Ok(record.map(Value::Object))
    }

    async fn act(&self, act: Act, kind: EntityKind, id: &str) -> Result<Option<Done>> {
        let mut state = self.acme.state();
        let word = format!("word {}", state.of(kind)[id]["rev"]);
        let guest = kind == EntityKind::Guest;
        let (fields, done) = match act {
            Act::Change if guest => (
                json!({"tier": word}),
                Done::Reads("loyalty_code", json!(word)),
            ),
            Act::Change => {
                let persons = state.of(kind)[id]["persons"].as_i64().unwrap() + 1;
                (
                    json!({"persons": persons}),
                    Done::Reads("adults", json!(persons)),
                )
            }
            Act::UnknownField => (json!({"aura": word}), Done::Extra("aura", json!(word))),
            Act::UnknownValue if !guest => (
                json!({"state": "floating"}),
                Done::Unknown("floating".to_owned()),
            ),
            Act::Damage => (json!({"given": 7, "from": "someday"}), Done::Done),
            Act::MergeInto(into) if guest => (json!({"into": into}), Done::Done),
            Act::Remove => return Ok(state.of(kind).remove(id).map(|_| Done::Done)),
            Act::UnknownValue | Act::MergeInto(_) => return Ok(None),
        };
        Ok(state.set(kind, id, object(fields)).then_some(done))
    }

    async fn fault(&self, fault: Fault, call: Call, times: u32) -> Result<bool> {
        self.acme.fault(fault, call, times);
        Ok(true)
    }

    async fn calls(&self, call: Call) -> Result<u64> {
        let state = self.acme.state();
        Ok(state.calls.iter().filter(|made| **made == call).count() as u64)
    }

    async fn side_effects(&self) -> Result<u64> {
        Ok(self.acme.state().letters)
    }
}
