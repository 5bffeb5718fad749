//! A hotel on a store, connected to a vendor's sandbox.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::Utc;
use serde_json::{Value, json};
use stayzr_core::{
    Error, Result,
    clock::SystemClock,
    flow::{CreateRequest, EditRequest, PushPolicy, create, edit},
    ids::{ApiTokenId, IntegrationId, OrganizationId, PropertyId},
    model::{
        Address, ChangeSource, Conflict, Integration, IntegrationStatus, Organization, PricingMode,
        Property, RunMode, SyncRun,
    },
    port::{
        PageRequest,
        conflict::{ConflictFilter, Conflicts},
        directory::{Directory, IntegrationOwner},
        edit::Edits,
        entities::Entities,
        queue::JobQueue,
        setup::{Maintenance, NewToken, Setup},
        sync::SyncStore,
    },
    queue::{Handler, HandlerResult, JobOutcome, NewJob, Queue},
    store::{
        postgres::{PostgresOptions, PostgresStore},
        sqlite::{SqliteOptions, SqliteStore},
    },
    tenant::{Principal, Role, TenantScope},
    transform::{EntityKind, EntityRow, FieldRule},
};
use stayzr_pms::{
    PmsProvider,
    engine::{Connect, EngineOptions, EnginePorts, SyncEngine, SyncJob, jobs_for_events},
};
use stayzr_tests::servers::TestDatabase;
use uuid::Uuid;

use crate::vendor::Vendor;

/// What a hotel needs of a store.
pub trait Ports: SyncStore + Entities + Edits + JobQueue + Directory + Setup + Conflicts {}

impl<S> Ports for S where S: SyncStore + Entities + Edits + JobQueue + Directory + Setup + Conflicts {}

/// A store, and what has to be put away with it.
pub struct Shelf {
    store: Arc<dyn Ports>,
    _folder: Option<tempfile::TempDir>,
    database: Option<(PostgresStore, TestDatabase)>,
}

impl Shelf {
    pub async fn on_sqlite() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let options = SqliteOptions::new(folder.path().join("hotel.db"));
        let store = SqliteStore::open(options).await.expect("it opens");
        store.migrate().await.expect("it migrates");
        Some(Self {
            store: Arc::new(store),
            _folder: Some(folder),
            database: None,
        })
    }

    /// None, with one line said, where there is no PostgreSQL.
    pub async fn on_postgres() -> Option<Self> {
        let database = TestDatabase::create().await?;
        let options = PostgresOptions::new(database.url()).max_connections(5);
        let store = PostgresStore::connect(options).await.expect("it connects");
        store.migrate().await.expect("it migrates");
        Some(Self {
            store: Arc::new(store.clone()),
            _folder: None,
            database: Some((store, database)),
        })
    }

    pub async fn put_away(self) {
        if let Some((store, database)) = self.database {
            store.close().await;
            database.drop_database().await;
        }
    }
}

/// Always the same provider.
struct Opens(Arc<dyn PmsProvider>);

#[async_trait]
impl Connect for Opens {
    async fn connect(&self, _: TenantScope, _: &Integration) -> Result<Arc<dyn PmsProvider>> {
        Ok(Arc::clone(&self.0))
    }
}

/// The provider's rules, and its jobs.
struct Rules(Arc<dyn PmsProvider>);

impl PushPolicy for Rules {
    fn rule(&self, _: &str, kind: EntityKind, field: &str) -> Option<FieldRule> {
        let mut rules = self.0.fields(kind).iter();
        rules.find(|rule| rule.field == field).copied()
    }

    fn creates(&self, _: &str, kind: EntityKind) -> bool {
        self.0.capabilities().create.contains(&kind)
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

pub struct Hotel {
    pub vendor: Box<dyn Vendor>,
    pub provider: Arc<dyn PmsProvider>,
    pub engine: SyncEngine,
    pub scope: TenantScope,
    pub integration: IntegrationId,
    store: Arc<dyn Ports>,
}

impl Hotel {
    /// A hotel that has read nothing yet.
    pub async fn open(
        shelf: &Shelf,
        vendor: Box<dyn Vendor>,
        provider: Arc<dyn PmsProvider>,
        settings: Value,
    ) -> Self {
        let store = Arc::clone(&shelf.store);
        let organization_id = OrganizationId::generate(&SystemClock);
        let property_id = PropertyId::generate(&SystemClock);
        let integration = IntegrationId::generate(&SystemClock);
        let now = Utc::now();
        let organization = Organization {
            id: organization_id,
            name: "Aurelia".to_owned(),
            created_at: now,
        };
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
        let property = Property {
            id: property_id,
            organization_id,
            version: 1,
            created_at: now,
            updated_at: now,
            name: "To be connected".to_owned(),
            address: Address::default(),
            geo: None,
            time_zone: "UTC".to_owned(),
            currency: "USD".parse().expect("a currency"),
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
        let connected = Integration {
            id: integration,
            organization_id,
            property_id,
            provider: vendor.name().to_owned(),
            account: "account".to_owned(),
            remote_property_id: vendor.property_id(),
            settings,
            sealed: String::new(),
            status: IntegrationStatus::Active,
            created_at: now,
            updated_at: now,
        };
        let made = async {
            store.create_organization(organization, token).await?;
            store.create_property(property).await?;
            store.create_integration(connected).await
        };
        made.await.expect("a hotel is set up");
        let ports = EnginePorts {
            sync: store.clone(),
            entities: store.clone(),
            queue: store.clone(),
        };
        let connect = Arc::new(Opens(Arc::clone(&provider)));
        let clock = Arc::new(SystemClock);
        Self {
            vendor,
            provider,
            engine: SyncEngine::new(ports, connect, clock, EngineOptions::default()),
            scope: TenantScope::property(organization_id, property_id),
            integration,
            store,
        }
    }

    /// The whole organization: a guest belongs to no property.
    pub fn everywhere(&self) -> TenantScope {
        TenantScope::organization(self.scope.organization_id)
    }

    pub async fn try_run(&self, mode: RunMode) -> Result<SyncRun> {
        self.engine
            .run(self.scope, self.integration, mode, None)
            .await
    }

    pub async fn run(&self, mode: RunMode) -> SyncRun {
        self.try_run(mode).await.expect("the run ends well")
    }

    /// The row of a record.
    pub async fn row(&self, kind: EntityKind, id: &str) -> EntityRow {
        let ids = [id.to_owned()];
        let scope = self.everywhere();
        let known = self.store.mappings(scope, self.integration, kind, &ids);
        let known = known.await.expect("mappings are read");
        let local = known.first().expect("the record is mapped").local_id;
        let row = self.store.row(scope, kind, local).await;
        row.expect("rows are read").expect("the row is there")
    }

    pub async fn field(&self, kind: EntityKind, id: &str, field: &str) -> Value {
        let row = self.row(kind, id).await;
        row.fields.get(field).cloned().unwrap_or_default()
    }

    pub async fn count(&self, kind: EntityKind) -> u64 {
        let counted = self
            .store
            .mapped_count(self.everywhere(), self.integration, kind);
        counted.await.expect("mappings are counted")
    }

    /// An edit of a guest by staff, as the API makes it; returns the row's id. Its push waits in the
    /// queue.
    pub async fn edit(&self, guest: &str, field: &str, value: &str) -> Uuid {
        let local = self.row(EntityKind::Guest, guest).await.id;
        let request = EditRequest {
            kind: EntityKind::Guest,
            id: local,
            set: [(field.to_owned(), json!(value))].into_iter().collect(),
            expected_version: None,
            source: ChangeSource::Staff {
                actor: "ann".to_owned(),
            },
        };
        let rules = Rules(Arc::clone(&self.provider));
        let edited = edit(&*self.store, &rules, &SystemClock, self.scope, request);
        edited.await.expect("staff may edit a guest");
        local
    }

    /// What staff make here; returns the row's id. Its making at the vendor waits in the queue.
    pub async fn create(&self, kind: EntityKind, set: &[(&str, Value)]) -> Uuid {
        let own = |(field, value): &(&str, Value)| ((*field).to_owned(), value.clone());
        let request = CreateRequest {
            kind,
            id: None,
            property_id: self.scope.property_id,
            set: set.iter().map(own).collect(),
            source: ChangeSource::Staff {
                actor: "ann".to_owned(),
            },
        };
        let rules = Rules(Arc::clone(&self.provider));
        let made = create(&*self.store, &rules, &SystemClock, self.scope, request);
        made.await.expect("staff may make it").id
    }

    /// What the vendor told becomes reads; returns how many.
    pub async fn hear(&self) -> usize {
        let owner = IntegrationOwner {
            id: self.integration,
            scope: self.scope,
            provider: self.vendor.name().to_owned(),
            account: "account".to_owned(),
        };
        let mut reads = 0;
        for body in self.vendor.told(&*self.provider).await {
            let events = self.provider.parse_event(&body).expect("the vendor's own");
            let jobs = jobs_for_events(&owner, &events);
            reads += jobs.len();
            self.store.enqueue(jobs).await.expect("jobs are stored");
        }
        reads
    }

    /// Works on what is due until nothing is. A job that failed is tried again at once; what failed
    /// it is returned.
    pub async fn work(&self) -> Vec<Error> {
        let mut failed = Vec::new();
        loop {
            let lease = Duration::from_secs(60);
            let claimed = self.store.claim(Queue::PmsSyncQueue, "tests", 10, lease);
            let claimed = claimed.await.expect("jobs are claimed");
            if claimed.is_empty() {
                return failed;
            }
            for job in claimed {
                let held = job.lease.clone();
                let (outcome, next) = match self.engine.handle(job).await {
                    Ok(HandlerResult::Complete(next)) => (JobOutcome::Completed, next),
                    Ok(other) => panic!("a sync job ends by itself: {other:?}"),
                    Err(error) => {
                        let retry = JobOutcome::Retry {
                            error: error.to_string(),
                            after: Duration::ZERO,
                        };
                        failed.push(error);
                        (retry, Vec::new())
                    }
                };
                let ended = self.store.finish(&held, outcome, next).await;
                ended.expect("the lease holds");
            }
        }
    }

    /// The same where nothing may fail.
    pub async fn settle(&self) {
        let failed = self.work().await;
        assert!(failed.is_empty(), "{failed:?}");
    }

    pub async fn open_conflicts(&self) -> Vec<Conflict> {
        let page = PageRequest {
            limit: 100,
            cursor: None,
        };
        let all = ConflictFilter::default();
        let found = self.store.conflicts(self.scope, &all, &page);
        found.await.expect("conflicts are read").items
    }
}
