//! The index outside the process: a Qdrant collection.

mod collection;
mod error;
mod index;
mod point;

pub use index::{COLLECTION, QdrantIndex};
