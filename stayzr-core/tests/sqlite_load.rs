//! Many workers on one SQLite file, and a full disk.
#![cfg(feature = "sqlite")]

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use stayzr_core::{
    ErrorKind,
    clock::SystemClock,
    ids::{JobId, OrganizationId},
    port::{directory::Directory, queue::JobQueue, setup::Maintenance},
    queue::{JobOutcome, NewJob, Queue},
    store::sqlite::{SqliteOptions, SqliteStore},
    tenant::TenantScope,
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
