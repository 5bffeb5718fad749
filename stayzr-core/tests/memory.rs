//! The store in memory keeps what the ports promise.

#![cfg(all(feature = "memory", feature = "conformance"))]

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
    conversation directory edit entities idempotency inbox knowledge maintenance outbound queue
    setup sync
}
