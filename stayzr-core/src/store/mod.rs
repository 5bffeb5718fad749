//! Adapters that implement the ports. Each has the same file names; what the SQL adapters share
//! stands beside them.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod succession;
