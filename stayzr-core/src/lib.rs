//! The house Stayzr stands on: the hotel domain model, multi-tenancy, two-way transformation and
//! three-way merge, a durable queue, the ports that adapters implement, and the flows that join
//! them.
//!
//! Without features the crate is pure: no async runtime, no HTTP client, no database. Adapters and
//! the worker are features: `worker`, `memory`, `sqlite`, `postgres`, `redis`, `crypto`, `conformance`.
//!
//! A guest was corrected here while the PMS changed another field. Both changes stand:
//!
//! ```
//! use serde_json::json;
//! use stayzr_core::transform::{ConflictStrategy, FieldMap, FieldRule, MergeInput, merge};
//!
//! fn guest(name: &str, email: &str) -> FieldMap {
//!     let fields = [("last_name", name), ("email", email)];
//!     fields.map(|(field, value)| (field.to_owned(), json!(value))).into_iter().collect()
//! }
//!
//! let merged = merge(MergeInput {
//!     base: &guest("Sillva", "ana@example.com"),
//!     local: &guest("Silva", "ana@example.com"),
//!     remote: &guest("Sillva", "ana.silva@example.com"),
//!     rules: &[FieldRule::shared("last_name"), FieldRule::shared("email")],
//!     strategy: ConflictStrategy::LocalWins,
//! });
//! assert_eq!(merged.apply.text("email"), Some("ana.silva@example.com"), "set here");
//! assert_eq!(merged.push.text("last_name"), Some("Silva"), "set at the PMS");
//! assert!(merged.conflicts.is_empty());
//! ```

pub mod clock;
#[cfg(feature = "crypto")]
pub mod crypto;
pub mod error;
pub mod flow;
pub mod identity;
pub mod ids;
pub mod limit;
pub mod mask;
pub mod model;
pub mod port;
pub mod queue;
pub mod retry;
pub mod store;
pub mod tenant;
pub mod transform;

pub use error::{Error, ErrorKind, Result};

pub use chrono;
pub use http;
pub use rust_decimal;
pub use serde_json;
pub use uuid;
