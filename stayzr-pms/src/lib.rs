//! PMS providers and the two-way sync engine.
//!
//! [`PmsProvider`] is what a vendor can do, [`engine`] keeps both sides equal without losing a
//! correction made on either, and `sandbox` (feature) simulates vendors to run against.
//!
//! The rooms of a hotel on Mews, here a simulated one:
//!
//! ```
//! # #[cfg(all(feature = "mews", feature = "sandbox"))]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> stayzr_core::Result<()> {
//! use std::sync::Arc;
//!
//! use stayzr_core::{limit::LocalLimiter, transform::EntityKind};
//! use stayzr_pms::{
//!     PageQuery, PmsProvider,
//!     config::ProviderConfig,
//!     http::VendorHttp,
//!     providers::mews::{MewsConfig, MewsCredentials, MewsProvider, QUOTA},
//!     sandbox::{MewsSandbox, SandboxOptions},
//! };
//!
//! let sandbox = MewsSandbox::start(SandboxOptions::default()).await?;
//! let http = VendorHttp::from_config(
//!     &ProviderConfig::default(),
//!     Arc::new(LocalLimiter::new(QUOTA)),
//! )?;
//! let credentials = MewsCredentials::new("sandbox-client-token", "sandbox-access-token");
//! let mews = MewsProvider::new(MewsConfig::new(sandbox.base_url()), credentials, http);
//! assert_eq!(mews.check().await?.name, "Sandbox Hotel");
//!
//! let rooms = PageQuery { kind: EntityKind::Room, changed: None, position: None };
//! let page = mews.fetch_page(&rooms).await?;
//! assert_eq!(page.records.len(), 40);
//! assert!(page.parked.is_empty());
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "mews", feature = "sandbox")))]
//! # fn main() {}
//! ```

pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod desk;
pub mod engine;
pub mod http;
pub mod provider;
pub mod providers;
mod reading;
#[cfg(feature = "sandbox")]
pub mod sandbox;

pub use desk::{Desk, DeskCapabilities};
pub use provider::{
    Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteProperty,
    RemoteQuote, RemoteRecord, UnknownValue,
};
pub use reading::{Reading, VendorComplaint};
