//! The store in memory keeps what the ports promise.

use std::sync::Arc;

use stayzr_core::{
    clock::{Clock, ManualClock, SystemClock},
    store::{conformance, memory::MemoryStore},
};

macro_rules! suites {
    ($($suite:ident)*) => {$(
        #[tokio::test]
        async fn $suite() {
            let clock = Arc::new(ManualClock::new(SystemClock.now()));
            let store = MemoryStore::new(clock.clone());
            conformance::$suite::run(&store, &clock).await.assert();
        }
    )*};
}

suites! {
    conflict contact_owner conversation create directory edit entities idempotency inbox journal
    knowledge maintenance merge_guest note outbound parked provider_document queue setup stray
    sweep sync
}
