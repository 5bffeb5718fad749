//! Every port on one SQLite file: the default store, with nothing to set up.
//!
//! A statement stands beside the one function that runs it. Commands go in as JSON documents that
//! SQLite takes apart (`json_each`), so that a page of a thousand rows is a handful of statements.

mod connect;
mod directory;
mod entities;
mod error;
mod jobs;
mod journal;
mod maintenance;
mod page;
mod queue;
mod rows;
mod setup;
mod sync;

pub use connect::{SqliteOptions, SqliteStore};
