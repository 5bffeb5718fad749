//! Ports in memory, under one lock: for tests, simulations and programs that keep nothing.
//!
//! It has every port of a hotel's daily work and holds to the same conformance suites as the SQL
//! stores. Nothing survives the process.

mod conversation;
mod directory;
mod edit;
mod entities;
mod guests;
mod inbox;
mod jobs;
mod outbound;
mod page;
mod queue;
mod setup;
mod state;
mod sync;

pub use state::MemoryStore;
