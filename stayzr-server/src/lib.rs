//! The Stayzr reference server: configuration, composition, HTTP and command line. The binary
//! `stayzr` is a thin shell around it.
//!
//! [`compose`] is the one place where the crates meet. Configuration is read through [`config`], which
//! refuses what it does not know:
//!
//! ```
//! use stayzr_server::config::{Sources, load};
//!
//! let sources = Sources::default().flag("store.url", "sqlite://hotel.db");
//! assert!(load(&sources).is_ok());
//!
//! let mistyped = Sources {
//!     environment: vec![("STAYZR__SERVER__LISTNE".to_owned(), "127.0.0.1:0".to_owned())],
//!     ..Sources::default()
//! };
//! let refused = load(&mistyped).expect_err("there is no such key");
//! assert_eq!(refused.code, "unknown_key");
//! assert!(refused.message.contains("STAYZR__SERVER__LISTEN"));
//! ```

pub mod cli;
pub mod compose;
pub mod config;
pub mod credentials;
pub mod demo;
pub mod document;
pub mod endpoints;
pub mod failure;
pub mod http;
mod limits;
mod models;
pub mod plan;
pub mod probe;
pub mod providers;
pub mod review;
pub mod routes;
pub mod setup;
pub mod state;
pub mod subscription;
pub mod telemetry;
pub mod worker;
