//! PostgreSQL with several processes at work: late commits, claims side by side, cut connections.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection};
use stayzr_core::{
    ErrorKind,
    clock::{Clock, ManualClock, SystemClock},
    model::{Channel, Contact, ContactChannel},
    port::{
        PageRequest,
        conversation::{AcceptMessage, Conversations},
        directory::Directory,
        entities::{Entities, EntityFilter},
        idempotency::{Idempotency, IdempotencyCheck},
        queue::JobQueue,
        setup::Maintenance,
        sync::{PageWrite, RowWrite, SyncStore},
    },
    queue::{NewJob, Queue},
    store::{
        conformance::fixture::{self, Hotel, LEASE},
        postgres::{PostgresOptions, PostgresStore},
    },
    transform::EntityKind,
};
use stayzr_tests::servers::TestDatabase;

#[path = "postgres_concurrency/sync.rs"]
mod sync;

const QUEUE: Queue = Queue::PmsSyncQueue;

/// A migrated database with a hotel, and as many processes as asked for.
struct Processes {
    database: TestDatabase,
    stores: Vec<PostgresStore>,
    clock: Arc<ManualClock>,
    hotel: Hotel,
}

impl Processes {
    async fn start(count: usize) -> Option<Self> {
        let database = TestDatabase::create().await?;
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let mut stores = Vec::new();
        for _ in 0..count {
            let options = PostgresOptions::new(database.url())
                .max_connections(4)
                .clock(clock.clone());
            stores.push(PostgresStore::connect(options).await.expect("it connects"));
        }
        stores[0].migrate().await.expect("it migrates");
        let hotel = fixture::hotel(&stores[0], &clock).await.expect("a hotel");
        Some(Self {
            database,
            stores,
            clock,
            hotel,
        })
    }

    async fn end(self) {
        for store in self.stores {
            store.close().await;
        }
        self.database.drop_database().await;
    }

    fn jobs(&self, count: usize) -> Vec<NewJob> {
        (0..count)
            .map(|number| self.hotel.job(QUEUE, &number.to_string()))
            .collect()
    }

    /// Claims until a job of this name comes; how long it took.
    async fn until_claimed(&self, name: &str) -> Duration {
        let begun = Instant::now();
        loop {
            let claimed = fixture::claim(&self.stores[0], QUEUE, 10)
                .await
                .expect("a claim");
            if claimed.iter().any(|one| fixture::name(&one.job) == name) {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{name} was lost");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn invariant_d_a_job_that_commits_late_is_claimed_all_the_same() {
    // Few jobs pass it, or more than a claim looks back.
    for passed in [5, 600] {
        let Some(all) = Processes::start(1).await else {
            return;
        };
        let store = &all.stores[0];
        let mut tx = store.begin().await.expect("a transaction");
        let late = all.hotel.job(QUEUE, "late");
        store.enqueue_in(&mut tx, late).await.expect("a job");
        store.enqueue(all.jobs(passed)).await.expect("jobs");
        let mut claimed = 0;
        while claimed < passed {
            let some = fixture::claim(store, QUEUE, 100).await.expect("a claim");
            assert!(!some.is_empty(), "{claimed} of {passed}");
            claimed += some.len();
        }
        tx.commit().await.expect("a commit");
        let took = all.until_claimed("late").await;
        assert!(took < Duration::from_secs(3), "claimed after {took:?}");
        all.end().await;
    }
}

#[tokio::test]
async fn invariant_e_processes_share_jobs_without_claiming_one_twice() {
    let Some(all) = Processes::start(4).await else {
        return;
    };
    all.stores[0].enqueue(all.jobs(300)).await.expect("jobs");
    let mut claiming = tokio::task::JoinSet::new();
    for (number, store) in all.stores.iter().cloned().enumerate() {
        claiming.spawn(async move {
            let worker = format!("worker {number}");
            let mut ids = Vec::new();
            loop {
                let some = store
                    .claim(QUEUE, &worker, 7, LEASE)
                    .await
                    .expect("a claim");
                if some.is_empty() {
                    return ids;
                }
                ids.extend(some.into_iter().map(|one| one.job.id));
            }
        });
    }
    let ids: Vec<_> = claiming.join_all().await.concat();
    let distinct: HashSet<_> = ids.iter().collect();
    let (count, distinct) = (ids.len(), distinct.len());
    all.end().await;
    assert_eq!((count, distinct), (300, 300));
}

#[tokio::test]
async fn invariant_e_jobs_of_one_key_stored_side_by_side_never_run_at_once() {
    let Some(all) = Processes::start(2).await else {
        return;
    };
    let store = &all.stores[0];
    // Neither transaction sees the other's job, so that both look ready.
    let (mut first, mut second) = (
        store.begin().await.expect("a transaction"),
        all.stores[1].begin().await.expect("a transaction"),
    );
    let job = |name| all.hotel.job(QUEUE, name).key("room");
    store
        .enqueue_in(&mut first, job("one"))
        .await
        .expect("a job");
    all.stores[1]
        .enqueue_in(&mut second, job("two"))
        .await
        .expect("a job");
    second.commit().await.expect("a commit");
    first.commit().await.expect("a commit");
    let claimed = fixture::claim(store, QUEUE, 10).await.expect("a claim");
    assert_eq!(claimed.len(), 1);
    assert_eq!(fixture::name(&claimed[0].job), "one");

    // Stored while the one before ends: nobody has seen both.
    let mut third = store.begin().await.expect("a transaction");
    store
        .enqueue_in(&mut third, job("three"))
        .await
        .expect("a job");
    fixture::complete(store, &claimed[0])
        .await
        .expect("completed");
    let claimed = fixture::claim(store, QUEUE, 10).await.expect("a claim");
    assert_eq!(claimed.len(), 1);
    fixture::complete(store, &claimed[0])
        .await
        .expect("completed");
    third.commit().await.expect("a commit");
    let took = all.until_claimed("three").await;
    all.end().await;
    assert!(took < Duration::from_secs(3), "claimed after {took:?}");
}

#[tokio::test]
async fn a_job_that_was_found_waiting_is_not_claimed_before_its_finder_commits() {
    let Some(all) = Processes::start(2).await else {
        return;
    };
    let store = &all.stores[0];
    let job = || all.hotel.job(QUEUE, "turn").dedupe("turn");
    let waiting = store.enqueue(vec![job()]).await.expect("a job");
    let mut tx = all.stores[1].begin().await.expect("a transaction");
    let found = all.stores[1]
        .enqueue_in(&mut tx, job())
        .await
        .expect("found");
    let before = fixture::claim(store, QUEUE, 10)
        .await
        .expect("a claim")
        .len();
    tx.commit().await.expect("a commit");
    all.until_claimed("turn").await;
    all.end().await;
    assert_eq!(waiting, [found]);
    assert_eq!(before, 0);
}

#[tokio::test]
async fn messages_that_arrive_at_once_make_one_guest_and_one_conversation() {
    let Some(all) = Processes::start(4).await else {
        return;
    };
    let hotel = &all.hotel;
    let message = |number: usize| AcceptMessage {
        scope: hotel.scope,
        property_id: hotel.property_id,
        channel: Channel::Whatsapp,
        channel_account_id: Some(hotel.account.id),
        guest_id: None,
        conversation_id: None,
        contacts: vec![Contact {
            channel: ContactChannel::Phone,
            address: "+4915112345678".to_owned(),
        }],
        reply_to: Some("4915112345678".to_owned()),
        name: Some("Ada".to_owned()),
        // Each message comes twice.
        vendor_message_id: Some(format!("wamid.{}", number / 2)),
        kind: "text".to_owned(),
        text: "Hello".to_owned(),
        sent_at: all.clock.now(),
        enqueue_turn: true,
    };
    let mut arriving = tokio::task::JoinSet::new();
    for number in 0..12 {
        let store = all.stores[number % all.stores.len()].clone();
        let message = message(number);
        arriving.spawn(async move { store.accept_message(message).await });
    }
    let accepted: Vec<_> = arriving
        .join_all()
        .await
        .into_iter()
        .map(|one| one.expect("accepted"))
        .collect();
    let guests: HashSet<_> = accepted.iter().map(|one| one.guest_id).collect();
    let conversations: HashSet<_> = accepted.iter().map(|one| one.conversation_id).collect();
    let messages: HashSet<_> = accepted.iter().map(|one| one.message_id).collect();
    let duplicates = accepted.iter().filter(|one| one.duplicate).count();
    let turns = fixture::claim(&all.stores[0], Queue::AgentTurnQueue, 10)
        .await
        .expect("a claim")
        .len();
    all.end().await;
    let found = (
        guests.len(),
        conversations.len(),
        messages.len(),
        duplicates,
        turns,
    );
    assert_eq!(found, (1, 1, 6, 6, 1));
}

#[tokio::test]
async fn of_two_requests_with_one_key_one_proceeds() {
    let Some(all) = Processes::start(2).await else {
        return;
    };
    let scope = all.hotel.scope;
    let (one, two) = tokio::join!(
        all.stores[0].begin_key(scope),
        all.stores[1].begin_key(scope),
    );
    all.end().await;
    let proceed = [one, two]
        .iter()
        .filter(|check| matches!(check, IdempotencyCheck::Proceed))
        .count();
    assert_eq!(proceed, 1);
}

trait BeginKey {
    async fn begin_key(&self, scope: stayzr_core::tenant::TenantScope) -> IdempotencyCheck;
}

impl BeginKey for PostgresStore {
    async fn begin_key(&self, scope: stayzr_core::tenant::TenantScope) -> IdempotencyCheck {
        Idempotency::begin(self, scope, "POST /x", "key", "print")
            .await
            .expect("begun")
    }
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_a_page_writes_nothing() {
    let Some(all) = Processes::start(1).await else {
        return;
    };
    let store = all.stores[0].clone();
    let guest = fixture::guest(&all.hotel, &all.clock).expect("a guest");
    let mut page = PageWrite::new(all.hotel.scope, all.hotel.integration.id);
    page.mappings = vec![fixture::mapping(&all.hotel, &guest, "g-1", &all.clock)];
    page.changes = vec![fixture::change(
        &all.hotel,
        (guest.kind, guest.id),
        "notes",
        &all.clock,
    )];
    page.jobs = all.jobs(3);
    page.rows = vec![RowWrite::Insert(guest)];

    // The journal is written last: held up there, all the rest is already written.
    let mut admin = PgConnection::connect(&all.database.url())
        .await
        .expect("admin");
    admin
        .execute("begin; lock table change_log in exclusive mode")
        .await
        .expect("a lock");
    let writing = tokio::spawn({
        let (store, page) = (store.clone(), page.clone());
        async move { store.apply_page(page).await }
    });
    let cut = async {
        loop {
            let cut: Option<bool> = sqlx::query_scalar(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and application_name = 'stayzr'
                   and wait_event_type = 'Lock'",
            )
            .fetch_optional(&mut admin)
            .await
            .expect("the activity");
            if cut == Some(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), cut)
        .await
        .expect("the page was held up");
    let result = writing.await.expect("the task ends");
    admin.execute("rollback").await.expect("unlocked");
    assert_eq!(result.expect_err("cut").kind(), ErrorKind::Unavailable);

    let everything = PageRequest::default();
    let rows = store
        .rows(
            all.hotel.scope,
            EntityKind::Guest,
            &EntityFilter::default(),
            &everything,
        )
        .await
        .expect("the store goes on with another connection");
    assert_eq!(rows.items.len(), 0);
    let jobs = fixture::claim(&store, QUEUE, 10).await.expect("a claim");
    assert_eq!(jobs.len(), 0);
    store.apply_page(page).await.expect("the page again, whole");
    let jobs = fixture::claim(&store, QUEUE, 10).await.expect("a claim");
    assert_eq!(jobs.len(), 3);
    drop(admin);
    all.end().await;
}

/// How many entries of indexes and rows of the queue's tables were read so far, dead ones
/// included. The store has one connection, so that it is the one that counted.
async fn read(store: &PostgresStore, admin: &mut PgConnection) -> i64 {
    let mut tx = store.begin().await.expect("a transaction");
    sqlx::query("select pg_stat_force_next_flush()")
        .execute(&mut *tx)
        .await
        .expect("counted");
    tx.commit().await.expect("a commit");
    sqlx::query_scalar(
        "select ((select sum(idx_tup_read) from pg_stat_user_indexes where relname ~ '^jobs')
             + (select sum(seq_tup_read) from pg_stat_user_tables where relname ~ '^jobs'))::bigint",
    )
    .fetch_one(admin)
    .await
    .expect("a count")
}

#[tokio::test]
async fn a_transaction_pinned_elsewhere_does_not_slow_claims() {
    let Some(all) = Processes::start(1).await else {
        return;
    };
    let options = PostgresOptions::new(all.database.url()).max_connections(1);
    let store = PostgresStore::connect(options.clock(all.clock.clone()))
        .await
        .expect("it connects");
    let mut pinned = PgConnection::connect(&all.database.url())
        .await
        .expect("a connection");
    pinned
        .execute("begin isolation level repeatable read; select 1")
        .await
        .expect("a snapshot");
    let mut admin = PgConnection::connect(&all.database.url())
        .await
        .expect("admin");
    let mut rounds = Vec::new();
    for _ in 0..20 {
        store.enqueue(all.jobs(200)).await.expect("jobs");
        let mut claims = Vec::new();
        let mut left = 200;
        while left > 0 {
            let before = read(&store, &mut admin).await;
            let claimed = fixture::claim(&store, QUEUE, 50).await.expect("a claim");
            claims.push(read(&store, &mut admin).await - before);
            left -= claimed.len();
            for one in &claimed {
                fixture::complete(&store, one).await.expect("completed");
            }
        }
        rounds.push(claims);
    }
    drop((pinned, admin));
    store.close().await;
    all.end().await;
    // Once a second a claim looks for jobs that committed late, behind its position; the others tell.
    let cheapest = |claims: &Vec<i64>| claims.iter().copied().min().unwrap_or_default();
    let (early, late) = (cheapest(&rounds[1]), cheapest(&rounds[19]));
    assert!(
        early >= 50,
        "fifty jobs were read to claim them: {rounds:?}"
    );
    assert!(late < early + 200, "{rounds:?}");
}

#[tokio::test]
async fn invariant_u_a_character_that_cannot_be_stored_does_not_stop_a_page() {
    let Some(all) = Processes::start(1).await else {
        return;
    };
    let store = &all.stores[0];
    let mut guest = fixture::guest(&all.hotel, &all.clock).expect("a guest");
    guest.fields.insert("notes", "before\0after");
    let mut page = PageWrite::new(all.hotel.scope, all.hotel.integration.id);
    let mut change = fixture::change(&all.hotel, (guest.kind, guest.id), "notes", &all.clock);
    change.new = Some("before\0after".into());
    page.mappings = vec![fixture::mapping(&all.hotel, &guest, "g-1", &all.clock)];
    page.changes = vec![change];
    let id = guest.id;
    page.rows = vec![RowWrite::Insert(guest)];
    let written = store.apply_page(page).await;
    let row = store.row(all.hotel.scope, EntityKind::Guest, id).await;
    all.end().await;
    written.expect("the page is written");
    let row = row.expect("a read").expect("the guest");
    assert_eq!(row.fields.text("notes"), Some("before\u{fffd}after"));
}
