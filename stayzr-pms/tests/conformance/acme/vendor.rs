use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use stayzr_core::transform::EntityKind;
use stayzr_pms::conformance::{Call, Fault};

pub const TOKEN: &str = "acme-token-7f3a";
pub const WRONG_TOKEN: &str = "acme-wrong-91cc";
pub const PAGE: usize = 5;
/// The word of a guest's or a stay's `rev` and `at` is the vendor's.
pub const MARKS: [&str; 2] = ["rev", "at"];

pub type Record = Map<String, Value>;

/// What is asked of the vendor.
#[derive(Clone)]
pub enum Ask {
    Hotel,
    /// Records from this one on, changed in this span.
    List(EntityKind, usize, Option<(DateTime<Utc>, DateTime<Utc>)>),
    Get(EntityKind, Vec<String>),
    /// Sets fields, and writes the guest a letter unless told not to.
    Put(EntityKind, String, Record, bool),
    /// Sets the whole record.
    Replace(EntityKind, String, Record),
    Post(EntityKind, Record),
    Search(String),
}

impl Ask {
    pub fn call(&self) -> Option<Call> {
        Some(match self {
            Self::Hotel | Self::Search(_) => return None,
            Self::List(kind, ..) | Self::Get(kind, _) => Call::Read(*kind),
            Self::Put(kind, ..) | Self::Replace(kind, ..) => Call::Update(*kind),
            Self::Post(kind, _) => Call::Create(*kind),
        })
    }

    pub fn writes(&self) -> bool {
        matches!(self, Self::Put(..) | Self::Replace(..) | Self::Post(..))
    }
}

/// What goes wrong with a call.
#[derive(Debug)]
pub enum Failure {
    Status(u16, Option<String>),
    Lost,
    Garbled,
    Silent,
}

#[derive(Default)]
pub struct State {
    records: BTreeMap<EntityKind, BTreeMap<String, Record>>,
    rev: u64,
    faults: Vec<(Fault, Call, u32)>,
    pub calls: Vec<Call>,
    pub letters: u64,
}

impl State {
    pub fn of(&mut self, kind: EntityKind) -> &mut BTreeMap<String, Record> {
        self.records.entry(kind).or_default()
    }

    /// Sets fields of a record, if it is there, and stamps it.
    pub fn set(&mut self, kind: EntityKind, id: &str, fields: Record) -> bool {
        self.rev += 1;
        let rev = self.rev;
        let Some(record) = self.of(kind).get_mut(id) else {
            return false;
        };
        let before = record.clone();
        record.extend(fields);
        if *record != before {
            record.insert("rev".to_owned(), json!(rev));
            record.insert("at".to_owned(), json!(Utc::now()));
        }
        true
    }

    pub fn add(&mut self, kind: EntityKind, mut fields: Record) -> String {
        let letter = if kind == EntityKind::Guest { 'g' } else { 's' };
        let id = format!("{letter}{:03}", self.of(kind).len() + 1);
        fields.insert("id".to_owned(), json!(id));
        fields.insert("rev".to_owned(), json!(0));
        fields.insert("at".to_owned(), json!(Utc::now()));
        self.of(kind).insert(id.clone(), fields);
        id
    }
}

/// The vendor: guests and stays, and what is to go wrong.
pub struct Acme(Mutex<State>);

pub fn object(value: Value) -> Record {
    value.as_object().unwrap().clone()
}

impl Acme {
    pub fn new() -> Self {
        let mut state = State::default();
        for number in 0..13 {
            state.add(
                EntityKind::Guest,
                object(
                    json!({"given": format!("Given{number}"), "family": "Oak", "memo": "quiet",
                    "mail": format!("guest{number}@acme.example"), "tier": "gold", "into": null}),
                ),
            );
        }
        for number in 0..7 {
            state.add(
                EntityKind::Reservation,
                object(
                    json!({"guest": format!("g{:03}", number + 1), "state": "booked",
                    "persons": 2, "from": "2031-07-01T15:00:00Z", "to": "2031-07-03T10:00:00Z"}),
                ),
            );
        }
        Self(Mutex::new(state))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn fault(&self, fault: Fault, call: Call, times: u32) {
        let mut state = self.state();
        match times {
            0 => state.faults.clear(),
            times => state.faults.push((fault, call, times)),
        }
    }

    fn broken(&self, call: Call) -> Option<Fault> {
        let mut state = self.state();
        let of_call = |fault: &&mut (Fault, Call, u32)| fault.1 == call && fault.2 > 0;
        let found = state.faults.iter_mut().find(of_call)?;
        found.2 -= 1;
        Some(found.0.clone())
    }

    /// Answers a call.
    pub async fn ask(&self, token: &str, ask: Ask) -> Result<Value, Failure> {
        let call = ask.call();
        self.state().calls.extend(call);
        if token != TOKEN {
            return Err(Failure::Status(401, None));
        }
        match call.and_then(|call| self.broken(call)) {
            None => self.answer(ask),
            Some(Fault::Status(status)) => Err(Failure::Status(status, None)),
            Some(Fault::Limit(wait)) => Err(Failure::Status(429, wait)),
            Some(Fault::LostBefore) => Err(Failure::Lost),
            Some(Fault::LostAfter) => self.answer(ask).and(Err(Failure::Lost)),
            Some(Fault::Garbled) => self.answer(ask).and(Err(Failure::Garbled)),
            Some(Fault::Silence) => {
                self.answer(ask)?;
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                Err(Failure::Silent)
            }
        }
    }

    fn answer(&self, ask: Ask) -> Result<Value, Failure> {
        let missing = Failure::Status(404, None);
        let mut state = self.state();
        match ask {
            Ask::Hotel => Ok(json!({"id": "h1", "name": "Acme House", "zone": "Europe/Lisbon"})),
            Ask::List(kind, from, span) => {
                let changed = |record: &&Record| {
                    let at: DateTime<Utc> = record["at"].as_str().unwrap().parse().unwrap();
                    span.is_none_or(|(start, end)| start <= at && at < end)
                };
                let all: Vec<&Record> = state.of(kind).values().filter(changed).collect();
                let items: Vec<_> = all.iter().skip(from).take(PAGE).collect();
                Ok(json!({"items": items, "more": all.len() > from + PAGE}))
            }
            Ask::Get(kind, ids) => {
                let records = state.of(kind);
                let found: Vec<_> = ids.iter().filter_map(|id| records.get(id)).collect();
                Ok(json!({"items": found, "more": false}))
            }
            Ask::Put(kind, id, fields, letter) => {
                if !state.set(kind, &id, fields) {
                    return Err(missing);
                }
                state.letters += u64::from(letter);
                Ok(json!(state.of(kind)[&id]))
            }
            Ask::Replace(kind, id, mut fields) => {
                let record = state.of(kind).get_mut(&id).ok_or(missing)?;
                for mark in MARKS {
                    fields.insert(mark.to_owned(), record[mark].clone());
                }
                *record = fields;
                Ok(json!(record))
            }
            Ask::Post(kind, fields) => {
                let id = state.add(kind, fields);
                Ok(json!(state.of(kind)[&id]))
            }
            Ask::Search(mail) => {
                let guests = state.of(EntityKind::Guest).values();
                let found: Vec<_> = guests.filter(|guest| guest["mail"] == mail).collect();
                Ok(json!({"items": found, "more": false}))
            }
        }
    }
}
