//! A hotel, its vendor, two processes that work, and whose turn it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use stayzr_core::{
    Error, ErrorKind, Result,
    clock::{Clock, ManualClock, SystemClock},
    flow::{CreateRequest, EditRequest, PushPolicy, ResolveRequest, create, edit, resolve},
    ids::{ApiTokenId, IntegrationId, OrganizationId, PropertyId},
    model::{
        Address, ChangeSource, Channel, Conflict, ConflictStatus, Contact, ContactChannel,
        ExternalRef, Integration, IntegrationStatus, Organization, PmsEvent, PricingMode, Property,
        ResolutionChoice, RunMode,
    },
    port::{
        PageRequest,
        conflict::{ConflictFilter, Conflicts},
        conversation::{AcceptMessage, Conversations},
        directory::{Directory, IntegrationOwner},
        entities::Entities,
        queue::JobQueue,
        setup::{NewToken, Setup},
        sync::{Mapping, SyncStore},
    },
    queue::{
        Backoff, Claimed, Handler, HandlerResult, Job, JobFilter, JobOutcome, JobStatus, NewJob,
        Queue,
    },
    store::memory::MemoryStore,
    tenant::{Principal, Role, TenantScope},
    transform::{EntityKind, EntityRow, FieldMap, FieldRule},
};
use stayzr_pms::{
    PmsProvider,
    engine::{Connect, EngineOptions, EnginePorts, SyncEngine, SyncJob, jobs_for_events},
};
use uuid::Uuid;

use crate::{
    faults::Fault,
    model::{Key, Model, map, rules, unknown},
    pause::pause,
    script::{Event, GUESTS, PEOPLE, Script, Step},
    wire::Wire,
};

const LEASE: Duration = Duration::from_secs(60);

type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Task {
    process: usize,
    future: Turn,
}

/// The process of the people who work at the hotel: it never crashes.
const FRONT_DESK: usize = 9;

/// Everything of a seed.
pub struct World {
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub vendor: Arc<Model>,
    pub scope: TenantScope,
    pub property_id: PropertyId,
    pub integration_id: IntegrationId,
    pub log: Vec<String>,
    /// What the vendor alone changed last: (guest, field) → value.
    pub by_vendor: BTreeMap<(String, &'static str), Value>,
    /// Classifications that either side gave, by the vendor's id of the guest.
    pub tags: BTreeMap<String, BTreeSet<String>>,
    /// Emails of guests whom staff entered.
    pub entered: Vec<String>,
    /// People who wrote, and people who became guests of the vendor's.
    pub wrote: BTreeSet<usize>,
    pub born: BTreeSet<usize>,
    pub families: usize,
    /// Strategies that were ever in force.
    pub strategies: BTreeSet<&'static str>,
    deleted: Vec<stayzr_pms::RemoteRecord>,
    wire: Arc<Wire>,
    engine: SyncEngine,
    tasks: Vec<Task>,
    /// What the next edits came to, as the front desk saw it.
    pub broken: Arc<Mutex<Option<String>>>,
}

struct Opens(Arc<Model>);

#[async_trait]
impl Connect for Opens {
    async fn connect(&self, _: TenantScope, _: &Integration) -> Result<Arc<dyn PmsProvider>> {
        Ok(self.0.clone())
    }
}

/// What the vendor may be told.
pub struct Rules;

impl PushPolicy for Rules {
    fn rule(&self, _: &str, kind: EntityKind, field: &str) -> Option<FieldRule> {
        rules(kind).iter().find(|rule| rule.field == field).copied()
    }

    fn creates(&self, _: &str, kind: EntityKind) -> bool {
        matches!(kind, EntityKind::Guest | EntityKind::Note)
    }

    fn push_job(
        &self,
        scope: TenantScope,
        id: IntegrationId,
        kind: EntityKind,
        row: Uuid,
    ) -> NewJob {
        SyncJob::push(scope, id, kind, row)
    }
}

fn staff() -> ChangeSource {
    ChangeSource::Staff {
        actor: "front desk".to_owned(),
    }
}

/// The telephone of a person who may write.
pub fn phone(person: usize) -> String {
    format!("+35191200010{person}")
}

/// The telephone of the relatives.
const FAMILY_PHONE: &str = "+351912000200";

impl World {
    pub fn open(script: &Script, fault: Option<Fault>) -> Self {
        let start: DateTime<Utc> = "2026-06-09T12:00:00Z".parse().expect("a time");
        let clock = Arc::new(ManualClock::new(start));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let vendor = Arc::new(Model::new(clock.clone(), fault));
        vendor.lock().skew = TimeDelta::seconds(script.skew);
        let wire = Arc::new(Wire::new(store.clone(), clock.clone(), fault));
        let mut options = EngineOptions::default();
        if fault == Some(Fault::LateReadTrusted) {
            options.late_read = TimeDelta::zero();
        }
        if fault == Some(Fault::NoOverlap) {
            options.overlap = TimeDelta::zero();
        }
        let engine = SyncEngine::new(
            EnginePorts {
                sync: wire.clone(),
                entities: wire.clone(),
                queue: store.clone(),
            },
            Arc::new(Opens(vendor.clone())),
            clock.clone(),
            options,
        );
        let organization_id = OrganizationId::generate(&*clock);
        let property_id = PropertyId::generate(&*clock);
        Self {
            scope: TenantScope::property(organization_id, property_id),
            property_id,
            integration_id: IntegrationId::generate(&*clock),
            store,
            clock,
            vendor,
            log: Vec::new(),
            by_vendor: BTreeMap::new(),
            tags: BTreeMap::new(),
            entered: Vec::new(),
            wrote: BTreeSet::new(),
            born: BTreeSet::new(),
            families: 0,
            strategies: BTreeSet::new(),
            deleted: Vec::new(),
            wire,
            engine,
            tasks: Vec::new(),
            broken: Arc::default(),
        }
    }

    pub fn everything(&self) -> TenantScope {
        TenantScope::organization(self.scope.organization_id)
    }

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

    fn policy(&mut self, strategy: &'static str) -> std::result::Result<(), String> {
        self.strategies.insert(strategy);
        let store = self.store.clone();
        let scope = self.everything();
        let document = json!({"conflicts": {"guest": {
            "strategy": strategy, "fields": {"classifications": "MERGE_FIELDS"}
        }}});
        block(async move {
            store
                .put_provider_document(scope, "modelled", document)
                .await
        })
        .map(drop)
        .map_err(|error| format!("policy: {error}"))
    }

    pub fn enqueue(&self, jobs: Vec<NewJob>) {
        let store = self.store.clone();
        // In memory nothing can go wrong with it.
        drop(block(async move { store.enqueue(jobs).await }));
    }

    /// The mapping of a record.
    pub fn mapping(&self, kind: EntityKind, id: &str) -> Option<Mapping> {
        let store = self.store.clone();
        let (scope, integration) = (self.everything(), self.integration_id);
        let ids = [id.to_owned()];
        block(async move { store.mappings(scope, integration, kind, &ids).await })
            .ok()?
            .into_iter()
            .next()
    }

    pub fn row(&self, kind: EntityKind, id: Uuid) -> Option<EntityRow> {
        let store = self.store.clone();
        let scope = self.everything();
        block(async move { store.row(scope, kind, id).await }).ok()?
    }

    /// The row of a record.
    pub fn row_of(&self, kind: EntityKind, id: &str) -> Option<EntityRow> {
        let local = self.mapping(kind, id)?.local_id;
        self.row(kind, local)
    }

    fn spawn(&mut self, process: usize, future: impl Future<Output = ()> + Send + 'static) {
        let future: Turn = Box::pin(future);
        self.tasks.push(Task { process, future });
    }

    /// Gives every idle process a round of work.
    fn work(&mut self) {
        for process in 0..2 {
            if !self.tasks.iter().any(|task| task.process == process) {
                let round = round(
                    self.store.clone(),
                    self.engine.clone(),
                    format!("process {process}"),
                );
                self.spawn(process, round);
            }
        }
    }

    /// One turn of somebody. False if there is nobody.
    fn turn(&mut self, rng: &mut StdRng) -> bool {
        if self.tasks.is_empty() {
            return false;
        }
        let at = rng.random_range(0..self.tasks.len());
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(()) = self.tasks[at].future.as_mut().poll(&mut context) {
            drop(self.tasks.swap_remove(at));
        }
        true
    }

    /// Lets everybody finish what they do.
    fn finish(&mut self) -> std::result::Result<(), String> {
        let mut rng = StdRng::seed_from_u64(7);
        for _ in 0..200_000 {
            if !self.turn(&mut rng) {
                return Ok(());
            }
        }
        Err("somebody never ends".to_owned())
    }

    fn unfinished(&self) -> Vec<Job> {
        let mut jobs = self.jobs(JobStatus::Pending);
        jobs.extend(self.jobs(JobStatus::Processing));
        jobs
    }

    /// Jobs of the sync queue.
    pub fn jobs(&self, status: JobStatus) -> Vec<Job> {
        let store = self.store.clone();
        let scope = self.everything();
        let filter = JobFilter {
            queue: Some(Queue::PmsSyncQueue),
            status: Some(status),
        };
        let page = PageRequest {
            limit: 1000,
            cursor: None,
        };
        block(async move { store.jobs(scope, &filter, &page).await })
            .map(|page| page.items)
            .unwrap_or_default()
    }

    /// Works until nothing waits.
    pub fn drain(&mut self) -> std::result::Result<(), String> {
        for _ in 0..300 {
            self.work();
            self.finish()?;
            if self.unfinished().is_empty() {
                return Ok(());
            }
            self.clock.advance(TimeDelta::seconds(31));
        }
        let jobs: Vec<String> = self
            .unfinished()
            .iter()
            .map(|job| format!("{} {:?} {:?}", job.payload, job.status, job.last_error))
            .collect();
        Err(format!("never quiet: {}", jobs.join("; ")))
    }

    /// Asks for a run and works until nothing waits.
    pub fn run(&mut self, mode: RunMode) -> std::result::Result<(), String> {
        let job = match mode {
            RunMode::Reconcile => SyncJob::reconcile_accepting(self.scope, self.integration_id),
            mode => SyncJob::run(self.scope, self.integration_id, mode),
        };
        self.enqueue(vec![job]);
        self.drain()
    }

    /// Webhooks of these records arrive.
    fn hear(&self, keys: impl IntoIterator<Item = Key>) {
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

    /// Everything that was said arrives.
    pub fn hear_all(&self) {
        let events = std::mem::take(&mut self.vendor.lock().events);
        self.hear(events);
    }

    /// One step of the story.
    pub fn step(&mut self, step: &Step) -> std::result::Result<(), String> {
        let mut rng = StdRng::seed_from_u64(step.seed);
        self.log.push(format!("{} {:?}", step.number, step.event));
        self.event(step, &mut rng)?;
        for _ in 0..step.turns {
            self.work();
            self.turn(&mut rng);
        }
        let found = self.broken.lock().ok().and_then(|mut broken| broken.take());
        found.map_or(Ok(()), Err)
    }

    fn edit(&mut self, kind: EntityKind, external: &str, set: Value) {
        let Some(row) = self.row_of(kind, external) else {
            return;
        };
        let (wire, clock, scope) = (self.wire.clone(), self.clock.clone(), self.everything());
        let request = EditRequest {
            kind,
            id: row.id,
            set: map(set),
            // What staff saw: a list is made of what stood there.
            expected_version: Some(row.version),
            source: staff(),
        };
        self.spawn(FRONT_DESK, async move {
            // Refused where somebody was faster: then it was no edit.
            drop(edit(&*wire, &Rules, &*clock, scope, request).await);
        });
    }

    #[allow(clippy::too_many_lines, reason = "one arm for each event")]
    fn event(&mut self, step: &Step, rng: &mut StdRng) -> std::result::Result<(), String> {
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

    fn message(&mut self, person: usize, n: usize) {
        debug_assert!(person < PEOPLE, "people are numbered");
        self.wrote.insert(person);
        let digits = phone(person).trim_start_matches('+').to_owned();
        let contact = |channel, address| Contact { channel, address };
        let command = AcceptMessage {
            scope: self.scope,
            property_id: self.property_id,
            channel: Channel::Whatsapp,
            channel_account_id: None,
            guest_id: None,
            conversation_id: None,
            contacts: vec![
                contact(ContactChannel::Whatsapp, digits.clone()),
                contact(ContactChannel::Phone, phone(person)),
            ],
            reply_to: Some(digits),
            name: Some(format!("Given{person}")),
            vendor_message_id: Some(format!("wamid.{n}")),
            kind: "text".to_owned(),
            text: "Is there a pool?".to_owned(),
            sent_at: self.clock.now(),
            enqueue_turn: false,
        };
        let (store, broken) = (self.store.clone(), self.broken.clone());
        self.spawn(FRONT_DESK, async move {
            pause().await;
            if let Err(error) = store.accept_message(command).await {
                note(&broken, format!("a message was refused: {error}"));
            }
        });
    }

    fn make(&mut self, kind: EntityKind, set: Value) {
        let (wire, clock, scope) = (self.wire.clone(), self.clock.clone(), self.scope);
        let broken = self.broken.clone();
        let request = CreateRequest {
            kind,
            property_id: None,
            set: map(set),
            source: staff(),
        };
        self.spawn(FRONT_DESK, async move {
            if let Err(error) = create(&*wire, &Rules, &*clock, scope, request).await {
                note(&broken, format!("a {kind} could not be made: {error}"));
            }
        });
    }

    /// Staff decides every open conflict.
    pub fn resolve(&mut self, choice: ResolutionChoice) {
        let open: Vec<_> = self
            .conflicts()
            .into_iter()
            .filter(|conflict| conflict.status == ConflictStatus::Open)
            .collect();
        for conflict in open {
            let (wire, clock) = (self.wire.clone(), self.clock.clone());
            let scope = self.everything();
            self.spawn(FRONT_DESK, async move {
                let fields: FieldMap = match choice {
                    ResolutionChoice::Fields => {
                        let names = conflict.remote.names().enumerate();
                        names
                            .map(|(at, name)| {
                                let side = if at % 2 == 0 { "local" } else { "remote" };
                                (name.to_owned(), json!(side))
                            })
                            .collect()
                    }
                    _ => FieldMap::new(),
                };
                let request = ResolveRequest {
                    conflict_id: conflict.id,
                    choice,
                    fields,
                    expected_revision: Some(conflict.revision),
                    source: staff(),
                };
                // Refused where the vendor said something else meanwhile.
                drop(resolve(&*wire, &Rules, &*clock, scope, request).await);
            });
        }
    }

    /// The end of the story: faults stop, and both sides come to rest.
    pub fn settle(&mut self) -> std::result::Result<(), String> {
        {
            let mut state = self.vendor.lock();
            state.faults.clear();
            state.write_lag = 0;
            state.garbled.clear();
        }
        self.clock.advance(TimeDelta::minutes(3));
        self.drain()?;
        self.retry_creates();
        self.hear_all();
        self.drain()?;
        for choice in [ResolutionChoice::Local, ResolutionChoice::Remote] {
            self.run(RunMode::Incremental)?;
            self.run(RunMode::Reconcile)?;
            self.resolve(choice);
            self.drain()?;
            self.hear_all();
            self.drain()?;
        }
        // Not before our own last writes are surely no late reads any more.
        self.clock.advance(TimeDelta::minutes(3));
        self.run(RunMode::Incremental)?;
        self.run(RunMode::Reconcile)?;
        self.drain()
    }

    /// Staff tries again what could not be made at the vendor.
    fn retry_creates(&self) {
        for job in self.jobs(JobStatus::Failed) {
            if job.payload.get("type").and_then(Value::as_str) == Some("push") {
                let (store, scope) = (self.store.clone(), self.everything());
                drop(block(async move { store.retry(scope, job.id).await }));
            }
        }
    }

    /// Every conflict that ever was.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let (store, scope) = (self.store.clone(), self.everything());
        let page = PageRequest {
            limit: 1000,
            cursor: None,
        };
        let all = ConflictFilter::default();
        block(async move { store.conflicts(scope, &all, &page).await })
            .map(|page| page.items)
            .unwrap_or_default()
    }

    /// Every id that the vendor ever had, by kind.
    pub fn known(&self) -> BTreeMap<EntityKind, BTreeSet<String>> {
        let mut known: BTreeMap<EntityKind, BTreeSet<String>> = BTreeMap::new();
        for record in &self.vendor.lock().history {
            let ids = known.entry(record.kind).or_default();
            ids.insert(record.external_id.clone());
        }
        known
    }

    /// Everything that a run may write but cursor, run and job.
    pub fn snapshot(&self) -> String {
        let mut out = String::new();
        for (kind, ids) in self.known() {
            for id in ids {
                if let Some(mapping) = self.mapping(kind, &id) {
                    out.push_str(&json!([kind, id, mapping]).to_string());
                    if let Some(row) = self.row(kind, mapping.local_id) {
                        out.push_str(&json!(row).to_string());
                    }
                    out.push('\n');
                }
            }
        }
        out.push_str(&json!(self.conflicts()).to_string());
        let lines = self.store.journal(self.scope.organization_id).len();
        out.push_str(&lines.to_string());
        out
    }
}

fn note(broken: &Mutex<Option<String>>, what: String) {
    if let Ok(mut broken) = broken.lock() {
        broken.get_or_insert(what);
    }
}

fn with(list: Option<&Value>, tag: &str) -> Value {
    let mut list = list.and_then(Value::as_array).cloned().unwrap_or_default();
    list.push(json!(tag));
    list.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Value::Array(list)
}

/// Runs a future that nobody interrupts.
pub fn block<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// What a worker does with one claim: jobs of one batch key together, each ended under its lease.
async fn round(store: Arc<MemoryStore>, engine: SyncEngine, name: String) {
    pause().await;
    let Ok(claimed) = store.claim(Queue::PmsSyncQueue, &name, 6, LEASE).await else {
        return;
    };
    pause().await;
    let mut batches: BTreeMap<String, Vec<Claimed>> = BTreeMap::new();
    for claimed in claimed {
        let key = engine
            .batch_key(&claimed.job)
            .unwrap_or_else(|| claimed.job.id.to_string());
        batches.entry(key).or_default().push(claimed);
    }
    for batch in batches.into_values() {
        let held: Vec<Claimed> = batch.clone();
        let results = match batch.len() {
            1 => {
                let mut results = Vec::new();
                for claimed in batch {
                    results.push(engine.handle(claimed).await);
                }
                results
            }
            _ => engine.handle_batch(batch).await,
        };
        for (claimed, result) in held.into_iter().zip(results) {
            pause().await;
            let (outcome, follow_ups) = outcome(&claimed.job, result);
            // A lease that was lost ends nothing.
            drop(store.finish(&claimed.lease, outcome, follow_ups).await);
        }
    }
}

fn outcome(job: &Job, result: Result<HandlerResult>) -> (JobOutcome, Vec<NewJob>) {
    match result {
        Ok(HandlerResult::Complete(follow_ups)) => (JobOutcome::Completed, follow_ups),
        Ok(_) => (JobOutcome::Released, Vec::new()),
        Err(error) => (failed(job, &error), Vec::new()),
    }
}

fn failed(job: &Job, error: &Error) -> JobOutcome {
    let text = error.to_string();
    let hopeless = matches!(
        error.kind(),
        ErrorKind::Invalid
            | ErrorKind::NotFound
            | ErrorKind::Forbidden
            | ErrorKind::Unsupported
            | ErrorKind::Corrupt
    );
    if hopeless {
        return JobOutcome::Failed { error: text };
    }
    let attempt = u32::try_from(job.attempts).unwrap_or(1);
    let wait = Backoff::default().ceiling(attempt);
    JobOutcome::Retry {
        error: text,
        after: wait.max(error.retry_after().unwrap_or_default()),
    }
}
