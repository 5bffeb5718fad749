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
mod quote;
mod record;
mod refusal;
pub mod transform;
pub mod wire;

pub use auth::{ApiKey, CloudbedsCredentials, CredentialStore, OAuthTokens};
pub use client::{CloudbedsClient, RawPage, Subscription};
pub use config::{CloudbedsConfig, LIMIT, PARTNER_LIMIT, PARTNER_QUOTA, PRODUCTION_URL, QUOTA};
pub use error::{DIALECT, SENTENCES};
pub use event::{EVENTS, delivery_hash, parse_event};
pub use inspect::{Reading, read_body};
pub use provider::{CloudbedsProvider, fields};
