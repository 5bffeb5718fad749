//! What is configured for a connection to a vendor, without its credentials.

mod apply;
mod document;
mod layer;
mod schema;

pub use document::{
    Authentication, CONFIG_VERSION, Conflicts, Mappings, ProviderConfig, RateLimit, Reconcile,
    Retries, Timeouts, WebhookMode,
};
