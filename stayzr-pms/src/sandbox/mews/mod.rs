//! Mews' Connector API, simulated.

mod api;
mod control;
mod delivery;
mod handle;
mod list;
mod options;
mod read;
mod seed;
mod state;
mod stays;
mod write;

pub use handle::MewsSandbox;
pub use options::SandboxOptions;
