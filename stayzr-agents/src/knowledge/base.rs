//! The way in: documents put, deleted and searched.

use std::{fmt::Write as _, sync::Arc};

use sha2::{Digest, Sha256};
use stayzr_core::{
    Error, ErrorKind, Result,
    clock::Clock,
    ids::{ChunkId, DocumentId, PropertyId},
    mask::mask_cards,
    model::{Chunk, Document, Passage},
    port::knowledge::KnowledgeStore,
    tenant::TenantScope,
};

use super::{
    enrich::searchable_text,
    index::KnowledgeIndex,
    ingest::Ingest,
    retrieve::{Retriever, SearchRequest},
};
use crate::model::embedder::{Embedder, normalise};

/// How many passages are embedded in one call: what hosted models take at most.
const BATCH: usize = 96;

/// A file to take in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// Its property; none where it holds for all of the organization.
    pub property_id: Option<PropertyId>,
    /// What it is about, 1 to 64 characters: `breakfast`, `wifi`, …
    pub category: String,
    /// Its file name, 1 to 255 characters; a second file of that name replaces the first.
    pub file_name: String,
    /// `text/plain`, `text/markdown` or `text/csv`; empty goes by the file name.
    pub content_type: String,
    /// Its bytes, UTF-8, at most [`super::MAX_CONTENT_BYTES`].
    pub content: Vec<u8>,
}

/// A hotel's knowledge: rows in a store, vectors in an index, found again by questions.
pub struct KnowledgeBase {
    store: Arc<dyn KnowledgeStore>,
    index: Arc<dyn KnowledgeIndex>,
    embedder: Arc<dyn Embedder>,
    clock: Arc<dyn Clock>,
    retriever: Retriever,
}

impl KnowledgeBase {
    /// Knowledge kept in this store, found through this index by this embedder's vectors.
    pub fn new(
        store: Arc<dyn KnowledgeStore>,
        index: Arc<dyn KnowledgeIndex>,
        embedder: Arc<dyn Embedder>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let retriever = Retriever::new(Arc::clone(&index), Arc::clone(&embedder));
        Self {
            store,
            index,
            embedder,
            clock,
            retriever,
        }
    }

    /// Takes a file in: cuts it, embeds its passages, stores both, and makes them findable. A file
    /// with the same property and name is replaced and keeps its id.
    ///
    /// [`ErrorKind::Invalid`] for what cannot be read (see [`Ingest`]), [`ErrorKind::NotFound`] for
    /// a property outside the scope, [`ErrorKind::Forbidden`] for a document of the whole
    /// organization from a scope of one property, [`ErrorKind::Conflict`] where the organization's
    /// vectors come from another embedder. If the index cannot be reached after the rows are
    /// stored, its error is returned; putting the file again, or [`Self::reindex`], mends it.
    pub async fn put(&self, scope: TenantScope, new: NewDocument) -> Result<Document> {
        const OPERATION: &str = "knowledge.put";
        match (scope.property_id, new.property_id) {
            (Some(_), None) => {
                return Err(Error::new(
                    ErrorKind::Forbidden,
                    OPERATION,
                    "a scope of one property cannot write for the whole organization",
                ));
            }
            (Some(mine), Some(theirs)) if mine != theirs => {
                return Err(Error::not_found(OPERATION, "no property with this id"));
            }
            _ => {}
        }
        let category = new.category.trim();
        if category.is_empty()
            || category.chars().count() > 64
            || category.chars().any(char::is_control)
        {
            return Err(Error::invalid(
                OPERATION,
                "a category has 1 to 64 characters",
            ));
        }
        // Passages go to models, and a hotel's house rules may quote a card by mistake.
        let content = mask_cards(&new.content);
        let ingest = Ingest::read(&new.file_name, &new.content_type, &content)?;
        let now = self.clock.now();
        let document = Document {
            id: DocumentId::generate(self.clock.as_ref()),
            organization_id: scope.organization_id,
            property_id: new.property_id,
            category: category.to_owned(),
            file_name: new.file_name,
            content_type: ingest.content_type.to_owned(),
            sha256: hexadecimal(&Sha256::digest(&new.content)),
            content: ingest.content,
            created_at: now,
            updated_at: now,
        };
        let mut chunks: Vec<Chunk> = ingest
            .passages
            .into_iter()
            .zip(0_i64..)
            .map(|(passage, ordinal)| Chunk {
                id: ChunkId::generate(self.clock.as_ref()),
                document_id: document.id,
                organization_id: document.organization_id,
                property_id: document.property_id,
                category: document.category.clone(),
                file_name: document.file_name.clone(),
                ordinal,
                heading: passage.heading,
                text: passage.text,
                embedding: Vec::new(),
            })
            .collect();
        self.embed(&mut chunks).await?;
        let mark = self.embedder.mark();
        let stored = self
            .store
            .put_document(scope, document, chunks.clone(), &mark)
            .await?;
        for chunk in &mut chunks {
            chunk.document_id = stored.id;
        }
        self.index.upsert(scope, stored.id, &chunks, &mark).await?;
        Ok(stored)
    }

    /// Removes a document and its passages. False if the scope sees no such document;
    /// [`ErrorKind::Forbidden`] for the organization's own from a scope of one property.
    pub async fn delete(&self, scope: TenantScope, id: DocumentId) -> Result<bool> {
        if scope.property_id.is_some()
            && let Some(document) = self.store.document(scope, id).await?
            && document.property_id.is_none()
        {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "knowledge.delete",
                "a scope of one property cannot delete what belongs to the whole organization",
            ));
        }
        let removed = self.store.delete_document(scope, id).await?;
        // Also where the rows are gone already: the index may have failed the time before. Whether
        // the scope may touch what the index holds of it, the index asks itself.
        self.index.delete(scope, id).await?;
        Ok(removed)
    }

    /// The passages that answer a question best, graded. Never another property's.
    /// [`ErrorKind::NotFound`] for a property outside the scope, [`ErrorKind::Invalid`] for an empty
    /// question or a limit outside 1 to 50.
    pub async fn search(
        &self,
        scope: TenantScope,
        request: &SearchRequest,
    ) -> Result<Vec<Passage>> {
        let scope = match (scope.property_id, request.property_id) {
            (Some(mine), Some(theirs)) if mine != theirs => {
                return Err(Error::not_found(
                    "knowledge.search",
                    "no property with this id",
                ));
            }
            (None, Some(property)) => TenantScope::property(scope.organization_id, property),
            _ => scope,
        };
        self.retriever
            .search(scope, &request.query, &request.history, request.limit)
            .await
    }

    /// Fills the index from the store's rows: after an index was lost or added. Returns how many
    /// passages it now has. `scope` is an organization or one of its properties.
    pub async fn reindex(&self, scope: TenantScope) -> Result<usize> {
        let Some(mark) = self.store.embedder_mark(scope).await? else {
            return Ok(0);
        };
        let chunks = self.store.chunks(scope).await?;
        for document in chunks.chunk_by(|a, b| a.document_id == b.document_id) {
            self.index
                .upsert(scope, document[0].document_id, document, &mark)
                .await?;
        }
        Ok(chunks.len())
    }

    /// The store of the rows, for listing.
    pub fn store(&self) -> &Arc<dyn KnowledgeStore> {
        &self.store
    }

    async fn embed(&self, chunks: &mut [Chunk]) -> Result<()> {
        let dimension = self.embedder.mark().dimension as usize;
        for batch in chunks.chunks_mut(BATCH) {
            let texts: Vec<String> = batch.iter().map(searchable_text).collect();
            let vectors = self.embedder.embed_documents(&texts).await?;
            if vectors.len() != batch.len() || vectors.iter().any(|v| v.len() != dimension) {
                return Err(Error::corrupt(
                    "knowledge.embed",
                    "the embedder gave vectors of another number or length than it said",
                ));
            }
            for (chunk, mut vector) in batch.iter_mut().zip(vectors) {
                normalise(&mut vector);
                chunk.embedding = vector;
            }
        }
        Ok(())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut out, byte| {
            // Writing to a String cannot fail.
            let _ = write!(out, "{byte:02x}");
            out
        })
}
