//! What stands at which path.

mod changes;
mod conflicts;
mod conversations;
mod desk;
mod entities;
mod integrations;
mod jobs;
mod knowledge;
mod notes;
mod operations;
mod provider_configs;
mod setup;
mod table;
mod webhooks;

pub use table::table;

/// The words for kinds of rows, where a query names one.
const KINDS: &str = "property, room_type, room, guest, reservation or note";
