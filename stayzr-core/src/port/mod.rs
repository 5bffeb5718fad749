//! The ports: small, object-safe traits that adapters implement.
//!
//! Reads are small queries. Every write that must be atomic is one method that takes one plain
//! command value with its follow-up jobs, which an adapter runs in one transaction. No transaction
//! type appears here. Every promise made in these pages has a scenario in the conformance suite.

pub mod backend;
pub mod concierge;
pub mod conflict;
pub mod conversation;
pub mod directory;
pub mod edit;
pub mod entities;
pub mod idempotency;
pub mod inbox;
pub mod knowledge;
pub mod outbound;
mod parked;
pub mod queue;
pub mod setup;
pub mod sync;

use serde::{Deserialize, Serialize};

/// Where a page of a list starts, and how long it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many items, from 1 to 1,000.
    pub limit: u32,
    /// [`Page::next_cursor`] of the page before; none for the first.
    pub cursor: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: 100,
            cursor: None,
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page starts; none after the last.
    pub next_cursor: Option<String>,
}

/// A store that has every port: what a server runs on.
pub trait Store:
    directory::Directory
    + queue::JobQueue
    + entities::Entities
    + edit::Edits
    + sync::SyncStore
    + conflict::Conflicts
    + inbox::Inbox
    + inbox::Deliveries
    + conversation::Conversations
    + outbound::Outbound
    + knowledge::KnowledgeStore
    + idempotency::Idempotency
    + setup::Setup
    + setup::Maintenance
{
}

impl<S> Store for S where
    S: directory::Directory
        + queue::JobQueue
        + entities::Entities
        + edit::Edits
        + sync::SyncStore
        + conflict::Conflicts
        + inbox::Inbox
        + inbox::Deliveries
        + conversation::Conversations
        + outbound::Outbound
        + knowledge::KnowledgeStore
        + idempotency::Idempotency
        + setup::Setup
        + setup::Maintenance
{
}
