//! PostgreSQL keeps tenants apart by itself: roles, row-level security, schemas, migrations.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use stayzr_core::{
    ErrorKind,
    clock::{Clock, ManualClock, SystemClock},
    port::{
        queue::JobQueue,
        setup::{Maintenance, Setup},
        sync::{PageWrite, RowWrite, SyncStore},
    },
    queue::Queue,
    store::{
        conformance::{
            fixture::{self, Hotel},
            note::note,
        },
        postgres::{PostgresOptions, PostgresStore},
    },
};
use stayzr_tests::servers::TestDatabase;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(SystemClock.now()))
}

async fn connect(options: PostgresOptions) -> PostgresStore {
    PostgresStore::connect(options.max_connections(5))
        .await
        .expect("it connects")
}

/// A hotel with a guest, a note about him, a mapping, a line of the journal, a job and what the
/// organization configured for a provider.
async fn filled(store: &PostgresStore, clock: &ManualClock) -> Hotel {
    let hotel = fixture::hotel(store, clock).await.expect("a hotel");
    let guest = fixture::guest(&hotel, clock).expect("a guest");
    let mut page = PageWrite::new(hotel.scope, hotel.integration.id);
    page.mappings = vec![fixture::mapping(&hotel, &guest, "g-1", clock)];
    page.changes = vec![fixture::change(
        &hotel,
        (guest.kind, guest.id),
        "notes",
        clock,
    )];
    page.jobs = vec![hotel.job(Queue::PmsSyncQueue, "push")];
    let note = note(&hotel, None, Some(guest.id), clock).expect("a note");
    page.rows = vec![RowWrite::Insert(guest), RowWrite::Insert(note)];
    store.apply_page(page).await.expect("a page");
    let config = serde_json::json!({ "api_version": "v1" });
    store
        .put_provider_document(hotel.scope, "mews", config, None)
        .await
        .expect("a document");
    hotel
}

/// Tables with rows of an organization, except where there is nothing to keep apart.
async fn tables(admin: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "select c.table_name::text from information_schema.columns c
         join information_schema.tables t using (table_schema, table_name)
         where c.table_schema = 'public' and c.column_name = 'organization_id'
           and t.table_type = 'BASE TABLE'
         order by 1",
    )
    .fetch_all(admin)
    .await
    .expect("the tables")
}

#[tokio::test]
async fn invariant_t_row_level_security_is_forced_for_every_tenant_table() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let store = connect(PostgresOptions::new(database.url())).await;
    store.migrate().await.expect("it migrates");
    let mut admin = PgConnection::connect(&database.url()).await.expect("admin");
    let open: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
           and not (c.relrowsecurity and c.relforcerowsecurity)",
    )
    .fetch_all(&mut admin)
    .await
    .expect("the catalogue");
    let views: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'
           and not coalesce('security_invoker=true' = any(c.reloptions), false)",
    )
    .fetch_all(&mut admin)
    .await
    .expect("the catalogue");
    let guarded = tables(&mut admin).await.len();
    drop(admin);
    store.close().await;
    database.drop_database().await;
    assert_eq!(open, Vec::<String>::new(), "tables without forced security");
    assert_eq!(
        views,
        Vec::<String>::new(),
        "views that read as their owner"
    );
    assert!(guarded > 20, "{guarded} tables have an organization");
}

#[tokio::test]
async fn invariant_t_a_tenant_sees_and_writes_nothing_of_another() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let clock = clock();
    let store = connect(PostgresOptions::new(database.url()).clock(clock.clone())).await;
    store.migrate().await.expect("it migrates");
    let mine = filled(&store, &clock).await;
    let theirs = filled(&store, &clock).await;
    let mut admin = PgConnection::connect(&database.url()).await.expect("admin");
    let mut seen = Vec::new();
    let mut own = 0;
    let mut filled = Vec::new();
    for table in tables(&mut admin).await {
        let mut tx = admin.begin().await.expect("a transaction");
        sqlx::query(
            "select set_config('role', 'stayzr_tenant', true),
                 set_config('app.organization_id', $1, true)",
        )
        .bind(mine.scope.organization_id.to_string())
        .execute(&mut *tx)
        .await
        .expect("the role");
        let (all, of_mine): (i64, i64) = sqlx::query_as(AssertSqlSafe(format!(
            "select count(*), count(*) filter (where organization_id = $1) from {table}"
        )))
        .bind(mine.scope.organization_id.uuid())
        .fetch_one(&mut *tx)
        .await
        .expect("a count");
        own += of_mine;
        if of_mine > 0 {
            filled.push(table.clone());
        }
        if all != of_mine {
            seen.push(format!("reads {table}"));
        }
        let stolen = sqlx::query(AssertSqlSafe(format!(
            "update {table} set organization_id = organization_id where organization_id = $1"
        )))
        .bind(theirs.scope.organization_id.uuid())
        .execute(&mut *tx)
        .await
        .expect("an update of nothing");
        if stolen.rows_affected() > 0 {
            seen.push(format!("writes {table}"));
        }
    }
    // A row can neither be made for another organization nor given to it.
    let mut page = PageWrite::new(mine.scope, mine.integration.id);
    page.jobs = vec![theirs.job(Queue::PmsSyncQueue, "foreign")];
    let foreign = store.apply_page(page).await;
    let mut page = PageWrite::new(mine.scope, mine.integration.id);
    page.conflicts = Vec::new();
    page.changes = vec![fixture::change(
        &theirs,
        (stayzr_core::transform::EntityKind::Guest, clock.uuid()),
        "notes",
        &clock,
    )];
    let journal = store.apply_page(page).await;
    drop(admin);
    store.close().await;
    database.drop_database().await;
    assert_eq!(seen, Vec::<String>::new());
    assert!(own >= 10, "the hotel's own rows are there: {own}");
    for table in ["notes", "guests", "pms_provider_configs"] {
        assert!(filled.iter().any(|one| one == table), "{table} is empty");
    }
    assert_eq!(foreign.expect_err("refused").kind(), ErrorKind::NotFound);
    assert_eq!(journal.expect_err("refused").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn invariant_t_isolation_that_was_broken_is_refused() {
    let table = [
        ("alter table guests owner to stayzr_tenant", "owner"),
        ("alter table guests no force row level security", "guests"),
        ("alter table guests disable row level security", "guests"),
        (
            "create policy leak on guests for select to public using (true)",
            "policies",
        ),
    ];
    for (statement, named) in table {
        let Some(database) = TestDatabase::create().await else {
            return;
        };
        let clock = clock();
        let store = connect(PostgresOptions::new(database.url()).clock(clock.clone())).await;
        store.migrate().await.expect("it migrates");
        filled(&store, &clock).await;
        store.prove_isolation().await.expect("whole at first");
        let mut admin = PgConnection::connect(&database.url()).await.expect("admin");
        admin.execute(statement).await.expect("the statement");
        let proof = store.prove_isolation().await;
        drop(admin);
        store.close().await;
        database.drop_database().await;
        let error = proof.expect_err(statement);
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{statement}");
        let run = error.context().iter().find(|(key, _)| *key == "run");
        assert!(
            run.is_some_and(|(_, text)| text.contains(named)),
            "{statement}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_user_without_rights_of_his_own_serves_what_another_migrated() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let admin_url = database.url();
    let mut admin = PgConnection::connect(&admin_url).await.expect("admin");
    let user = format!("stayzr_user_{}", uuid::Uuid::now_v7().simple());
    admin
        .execute(AssertSqlSafe(format!(
            "create role {user} login password 'p'"
        )))
        .await
        .expect("a user");
    let (scheme, rest) = admin_url.split_once("://").expect("a URL");
    let (_, server) = rest.split_once('@').expect("a URL with a user");
    let url = format!("{scheme}://{user}:p@{server}");
    let clock = clock();
    let before = connect(PostgresOptions::new(&url)).await;
    let unmigrated = before.organizations().await;
    let pending = before.pending_migrations().await;
    let refused = before.migrate().await;
    before.close().await;
    let options = PostgresOptions::new(&url)
        .migrate_url(&admin_url)
        .clock(clock.clone());
    let store = connect(options).await;
    let result = async {
        store.migrate().await?;
        store.prove_isolation().await?;
        // Once the schema is there, bringing it up to date asks for no right.
        let later = connect(PostgresOptions::new(&url)).await;
        let nothing_to_do = later.migrate().await;
        later.close().await;
        nothing_to_do?;
        let hotel = filled(&store, &clock).await;
        store.job(hotel.scope, clock.uuid().into()).await
    }
    .await;
    admin
        .execute(AssertSqlSafe(format!(
            "revoke stayzr_tenant, stayzr_system from {user}"
        )))
        .await
        .expect("revoked");
    let stranger = store.organizations().await;
    store.close().await;
    drop(store);
    let gone = admin
        .execute(AssertSqlSafe(format!("drop role {user}")))
        .await;
    drop(admin);
    database.drop_database().await;
    gone.expect("the user is dropped");
    assert_eq!(result.expect("it serves"), None);
    let pending = pending.expect("it can be asked");
    assert_eq!(pending[..2], ["0001_init", "0002_sync"]);
    let unmigrated = unmigrated.expect_err("no roles or not his").kind();
    assert!(
        matches!(unmigrated, ErrorKind::Unavailable | ErrorKind::Forbidden),
        "{unmigrated:?}"
    );
    assert_eq!(refused.expect_err("no right").kind(), ErrorKind::Forbidden);
    let stranger = stranger.expect_err("no member");
    assert_eq!(stranger.kind(), ErrorKind::Forbidden);
    assert!(stranger.message().contains("grant stayzr_tenant"));
}

#[tokio::test]
async fn processes_that_migrate_at_once_all_find_the_schema() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let mut migrating = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = connect(PostgresOptions::new(database.url()).schema("stayzr")).await;
        migrating.spawn(async move {
            let result = store.migrate().await;
            let pending = store.pending_migrations().await;
            store.close().await;
            result.and(pending)
        });
    }
    let results = migrating.join_all().await;
    database.drop_database().await;
    for result in results {
        assert_eq!(result.expect("it migrates"), Vec::<String>::new());
    }
}

#[tokio::test]
async fn two_stores_live_in_two_schemas_beside_a_host_application() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let mut host = PgConnection::connect(&database.url()).await.expect("host");
    host.execute("create table guests (note text); create table bookings (job uuid)")
        .await
        .expect("the host's tables");
    let clock = clock();
    let options = |schema: &str| {
        PostgresOptions::new(database.url())
            .schema(schema)
            .clock(clock.clone())
    };
    let one = connect(options("stayzr_one")).await;
    let two = connect(options("stayzr_two")).await;
    one.migrate().await.expect("it migrates");
    two.migrate().await.expect("it migrates");
    let hotel = filled(&one, &clock).await;

    // The host's row and its job exist together or not at all.
    let mut tx = one.begin().await.expect("a transaction");
    let mut refused = hotel.job(Queue::PmsSyncQueue, "refused");
    refused.max_attempts = 0;
    let refused = one.enqueue_in(&mut tx, refused).await;
    let kept = one
        .enqueue_in(&mut tx, hotel.job(Queue::PmsSyncQueue, "kept"))
        .await
        .expect("a job");
    sqlx::query("insert into public.bookings values ($1)")
        .bind(kept.uuid())
        .execute(&mut *tx)
        .await
        .expect("the transaction is the host's again");
    tx.commit().await.expect("a commit");
    let mut tx = one.begin().await.expect("a transaction");
    let dropped = one
        .enqueue_in(&mut tx, hotel.job(Queue::PmsSyncQueue, "dropped"))
        .await
        .expect("a job");
    tx.rollback().await.expect("a rollback");

    let here = one.job(hotel.scope, kept).await;
    let not_here = one.job(hotel.scope, dropped).await;
    let (in_one, in_two) = (one.organizations().await, two.organizations().await);
    let notes: i64 = sqlx::query_scalar("select count(*) from public.guests")
        .fetch_one(&mut host)
        .await
        .expect("the host's table");
    drop(host);
    one.close().await;
    two.close().await;
    database.drop_database().await;
    assert_eq!(refused.expect_err("no attempt").kind(), ErrorKind::Invalid);
    assert!(here.expect("a read").is_some());
    assert!(not_here.expect("a read").is_none());
    assert_eq!(in_one.expect("a read").len(), 1);
    assert_eq!(in_two.expect("a read").len(), 0);
    assert_eq!(notes, 0);
}

#[tokio::test]
async fn what_cannot_be_connected_says_what_to_do() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let (server, _) = database
        .url()
        .rsplit_once('/')
        .map(|(server, name)| (server.to_owned(), name.to_owned()))
        .expect("a URL");
    database.drop_database().await;
    let table = [
        ("mysql://x/y".to_owned(), ErrorKind::Invalid, "postgres://"),
        (
            "postgres://postgres@127.0.0.1:1/x".to_owned(),
            ErrorKind::Unavailable,
            "start it",
        ),
        (
            format!("{server}/stayzr_is_not_there"),
            ErrorKind::NotFound,
            "create database",
        ),
    ];
    for (url, kind, says) in table {
        let error = PostgresStore::connect(PostgresOptions::new(&url))
            .await
            .expect_err("no such database");
        assert_eq!(error.kind(), kind, "{url}: {error:?}");
        assert!(error.message().contains(says), "{url}: {error:?}");
    }
    let schema = PostgresOptions::new("postgres://x").schema("a; drop table b");
    let error = PostgresStore::connect(schema).await.expect_err("no name");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
