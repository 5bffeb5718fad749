//! A vendor in memory that does what a test tells it, faults included.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use stayzr_core::{
    Error, ErrorKind, Result,
    model::{ExternalRef, Money, PmsEvent},
    port::{backend::StayQuery, sync::ParkedRecord},
    transform::{ConflictStrategy, EntityKind, FieldMap, FieldRule},
};
use stayzr_pms::{
    Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteProperty,
    RemoteQuote, RemoteRecord,
};

const PROPERTY: &[FieldRule] = &[
    FieldRule::remote("name"),
    FieldRule::remote("address"),
    FieldRule::remote("time_zone"),
    FieldRule::remote("currency"),
    FieldRule::local("amenities"),
];
const ROOM_TYPE: &[FieldRule] = &[FieldRule::remote("name"), FieldRule::remote("capacity")];
const ROOM: &[FieldRule] = &[
    FieldRule::remote("name"),
    FieldRule::remote("room_type_id"),
    FieldRule::shared("condition").not_clearable(),
];
const GUEST: &[FieldRule] = &[
    FieldRule::shared("first_name"),
    FieldRule::shared("last_name"),
    FieldRule::shared("email"),
    FieldRule::shared("phone").not_clearable(),
    FieldRule::shared("notes"),
    FieldRule::shared("classifications").with_strategy(ConflictStrategy::MergeFields),
    FieldRule::remote("loyalty_code"),
    FieldRule::remote("active"),
    FieldRule::local("language"),
];
const RESERVATION: &[FieldRule] = &[
    FieldRule::remote("number"),
    FieldRule::shared("guest_id").not_clearable(),
    FieldRule::remote("room_type_id"),
    FieldRule::shared("room_id"),
    FieldRule::remote("status"),
    FieldRule::shared("arrival"),
    FieldRule::shared("departure"),
    FieldRule::remote("adults"),
];

const NOTE: &[FieldRule] = &[
    FieldRule::remote("reservation_id"),
    FieldRule::remote("kind"),
    FieldRule::shared("text").not_clearable(),
    FieldRule::remote("active"),
];
const SERVICE_REQUEST: &[FieldRule] = &[
    FieldRule::remote("reservation_id"),
    FieldRule::shared("description").not_clearable(),
    FieldRule::shared("status").not_clearable(),
];

/// What a test may be told about each field.
pub fn rules(kind: EntityKind) -> &'static [FieldRule] {
    match kind {
        EntityKind::Property => PROPERTY,
        EntityKind::RoomType => ROOM_TYPE,
        EntityKind::Room => ROOM,
        EntityKind::Guest => GUEST,
        EntityKind::Reservation => RESERVATION,
        EntityKind::Note => NOTE,
        EntityKind::ServiceRequest => SERVICE_REQUEST,
    }
}

/// A call that the vendor received.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    Page(PageQuery),
    Ids(EntityKind, Vec<String>),
    Push(Push),
}

/// How the vendor answers the next push.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Does it and answers with the record as it was before.
    Stale,
    /// Does it and answers with the values in a form of its own.
    Normalised(&'static str, Value),
    /// Does it, or not, and nobody can tell.
    Ambiguous { done: bool },
    /// Does it and the answer is lost.
    Lost,
    /// Refuses these fields.
    Unsupported(Vec<String>),
}

type During = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
pub struct State {
    pub records: BTreeMap<(EntityKind, String), RemoteRecord>,
    /// Every state that every record ever had, the oldest first.
    pub history: Vec<RemoteRecord>,
    pub parked: Vec<ParkedRecord>,
    pub now: DateTime<Utc>,
    pub tells_time: bool,
    pub page_size: usize,
    pub calls: Vec<Call>,
    /// Records that the next reads by id give instead of the truth.
    pub stale_reads: VecDeque<RemoteRecord>,
    pub answers: VecDeque<Answer>,
    /// Ids that no record can be asked for by: a call that names one is refused.
    pub unreadable: BTreeSet<String>,
    /// Records that reading their kind whole leaves out: a window of dates that they left.
    pub out_of_window: BTreeSet<String>,
    /// Pushes get the mark of the last change rather than one of their own.
    pub pushes_at_once: bool,
    /// The page read that fails, counted from 1 over all.
    pub failing_page: Option<usize>,
    /// A later page of a window wider than this takes the vendor too long.
    pub patience: Option<TimeDelta>,
    pages: usize,
    /// Runs while the next push or page is at the vendor.
    pub during_push: Option<During>,
    pub during_page: Option<During>,
    created: usize,
}

pub struct Vendor {
    state: Mutex<State>,
    capabilities: Capabilities,
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vendor")
    }
}

impl Vendor {
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            state: Mutex::new(State {
                now,
                tells_time: true,
                page_size: 2,
                ..State::default()
            }),
            capabilities: Capabilities {
                read: EntityKind::ALL
                    .into_iter()
                    .filter(|kind| *kind != EntityKind::ServiceRequest)
                    .collect(),
                changed_since: vec![EntityKind::Guest, EntityKind::Reservation],
                by_id: EntityKind::ALL.into_iter().map(|kind| (kind, 3)).collect(),
                create: vec![EntityKind::Guest],
                update: vec![EntityKind::Room, EntityKind::Guest, EntityKind::Reservation],
                quote: true,
                max_changed_span_seconds: Some(90 * 86_400),
                write_window: "between the read and the write".to_owned(),
                ..Capabilities::default()
            },
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Makes a record.
    pub fn add(&self, kind: EntityKind, id: &str, fields: Value) {
        self.add_linked(kind, id, fields, &[]);
    }

    pub fn add_linked(
        &self,
        kind: EntityKind,
        id: &str,
        fields: Value,
        links: &[(&'static str, EntityKind, &str)],
    ) {
        let mut state = self.lock();
        state.now += TimeDelta::seconds(1);
        let record = RemoteRecord {
            kind,
            external_id: id.to_owned(),
            version: Some(mark(state.now)),
            fields: map(fields),
            links: links
                .iter()
                .map(|(field, kind, id)| {
                    let link = ExternalRef {
                        kind: *kind,
                        id: (*id).to_owned(),
                    };
                    (*field, Some(link))
                })
                .collect(),
            merged_into: None,
            unknown: Vec::new(),
            extra: Map::new(),
        };
        state.put(record);
    }

    /// A change made at the vendor, a second later.
    pub fn change(&self, kind: EntityKind, id: &str, fields: Value) {
        self.lock().now += TimeDelta::seconds(1);
        self.change_at_once(kind, id, fields);
    }

    /// A change made at the vendor in the same second as the last one.
    pub fn change_at_once(&self, kind: EntityKind, id: &str, fields: Value) {
        self.edit(kind, id, |record| record.fields.extend(&map(fields)));
    }

    /// Any change to a record, under the vendor's present mark.
    pub fn edit(&self, kind: EntityKind, id: &str, edit: impl FnOnce(&mut RemoteRecord)) {
        let mut state = self.lock();
        let mut record = state.records[&(kind, id.to_owned())].clone();
        edit(&mut record);
        record.version = Some(mark(state.now));
        state.put(record);
    }

    pub fn record(&self, kind: EntityKind, id: &str) -> RemoteRecord {
        self.lock().records[&(kind, id.to_owned())].clone()
    }

    /// Calls since the last time this was asked.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.lock().calls)
    }

    pub fn pushes(&self) -> Vec<Push> {
        let calls = &self.lock().calls;
        calls
            .iter()
            .filter_map(|call| match call {
                Call::Push(push) => Some(push.clone()),
                _ => None,
            })
            .collect()
    }
}

impl State {
    fn put(&mut self, record: RemoteRecord) {
        self.history.push(record.clone());
        self.records
            .insert((record.kind, record.external_id.clone()), record);
    }

    fn page(&self, records: Vec<RemoteRecord>) -> RecordPage {
        RecordPage {
            records,
            vendor_now: self.tells_time.then_some(self.now),
            ..RecordPage::default()
        }
    }

    fn do_push(&mut self, push: &Push) -> RemoteRecord {
        if !self.pushes_at_once {
            self.now += TimeDelta::seconds(1);
        }
        let id = push.external_id.clone().unwrap_or_else(|| {
            self.created += 1;
            format!("made-{}", self.created)
        });
        let mut record = self
            .records
            .get(&(push.kind, id.clone()))
            .cloned()
            .unwrap_or_else(|| RemoteRecord {
                kind: push.kind,
                external_id: id,
                version: None,
                fields: FieldMap::new(),
                links: BTreeMap::new(),
                merged_into: None,
                unknown: Vec::new(),
                extra: Map::new(),
            });
        record.fields.extend(&push.changed);
        for (field, link) in &push.links {
            let rule = rules(push.kind).iter().find(|rule| rule.field == field);
            record.links.insert(rule.unwrap().field, link.clone());
        }
        record.version = Some(mark(self.now));
        self.put(record.clone());
        record
    }
}

fn mark(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub fn map(fields: Value) -> FieldMap {
    match fields {
        Value::Object(fields) => fields.into_iter().collect(),
        _ => FieldMap::new(),
    }
}

#[async_trait]
impl PmsProvider for Vendor {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn fields(&self, kind: EntityKind) -> &'static [FieldRule] {
        rules(kind)
    }

    async fn check(&self) -> Result<RemoteProperty> {
        Err(Error::unsupported("vendor.check", "not part of the script"))
    }

    async fn fetch_page(&self, query: &PageQuery) -> Result<RecordPage> {
        let during = self.lock().during_page.take();
        let page = {
            let mut state = self.lock();
            state.calls.push(Call::Page(query.clone()));
            state.pages += 1;
            if state.failing_page == Some(state.pages) {
                return Err(Error::unavailable("vendor.page", "down"));
            }
            if let (Some(patience), Some((from, to)), Some(_)) =
                (state.patience, query.changed, &query.position)
                && to - from > patience
            {
                return Err(Error::new(ErrorKind::Timeout, "vendor.page", "408"));
            }
            let after = query
                .position
                .as_ref()
                .and_then(Value::as_str)
                .unwrap_or("");
            let mut records: Vec<RemoteRecord> = state
                .records
                .values()
                .filter(|record| record.kind == query.kind && record.external_id.as_str() > after)
                .filter(|record| {
                    let at: DateTime<Utc> = record.version.as_ref().unwrap().parse().unwrap();
                    query
                        .changed
                        .is_none_or(|(from, to)| (from..to).contains(&at))
                })
                .filter(|record| {
                    query.changed.is_some() || !state.out_of_window.contains(&record.external_id)
                })
                .take(state.page_size + 1)
                .cloned()
                .collect();
            let more = records.len() > state.page_size;
            records.truncate(state.page_size);
            let next = records
                .last()
                .filter(|_| more)
                .map(|last| json!(last.external_id));
            let parked = state
                .parked
                .iter()
                .filter(|parked| parked.entity == query.kind && query.position.is_none())
                .cloned()
                .collect();
            RecordPage {
                next,
                parked,
                ..state.page(records)
            }
        };
        if let Some(during) = during {
            during.await;
        }
        Ok(page)
    }

    async fn fetch_ids(&self, kind: EntityKind, ids: &[String]) -> Result<RecordPage> {
        let mut state = self.lock();
        assert!(ids.len() <= self.capabilities.by_id[&kind], "too many ids");
        state.calls.push(Call::Ids(kind, ids.to_vec()));
        if ids.iter().any(|id| state.unreadable.contains(id)) {
            return Err(Error::invalid("vendor.ids", "not an id"));
        }
        if let Some(stale) = state.stale_reads.pop_front() {
            return Ok(state.page(vec![stale]));
        }
        let records = ids
            .iter()
            .filter_map(|id| state.records.get(&(kind, id.clone())).cloned())
            .collect();
        Ok(state.page(records))
    }

    async fn push(&self, push: &Push) -> Result<PushOutcome> {
        let during = {
            let mut state = self.lock();
            state.calls.push(Call::Push(push.clone()));
            state.during_push.take()
        };
        if let Some(during) = during {
            during.await;
        }
        let mut state = self.lock();
        let before = push
            .external_id
            .as_ref()
            .and_then(|id| state.records.get(&(push.kind, id.clone())).cloned());
        let applied = |record| Ok(PushOutcome::Applied(Box::new(record)));
        match state.answers.pop_front() {
            None => applied(state.do_push(push)),
            Some(Answer::Stale) => {
                state.do_push(push);
                applied(before.unwrap())
            }
            Some(Answer::Normalised(field, value)) => {
                let mut record = state.do_push(push);
                record.fields.insert(field, value);
                state.put(record.clone());
                applied(record)
            }
            Some(Answer::Ambiguous { done }) => {
                if done {
                    state.do_push(push);
                }
                Ok(PushOutcome::Ambiguous("no answer in time".to_owned()))
            }
            Some(Answer::Lost) => {
                state.do_push(push);
                Err(Error::new(ErrorKind::Unavailable, "vendor.push", "cut off"))
            }
            Some(Answer::Unsupported(fields)) => Ok(PushOutcome::Unsupported(fields)),
        }
    }

    async fn quote(&self, _: &StayQuery) -> Result<Vec<RemoteQuote>> {
        Ok(["double", "never-synchronised"]
            .into_iter()
            .map(|id| RemoteQuote {
                room_type: ExternalRef {
                    kind: EntityKind::RoomType,
                    id: id.to_owned(),
                },
                rate: "Flexible".to_owned(),
                total: Money::new("240".parse().unwrap(), "EUR".parse().unwrap()),
            })
            .collect())
    }

    fn parse_event(&self, _: &[u8]) -> Result<Vec<PmsEvent>> {
        Ok(Vec::new())
    }
}
