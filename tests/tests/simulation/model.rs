//! A vendor as they are: whole-second marks of a clock of its own, replicas that lag, cursors that
//! shift, calls that fail before or after their effect, merges, deletions, and a limit.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use stayzr_core::{
    Error, ErrorKind, Result,
    clock::{Clock, ManualClock},
    limit::{Decision, Gcra, Priority, Quota},
    model::{ExternalRef, PmsEvent},
    port::{backend::StayQuery, sync::ParkedRecord},
    transform::{ConflictStrategy, EntityKind, FieldMap, FieldRule},
};
use stayzr_pms::{
    Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteProperty,
    RemoteQuote, RemoteRecord, UnknownValue,
};

use crate::{faults::Fault, pause::pause};

/// The vendor allows so many calls in any window of [`WINDOW`].
pub const LIMIT: u32 = 40;

/// The length of the vendor's window.
pub const WINDOW: Duration = Duration::from_secs(30);

/// A replica lags at most so long.
const LONGEST_LAG: i64 = 60;

const PAGE: usize = 3;

const ROOM: &[FieldRule] = &[
    FieldRule::remote("name"),
    FieldRule::shared("condition").not_clearable(),
];
const GUEST: &[FieldRule] = &[
    FieldRule::shared("first_name"),
    FieldRule::shared("last_name"),
    FieldRule::shared("email"),
    FieldRule::shared("notes"),
    FieldRule::shared("phone").not_clearable(),
    FieldRule::shared("classifications").with_strategy(ConflictStrategy::MergeFields),
    FieldRule::remote("loyalty_code"),
    FieldRule::remote("active"),
];
const RESERVATION: &[FieldRule] = &[
    FieldRule::remote("number"),
    FieldRule::remote("guest_id"),
    FieldRule::shared("room_id"),
    FieldRule::remote("status"),
    FieldRule::remote("status_vendor"),
    FieldRule::remote("arrival"),
    FieldRule::shared("departure").not_clearable(),
    FieldRule::remote("adults"),
];
const NOTE: &[FieldRule] = &[
    FieldRule::remote("reservation_id"),
    FieldRule::remote("kind"),
    FieldRule::shared("text").not_clearable(),
    FieldRule::remote("active"),
];

/// What may be done with each field.
pub fn rules(kind: EntityKind) -> &'static [FieldRule] {
    match kind {
        EntityKind::Room => ROOM,
        EntityKind::Guest => GUEST,
        EntityKind::Reservation => RESERVATION,
        EntityKind::Note => NOTE,
        EntityKind::Property | EntityKind::RoomType | EntityKind::ServiceRequest => &[],
    }
}

/// The kinds that the vendor has.
pub const KINDS: [EntityKind; 4] = [
    EntityKind::Room,
    EntityKind::Guest,
    EntityKind::Reservation,
    EntityKind::Note,
];

/// How the next call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFault {
    /// 429, with a Retry-After in seconds or without.
    TooMany(Option<u64>),
    /// 500, 502, 503.
    Down,
    /// 408: ask for less.
    TooHeavy,
    /// The request never came.
    LostRequest,
    /// It was done, and the answer never came.
    LostAnswer,
}

pub type Key = (EntityKind, String);

#[derive(Default)]
pub struct State {
    pub records: BTreeMap<Key, RemoteRecord>,
    /// Every state that every record ever had, the oldest first.
    pub history: Vec<RemoteRecord>,
    /// What happened and was not delivered yet.
    pub events: Vec<Key>,
    pub faults: VecDeque<CallFault>,
    /// Records that a replica still shows as they were, and until when.
    pub lagging: BTreeMap<Key, (RemoteRecord, DateTime<Utc>)>,
    /// Records that cannot be read.
    pub garbled: BTreeSet<Key>,
    /// So many seconds a replica goes on showing what stood before our own writes.
    pub write_lag: i64,
    /// How far the vendor's clock is from ours.
    pub skew: TimeDelta,
    /// When calls came.
    pub calls: Vec<DateTime<Utc>>,
    pub writes: usize,
    /// Guests whose lists were changed between the read and the write of a push, or beyond a lagging
    /// replica: a vendor without conditional writes loses such a change.
    pub written_over: BTreeSet<String>,
    pub created: usize,
    tat: Duration,
}

/// The vendor.
pub struct Model {
    state: Mutex<State>,
    clock: Arc<ManualClock>,
    born: DateTime<Utc>,
    gcra: Gcra,
    capabilities: Capabilities,
    fault: Option<Fault>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Model")
    }
}

impl Model {
    pub fn new(clock: Arc<ManualClock>, fault: Option<Fault>) -> Self {
        Self {
            state: Mutex::default(),
            born: clock.now() - TimeDelta::hours(1),
            clock,
            gcra: Gcra::new(Quota::new(LIMIT, WINDOW)),
            capabilities: Capabilities {
                read: KINDS.to_vec(),
                changed_since: vec![EntityKind::Guest, EntityKind::Reservation, EntityKind::Note],
                by_id: BTreeMap::from([
                    (EntityKind::Room, 100),
                    (EntityKind::Guest, 100),
                    (EntityKind::Reservation, 2),
                    (EntityKind::Note, 100),
                ]),
                create: vec![EntityKind::Guest, EntityKind::Note],
                update: KINDS.to_vec(),
                quote: false,
                max_changed_span_seconds: Some(30 * 86_400),
                write_window: "between the read and the write".to_owned(),
                ..Capabilities::default()
            },
            fault,
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self, state: &State) -> DateTime<Utc> {
        self.clock.now() + state.skew
    }

    /// Makes a record.
    pub fn add(
        &self,
        kind: EntityKind,
        id: &str,
        fields: Value,
        link: Option<(&'static str, EntityKind, &str)>,
    ) {
        let mut state = self.lock();
        let record = RemoteRecord {
            kind,
            external_id: id.to_owned(),
            version: None,
            fields: map(fields),
            links: link
                .into_iter()
                .map(|(field, kind, id)| {
                    let id = id.to_owned();
                    (field, Some(ExternalRef { kind, id }))
                })
                .collect(),
            merged_into: None,
            extra: Map::new(),
            unknown: Vec::new(),
        };
        self.put(&mut state, record);
    }

    /// Changes a record, if it is there; its replica may go on showing what was.
    pub fn change(
        &self,
        kind: EntityKind,
        id: &str,
        lag: i64,
        change: impl FnOnce(&mut RemoteRecord),
    ) -> bool {
        let mut state = self.lock();
        let key = (kind, id.to_owned());
        let Some(before) = state.records.get(&key).cloned() else {
            return false;
        };
        let mut record = before.clone();
        change(&mut record);
        self.put(&mut state, record);
        if lag > 0 {
            let until = self.clock.now() + TimeDelta::seconds(lag.min(LONGEST_LAG));
            state.lagging.entry(key).or_insert((before, until));
        }
        true
    }

    pub fn delete(&self, kind: EntityKind, id: &str) {
        let mut state = self.lock();
        let key = (kind, id.to_owned());
        state.records.remove(&key);
        state.lagging.remove(&key);
        state.events.push(key);
    }

    fn put(&self, state: &mut State, mut record: RemoteRecord) {
        let now = self.now(state).trunc_subsecs(0);
        let key = (record.kind, record.external_id.clone());
        // A vendor's own clock may be set back a little, a record's marks are not.
        let last = state
            .history
            .iter()
            .rfind(|before| before.kind == record.kind && before.external_id == record.external_id)
            .and_then(|before| before.version.as_ref()?.parse().ok());
        let at = last.map_or(now, |last: DateTime<Utc>| now.max(last));
        record.version = Some(at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        state.history.push(record.clone());
        state.events.push(key.clone());
        state.records.insert(key, record);
    }

    /// A record as a read shows it now.
    fn shown(&self, state: &State, key: &Key) -> Option<RemoteRecord> {
        let record = state.records.get(key)?;
        match state.lagging.get(key) {
            Some((before, until)) if self.clock.now() < *until => Some(before.clone()),
            _ => Some(record.clone()),
        }
    }

    /// The call as the vendor sees it come in, and how it ends.
    async fn call(&self, priority: Priority) -> Result<Option<CallFault>> {
        pause().await;
        if self.fault != Some(Fault::LimiterOff) {
            self.acquire(priority);
        }
        let mut state = self.lock();
        state.calls.push(self.clock.now());
        let fault = state.faults.pop_front();
        let error = match fault {
            Some(CallFault::TooMany(after)) => {
                let error = Error::new(ErrorKind::RateLimited, "vendor", "429");
                match after {
                    Some(after) => error.with_retry_after(Duration::from_secs(after)),
                    None => error,
                }
            }
            Some(CallFault::Down) => Error::unavailable("vendor", "503"),
            Some(CallFault::TooHeavy) => Error::new(ErrorKind::Timeout, "vendor", "408"),
            lost => return Ok(lost),
        };
        Err(error)
    }

    fn acquire(&self, priority: Priority) {
        loop {
            let mut state = self.lock();
            let now = (self.clock.now() - self.born).to_std().unwrap_or_default();
            let reserve = self.gcra.reserve(priority);
            match self.gcra.decide(state.tat, now, 1, reserve) {
                Decision::Allow { tat } => {
                    state.tat = tat;
                    return;
                }
                Decision::Wait(wait) => {
                    let wait = TimeDelta::from_std(wait).unwrap_or_default();
                    self.clock.advance(wait + TimeDelta::microseconds(1));
                }
                Decision::TooLarge => return,
            }
        }
    }

    fn page(&self, state: &State, keys: Vec<Key>) -> RecordPage {
        let mut page = RecordPage {
            vendor_now: Some(self.now(state)),
            ..RecordPage::default()
        };
        for key in keys {
            match self.shown(state, &key) {
                Some(_) if state.garbled.contains(&key) => page.parked.push(ParkedRecord {
                    entity: key.0,
                    external_id: Some(key.1),
                    local_id: None,
                    reason: "Name: is a number".to_owned(),
                }),
                Some(record) => page.records.push(record),
                None => {}
            }
        }
        page
    }

    fn write(&self, push: &Push) -> Result<RemoteRecord> {
        let mut state = self.lock();
        let id = match &push.external_id {
            Some(id) => id.clone(),
            None => {
                state.created += 1;
                format!("made-{}", state.created)
            }
        };
        let key = (push.kind, id.clone());
        let mut record = match (state.records.get(&key), &push.external_id) {
            (Some(record), _) => record.clone(),
            (None, Some(_)) => return Err(Error::not_found("vendor", "no such record")),
            (None, None) => RemoteRecord {
                kind: push.kind,
                external_id: id,
                version: None,
                fields: map(json!({"active": true})),
                links: BTreeMap::new(),
                merged_into: None,
                extra: Map::new(),
                unknown: Vec::new(),
            },
        };
        let list = |fields: &FieldMap| -> Vec<Value> {
            let list = fields.get("classifications").and_then(Value::as_array);
            list.cloned().unwrap_or_default()
        };
        if push.changed.contains("classifications") {
            let (sent, base) = (list(&push.changed), list(&push.base));
            let unseen = |tag: &Value| !sent.contains(tag) && !base.contains(tag);
            if list(&record.fields).iter().any(unseen) {
                state.written_over.insert(record.external_id.clone());
            }
        }
        record.fields.extend(&push.changed);
        for (field, link) in &push.links {
            let rule = rules(push.kind).iter().find(|rule| rule.field == field);
            if let Some(rule) = rule {
                record.links.insert(rule.field, link.clone());
            }
        }
        state.writes += 1;
        let before = state.records.get(&key).cloned();
        self.put(&mut state, record);
        match before {
            Some(before) if state.write_lag > 0 => {
                let until = self.clock.now() + TimeDelta::seconds(state.write_lag);
                state.lagging.insert(key.clone(), (before, until));
            }
            _ => drop(state.lagging.remove(&key)),
        }
        state
            .records
            .get(&key)
            .cloned()
            .ok_or_else(|| Error::internal("vendor", "lost"))
    }
}

/// The fields of an object.
pub fn map(fields: Value) -> FieldMap {
    match fields {
        Value::Object(fields) => fields.into_iter().collect(),
        _ => FieldMap::new(),
    }
}

/// A value that nobody knows yet.
pub fn unknown(value: &str) -> UnknownValue {
    UnknownValue {
        field: "State".to_owned(),
        value: value.to_owned(),
    }
}

#[async_trait]
impl PmsProvider for Model {
    fn name(&self) -> &'static str {
        "modelled"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn fields(&self, kind: EntityKind) -> &'static [FieldRule] {
        rules(kind)
    }

    async fn check(&self) -> Result<RemoteProperty> {
        Err(Error::unsupported("vendor", "not modelled"))
    }

    async fn fetch_page(&self, query: &PageQuery) -> Result<RecordPage> {
        if let Some(fault) = self.call(Priority::Low).await? {
            return Err(Error::unavailable("vendor", format!("{fault:?}")));
        }
        let page = {
            let state = self.lock();
            let after: Option<(String, String)> = query
                .position
                .as_ref()
                .and_then(|position| serde_json::from_value(position.clone()).ok());
            // The newest first, and among equals by id.
            let mut keys: Vec<(String, Key)> = state
                .records
                .keys()
                .filter(|key| key.0 == query.kind)
                .filter_map(|key| {
                    let mark = self.shown(&state, key)?.version?;
                    Some((mark, key.clone()))
                })
                .filter(|(mark, _)| {
                    query.changed.is_none_or(|(from, to)| {
                        mark.parse()
                            .is_ok_and(|at: DateTime<Utc>| (from..to).contains(&at))
                    })
                })
                .collect();
            keys.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            let rest: Vec<(String, Key)> = keys
                .into_iter()
                .filter(|(mark, key)| {
                    after
                        .as_ref()
                        .is_none_or(|(last, id)| mark < last || (mark == last && key.1 > *id))
                })
                .collect();
            let next = rest
                .get(PAGE - 1)
                .filter(|_| rest.len() > PAGE)
                .map(|(mark, key)| json!([mark, key.1]));
            let keys = rest.into_iter().take(PAGE).map(|(_, key)| key).collect();
            RecordPage {
                next,
                ..self.page(&state, keys)
            }
        };
        pause().await;
        Ok(page)
    }

    async fn fetch_ids(&self, kind: EntityKind, ids: &[String]) -> Result<RecordPage> {
        if ids.len() > self.capabilities.by_id[&kind] {
            return Err(Error::internal("vendor", "too many ids at once"));
        }
        if let Some(fault) = self.call(Priority::High).await? {
            return Err(Error::unavailable("vendor", format!("{fault:?}")));
        }
        let page = {
            let state = self.lock();
            let keys = ids.iter().map(|id| (kind, id.clone())).collect();
            self.page(&state, keys)
        };
        pause().await;
        Ok(page)
    }

    async fn push(&self, push: &Push) -> Result<PushOutcome> {
        match self.call(Priority::High).await? {
            Some(CallFault::LostRequest) => {
                return Ok(PushOutcome::Ambiguous("no answer in time".to_owned()));
            }
            Some(CallFault::LostAnswer) => {
                self.write(push)?;
                pause().await;
                return Ok(PushOutcome::Ambiguous("no answer in time".to_owned()));
            }
            _ => {}
        }
        let record = self.write(push)?;
        pause().await;
        Ok(PushOutcome::Applied(Box::new(record)))
    }

    async fn find(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        if self.fault == Some(Fault::CreateNotLookedUp) {
            return Ok(Vec::new());
        }
        if let Some(fault) = self.call(Priority::High).await? {
            return Err(Error::unavailable("vendor", format!("{fault:?}")));
        }
        let state = self.lock();
        let same = |record: &RemoteRecord, field: &str| {
            let wanted = push.changed.get(field).filter(|value| !value.is_null());
            wanted.is_some() && record.fields.get(field) == wanted
        };
        Ok(state
            .records
            .values()
            .filter(|record| record.kind == push.kind)
            .filter(|record| match push.kind {
                EntityKind::Note => {
                    same(record, "text")
                        && record.links.get("reservation_id") == push.links.get("reservation_id")
                }
                _ => same(record, "email") || same(record, "phone"),
            })
            .cloned()
            .collect())
    }

    async fn quote(&self, _: &StayQuery) -> Result<Vec<RemoteQuote>> {
        Err(Error::unsupported("vendor", "not modelled"))
    }

    fn parse_event(&self, _: &[u8]) -> Result<Vec<PmsEvent>> {
        Err(Error::unsupported("vendor", "not modelled"))
    }
}
