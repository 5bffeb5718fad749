#![doc = include_str!("docs.md")]

mod auth;
mod client;
mod config;
mod context;
mod desk;
mod error;
mod event;
mod fetch;
mod inspect;
mod line;
mod page;
mod provider;
mod push;
mod quote;
mod record;
mod refusal;
mod stream;
pub mod transform;
pub mod wire;

pub use auth::OperaCredentials;
pub use client::OperaClient;
pub use config::{LIMIT, OperaConfig, QUOTA, ServiceConfig, StreamConfig};
pub use error::DIALECT;
pub use event::parse_event;
pub use inspect::read_body;
pub use provider::{OperaProvider, capabilities, fields};
