//! Many workers on one SQLite file, a full disk, and what a commit costs.
#![cfg(feature = "sqlite")]

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use sqlx::Connection;
use stayzr_core::{
    ErrorKind,
    clock::{Clock, SystemClock},
    ids::{
        ChangeId, DeliveryId, IntegrationId, JobId, OrganizationId, PropertyId, ReservationId,
        SyncRunId,
    },
    model::{
        Change, ChangeOutcome, ChangeSource, Reservation, ReservationStatus, RunMode, RunStatus,
        SyncRun,
    },
    port::{
        directory::Directory,
        inbox::{Delivery, EndpointKey, Inbox},
        queue::JobQueue,
        setup::Maintenance,
        sync::{Cursor, Mapping, PageWrite, RowWrite, RunCounts, SyncStore},
    },
    queue::{JobOutcome, NewJob, Queue},
    store::sqlite::{SqliteOptions, SqliteStore},
    tenant::TenantScope,
    transform::{Entity, EntityKind, EntityRow, FieldMap},
};

const MINUTE: Duration = Duration::from_secs(60);

async fn migrated(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(SqliteOptions::new(path))
        .await
        .expect("it opens");
    store.migrate().await.expect("it migrates");
    store
}

fn job() -> NewJob {
    let scope = TenantScope::organization(OrganizationId::generate(&SystemClock));
    NewJob::new(Queue::PmsSyncQueue, scope, json!({"type": "run"}))
}

/// What workers saw: the key each works on now, and how often each job was done.
#[derive(Default)]
struct Seen {
    keys: HashSet<String>,
    done: HashMap<JobId, u32>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn invariant_e_workers_of_two_processes_never_share_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stayzr.db");
    // Two stores share no memory, as two processes would not.
    let stores = [migrated(&path).await, migrated(&path).await];
    let scopes: Vec<_> = (0..3)
        .map(|_| TenantScope::organization(OrganizationId::generate(&SystemClock)))
        .collect();
    let jobs: Vec<NewJob> = (0..240)
        .map(|number| {
            NewJob::new(
                Queue::AgentTurnQueue,
                scopes[number % 3],
                json!({"number": number}),
            )
            .key(format!("{}", number % 7))
        })
        .collect();
    let ids = stores[0].enqueue(jobs).await.expect("stored");
    let seen = Arc::new(Mutex::new(Seen::default()));
    let workers: Vec<_> = (0..4)
        .map(|number| {
            let (store, seen) = (stores[number % 2].clone(), seen.clone());
            let total = ids.len();
            tokio::spawn(
                async move { work(&store, &format!("worker-{number}"), &seen, total).await },
            )
        })
        .collect();
    for worker in workers {
        worker.await.expect("no two held one key");
    }
    let seen = seen.lock().expect("nobody panicked");
    assert_eq!(seen.done.len(), ids.len());
    assert!(seen.done.values().all(|times| *times == 1));
}

async fn work(store: &SqliteStore, name: &str, seen: &Mutex<Seen>, total: usize) {
    loop {
        let claimed = store
            .claim(Queue::AgentTurnQueue, name, 3, MINUTE)
            .await
            .expect("claimed");
        for claimed in claimed {
            let lane = claimed.job.organization_id.expect("it has one");
            let key = format!("{lane}/{}", claimed.job.key.as_deref().expect("it has one"));
            let alone = seen.lock().expect("whole").keys.insert(key.clone());
            assert!(alone, "{key} is worked on twice at once");
            tokio::task::yield_now().await;
            {
                let mut seen = seen.lock().expect("whole");
                seen.keys.remove(&key);
                *seen.done.entry(claimed.job.id).or_default() += 1;
            }
            store
                .finish(&claimed.lease, JobOutcome::Completed, Vec::new())
                .await
                .expect("the lease holds");
        }
        if seen.lock().expect("whole").done.len() == total {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_full_disk_says_so_and_leaves_the_store_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = migrated(&folder.path().join("stayzr.db")).await;
    let kept = store.enqueue(vec![job()]).await.expect("stored");
    // SQLite answers a full disk and a file that may not grow in the same way.
    let mut tx = store.begin().await.expect("begun");
    let pages: i64 = sqlx::query_scalar("pragma page_count")
        .fetch_one(&mut *tx)
        .await
        .expect("read");
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "pragma max_page_count = {pages}"
    )))
    .execute(&mut *tx)
    .await
    .expect("set");
    tx.commit().await.expect("committed");
    let mut big = job();
    big.payload = json!("x".repeat(1 << 20));
    let error = store.enqueue(vec![job(), big]).await.expect_err("no room");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("disk is full"), "{error}");
    let claimed = store
        .claim(Queue::PmsSyncQueue, "worker", 10, MINUTE)
        .await
        .expect("claimed");
    let claimed: Vec<JobId> = claimed.iter().map(|claimed| claimed.job.id).collect();
    assert_eq!(claimed, kept);
}

fn delivery(number: u32) -> Delivery {
    Delivery {
        id: DeliveryId::generate(&SystemClock),
        endpoint: EndpointKey::Whatsapp,
        scope: None,
        dedupe_id: None,
        content_type: Some("application/json".to_owned()),
        body: format!("{{\"number\":{number}}}").into_bytes(),
        sha256: "0".repeat(64),
        received_at: SystemClock.now(),
        traceparent: None,
    }
}

/// `cargo test -p stayzr-core --features sqlite --test sqlite_load -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement, not a test"]
async fn measure() {
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let store = migrated(&folder.path().join("stayzr.db")).await;
    let begun = std::time::Instant::now();
    for number in 0..500 {
        store
            .accept_delivery(delivery(number))
            .await
            .expect("stored");
    }
    let one = begun.elapsed() / 500;
    let begun = std::time::Instant::now();
    let jobs: Vec<NewJob> = (0..10_000).map(|_| job()).collect();
    store.enqueue(jobs).await.expect("stored");
    let batch = begun.elapsed();
    let begun = std::time::Instant::now();
    let mut claims = 0;
    while !store
        .claim(Queue::PmsSyncQueue, "worker", 100, MINUTE)
        .await
        .expect("claimed")
        .is_empty()
    {
        claims += 1;
    }
    let claim = begun.elapsed() / claims;
    eprintln!("a durable delivery {one:?}; 10,000 jobs {batch:?}; a claim of 100 {claim:?}");
}

/// A hotel with an integration, and what its pages are made of.
struct Hotel {
    store: SqliteStore,
    scope: TenantScope,
    integration_id: IntegrationId,
    run: SyncRunId,
}

impl Hotel {
    async fn open(path: &Path) -> Self {
        let store = migrated(path).await;
        let organization_id = OrganizationId::generate(&SystemClock);
        let now = SystemClock.now();
        let mut connection =
            sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display()))
                .await
                .expect("it opens");
        let property_id = PropertyId::generate(&SystemClock);
        let scope = TenantScope::property(organization_id, property_id);
        let integration_id = IntegrationId::generate(&SystemClock);
        // The set-up is not what is measured.
        sqlx::query("pragma foreign_keys = off")
            .execute(&mut connection)
            .await
            .expect("set");
        sqlx::query(
            "insert into pms_integrations (id, organization_id, property_id, provider, account,
                 remote_property_id, settings, sealed, status, created_at, updated_at)
             values ($1, $2, $3, 'mews', 'a', 'r', '{}', '', 'active', $4, $4)",
        )
        .bind(integration_id.to_string())
        .bind(organization_id.to_string())
        .bind(property_id.to_string())
        .bind(now.to_rfc3339())
        .execute(&mut connection)
        .await
        .expect("stored");
        let run = SyncRun {
            id: SyncRunId::generate(&SystemClock),
            organization_id,
            integration_id,
            mode: RunMode::Backfill,
            status: RunStatus::Running,
            read: 0,
            created: 0,
            updated: 0,
            unchanged: 0,
            parked: 0,
            conflicts: 0,
            unknown: 0,
            gone: 0,
            error: None,
            started_at: now,
            finished_at: None,
        };
        store.begin_run(scope, &run).await.expect("begun");
        Self {
            store,
            scope,
            integration_id,
            run: run.id,
        }
    }

    fn page(&self, position: usize) -> PageWrite {
        let mut page = PageWrite::new(self.scope, self.integration_id);
        page.run = Some((self.run, RunCounts::default()));
        page.cursor = Some(Cursor {
            integration_id: self.integration_id,
            entity: EntityKind::Reservation,
            mode: RunMode::Backfill,
            position: Some(json!(position)),
            watermark: None,
        });
        page
    }

    /// A page of reservations that are new, each with its mapping and its line of the journal.
    fn backfill(&self, numbers: std::ops::Range<usize>) -> PageWrite {
        let now = SystemClock.now();
        let mut page = self.page(numbers.start);
        for number in numbers {
            let reservation = Reservation {
                id: ReservationId::generate(&SystemClock),
                organization_id: self.scope.organization_id,
                property_id: self.scope.property_id.expect("one"),
                version: 1,
                created_at: now,
                updated_at: now,
                number: Some(format!("R-{number}")),
                guest_id: Some(SystemClock.uuid().into()),
                room_type_id: Some(SystemClock.uuid().into()),
                room_id: None,
                status: ReservationStatus::Confirmed,
                status_vendor: Some("Confirmed".to_owned()),
                arrival: now,
                departure: now,
                adults: 2,
                children: 0,
                rate_vendor: Some(SystemClock.uuid().to_string()),
                channel_number: Some(format!("OTA-{number}")),
                purpose: Some("Leisure".to_owned()),
                origin: Some("ChannelManager".to_owned()),
                cancelled_at: None,
                cancellation_reason: None,
            };
            let row = EntityRow {
                kind: EntityKind::Reservation,
                id: reservation.id.uuid(),
                organization_id: reservation.organization_id,
                property_id: Some(reservation.property_id),
                version: 1,
                created_at: now,
                updated_at: now,
                fields: reservation.to_fields().expect("fields"),
            };
            let external_id = external(number);
            page.mappings.push(Mapping {
                integration_id: self.integration_id,
                entity: row.kind,
                external_id: external_id.clone(),
                local_id: row.id,
                base: row.fields.clone(),
                version: Some("2026-03-01T12:00:00Z".to_owned()),
                hash: row.fields.hash(),
                extra: json!({"AccountType": "Customer", "Options": {"OwnerCheckedIn": false},
                              "VoucherId": null, "CompanyId": null, "TravelAgencyId": null}),
                merged_into: None,
                gone_at: None,
                revision: 1,
                updated_at: now,
            });
            page.changes.push(Change {
                id: ChangeId::generate(&SystemClock),
                organization_id: row.organization_id,
                entity: row.kind,
                entity_id: row.id,
                external_id: Some(external_id),
                field: None,
                base: None,
                old: None,
                new: None,
                source: ChangeSource::Vendor {
                    integration_id: self.integration_id,
                    event: "backfill".to_owned(),
                },
                outcome: ChangeOutcome::Applied,
                reason: None,
                created_at: now,
            });
            page.rows.push(RowWrite::Insert(row));
        }
        page
    }

    async fn mappings(&self, numbers: std::ops::Range<usize>) -> Vec<Mapping> {
        let ids: Vec<String> = numbers.map(external).collect();
        self.store
            .mappings(
                self.scope,
                self.integration_id,
                EntityKind::Reservation,
                &ids,
            )
            .await
            .expect("read")
    }
}

/// A vendor's id: as long as a UUID, and in no order.
fn external(number: usize) -> String {
    let number = (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    uuid::Uuid::from_u128(number).to_string()
}

/// `cargo test --release -p stayzr-core --features sqlite --test sqlite_load -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement, not a test"]
async fn measure_pages() {
    const PAGE: usize = 1000;
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let hotel = Hotel::open(&folder.path().join("stayzr.db")).await;
    let total = 100 * PAGE;
    let mut spent = Duration::ZERO;
    for start in (0..total).step_by(PAGE) {
        let page = hotel.backfill(start..start + PAGE);
        let begun = std::time::Instant::now();
        hotel.store.apply_page(page).await.expect("written");
        spent += begun.elapsed();
    }
    let rate = |spent: Duration| total as f64 / spent.as_secs_f64();
    eprintln!(
        "backfill: {:.0} records/s, {:?} a page",
        rate(spent),
        spent / 100
    );
    let (mut read, mut written) = (Duration::ZERO, Duration::ZERO);
    for start in (0..total).step_by(PAGE) {
        let begun = std::time::Instant::now();
        assert_eq!(hotel.mappings(start..start + PAGE).await.len(), PAGE);
        read += begun.elapsed();
        let begun = std::time::Instant::now();
        hotel
            .store
            .apply_page(hotel.page(start))
            .await
            .expect("written");
        written += begun.elapsed();
    }
    eprintln!(
        "unchanged: {:.0} records/s, a page reads {:?} and writes {:?}",
        rate(read + written),
        read / 100,
        written / 100
    );
    let mut spent = Duration::ZERO;
    for start in (0..total).step_by(PAGE) {
        let begun = std::time::Instant::now();
        let mut page = hotel.page(start);
        for mut mapping in hotel.mappings(start..start + PAGE).await {
            let set: FieldMap = [("purpose".to_owned(), json!("Business"))]
                .into_iter()
                .collect();
            page.rows.push(RowWrite::Update {
                kind: mapping.entity,
                id: mapping.local_id,
                expected_version: 1,
                set,
            });
            mapping.base.insert("purpose", "Business");
            mapping.revision += 1;
            page.mappings.push(mapping);
        }
        hotel.store.apply_page(page).await.expect("written");
        spent += begun.elapsed();
    }
    eprintln!(
        "changed: {:.0} records/s, {:?} a page",
        rate(spent),
        spent / 100
    );
    let hotel = Hotel::open(&folder.path().join("single.db")).await;
    let begun = std::time::Instant::now();
    for number in 0..PAGE {
        let page = hotel.backfill(number..number + 1);
        hotel.store.apply_page(page).await.expect("written");
    }
    eprintln!("one at a time: {:?} a record", begun.elapsed() / 1000);
}
