//! What a property wants its guests to know: taken in, cut into passages, indexed and found again.
//!
//! [`KnowledgeBase`] is the way in. [`KnowledgeIndex`] is the port of what finds passages by their
//! vectors: [`EmbeddedIndex`] in the process, `QdrantIndex` (feature `qdrant`) outside.

mod base;
mod chunk;
pub mod conformance;
mod embedded;
mod enrich;
mod index;
mod ingest;
mod memory;
mod offline;
mod plan;
#[cfg(feature = "qdrant")]
pub mod qdrant;
mod rescore;
mod retrieve;
mod tables;

pub use base::{KnowledgeBase, NewDocument};
pub use embedded::EmbeddedIndex;
pub use enrich::searchable_text;
pub use index::{Hit, KnowledgeIndex};
pub use ingest::{Ingest, MAX_CONTENT_BYTES, MAX_PASSAGES, RawPassage};
pub use memory::InProcessKnowledge;
pub use offline::OfflineEmbedder;
pub use plan::{Pass, Speaker, Turn, plan};
pub use rescore::WordScorer;
pub use retrieve::{Retriever, SearchRequest};
