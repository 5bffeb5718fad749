//! A hotel, its vendor, two processes that work, and whose turn it is.

mod desk;
mod furnish;
mod happen;
mod look;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use stayzr_core::{
    Result,
    clock::ManualClock,
    ids::{IntegrationId, OrganizationId, PropertyId},
    model::{Integration, ResolutionChoice, RunMode},
    port::{queue::JobQueue, setup::Setup},
    queue::{JobStatus, NewJob},
    store::memory::MemoryStore,
    tenant::TenantScope,
};
use stayzr_pms::{
    PmsProvider,
    engine::{Connect, EngineOptions, EnginePorts, SyncEngine},
};

use crate::{
    faults::Fault,
    model::Model,
    script::{Script, Step},
    wire::Wire,
};

use work::Task;

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
    pub wire: Arc<Wire>,
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

/// The telephone of a person who may write.
pub fn phone(person: usize) -> String {
    format!("+35191200010{person}")
}

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

    pub(super) fn policy(&mut self, strategy: &'static str) -> std::result::Result<(), String> {
        self.strategies.insert(strategy);
        let store = self.store.clone();
        let scope = self.everything();
        let document = json!({"conflicts": {"guest": {
            "strategy": strategy, "fields": {"classifications": "MERGE_FIELDS"}
        }}});
        block(async move {
            store
                .put_provider_document(scope, "modelled", document, None)
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
