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
mod provider;
mod push;
mod quote;
mod record;
mod refusal;
mod token;
pub mod transform;
pub mod wire;

pub use auth::{ApiKey, CloudbedsCredentials, OAuthTokens};
pub use client::{CloudbedsClient, RawPage};
pub use config::{
    API_VERSIONS, CloudbedsConfig, LIMIT, PARTNER_LIMIT, PARTNER_QUOTA, PRODUCTION_URL, QUOTA,
};
pub use desk::Subscription;
pub use error::{DIALECT, SENTENCES};
pub use event::{EVENTS, delivery_hash, parse_event};
pub use inspect::read_body;
pub use provider::{CloudbedsProvider, fields};
pub use token::CredentialStore;
