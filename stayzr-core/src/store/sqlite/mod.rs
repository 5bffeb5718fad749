//! Every port on one SQLite file: the default store, with nothing to set up.
//!
//! A statement stands beside the one function that runs it. Commands go in as JSON documents that
//! SQLite takes apart (`json_each`), so that a page of a thousand rows is a handful of statements.
//! SQLite knows nothing of the size of such a document: `cross join` makes it the outer loop, and a
//! `+` before a column keeps it from walking an index of all the tenant's rows instead.

mod accept;
mod conflict;
mod connect;
mod conversation;
mod deliveries;
mod directory;
mod edit;
mod entities;
mod error;
mod idempotency;
mod inbox;
mod jobs;
mod journal;
mod knowledge;
mod limit;
mod maintenance;
mod merge;
mod outbound;
mod page;
mod park;
mod provider;
mod queue;
mod rows;
mod setup;
mod sweep;
mod sync;
mod turn;

pub use connect::{SqliteOptions, SqliteStore};
