//! The vendors we speak to, one folder each, all with the same file names.
//!
//! `auth` holds credentials, `client` makes typed calls, `config` reads the vendor's own settings,
//! `error` maps its complaints, `event` reads its webhooks, `provider` implements
//! [`crate::PmsProvider`] with `fetch`, `record`, `context`, `push` and `quote` beside it, `inspect`
//! reads bodies offline, `transform` translates records and
//! `wire` is the vendor's JSON.

#[cfg(feature = "cloudbeds")]
pub mod cloudbeds;
#[cfg(feature = "mews")]
pub mod mews;
#[cfg(feature = "opera")]
pub mod opera;
