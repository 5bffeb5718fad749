//! Every port in memory, under one lock: for tests, simulations and programs that keep nothing.
//!
//! It holds to the same conformance suites as the SQL stores. Nothing survives the process.

mod accept;
mod conflict;
mod conversation;
mod deliveries;
mod directory;
mod edit;
mod entities;
mod guests;
mod idempotency;
mod inbox;
mod jobs;
mod knowledge;
mod maintenance;
mod merge;
mod outbound;
mod page;
mod parked;
mod places;
mod queue;
mod setup;
mod state;
mod sync;

pub use state::MemoryStore;
