//! Cloudbeds' PMS API v1.3, simulated.

mod api;
mod book;
mod control;
mod delivery;
mod form;
mod handle;
mod oauth;
mod options;
mod prices;
mod read;
mod seed;
mod shape;
mod state;
mod write;

pub use handle::CloudbedsSandbox;
pub use options::CloudbedsOptions;
