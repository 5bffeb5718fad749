//! The SQLite adapter: the conformance suites of its ports, and what is its own.

use std::sync::Arc;

use stayzr_core::{
    clock::{Clock, ManualClock, SystemClock},
    port::setup::Maintenance,
    store::{
        conformance,
        sqlite::{SqliteOptions, SqliteStore},
    },
};
use tempfile::TempDir;

/// A migrated store in a folder of its own, and the clock it lives by.
async fn store() -> (TempDir, SqliteStore, Arc<ManualClock>) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let options = SqliteOptions::new(folder.path().join("stayzr.db")).clock(clock.clone());
    let store = SqliteStore::open(options).await.expect("it opens");
    store.migrate().await.expect("it migrates");
    (folder, store, clock)
}

macro_rules! suites {
    ($($suite:ident)*) => {$(
        #[tokio::test]
        async fn $suite() {
            let (_folder, store, clock) = store().await;
            conformance::$suite::run(&store, &clock).await.assert();
        }
    )*};
}

suites! {
    conflict contact_owner conversation create directory edit entities idempotency inbox journal
    knowledge maintenance merge_guest note outbound parked provider_document queue setup stray
    sweep sync
}
