//! A vendor's limit holds for all processes together: the ledgers that several processes share, on
//! real servers, and four processes that call a vendor as fast as they may.

#[path = "rate_limit/callers.rs"]
mod callers;
#[path = "rate_limit/door.rs"]
mod door;
#[path = "rate_limit/server.rs"]
mod server;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use callers::{Place, Run};
use sqlx::{Connection, PgConnection};
use stayzr_core::{
    ErrorKind,
    limit::{Gcra, Ledger, Limiter, Pacer, Priority, Quota, RedisLedger, Taken},
    port::setup::Maintenance,
    store::{
        conformance,
        postgres::{PostgresOptions, PostgresStore},
        sqlite::{SqliteOptions, SqliteStore},
    },
};
use stayzr_tests::servers::{TestDatabase, TestRedis};

/// The scaled limit of the four processes: short enough for a test, slow enough that a busy machine
/// sends within the time of one call.
const SCALED: Quota = Quota::new(100, Duration::from_secs(4));

/// The limit of Mews.
const MEWS: Quota = Quota::new(200, Duration::from_secs(30));

async fn store(database: &TestDatabase) -> PostgresStore {
    let options = PostgresOptions::new(database.url()).max_connections(4);
    let store = PostgresStore::connect(options).await.expect("it connects");
    store.migrate().await.expect("it migrates");
    store
}

async fn file(folder: &tempfile::TempDir) -> SqliteStore {
    let options = SqliteOptions::new(folder.path().join("stayzr.db"));
    let store = SqliteStore::open(options).await.expect("it opens");
    store.migrate().await.expect("it migrates");
    store
}

#[tokio::test]
async fn sqlite_keeps_what_every_ledger_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (file(&folder).await, file(&folder).await);
    let report = conformance::limit::run(&one, &other, tokio::time::sleep).await;
    report.assert();
}

/// Takes all calls that may be made now, and says how many.
async fn spend(store: &SqliteStore) -> u32 {
    let mut calls = 0;
    loop {
        let taken = store.take("token", Gcra::new(MEWS), 0).await;
        match taken.expect("it answers") {
            Taken::Now | Taken::Late => calls += 1,
            Taken::After(_) => return calls,
        }
    }
}

#[tokio::test]
async fn invariant_g_a_process_that_begins_anew_goes_on_where_the_limit_stood() {
    let folder = tempfile::tempdir().expect("a folder");
    let spent = spend(&file(&folder).await).await;
    assert!(spent >= 10, "{spent}");
    let since = Instant::now();
    let again = spend(&file(&folder).await).await;
    let intervals = since.elapsed().div_duration_f64(Gcra::new(MEWS).interval());
    assert!(
        f64::from(again) <= intervals + 1.0,
        "{again} in {intervals}"
    );
}

#[tokio::test]
async fn postgres_keeps_what_every_ledger_promises() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let (one, other) = (store(&database).await, store(&database).await);
    let report = conformance::limit::run(&one, &other, tokio::time::sleep).await;
    one.close().await;
    other.close().await;
    database.drop_database().await;
    report.assert();
}

#[tokio::test]
async fn redis_keeps_what_every_ledger_promises() {
    let Some(redis) = TestRedis::create().await else {
        return;
    };
    let (one, other) = (redis.ledger(), redis.ledger());
    let report = conformance::limit::run(&one, &other, tokio::time::sleep).await;
    redis.drop_keys().await;
    report.assert();
}

/// Limits and arrival times around everything that the arithmetic tells apart, in nanoseconds from
/// now.
fn corners() -> Vec<(Gcra, u32, i64)> {
    let mut corners = Vec::new();
    for (limit, seconds) in [(1, 1), (1, 86_400), (7, 3), (50, 1), (200, 30), (5000, 60)] {
        let gcra = Gcra::new(Quota::new(limit, Duration::from_secs(seconds)));
        let span = |calls: u32| {
            i64::try_from(gcra.interval().as_nanos()).expect("short") * i64::from(calls)
        };
        for priority in [Priority::High, Priority::Low] {
            let reserve = gcra.reserve(priority);
            for ahead in [
                -86_400_000_000_000,
                -1_000_000_001,
                -1,
                0,
                1,
                span(1),
                span(gcra.burst() - 1),
                span(gcra.burst()),
                span(gcra.burst()) + 999_999_999,
                3_600_000_000_001,
            ] {
                corners.push((gcra, reserve, ahead));
            }
        }
    }
    corners
}

/// A ledger's answer is checked against the program's own arithmetic, so that another one is an
/// error; and a call is let through where it must be.
async fn ask(ledger: &dyn Ledger, key: &str, (gcra, reserve, ahead): (Gcra, u32, i64)) {
    let taken = ledger
        .take(key, gcra, reserve)
        .await
        .unwrap_or_else(|error| panic!("{gcra:?} {reserve} {ahead}: {error:?}"));
    if ahead <= 0 {
        let counted = matches!(taken, Taken::Now | Taken::Late);
        assert!(counted, "{gcra:?} {reserve} {ahead}: {taken:?}");
    }
}

#[tokio::test]
async fn invariant_g_postgres_counts_as_the_program_does() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let store = store(&database).await;
    let mut admin = PgConnection::connect(&database.url())
        .await
        .expect("it connects");
    for (index, corner) in corners().into_iter().enumerate() {
        let key = format!("it's key {index}");
        sqlx::query(
            "insert into rate_limits (key, arrival, arrival_before, asked_at)
             select $1, now + $2, 0, now
             from (select (extract(epoch from clock_timestamp()) * 1000000000)::bigint as now) c",
        )
        .bind(&key)
        .bind(corner.2)
        .execute(&mut admin)
        .await
        .expect("a row");
        ask(&store, &key, corner).await;
        ask(&store, &format!("unknown {index}"), (corner.0, 0, 0)).await;
    }
    admin.close().await.expect("it closes");
    store.close().await;
    database.drop_database().await;
}

#[tokio::test]
async fn invariant_g_redis_counts_as_the_program_does() {
    let Some(redis) = TestRedis::create().await else {
        return;
    };
    let ledger = redis.ledger();
    let client = redis::Client::open(redis.url()).expect("a URL");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("it connects");
    for (index, corner) in corners().into_iter().enumerate() {
        let key = format!("key {index}");
        let (second, micro): (i64, i64) = redis::cmd("TIME")
            .query_async(&mut connection)
            .await
            .expect("its time");
        let arrival = i128::from(second) * 1_000_000_000 + i128::from(micro * 1000 + corner.2);
        redis::cmd("HSET")
            .arg(format!("{}limit:{key}", redis.prefix()))
            .arg("second")
            .arg((arrival / 1_000_000_000).to_string())
            .arg("nano")
            .arg((arrival % 1_000_000_000).to_string())
            .query_async::<()>(&mut connection)
            .await
            .expect("a key");
        ask(&ledger, &key, corner).await;
        ask(&ledger, &format!("unknown {index}"), (corner.0, 0, 0)).await;
    }
    redis.drop_keys().await;
}

#[tokio::test]
async fn a_key_holds_no_more_than_a_fingerprint_and_is_forgotten_when_nobody_asks() {
    let Some(redis) = TestRedis::create().await else {
        return;
    };
    let pacer = Pacer::new(Arc::new(redis.ledger()), MEWS);
    pacer
        .acquire("mews:8f2c", Priority::High)
        .await
        .expect("a call");
    let client = redis::Client::open(redis.url()).expect("a URL");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("it connects");
    let lives: i64 = redis::cmd("TTL")
        .arg(format!("{}limit:200/30s:mews:8f2c", redis.prefix()))
        .query_async(&mut connection)
        .await
        .expect("the key is there");
    redis.drop_keys().await;
    assert!((86_000..87_000).contains(&lives), "{lives}");
}

#[tokio::test]
async fn invariant_g_without_the_ledger_no_call_is_made_until_it_is_back() {
    let Some(redis) = TestRedis::create().await else {
        return;
    };
    let door = door::Door::open(redis.url()).await;
    let ledger = RedisLedger::new(door.url(), redis.prefix()).expect("a URL of Redis");
    let pacer = Pacer::new(Arc::new(ledger), MEWS);
    pacer
        .acquire("token", Priority::High)
        .await
        .expect("Redis is there");

    door.shut();
    let asked = Instant::now();
    let refused = pacer.acquire("token", Priority::High).await;
    let took = asked.elapsed();

    door.open_again();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut again = pacer.acquire("token", Priority::High).await;
    while again.is_err() && Instant::now() < deadline {
        again = pacer.acquire("token", Priority::High).await;
    }
    redis.drop_keys().await;

    let refused = refused.expect_err("no call is made uncounted");
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused:?}");
    assert!(took < Duration::from_secs(4), "{took:?}");
    again.expect("Redis is back, and nothing was restarted");
}

#[tokio::test]
async fn invariant_g_a_ledger_that_answers_too_late_lets_no_call_through() {
    let Some(redis) = TestRedis::create().await else {
        return;
    };
    // One call each 1.05 ms: slower answers than that would let calls meet at the vendor.
    let quick = Quota::new(1000, Duration::from_secs(1));
    let door = door::Door::open(redis.url()).await;
    door.delay(Duration::from_millis(20));
    let ledger = RedisLedger::new(door.url(), redis.prefix()).expect("a URL of Redis");
    let pacer = Pacer::new(Arc::new(ledger), quick);
    let refused = pacer.acquire("token", Priority::High).await;
    redis.drop_keys().await;
    let refused = refused.expect_err("the permission is too old");
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused:?}");
    assert!(refused.message().contains("slowly"), "{refused:?}");
}

/// Runs of four processes one after the other: they measure, and must not take each other's time.
static ONE_RUN: Mutex<()> = Mutex::new(());

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn assert_kept(place: &str, run: &Run) {
    #[allow(clippy::print_stderr, reason = "figures of a measurement")]
    {
        eprintln!("{place}: {run}");
    }
    let limit = run.quota.limit as usize;
    assert!(run.fullest <= limit, "over the limit: {run}");
    assert!(run.share >= 0.95, "less than it could be: {run}");
}

fn four_processes_on_postgres(quota: Quota) {
    let _one = ONE_RUN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = runtime();
    let Some(database) = runtime.block_on(TestDatabase::create()) else {
        return;
    };
    runtime.block_on(async { store(&database).await.close().await });
    let run = callers::run(&Place::Postgres(database.url()), quota);
    runtime.block_on(database.drop_database());
    assert_kept("PostgreSQL", &run);
}

fn four_processes_on_redis(quota: Quota) {
    let _one = ONE_RUN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = runtime();
    let Some(redis) = runtime.block_on(TestRedis::create()) else {
        return;
    };
    let place = Place::Redis(redis.url().to_owned(), redis.prefix().to_owned());
    let run = callers::run(&place, quota);
    runtime.block_on(redis.drop_keys());
    assert_kept("Redis", &run);
}

fn four_processes_on_sqlite(quota: Quota) {
    let _one = ONE_RUN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().expect("a folder");
    runtime().block_on(async { file(&folder).await.close().await });
    let path = folder.path().join("stayzr.db");
    let run = callers::run(&Place::Sqlite(path.display().to_string()), quota);
    assert_kept("SQLite", &run);
}

#[test]
fn invariant_g_four_processes_keep_one_limit_on_sqlite() {
    four_processes_on_sqlite(SCALED);
}

#[test]
fn invariant_g_four_processes_keep_one_limit_on_postgres() {
    four_processes_on_postgres(SCALED);
}

#[test]
fn invariant_g_four_processes_keep_one_limit_on_redis() {
    four_processes_on_redis(SCALED);
}

#[test]
#[ignore = "a minute: the limit of Mews as it is"]
fn invariant_g_four_processes_keep_the_limit_of_mews_on_postgres() {
    four_processes_on_postgres(MEWS);
}

#[test]
#[ignore = "a minute: the limit of Mews as it is"]
fn invariant_g_four_processes_keep_the_limit_of_mews_on_redis() {
    four_processes_on_redis(MEWS);
}

#[test]
#[ignore = "started as a process by the tests of this file"]
fn a_process_that_calls() {
    callers::call_as_told();
}
