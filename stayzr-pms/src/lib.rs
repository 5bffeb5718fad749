//! PMS providers and the two-way sync engine.
//!
//! [`PmsProvider`] is what a vendor can do, [`engine`] keeps both sides equal without losing a
//! correction made on either, and `sandbox` (feature) simulates vendors to run against.

pub mod config;
pub mod engine;
pub mod http;
pub mod provider;
pub mod providers;
#[cfg(feature = "sandbox")]
pub mod sandbox;

pub use provider::{
    Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteProperty,
    RemoteQuote, RemoteRecord,
};
