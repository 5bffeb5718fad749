//! What happens in a story, here and at the vendor.

use chrono::TimeDelta;
use rand::{Rng, rngs::StdRng};
use serde_json::{Value, json};
use stayzr_core::{
    model::{ExternalRef, PmsEvent},
    port::directory::IntegrationOwner,
    transform::EntityKind,
};
use stayzr_pms::engine::{SyncJob, jobs_for_events};

use super::{World, phone};
use crate::{
    model::{Key, unknown},
    script::{Event, Step},
};

/// The telephone of the relatives.
const FAMILY_PHONE: &str = "+351912000200";

impl World {
    #[allow(clippy::too_many_lines, reason = "one arm for each event")]
    pub(super) fn event(
        &mut self,
        step: &Step,
        rng: &mut StdRng,
    ) -> std::result::Result<(), String> {
        let n = step.number;
        match &step.event {
            Event::Edit(guest, field) => {
                let value = match *field {
                    "email" => format!("here{n}@example.com"),
                    _ => format!("here {n}"),
                };
                self.edit(
                    EntityKind::Guest,
                    &format!("g{guest}"),
                    json!({*field: value}),
                );
            }
            Event::Tag(guest) => {
                let id = format!("g{guest}");
                if let Some(row) = self.row_of(EntityKind::Guest, &id) {
                    let tag = format!("here {n}");
                    let list = with(row.fields.get("classifications"), &tag);
                    self.edit(EntityKind::Guest, &id, json!({"classifications": list}));
                }
            }
            Event::Depart(reservation, days) => self.edit(
                EntityKind::Reservation,
                &format!("r{reservation}"),
                json!({"departure": format!("2026-07-0{days}T10:00:{:02}Z", n % 60)}),
            ),
            Event::Clean(room, condition) => self.edit(
                EntityKind::Room,
                &format!("m{room}"),
                json!({"condition": condition}),
            ),
            Event::Rewrite(note) => self.edit(
                EntityKind::Note,
                &format!("n{note}"),
                json!({"text": format!("here {n}")}),
            ),
            Event::Change(guest, field, lag) => {
                let id = format!("g{guest}");
                let value = match *field {
                    "email" => format!("there{n}@example.com"),
                    _ => format!("there {n}"),
                };
                let changed = self.vendor.change(EntityKind::Guest, &id, *lag, |record| {
                    record.fields.insert(*field, value.as_str());
                });
                if changed && *field == "last_name" {
                    self.by_vendor.insert((id, "last_name"), json!(value));
                }
            }
            Event::ChangeTag(guest) => {
                let id = format!("g{guest}");
                let tag = format!("there {n}");
                let changed = self.vendor.change(EntityKind::Guest, &id, 0, |record| {
                    let list = with(record.fields.get("classifications"), &tag);
                    record.fields.insert("classifications", list);
                });
                if changed {
                    self.tags.entry(id).or_default().insert(tag);
                }
            }
            Event::Status(reservation, known) => {
                let id = format!("r{reservation}");
                self.vendor
                    .change(EntityKind::Reservation, &id, 0, |record| {
                        let value = format!("Mystery {n}");
                        record.unknown.clear();
                        if *known {
                            record.fields.insert("status", "in_house");
                            record.fields.insert("status_vendor", "Started");
                        } else {
                            record.fields.insert("status", "unknown");
                            record.fields.insert("status_vendor", value.as_str());
                            record.unknown.push(unknown(&value));
                        }
                    });
            }
            Event::Merge(from, into) => self.merge(*from, *into, rng),
            Event::Delete(reservation, index) => {
                let (kind, id) = match reservation {
                    true => (EntityKind::Reservation, format!("r{index}")),
                    false => (EntityKind::Guest, format!("g{index}")),
                };
                let record = self.vendor.lock().records.get(&(kind, id.clone())).cloned();
                if let Some(record) = record.filter(|record| record.merged_into.is_none()) {
                    self.deleted.push(record);
                    self.vendor.delete(kind, &id);
                }
            }
            Event::Revive => {
                if let Some(record) = self.deleted.pop() {
                    let link = record.links.iter().next();
                    let link = link.and_then(|(field, link)| {
                        let link = link.as_ref()?;
                        Some((*field, link.kind, link.id.clone()))
                    });
                    self.vendor.add(
                        record.kind,
                        &record.external_id,
                        record.fields.clone().into_json(),
                        link.as_ref()
                            .map(|(field, kind, id)| (*field, *kind, id.as_str())),
                    );
                }
            }
            Event::Born(person) => {
                if self.born.insert(*person) {
                    self.guest_of_vendor(&format!("p{person}"), &phone(*person), *person);
                }
            }
            Event::Family => {
                if self.families == 0 {
                    for relative in 0..2 {
                        self.guest_of_vendor(&format!("f{relative}"), FAMILY_PHONE, 7 + relative);
                    }
                    self.families = 2;
                }
            }
            Event::Message(person) => self.message(*person, n),
            Event::Enter => {
                let email = format!("entered{n}@example.com");
                self.entered.push(email.clone());
                self.make(
                    EntityKind::Guest,
                    json!({"first_name": format!("entered {n}"), "last_name": "Entered",
                           "email": email}),
                );
            }
            Event::Remark(reservation) => {
                if let Some(row) = self.row_of(EntityKind::Reservation, &format!("r{reservation}"))
                {
                    let set = json!({"reservation_id": row.id, "text": format!("remark {n}")});
                    self.make(EntityKind::Note, set);
                }
            }
            Event::Deliver { most, twice } => {
                let mut heard = Vec::new();
                let mut state = self.vendor.lock();
                for _ in 0..*most {
                    if state.events.is_empty() {
                        break;
                    }
                    let at = rng.random_range(0..state.events.len());
                    heard.push(state.events.remove(at));
                }
                if *twice {
                    state.events.extend(heard.iter().cloned());
                }
                drop(state);
                self.hear(heard);
            }
            Event::Lose(most) => {
                let mut state = self.vendor.lock();
                for _ in 0..*most {
                    if !state.events.is_empty() {
                        let at = rng.random_range(0..state.events.len());
                        state.events.remove(at);
                    }
                }
            }
            Event::Run(mode) => {
                self.enqueue(vec![SyncJob::run(self.scope, self.integration_id, *mode)]);
            }
            Event::Fail(faults) => self.vendor.lock().faults.extend(faults.iter().copied()),
            Event::Wait(seconds) => self.clock.advance(TimeDelta::seconds(*seconds)),
            Event::Skew(seconds) => self.vendor.lock().skew += TimeDelta::seconds(*seconds),
            Event::Resolve(choice) => self.resolve(*choice),
            Event::Garble(guest, unreadable) => {
                let key = (EntityKind::Guest, format!("g{guest}"));
                let mut state = self.vendor.lock();
                match unreadable {
                    true => state.garbled.insert(key),
                    false => state.garbled.remove(&key),
                };
            }
            Event::Crash(process) => self.tasks.retain(|task| task.process != *process),
            Event::Lag(seconds) => self.vendor.lock().write_lag = *seconds,
            Event::Policy(strategy) => self.policy(strategy)?,
        }
        Ok(())
    }

    fn merge(&mut self, from: usize, into: usize, rng: &mut StdRng) {
        let (from, into) = (format!("g{from}"), format!("g{into}"));
        {
            let state = self.vendor.lock();
            let there = |id: &String| {
                let record = state.records.get(&(EntityKind::Guest, id.clone()));
                record.is_some_and(|record| record.merged_into.is_none())
            };
            if !there(&from) || !there(&into) {
                return;
            }
        }
        self.vendor.change(EntityKind::Guest, &from, 0, |record| {
            record.merged_into = Some(into.clone());
            record.fields.insert("active", false);
        });
        // The vendor moves the stays of the one, sooner or later.
        let stays: Vec<String> = {
            let state = self.vendor.lock();
            state
                .records
                .values()
                .filter(|record| {
                    let link = record.links.get("guest_id").and_then(Option::as_ref);
                    link.is_some_and(|link| link.id == from)
                })
                .map(|record| record.external_id.clone())
                .collect()
        };
        for stay in stays {
            if rng.random_bool(0.5) {
                self.vendor
                    .change(EntityKind::Reservation, &stay, 0, |record| {
                        let link = ExternalRef {
                            kind: EntityKind::Guest,
                            id: into.clone(),
                        };
                        record.links.insert("guest_id", Some(link));
                    });
            }
        }
    }

    fn guest_of_vendor(&self, id: &str, phone: &str, number: usize) {
        self.vendor.add(
            EntityKind::Guest,
            id,
            json!({"first_name": format!("Given{number}"), "last_name": format!("Family{number}"),
                   "email": null, "notes": null, "phone": phone, "classifications": [],
                   "loyalty_code": null, "active": true}),
            None,
        );
    }

    /// Webhooks of these records arrive.
    pub(super) fn hear(&self, keys: impl IntoIterator<Item = Key>) {
        let owner = IntegrationOwner {
            id: self.integration_id,
            scope: self.scope,
            provider: "modelled".to_owned(),
            account: "account".to_owned(),
        };
        let events: Vec<PmsEvent> = keys
            .into_iter()
            .map(|(kind, id)| PmsEvent::Changed {
                remote_property_id: "hotel".to_owned(),
                record: ExternalRef { kind, id },
            })
            .collect();
        self.enqueue(jobs_for_events(&owner, &events));
    }
}

fn with(list: Option<&Value>, tag: &str) -> Value {
    let mut list = list.and_then(Value::as_array).cloned().unwrap_or_default();
    list.push(json!(tag));
    list.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Value::Array(list)
}
