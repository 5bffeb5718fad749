//! Mews' Connector API, simulated.
//!
//! Beside what every sandbox has, its control API knows
//!
//! | call | does |
//! |---|---|
//! | `GET /_sandbox/notes`, and `…/{id}`, `POST`, `PATCH`, `DELETE` as for other kinds | notes of service orders; no webhook tells of them |
//! | `POST /_sandbox/guests/{id}/merge` `{"into": id}` | merges a guest into another, and their reservations go over |
//! | `GET /_sandbox/{blocks,orders,tasks,threads,messages}`, and the rest as for other kinds | what was made by other operations; a message that is made so is the desk's answer in its thread |
//! | `GET`, `PATCH /_sandbox/property` | the property itself, such as its currencies |
//!
//! The fault `stale_read` answers one read, or as many as `count` says, with every reservation,
//! guest, room and note as it was before its last change; `operation` names which lists, such as
//! `reservations` or `customers/getAll`. Writes do not use it up.

mod api;
mod availability;
mod blocks;
mod booking;
mod control;
mod delivery;
mod handle;
mod list;
mod notes;
mod options;
mod orders;
mod portfolio;
mod prices;
mod read;
mod seed;
mod shop;
mod state;
mod stays;
mod talk;
mod write;

pub use handle::MewsSandbox;
pub use options::SandboxOptions;
