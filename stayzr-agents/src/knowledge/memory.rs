//! Knowledge kept in the process: for evaluation, tests, and programs that load it at start.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use stayzr_core::{
    Result,
    ids::{DocumentId, OrganizationId},
    model::{Chunk, Document},
    port::{
        Page, PageRequest,
        knowledge::{EmbedderMark, KnowledgeStore},
    },
    tenant::TenantScope,
};

use super::index::other_embedder;

/// A [`KnowledgeStore`] without a database. It forgets everything with the process.
#[derive(Debug, Default)]
pub struct InProcessKnowledge {
    shelves: Mutex<HashMap<OrganizationId, Shelf>>,
}

#[derive(Debug, Default)]
struct Shelf {
    documents: Vec<(Document, Vec<Chunk>)>,
    generation: i64,
    mark: Option<EmbedderMark>,
}

impl InProcessKnowledge {
    fn shelves(&self) -> MutexGuard<'_, HashMap<OrganizationId, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KnowledgeStore for InProcessKnowledge {
    async fn put_document(
        &self,
        scope: TenantScope,
        mut document: Document,
        mut chunks: Vec<Chunk>,
        mark: &EmbedderMark,
    ) -> Result<Document> {
        let mut shelves = self.shelves();
        let shelf = shelves.entry(scope.organization_id).or_default();
        match &shelf.mark {
            Some(known) if known != mark => {
                return Err(other_embedder("knowledge.put_document", known, mark));
            }
            _ => shelf.mark = Some(mark.clone()),
        }
        let old = shelf.documents.iter().position(|(known, _)| {
            known.property_id == document.property_id && known.file_name == document.file_name
        });
        if let Some(at) = old {
            let (replaced, _) = shelf.documents.remove(at);
            document.id = replaced.id;
            document.created_at = replaced.created_at;
        }
        for chunk in &mut chunks {
            chunk.document_id = document.id;
        }
        let at = shelf
            .documents
            .partition_point(|(known, _)| known.id < document.id);
        shelf.documents.insert(at, (document.clone(), chunks));
        shelf.generation += 1;
        Ok(document)
    }

    async fn delete_document(&self, scope: TenantScope, id: DocumentId) -> Result<bool> {
        let mut shelves = self.shelves();
        let Some(shelf) = shelves.get_mut(&scope.organization_id) else {
            return Ok(false);
        };
        let before = shelf.documents.len();
        shelf
            .documents
            .retain(|(known, _)| known.id != id || !scope.sees(known.property_id));
        let removed = shelf.documents.len() < before;
        shelf.generation += i64::from(removed);
        Ok(removed)
    }

    async fn document(&self, scope: TenantScope, id: DocumentId) -> Result<Option<Document>> {
        Ok(self
            .shelves()
            .get(&scope.organization_id)
            .and_then(|shelf| shelf.documents.iter().find(|(known, _)| known.id == id))
            .filter(|(known, _)| scope.sees(known.property_id))
            .map(|(known, _)| known.clone()))
    }

    async fn documents(&self, scope: TenantScope, page: &PageRequest) -> Result<Page<Document>> {
        let shelves = self.shelves();
        let after = page.cursor.as_deref();
        let mut items: Vec<Document> = shelves
            .get(&scope.organization_id)
            .into_iter()
            .flat_map(|shelf| &shelf.documents)
            .map(|(known, _)| known)
            .filter(|known| scope.sees(known.property_id))
            .filter(|known| after.is_none_or(|after| known.id.to_string().as_str() > after))
            .take(page.limit as usize + 1)
            .cloned()
            .collect();
        let more = items.len() > page.limit as usize;
        items.truncate(page.limit as usize);
        let next_cursor = more
            .then(|| items.last().map(|last| last.id.to_string()))
            .flatten();
        Ok(Page { items, next_cursor })
    }

    async fn chunks(&self, scope: TenantScope) -> Result<Vec<Chunk>> {
        Ok(self
            .shelves()
            .get(&scope.organization_id)
            .into_iter()
            .flat_map(|shelf| &shelf.documents)
            .filter(|(known, _)| scope.sees(known.property_id))
            .flat_map(|(_, chunks)| chunks.iter().cloned())
            .collect())
    }

    async fn generation(&self, scope: TenantScope) -> Result<i64> {
        Ok(self
            .shelves()
            .get(&scope.organization_id)
            .map_or(0, |shelf| shelf.generation))
    }

    async fn embedder_mark(&self, scope: TenantScope) -> Result<Option<EmbedderMark>> {
        Ok(self
            .shelves()
            .get(&scope.organization_id)
            .and_then(|shelf| shelf.mark.clone()))
    }
}
