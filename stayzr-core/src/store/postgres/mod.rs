//! Every port on PostgreSQL, for any number of server processes.
//!
//! A statement stands beside the one function that runs it. Commands go in as one JSON document for
//! each statement (`jsonb_to_recordset`), so that a page of a thousand rows is a handful of
//! statements.
//!
//! Nothing is read or written as the user who logged in: every transaction begins, in its first
//! round trip, by taking the role `stayzr_tenant` with the organization that it is for, or
//! `stayzr_system` for the questions that come before a tenant is known. Row-level security is
//! forced for both; the migration says which tables each may touch.

mod accept;
mod conflict;
mod connect;
mod conversation;
mod deliveries;
mod directory;
mod document;
mod edit;
mod entities;
mod error;
mod idempotency;
mod inbox;
mod jobs;
mod journal;
mod knowledge;
mod lanes;
mod limit;
mod lock;
mod maintenance;
mod merge;
mod migrate;
mod options;
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

pub use connect::PostgresStore;
pub use options::PostgresOptions;
