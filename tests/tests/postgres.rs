//! The PostgreSQL adapter: the conformance suites of its ports, each in a database of its own.

use std::sync::Arc;

use stayzr_core::{
    clock::{Clock, ManualClock, SystemClock},
    port::setup::Maintenance,
    store::{
        conformance,
        postgres::{PostgresOptions, PostgresStore},
    },
};
use stayzr_tests::servers::TestDatabase;

macro_rules! suites {
    ($($suite:ident)*) => {$(
        #[tokio::test]
        async fn $suite() {
            let Some(database) = TestDatabase::create().await else {
                return;
            };
            let clock = Arc::new(ManualClock::new(SystemClock.now()));
            let options = PostgresOptions::new(database.url())
                .max_connections(5)
                .clock(clock.clone());
            let store = PostgresStore::connect(options).await.expect("it connects");
            store.migrate().await.expect("it migrates");
            let report = conformance::$suite::run(&store, &clock).await;
            store.close().await;
            database.drop_database().await;
            report.assert();
        }
    )*};
}

suites! {
    conflict contact_owner conversation create directory edit entities idempotency inbox journal
    knowledge maintenance merge_guest note outbound parked provider_document queue setup stray
    sweep sync
}
