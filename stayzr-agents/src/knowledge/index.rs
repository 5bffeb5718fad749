//! The port of what finds passages by their vectors.

use std::sync::Arc;

use async_trait::async_trait;
use stayzr_core::{
    Result, ids::DocumentId, model::Chunk, port::knowledge::EmbedderMark, tenant::TenantScope,
};

/// A passage near a question.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The cosine of the question's vector and the passage's, from -1 to 1.
    pub cosine: f32,
    /// The passage; its `embedding` may be left empty.
    pub chunk: Arc<Chunk>,
}

/// Finds passages by their vectors. The rows themselves are the
/// [`KnowledgeStore`](stayzr_core::port::knowledge::KnowledgeStore)'s: an index can always be
/// rebuilt from it.
///
/// An index remembers the embedder and dimension of its vectors and refuses another with
/// [`stayzr_core::ErrorKind::Conflict`]. What it promises stands in
/// [`conformance`](super::conformance).
#[async_trait]
pub trait KnowledgeIndex: Send + Sync {
    /// Makes these the only passages of a document. Called after the store has committed them;
    /// may be repeated.
    async fn upsert(
        &self,
        scope: TenantScope,
        document: DocumentId,
        chunks: &[Chunk],
        mark: &EmbedderMark,
    ) -> Result<()>;

    /// Forgets a document's passages. Fine if there are none.
    async fn delete(&self, scope: TenantScope, document: DocumentId) -> Result<()>;

    /// At most `limit` passages that the scope sees, best first: never another organization's, and
    /// in a scope with a property only that property's and the organization's own. `vector` has
    /// length one.
    async fn search(
        &self,
        scope: TenantScope,
        vector: &[f32],
        mark: &EmbedderMark,
        limit: usize,
    ) -> Result<Vec<Hit>>;
}

/// The error for vectors of another embedder.
pub(super) fn other_embedder(
    operation: &'static str,
    known: &EmbedderMark,
    given: &EmbedderMark,
) -> stayzr_core::Error {
    stayzr_core::Error::new(
        stayzr_core::ErrorKind::Conflict,
        operation,
        "the index holds vectors of another embedder; ingest the documents again to change it",
    )
    .with("index_embedder", &known.embedder)
    .with("index_dimension", known.dimension)
    .with("embedder", &given.embedder)
    .with("dimension", given.dimension)
}
