//! Adapters that implement the ports. Each has the same file names; what they share stands beside
//! them.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres"))]
pub(crate) mod document;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod inbox;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres"))]
pub(crate) mod sending;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres"))]
pub(crate) mod succession;
