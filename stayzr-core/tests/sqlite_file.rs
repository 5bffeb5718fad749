//! What is SQLite's own: the file, its errors, its schema and its durability.
#![cfg(feature = "sqlite")]

use std::{collections::BTreeSet, path::Path, time::Duration};

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use stayzr_core::{
    ErrorKind,
    clock::{Clock, SystemClock},
    ids::{DeliveryId, OrganizationId},
    port::{
        directory::Directory,
        inbox::{Acceptance, Delivery, EndpointKey, Inbox},
        queue::JobQueue,
        setup::Maintenance,
    },
    queue::{JobOutcome, NewJob, Queue},
    store::sqlite::{SqliteOptions, SqliteStore},
    tenant::TenantScope,
    transform::EntityKind,
};

async fn migrated(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(SqliteOptions::new(path))
        .await
        .expect("it opens");
    store.migrate().await.expect("it migrates");
    store
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .expect("it opens")
}

async fn columns(connection: &mut SqliteConnection, table: &str) -> Vec<String> {
    sqlx::query(AssertSqlSafe(format!("pragma table_info({table})")))
        .fetch_all(connection)
        .await
        .expect("read")
        .iter()
        .map(|row| row.get("name"))
        .collect()
}

fn job() -> NewJob {
    let scope = TenantScope::organization(OrganizationId::generate(&SystemClock));
    NewJob::new(Queue::PmsSyncQueue, scope, json!({"type": "run"}))
}

#[tokio::test]
async fn a_missing_folder_is_made_and_a_second_migration_does_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data/of/stayzr.db");
    let store = SqliteStore::open(SqliteOptions::new(&path))
        .await
        .expect("it opens");
    assert_eq!(
        store.pending_migrations().await.expect("read"),
        [
            "0001_init",
            "0002_sync",
            "0003_rate_limits",
            "0004_desk",
            "0005_webhook_refusals"
        ]
    );
    let error = store.enqueue(vec![job()]).await.expect_err("no schema yet");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("run the migrations"), "{error}");

    store.migrate().await.expect("it migrates");
    assert!(store.pending_migrations().await.expect("read").is_empty());
    let mut connection = connect(&path).await;
    let schema = "select group_concat(name || coalesce(sql, ''), ';') from sqlite_master";
    let before: String = sqlx::query_scalar(schema)
        .fetch_one(&mut connection)
        .await
        .expect("read");
    store.migrate().await.expect("nothing to do");
    let after: String = sqlx::query_scalar(schema)
        .fetch_one(&mut connection)
        .await
        .expect("read");
    assert_eq!(before, after);
}

#[cfg(unix)]
#[tokio::test]
async fn invariant_p_the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stayzr.db");
    let store = migrated(&path).await;
    store.enqueue(vec![job()]).await.expect("stored");
    for file in ["stayzr.db", "stayzr.db-wal"] {
        let about = std::fs::metadata(folder.path().join(file)).expect("it is there");
        assert_eq!(about.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "x".repeat(4096)).expect("written");
    let below = SqliteOptions::new(file.join("stayzr.db"));
    let missing = SqliteOptions::new(folder.path().join("none.db")).create(false);
    for (options, kind, says) in [
        (below, ErrorKind::Forbidden, "choose a folder"),
        (missing, ErrorKind::NotFound, "no such database file"),
        (
            SqliteOptions::new(&file),
            ErrorKind::Corrupt,
            "not a SQLite database",
        ),
        (
            SqliteOptions::new(folder.path()),
            ErrorKind::Invalid,
            "a folder, not a file",
        ),
    ] {
        let path = options.path.display().to_string();
        let error = SqliteStore::open(options)
            .await
            .expect_err("it cannot open");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.to_string().contains(&path), "{error}");
    }
    for url in ["sqlite://", "sqlite::memory:", "postgres://localhost/x"] {
        let error = SqliteOptions::from_url(url).expect_err("no file");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    let options = SqliteOptions::from_url("sqlite:///var/lib/stayzr.db").expect("a file");
    assert_eq!(options.path, Path::new("/var/lib/stayzr.db"));
}

#[tokio::test]
async fn a_database_newer_than_the_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stayzr.db");
    let store = migrated(&path).await;
    let mut connection = connect(&path).await;
    sqlx::query(
        "insert into stayzr_migrations (version, description, success, checksum, execution_time)
         values (9999, 'from the future', 1, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .expect("written");
    let error = store.migrate().await.expect_err("it is newer");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_host_applications_own_migrations_live_beside_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stayzr.db");
    let mut connection = connect_new(&path).await;
    sqlx::query("create table _sqlx_migrations (version bigint primary key, own text)")
        .execute(&mut connection)
        .await
        .expect("written");
    let store = migrated(&path).await;
    assert!(store.pending_migrations().await.expect("read").is_empty());
    assert_eq!(
        columns(&mut connection, "_sqlx_migrations").await,
        ["version", "own"]
    );
}

async fn connect_new(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display()))
        .await
        .expect("it opens")
}

#[tokio::test]
async fn entity_tables_have_exactly_the_columns_of_their_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stayzr.db");
    migrated(&path).await;
    let mut connection = connect(&path).await;
    for kind in EntityKind::ALL {
        let mut expected: BTreeSet<&str> =
            kind.columns().iter().map(|column| column.name).collect();
        expected.extend([
            "id",
            "organization_id",
            "version",
            "created_at",
            "updated_at",
        ]);
        if kind.has_property() {
            expected.insert("property_id");
        }
        let found = columns(&mut connection, kind.table()).await;
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, expected, "{}", kind.table());
    }
}

#[tokio::test]
async fn every_queue_is_a_view_with_the_documented_columns() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stayzr.db");
    migrated(&path).await;
    let mut connection = connect(&path).await;
    for queue in Queue::ALL {
        let found = columns(&mut connection, queue.as_str()).await;
        let mut expected = vec![
            "id",
            "organization_id",
            "status",
            "attempts",
            "max_attempts",
            "last_error",
            "next_retry_at",
            "locked_by",
            "locked_until",
            "payload",
            "traceparent",
            "created_at",
            "updated_at",
            "key",
            "dedupe_key",
            "priority",
        ];
        if queue == Queue::WebhookInbox {
            expected.extend(["endpoint", "sha256", "received_at", "body"]);
        }
        for name in expected {
            assert!(found.iter().any(|column| column == name), "{queue}.{name}");
        }
    }
}

#[tokio::test]
async fn invariant_t_every_table_of_a_tenant_names_its_organization() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stayzr.db");
    migrated(&path).await;
    let mut connection = connect(&path).await;
    // A request is refused before it is known whose it is.
    let tables: Vec<String> = sqlx::query_scalar(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'
         and name not in ('organizations', 'stayzr_migrations', 'rate_limits', 'webhook_refusals')",
    )
    .fetch_all(&mut connection)
    .await
    .expect("read");
    assert!(tables.len() > 20);
    for table in tables {
        let columns = columns(&mut connection, &table).await;
        assert!(
            columns.iter().any(|name| name == "organization_id"),
            "{table}"
        );
    }
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

#[tokio::test]
async fn invariant_a_commits_are_synced_before_they_return() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stayzr.db");
    let store = migrated(&path).await;
    // 2 is FULL: in WAL mode each commit syncs the log.
    let mut tx = store.begin().await.expect("begun");
    let level: i64 = sqlx::query_scalar("pragma synchronous")
        .fetch_one(&mut *tx)
        .await
        .expect("read");
    let mode: String = sqlx::query_scalar("pragma journal_mode")
        .fetch_one(&mut *tx)
        .await
        .expect("read");
    tx.rollback().await.expect("rolled back");
    assert_eq!((level, mode.as_str()), (2, "wal"));

    // The files as a crash would leave them at this moment hold what was acknowledged.
    let accepted = store.accept_delivery(delivery(1)).await.expect("stored");
    assert_eq!(accepted, Acceptance::Stored);
    let crashed = folder.path().join("crashed.db");
    std::fs::copy(&path, &crashed).expect("copied");
    std::fs::copy(
        folder.path().join("stayzr.db-wal"),
        folder.path().join("crashed.db-wal"),
    )
    .expect("copied");
    let after = SqliteStore::open(SqliteOptions::new(&crashed))
        .await
        .expect("it opens");
    let minute = Duration::from_secs(60);
    let claimed = after
        .claim(Queue::WebhookInbox, "worker", 10, minute)
        .await
        .expect("claimed");
    assert_eq!(claimed.len(), 1);
    let found = after.delivery(&claimed[0].lease).await.expect("read");
    assert_eq!(found.body, b"{\"number\":1}");
}

#[tokio::test]
async fn a_job_exists_exactly_if_the_callers_rows_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = migrated(&folder.path().join("stayzr.db")).await;
    let minute = Duration::from_secs(60);
    let mut tx = store.begin().await.expect("begun");
    sqlx::query("create table bookings (id integer primary key)")
        .execute(&mut *tx)
        .await
        .expect("made");
    tx.commit().await.expect("committed");
    for (keeps, jobs) in [(false, 0), (true, 1)] {
        let mut tx = store.begin().await.expect("begun");
        sqlx::query("insert into bookings default values")
            .execute(&mut *tx)
            .await
            .expect("written");
        let id = store.enqueue_in(&mut tx, job()).await.expect("stored");
        if keeps {
            tx.commit().await.expect("committed");
        } else {
            tx.rollback().await.expect("rolled back");
        }
        let claimed = store
            .claim(Queue::PmsSyncQueue, "worker", 10, minute)
            .await
            .expect("claimed");
        assert_eq!(claimed.len(), jobs);
        assert!(claimed.iter().all(|claimed| claimed.job.id == id));
    }
}

#[tokio::test]
async fn a_claim_does_not_scan_finished_jobs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stayzr.db");
    let store = migrated(&path).await;
    let scope = TenantScope::organization(OrganizationId::generate(&SystemClock));
    let jobs = (0..300).map(|_| NewJob::new(Queue::PmsSyncQueue, scope, json!({})));
    store.enqueue(jobs.collect()).await.expect("stored");
    let minute = Duration::from_secs(60);
    let mut worked = 0;
    loop {
        let claimed = store
            .claim(Queue::PmsSyncQueue, "worker", 100, minute)
            .await
            .expect("claimed");
        if claimed.is_empty() {
            break;
        }
        for claimed in claimed {
            store
                .finish(&claimed.lease, JobOutcome::Completed, Vec::new())
                .await
                .expect("finished");
            worked += 1;
        }
    }
    assert_eq!(worked, 300);
    let mut connection = connect(&path).await;
    let hot: i64 = sqlx::query_scalar("select count(*) from jobs")
        .fetch_one(&mut connection)
        .await
        .expect("read");
    let lane: (i64, i64, i64) = sqlx::query_as("select ready, last_seq, position from job_lanes")
        .fetch_one(&mut connection)
        .await
        .expect("read");
    assert_eq!((hot, lane), (0, (0, 300, 300)));
}
