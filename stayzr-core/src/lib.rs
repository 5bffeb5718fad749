//! The house Stayzr stands on: the hotel domain model, multi-tenancy, two-way transformation and
//! three-way merge, a durable queue, the ports that adapters implement, and the flows that join
//! them.
//!
//! Without features the crate is pure: no async runtime, no HTTP client, no database. Adapters and
//! the worker are features: `worker`, `memory`, `sqlite`, `postgres`, `crypto`, `conformance`.

pub mod clock;
#[cfg(feature = "crypto")]
pub mod crypto;
pub mod error;
pub mod flow;
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
