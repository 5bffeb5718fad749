use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, DurationRound, SecondsFormat, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A record in the vendor's shape, and as it was before its last change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) now: Map<String, Value>,
    pub(super) before: Option<Map<String, Value>>,
}

impl Record {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.now.get(key).and_then(Value::as_str)
    }
}

/// The lists that change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Reservations,
    Guests,
    Rooms,
    Notes,
    Blocks,
    Companionships,
    Orders,
    Threads,
    Messages,
    Tasks,
}

impl Kind {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "reservations" => Self::Reservations,
            "guests" => Self::Guests,
            "rooms" => Self::Rooms,
            "notes" => Self::Notes,
            "blocks" => Self::Blocks,
            "companionships" => Self::Companionships,
            "orders" => Self::Orders,
            "threads" => Self::Threads,
            "messages" => Self::Messages,
            "tasks" => Self::Tasks,
            _ => return None,
        })
    }

    /// The webhook that tells of a change, where Mews documents one.
    pub(super) const fn event(self) -> Option<&'static str> {
        Some(match self {
            Self::Reservations | Self::Orders => "ServiceOrderUpdated",
            Self::Guests => "CustomerUpdated",
            Self::Rooms => "ResourceUpdated",
            Self::Blocks => "ResourceBlockUpdated",
            Self::Messages => "MessageAdded",
            Self::Notes | Self::Companionships | Self::Threads | Self::Tasks => return None,
        })
    }
}

/// A webhook event that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) number: u64,
    pub(super) discriminator: String,
    pub(super) id: String,
    pub(super) due: DateTime<Utc>,
    pub(super) attempts: u32,
}

/// What calls caused beside their answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) calls: BTreeMap<String, u64>,
    pub(super) emails_sent: u64,
    pub(super) fees_posted: u64,
    pub(super) reprices: u64,
    pub(super) webhooks_delivered: u64,
    pub(super) webhooks_dropped: u64,
}

/// A hotel with all its records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Hotel {
    pub(super) seed: u64,
    pub(super) slug: String,
    pub(super) port: Option<u16>,
    pub(super) enterprise: Map<String, Value>,
    pub(super) integration_id: String,
    pub(super) services: Vec<Map<String, Value>>,
    pub(super) age_categories: Vec<Map<String, Value>>,
    pub(super) categories: Vec<Map<String, Value>>,
    pub(super) assignments: Vec<Map<String, Value>>,
    pub(super) rates: Vec<Map<String, Value>>,
    #[serde(default)]
    pub(super) rate_groups: Vec<Map<String, Value>>,
    #[serde(default)]
    pub(super) products: Vec<Map<String, Value>>,
    #[serde(default)]
    pub(super) departments: Vec<Map<String, Value>>,
    /// Price of a night by category.
    pub(super) prices: BTreeMap<String, Decimal>,
    pub(super) rooms: BTreeMap<String, Record>,
    pub(super) guests: BTreeMap<String, Record>,
    pub(super) reservations: BTreeMap<String, Record>,
    #[serde(default)]
    pub(super) notes: BTreeMap<String, Record>,
    #[serde(default)]
    pub(super) blocks: BTreeMap<String, Record>,
    #[serde(default)]
    pub(super) companionships: BTreeMap<String, Record>,
    #[serde(default)]
    pub(super) orders: BTreeMap<String, Record>,
    #[serde(default)]
    pub(super) threads: BTreeMap<String, Record>,
    #[serde(default)]
    pub(super) messages: BTreeMap<String, Record>,
    #[serde(default)]
    pub(super) tasks: BTreeMap<String, Record>,
    /// Numbers given out so far.
    pub(super) made: u64,
    pub(super) events: VecDeque<Event>,
    pub(super) event_number: u64,
    #[serde(skip)]
    pub(super) tally: Tally,
}

/// A time as Mews writes it: whole seconds.
pub(super) fn stamp(time: DateTime<Utc>) -> Value {
    json!(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

impl Hotel {
    pub(super) fn records(&self, kind: Kind) -> &BTreeMap<String, Record> {
        match kind {
            Kind::Reservations => &self.reservations,
            Kind::Guests => &self.guests,
            Kind::Rooms => &self.rooms,
            Kind::Notes => &self.notes,
            Kind::Blocks => &self.blocks,
            Kind::Companionships => &self.companionships,
            Kind::Orders => &self.orders,
            Kind::Threads => &self.threads,
            Kind::Messages => &self.messages,
            Kind::Tasks => &self.tasks,
        }
    }

    fn records_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, Record> {
        match kind {
            Kind::Reservations => &mut self.reservations,
            Kind::Guests => &mut self.guests,
            Kind::Rooms => &mut self.rooms,
            Kind::Notes => &mut self.notes,
            Kind::Blocks => &mut self.blocks,
            Kind::Companionships => &mut self.companionships,
            Kind::Orders => &mut self.orders,
            Kind::Threads => &mut self.threads,
            Kind::Messages => &mut self.messages,
            Kind::Tasks => &mut self.tasks,
        }
    }

    /// Changes fields of a record: `UpdatedUtc` moves on by at least a second, so that no two
    /// states of a record have the same, and an event waits. Nothing happens where nothing
    /// changes. False if there is no such record.
    pub(super) fn change(
        &mut self,
        kind: Kind,
        id: &str,
        fields: Map<String, Value>,
        at: DateTime<Utc>,
        due: DateTime<Utc>,
    ) -> bool {
        let Some(record) = self.records_mut(kind).get_mut(id) else {
            return false;
        };
        let before = record.now.clone();
        for (key, value) in fields {
            record.now.insert(key, value);
        }
        if record.now != before {
            let last = before
                .get("UpdatedUtc")
                .and_then(Value::as_str)
                .and_then(|text| text.parse::<DateTime<Utc>>().ok());
            record
                .now
                .insert("UpdatedUtc".to_owned(), stamp(after(last, at)));
            record.before = Some(before);
            if let Some(event) = kind.event() {
                self.announce(event, id, due);
            }
        }
        true
    }

    /// Changes the property itself. No webhook tells of it.
    pub(super) fn change_property(&mut self, fields: Map<String, Value>, at: DateTime<Utc>) {
        self.enterprise.extend(fields);
        self.enterprise.insert("UpdatedUtc".to_owned(), stamp(at));
    }

    /// Loses a record, as a vendor does that restores an old backup: no event tells of it. False if
    /// there is no such record.
    pub(super) fn lose(&mut self, kind: Kind, id: &str) -> bool {
        self.records_mut(kind).remove(id).is_some()
    }

    /// An id that was not given out before.
    pub(super) fn number(&mut self, purpose: &str) -> String {
        self.made += 1;
        super::super::splitmix::id(self.seed, &format!("{}/{purpose}", self.slug), self.made)
    }

    /// Adds a record, with its times, and lets an event wait.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        mut fields: Map<String, Value>,
        at: DateTime<Utc>,
        due: DateTime<Utc>,
    ) -> String {
        let made = self.number("made");
        let id = match fields.get("Id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => made,
        };
        fields.insert("Id".to_owned(), json!(id));
        fields.insert("CreatedUtc".to_owned(), stamp(at));
        fields.insert("UpdatedUtc".to_owned(), stamp(at));
        let record = Record {
            now: fields,
            before: None,
        };
        self.records_mut(kind).insert(id.clone(), record);
        if kind == Kind::Guests {
            self.announce("CustomerAdded", &id, due);
        }
        if let Some(event) = kind.event() {
            self.announce(event, &id, due);
        }
        id
    }

    fn announce(&mut self, discriminator: &str, id: &str, due: DateTime<Utc>) {
        let waits = self.events.iter().any(|event| {
            event.attempts == 0 && event.discriminator == discriminator && event.id == id
        });
        if waits {
            return;
        }
        self.event_number += 1;
        self.events.push_back(Event {
            number: self.event_number,
            discriminator: discriminator.to_owned(),
            id: id.to_owned(),
            due,
            attempts: 0,
        });
    }
}

/// The time in whole seconds, after the last one.
fn after(last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    let second = TimeDelta::seconds(1);
    let now = now.duration_trunc(second).unwrap_or(now);
    last.map_or(now, |last| now.max(last + second))
}
