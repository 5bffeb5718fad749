//! One HTTP stack for every vendor: limit → retry → authorise → trace, redacted.
//!
//! A provider describes a [`VendorCall`] and how its vendor complains ([`Dialect`]); [`VendorHttp`]
//! keeps the limit, retries what certainly had no effect, and turns every failure into an error
//! whose kind says what the caller can do. Credentials are added per attempt by a [`VendorAuth`]
//! and never reach errors or traces.

mod auth;
mod call;
mod client;
mod dialect;
mod redact;
mod tls;

pub use auth::VendorAuth;
pub use call::{CallBody, Effect, VendorAnswer, VendorCall};
pub use client::VendorHttp;
pub use dialect::{Complaint, Dialect, ErrorRow};
pub use redact::redact;
#[cfg(feature = "sandbox")]
pub(crate) use tls::client_builder;
pub use tls::default_client;
#[cfg(feature = "opera")]
pub(crate) use tls::upgrade_client;
