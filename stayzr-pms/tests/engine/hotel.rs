//! A hotel with a store, a clock that stands still, an engine, and a vendor.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    Result,
    clock::{Clock, ManualClock, SystemClock},
    flow::{EditRequest, PushPolicy, edit},
    ids::{ApiTokenId, IntegrationId, OrganizationId, PropertyId},
    model::{
        Address, Change, ChangeSource, Channel, Conflict, Contact, ContactChannel, Integration,
        IntegrationStatus, Organization, PricingMode, Property, RunMode, SyncRun,
    },
    port::{
        PageRequest,
        conflict::{ConflictFilter, Conflicts},
        conversation::{AcceptMessage, AcceptedMessage, Conversations},
        directory::{Directory, IntegrationOwner},
        edit::{ChangeFilter, EditWrite, Edits},
        entities::Entities,
        inbox::Inbox,
        outbound::Outbound,
        queue::JobQueue,
        setup::{Maintenance, NewToken, Setup},
        sync::{ContactWrite, Mapping, PageWrite, RowWrite, SyncStore},
    },
    queue::{Claimed, Handler, HandlerResult, Job, JobFilter, JobOutcome, NewJob, Queue},
    store::{
        memory::MemoryStore,
        sqlite::{SqliteOptions, SqliteStore},
    },
    tenant::{Principal, Role, TenantScope},
    transform::{ConflictStrategy, EntityKind, EntityRow, FieldRule},
};
use stayzr_pms::{
    PmsProvider,
    engine::{Connect, EngineOptions, EnginePorts, Strategies, SyncEngine, SyncJob},
};
use uuid::Uuid;

use crate::{
    racing::Racing,
    vendor::{Vendor, map, rules},
};

pub struct Hotel {
    pub store: Arc<dyn Ports>,
    pub clock: Arc<ManualClock>,
    pub vendor: Arc<Vendor>,
    pub engine: SyncEngine,
    pub racing: Arc<Racing>,
    pub scope: TenantScope,
    pub property_id: PropertyId,
    pub integration_id: IntegrationId,
    _folder: Option<tempfile::TempDir>,
}

/// What a hotel needs of a store.
pub trait Ports:
    SyncStore
    + Entities
    + Edits
    + JobQueue
    + Directory
    + Setup
    + Conflicts
    + Conversations
    + Inbox
    + Outbound
{
}

impl<S> Ports for S where
    S: SyncStore
        + Entities
        + Edits
        + JobQueue
        + Directory
        + Setup
        + Conflicts
        + Conversations
        + Inbox
        + Outbound
{
}

struct Opens(Arc<Vendor>);

#[async_trait]
impl Connect for Opens {
    async fn connect(&self, _: TenantScope, _: &Integration) -> Result<Arc<dyn PmsProvider>> {
        Ok(self.0.clone())
    }
}

pub struct Rules;

impl PushPolicy for Rules {
    fn rule(&self, _: &str, kind: EntityKind, field: &str) -> Option<FieldRule> {
        rules(kind).iter().find(|rule| rule.field == field).copied()
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

pub fn start() -> DateTime<Utc> {
    "2026-06-09T12:00:00Z".parse().unwrap()
}

impl Hotel {
    pub async fn open() -> Self {
        Self::with_settings(Value::Null).await
    }

    pub async fn with_settings(settings: Value) -> Self {
        let clock = Arc::new(ManualClock::new(start()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        Self::over(store, clock, None, settings).await
    }

    /// The same on a SQLite file.
    pub async fn on_sqlite(settings: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(start()));
        let options = SqliteOptions::new(folder.path().join("hotel.db")).clock(clock.clone());
        let store = SqliteStore::open(options).await.unwrap();
        store.migrate().await.unwrap();
        Self::over(Arc::new(store), clock, Some(folder), settings).await
    }

    async fn over(
        store: Arc<dyn Ports>,
        clock: Arc<ManualClock>,
        folder: Option<tempfile::TempDir>,
        settings: Value,
    ) -> Self {
        let organization_id = OrganizationId::generate(&SystemClock);
        let property_id = PropertyId::generate(&SystemClock);
        let integration_id = IntegrationId::generate(&SystemClock);
        let now = clock.now();
        let principal = Principal {
            token_id: ApiTokenId::generate(&SystemClock),
            name: "front desk".to_owned(),
            organization_id,
            role: Role::Admin,
            property_ids: Vec::new(),
        };
        let organization = Organization {
            id: organization_id,
            name: "Aurelia".to_owned(),
            created_at: now,
        };
        let token = NewToken {
            principal,
            hash: "00".to_owned(),
        };
        store
            .create_organization(organization, token)
            .await
            .unwrap();
        let property = Property {
            id: property_id,
            organization_id,
            version: 1,
            created_at: now,
            updated_at: now,
            name: "To be connected".to_owned(),
            address: Address {
                country_code: Some("PT".to_owned()),
                ..Address::default()
            },
            geo: None,
            time_zone: "UTC".to_owned(),
            currency: "USD".parse().unwrap(),
            pricing: PricingMode::Gross,
            languages: Vec::new(),
            check_in: Some("15:00".to_owned()),
            check_out: None,
            phone: None,
            email: None,
            website: None,
            amenities: vec![serde_json::from_value(json!({"name": "Pool"})).unwrap()],
            policies: Vec::new(),
        };
        store.create_property(property).await.unwrap();
        store
            .create_integration(Integration {
                id: integration_id,
                organization_id,
                property_id,
                provider: "scripted".to_owned(),
                account: "account".to_owned(),
                remote_property_id: "enterprise".to_owned(),
                settings,
                sealed: String::new(),
                status: IntegrationStatus::Active,
                created_at: now,
                updated_at: now,
            })
            .await
            .unwrap();
        let vendor = Arc::new(Vendor::new(now));
        let racing = Arc::new(Racing::new(store.clone()));
        let engine = engine(&store, &racing, &vendor, &clock, EngineOptions::default());
        Self {
            store,
            clock,
            vendor,
            engine,
            racing,
            scope: TenantScope::property(organization_id, property_id),
            property_id,
            integration_id,
            _folder: folder,
        }
    }

    /// From now on conflicts are decided so, where a field has no strategy of its own.
    pub fn decide_by(&mut self, strategy: ConflictStrategy) {
        let options = EngineOptions {
            strategies: Strategies::all(strategy),
            ..EngineOptions::default()
        };
        self.engine = engine(
            &self.store,
            &self.racing,
            &self.vendor,
            &self.clock,
            options,
        );
    }

    /// A hotel whose vendor has one of everything, not synchronised yet.
    pub async fn furnished() -> Self {
        let hotel = Self::open().await;
        furnish(&hotel.vendor);
        hotel
    }

    /// The same, synchronised.
    pub async fn synchronised() -> Self {
        let hotel = Self::furnished().await;
        hotel.backfill().await;
        hotel.vendor.take_calls();
        hotel
    }

    pub fn everything(&self) -> TenantScope {
        TenantScope::organization(self.scope.organization_id)
    }

    pub fn owner(&self) -> IntegrationOwner {
        IntegrationOwner {
            id: self.integration_id,
            scope: self.scope,
            provider: "scripted".to_owned(),
            account: "account".to_owned(),
        }
    }

    pub async fn run(&self, mode: RunMode) -> Result<SyncRun> {
        self.engine
            .run(self.scope, self.integration_id, mode, None)
            .await
    }

    pub async fn backfill(&self) -> SyncRun {
        self.run(RunMode::Backfill).await.unwrap()
    }

    pub async fn incremental(&self) -> SyncRun {
        self.run(RunMode::Incremental).await.unwrap()
    }

    pub async fn read(&self, kind: EntityKind, id: &str) {
        self.engine
            .targeted(
                self.scope,
                self.integration_id,
                kind,
                &[id.to_owned()],
                None,
            )
            .await
            .unwrap();
    }

    pub async fn mapping(&self, kind: EntityKind, id: &str) -> Mapping {
        let ids = [id.to_owned()];
        let found = self
            .store
            .mappings(self.everything(), self.integration_id, kind, &ids)
            .await
            .unwrap();
        found.into_iter().next().expect("the record is mapped")
    }

    /// Stores a mapping as it is.
    pub async fn write_mapping(&self, mapping: Mapping) {
        let write = PageWrite {
            mappings: vec![mapping],
            ..PageWrite::new(self.everything(), self.integration_id)
        };
        self.store.apply_page(write).await.unwrap();
    }

    pub async fn row(&self, kind: EntityKind, id: &str) -> EntityRow {
        let id = self.mapping(kind, id).await.local_id;
        let row = self.store.row(self.everything(), kind, id).await.unwrap();
        row.expect("the row exists")
    }

    pub async fn text(&self, kind: EntityKind, id: &str, field: &str) -> Option<String> {
        let row = self.row(kind, id).await;
        row.fields.text(field).map(str::to_owned)
    }

    pub async fn count(&self, kind: EntityKind) -> usize {
        let page = PageRequest {
            limit: 1000,
            cursor: None,
        };
        let filter = Default::default();
        let rows = self
            .store
            .rows(self.everything(), kind, &filter, &page)
            .await;
        rows.unwrap().items.len()
    }

    /// An edit by staff, as the API makes it.
    pub async fn edit(&self, kind: EntityKind, id: &str, set: Value) {
        let id = self.mapping(kind, id).await.local_id;
        edit_row(&*self.store, &self.clock, self.everything(), kind, id, set).await;
    }

    pub async fn push(&self, kind: EntityKind, id: &str) -> Result<stayzr_pms::engine::PushReport> {
        let id = self.mapping(kind, id).await.local_id;
        self.engine
            .push(self.scope, self.integration_id, kind, id, None)
            .await
    }

    pub async fn journal(&self, kind: EntityKind, id: &str) -> Vec<Change> {
        let id = self.mapping(kind, id).await.local_id;
        let page = PageRequest {
            limit: 1000,
            cursor: None,
        };
        let changes = self
            .store
            .changes(self.everything(), &ChangeFilter::of(kind, id), &page)
            .await;
        changes.unwrap().items
    }

    /// Conflicts about the row of a record, the newest first.
    pub async fn conflicts(&self, kind: EntityKind, id: &str) -> Vec<Conflict> {
        let filter = ConflictFilter {
            entity: Some(kind),
            entity_id: Some(self.mapping(kind, id).await.local_id),
            ..ConflictFilter::default()
        };
        let page = PageRequest::default();
        let conflicts = self.store.conflicts(self.everything(), &filter, &page);
        conflicts.await.unwrap().items
    }

    /// A guest as another property's PMS or staff would have made one.
    pub async fn insert_guest(&self, fields: Value) -> Uuid {
        let mut row = EntityRow {
            id: SystemClock.uuid(),
            version: 1,
            ..self.row(EntityKind::Guest, "ada").await
        };
        for column in EntityKind::Guest.columns() {
            row.fields.insert(column.name, Value::Null);
        }
        row.fields
            .extend(&map(json!({"active": true, "classifications": []})));
        row.fields.extend(&map(fields));
        let id = row.id;
        let write = PageWrite {
            rows: vec![RowWrite::Insert(row)],
            ..PageWrite::new(self.everything(), self.integration_id)
        };
        self.store.apply_page(write).await.unwrap();
        id
    }

    /// Lets an address lead to a guest.
    pub async fn own(&self, guest: Uuid, channel: ContactChannel, address: &str) {
        let write = PageWrite {
            contacts: vec![ContactWrite {
                guest_id: guest.into(),
                channel,
                address: Some(address.to_owned()),
            }],
            ..PageWrite::new(self.everything(), self.integration_id)
        };
        self.store.apply_page(write).await.unwrap();
    }

    /// Whom an address leads to.
    pub async fn owner_of(&self, channel: ContactChannel, address: &str) -> Option<Uuid> {
        let contact = Contact {
            channel,
            address: address.to_owned(),
        };
        let found = self
            .store
            .guest_by_contact(self.everything(), &[contact])
            .await;
        found.unwrap().map(|id| id.uuid())
    }

    /// A message to the hotel from a telephone, under the name that its owner chose.
    pub async fn message(&self, phone: &str, name: &str) -> AcceptedMessage {
        let message = AcceptMessage {
            scope: self.scope,
            property_id: self.property_id,
            channel: Channel::Api,
            channel_account_id: None,
            guest_id: None,
            conversation_id: None,
            contacts: vec![Contact {
                channel: ContactChannel::Phone,
                address: phone.to_owned(),
            }],
            reply_to: None,
            name: Some(name.to_owned()),
            vendor_message_id: Some(Uuid::now_v7().to_string()),
            kind: "text".to_owned(),
            text: "Good evening".to_owned(),
            sent_at: self.clock.now(),
            enqueue_turn: false,
        };
        self.store.accept_message(message).await.unwrap()
    }

    pub async fn jobs(&self) -> Vec<Job> {
        let page = PageRequest {
            limit: 1000,
            cursor: None,
        };
        let filter = JobFilter::default();
        let jobs = self.store.jobs(self.everything(), &filter, &page).await;
        jobs.unwrap().items
    }

    pub async fn claim(&self, worker: &str) -> Vec<Claimed> {
        let lease = Duration::from_secs(30);
        self.store
            .claim(Queue::PmsSyncQueue, worker, 10, lease)
            .await
            .unwrap()
    }

    /// Works on everything that is due; what fails is tried again a minute later, at most so often.
    pub async fn drain(&self) {
        for _ in 0..50 {
            let claimed = self.claim("worker").await;
            if claimed.is_empty() {
                return;
            }
            for claimed in claimed {
                let lease = claimed.lease.clone();
                let (outcome, jobs) = match self.engine.handle(claimed).await {
                    Ok(HandlerResult::Complete(jobs)) => (JobOutcome::Completed, jobs),
                    Ok(other) => panic!("unexpected {other:?}"),
                    Err(error) => (
                        JobOutcome::Retry {
                            error: error.to_string(),
                            after: Duration::ZERO,
                        },
                        Vec::new(),
                    ),
                };
                self.store.finish(&lease, outcome, jobs).await.unwrap();
            }
        }
        panic!("the queue does not empty");
    }

    /// Lets the time pass in which reads may be late.
    pub async fn quiet(&self) {
        self.clock.advance(TimeDelta::minutes(10));
        self.vendor.lock().now += TimeDelta::minutes(10);
        self.drain().await;
    }
}

fn engine(
    store: &Arc<dyn Ports>,
    racing: &Arc<Racing>,
    vendor: &Arc<Vendor>,
    clock: &Arc<ManualClock>,
    options: EngineOptions,
) -> SyncEngine {
    let ports = EnginePorts {
        sync: racing.clone(),
        entities: store.clone(),
        queue: store.clone(),
    };
    let connect = Arc::new(Opens(vendor.clone()));
    SyncEngine::new(ports, connect, clock.clone(), options)
}

pub async fn edit_row(
    store: &dyn Ports,
    clock: &ManualClock,
    scope: TenantScope,
    kind: EntityKind,
    id: Uuid,
    set: Value,
) {
    let request = EditRequest {
        kind,
        id,
        set: map(set),
        expected_version: None,
        source: ChangeSource::Staff {
            actor: "front desk".to_owned(),
        },
    };
    edit(store, &Rules, clock, scope, request).await.unwrap();
}

/// An edit straight in the store, without a push.
pub async fn set_silently(store: &dyn Ports, scope: TenantScope, row: &EntityRow, set: Value) {
    store
        .apply_edit(EditWrite {
            scope,
            kind: row.kind,
            id: row.id,
            expected_version: row.version,
            set: map(set),
            contacts: Vec::new(),
            changes: Vec::new(),
            jobs: Vec::new(),
        })
        .await
        .unwrap();
}

pub fn furnish(vendor: &Vendor) {
    use EntityKind::{Guest, Property, Reservation, Room, RoomType};
    vendor.add(
        Property,
        "enterprise",
        json!({"name": "Aurelia Porto", "time_zone": "Europe/Lisbon", "currency": "EUR",
            "address": {"city": "Porto", "country_code": "PT"}}),
    );
    vendor.add(RoomType, "double", json!({"name": "Double", "capacity": 2}));
    vendor.add_linked(
        Room,
        "101",
        json!({"name": "101", "condition": "clean"}),
        &[("room_type_id", RoomType, "double")],
    );
    for (id, first, last) in [
        ("ada", "Ada", "Lovelace"),
        ("alan", "Alan", "Turing"),
        ("grace", "Grace", "Hopper"),
    ] {
        vendor.add(
            Guest,
            id,
            json!({"first_name": first, "last_name": last, "email": format!("{first}@Example.com"),
                "phone": null, "classifications": ["Returning"]}),
        );
    }
    for (id, guest) in [("r1", "ada"), ("r2", "alan"), ("r3", "grace")] {
        vendor.add_linked(
            Reservation,
            id,
            json!({"number": id, "status": "confirmed", "adults": 2,
                "arrival": "2026-07-01T14:00:00Z", "departure": "2026-07-03T10:00:00Z"}),
            &[
                ("guest_id", Guest, guest),
                ("room_type_id", RoomType, "double"),
                ("room_id", Room, "101"),
            ],
        );
    }
}
