//! Documents and their passages with vectors.

use async_trait::async_trait;

use super::{Page, PageRequest};
use crate::{
    Result,
    ids::DocumentId,
    model::{Chunk, Document},
    tenant::TenantScope,
};

/// Which embedder an organization's vectors come from. An index refuses another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EmbedderMark {
    /// The embedder and its version: `offline-lexical-1`, `gemini-embedding-001`.
    pub embedder: String,
    /// How many numbers a vector has.
    pub dimension: u32,
}

/// Documents and passages. A document belongs to one property or, without one, to the whole
/// organization; a scope with a property sees its own documents and the organization's.
#[async_trait]
pub trait KnowledgeStore: Send + Sync {
    /// Stores a document with its passages, at once, in place of the one with the same property
    /// and file name. Returns the document as stored: the id of the one it replaced is kept.
    /// [`crate::ErrorKind::Conflict`] if the organization's vectors come from another embedder.
    async fn put_document(
        &self,
        scope: TenantScope,
        document: Document,
        chunks: Vec<Chunk>,
        mark: &EmbedderMark,
    ) -> Result<Document>;

    /// Removes a document and its passages. False if it is not there.
    async fn delete_document(&self, scope: TenantScope, id: DocumentId) -> Result<bool>;

    /// One document.
    async fn document(&self, scope: TenantScope, id: DocumentId) -> Result<Option<Document>>;

    /// Documents in order of their ids.
    async fn documents(&self, scope: TenantScope, page: &PageRequest) -> Result<Page<Document>>;

    /// All passages that a scope sees, with their vectors, in order of document and place.
    async fn chunks(&self, scope: TenantScope) -> Result<Vec<Chunk>>;

    /// Counts the writes to an organization's documents, so that a cache can tell it is stale.
    async fn generation(&self, scope: TenantScope) -> Result<i64>;

    /// Where an organization's vectors come from; none before the first document.
    async fn embedder_mark(&self, scope: TenantScope) -> Result<Option<EmbedderMark>>;
}
