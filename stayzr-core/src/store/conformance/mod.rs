//! What the ports promise, as scenarios that any adapter can be held to.
//!
//! Each suite takes a store and the [`crate::clock::ManualClock`] that the store lives by, makes
//! organizations of its own for each scenario, and drops nothing, so that a database may be shared
//! by suites that run one after the other. The clock should start at the real time, since ids are
//! made from it.
//!
//! ```
//! # #[cfg(feature = "memory")]
//! # async fn hold_to_the_ports() {
//! use std::sync::Arc;
//! use stayzr_core::{clock::{Clock, ManualClock, SystemClock}, store::{conformance, memory::MemoryStore}};
//!
//! let clock = Arc::new(ManualClock::new(SystemClock.now()));
//! let store = MemoryStore::new(clock.clone());
//! let mut report = conformance::queue::run(&store, &clock).await;
//! report.join(conformance::sync::run(&store, &clock).await);
//! report.assert();
//! # }
//! ```

pub mod claim;
pub mod conflict;
pub mod contact_owner;
pub mod conversation;
pub mod create;
pub mod delivery;
pub mod directory;
pub mod edit;
pub mod entities;
pub mod fixture;
pub mod idempotency;
pub mod inbox;
pub mod journal;
pub mod knowledge;
pub mod lease;
pub mod limit;
pub mod listing;
pub mod maintenance;
pub mod merge_conversation;
pub mod merge_guest;
pub mod note;
pub mod outbound;
pub mod outcome;
pub mod parked;
pub mod progress;
pub mod provider_document;
pub mod queue;
pub mod refusal;
mod report;
pub mod resolve;
pub mod sample;
pub mod sender;
pub mod service_request;
pub mod setup;
pub mod stray;
pub mod sweep;
pub mod sync;
pub mod takeover;
pub mod turn;

pub use report::{Report, ensure, ensure_eq, ensure_kind};
