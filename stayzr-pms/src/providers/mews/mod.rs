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
mod position;
mod provider;
mod push;
mod quote;
mod record;
mod refusal;
mod stay;
pub mod transform;
pub mod wire;

pub use auth::MewsCredentials;
pub use client::{MewsClient, RawPage};
pub use config::{LIMIT, MewsConfig, PRODUCTION_URL, QUOTA};
pub use error::DIALECT;
pub use event::parse_event;
pub use inspect::read_body;
pub use provider::{MewsProvider, capabilities, fields};
