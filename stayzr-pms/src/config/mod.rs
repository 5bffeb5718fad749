//! What is configured for a connection to a vendor, without its credentials.

mod document;
mod layer;
mod schema;

pub use document::{
    CONFIG_VERSION, Conflicts, ProviderConfig, RateLimit, Reconcile, Retries, Timeouts, WebhookMode,
};
