//! The store in memory keeps what the ports promise.

#![cfg(all(feature = "memory", feature = "conformance"))]

use std::sync::Arc;

use stayzr_core::{
    clock::{Clock, ManualClock, SystemClock},
    store::{conformance, memory::MemoryStore},
};

fn store() -> (MemoryStore, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    (MemoryStore::new(clock.clone()), clock)
}

#[tokio::test]
async fn directory() {
    let (store, clock) = store();
    conformance::directory::run(&store, &clock).await.assert();
}

#[tokio::test]
async fn queue() {
    let (store, clock) = store();
    conformance::queue::run(&store, &clock).await.assert();
}

#[tokio::test]
async fn inbox() {
    let (store, clock) = store();
    conformance::inbox::run(&store, &clock).await.assert();
}

#[tokio::test]
async fn conversation() {
    let (store, clock) = store();
    conformance::conversation::run(&store, &clock)
        .await
        .assert();
}

#[tokio::test]
async fn outbound() {
    let (store, clock) = store();
    conformance::outbound::run(&store, &clock).await.assert();
}

#[tokio::test]
async fn sync() {
    let (store, clock) = store();
    conformance::sync::run(&store, &clock).await.assert();
}

#[tokio::test]
async fn edit() {
    let (store, clock) = store();
    conformance::edit::run(&store, &clock).await.assert();
}
