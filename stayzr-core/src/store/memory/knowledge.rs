use async_trait::async_trait;

use super::{page, state::MemoryStore, state::State};
use crate::{
    Error, Result,
    ids::DocumentId,
    model::{Chunk, Document},
    port::{
        Page, PageRequest,
        knowledge::{EmbedderMark, KnowledgeStore},
    },
    tenant::TenantScope,
};

const PUT: &str = "memory.put_document";

#[async_trait]
impl KnowledgeStore for MemoryStore {
    async fn put_document(
        &self,
        scope: TenantScope,
        mut document: Document,
        chunks: Vec<Chunk>,
        mark: &EmbedderMark,
    ) -> Result<Document> {
        let mut state = self.lock();
        if !sees(scope, &document) {
            return Err(Error::not_found(PUT, "there is no property with this id"));
        }
        let fits = |chunk: &Chunk| chunk.embedding.len() == mark.dimension as usize;
        if !chunks.iter().all(fits) {
            return Err(Error::invalid(PUT, "a vector has another dimension")
                .with("expected", mark.dimension));
        }
        state.count_write(scope, mark)?;
        let namesake = state.documents.values().find(|stored| {
            stored.organization_id == document.organization_id
                && stored.property_id == document.property_id
                && stored.file_name == document.file_name
        });
        if let Some(stored) = namesake {
            document.id = stored.id;
            document.created_at = stored.created_at;
        }
        let chunks = chunks.into_iter().map(|chunk| Chunk {
            document_id: document.id,
            organization_id: document.organization_id,
            property_id: document.property_id,
            category: document.category.clone(),
            file_name: document.file_name.clone(),
            ..chunk
        });
        let mut chunks: Vec<Chunk> = chunks.collect();
        chunks.sort_by_key(|chunk| chunk.ordinal);
        state.chunks.insert(document.id, chunks);
        state.documents.insert(document.id, document.clone());
        Ok(document)
    }

    async fn delete_document(&self, scope: TenantScope, id: DocumentId) -> Result<bool> {
        let mut state = self.lock();
        if !state
            .documents
            .get(&id)
            .is_some_and(|found| sees(scope, found))
        {
            return Ok(false);
        }
        state.documents.remove(&id);
        state.chunks.remove(&id);
        if let Some((_, generation)) = state.marks.get_mut(&scope.organization_id) {
            *generation += 1;
        }
        Ok(true)
    }

    async fn document(&self, scope: TenantScope, id: DocumentId) -> Result<Option<Document>> {
        let state = self.lock();
        let found = state.documents.get(&id).filter(|found| sees(scope, found));
        Ok(found.cloned())
    }

    async fn documents(&self, scope: TenantScope, page: &PageRequest) -> Result<Page<Document>> {
        let after: Option<DocumentId> = page::after(page)?;
        let state = self.lock();
        let documents = state
            .documents
            .iter()
            .filter(|(id, found)| sees(scope, found) && after.is_none_or(|after| **id > after))
            .map(|(id, found)| (*id, found.clone()));
        Ok(page::cut(documents, page))
    }

    async fn chunks(&self, scope: TenantScope) -> Result<Vec<Chunk>> {
        let state = self.lock();
        let documents = state.documents.values().filter(|found| sees(scope, found));
        Ok(documents
            .filter_map(|found| state.chunks.get(&found.id))
            .flatten()
            .cloned()
            .collect())
    }

    async fn generation(&self, scope: TenantScope) -> Result<i64> {
        let state = self.lock();
        let mark = state.marks.get(&scope.organization_id);
        Ok(mark.map_or(0, |(_, generation)| *generation))
    }

    async fn embedder_mark(&self, scope: TenantScope) -> Result<Option<EmbedderMark>> {
        let state = self.lock();
        let mark = state.marks.get(&scope.organization_id);
        Ok(mark.map(|(mark, _)| mark.clone()))
    }
}

impl State {
    /// Counts a write. Once an organization has no passage left, another embedder may begin.
    fn count_write(&mut self, scope: TenantScope, mark: &EmbedderMark) -> Result<()> {
        let organization = scope.organization_id;
        let mut chunks = self.chunks.values().flatten();
        let empty = !chunks.any(|chunk| chunk.organization_id == organization);
        let (stored, generation) = self
            .marks
            .entry(organization)
            .or_insert_with(|| (mark.clone(), 0));
        if stored != mark && !empty {
            return Err(Error::conflict(
                PUT,
                "the organization's passages come from another embedder",
            )
            .with("stored", &stored.embedder)
            .with("offered", &mark.embedder));
        }
        *stored = mark.clone();
        *generation += 1;
        Ok(())
    }
}

/// A scope with a property sees its own documents and the organization's.
fn sees(scope: TenantScope, document: &Document) -> bool {
    document.organization_id == scope.organization_id && scope.sees(document.property_id)
}
