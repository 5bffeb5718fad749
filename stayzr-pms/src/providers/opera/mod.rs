#![doc = include_str!("docs.md")]

mod auth;
mod client;
mod config;
mod context;
mod error;
mod event;
mod fetch;
mod inspect;
mod provider;
mod push;
mod record;
mod refusal;
pub mod transform;
pub mod wire;

pub use auth::OperaCredentials;
pub use client::OperaClient;
pub use config::{LIMIT, OperaConfig, QUOTA};
pub use error::DIALECT;
pub use event::parse_event;
pub use inspect::{Reading, read_body};
pub use provider::{OperaProvider, fields};
