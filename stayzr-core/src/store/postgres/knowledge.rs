use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

use super::{
    PostgresStore,
    document::{clean_text, document},
    error::failed,
};
use crate::{
    Error, Result,
    ids::DocumentId,
    model::{Chunk, Document},
    port::{
        Page, PageRequest,
        knowledge::{EmbedderMark, KnowledgeStore},
    },
    store::codec,
    tenant::TenantScope,
};

const DOCUMENT: &str = "json_build_object('id', id, 'organization_id', organization_id, \
    'property_id', property_id, 'category', category, 'file_name', file_name, \
    'content_type', content_type, 'content', content, 'sha256', sha256, \
    'created_at', created_at, 'updated_at', updated_at)::text";

#[async_trait]
impl KnowledgeStore for PostgresStore {
    async fn put_document(
        &self,
        scope: TenantScope,
        document: Document,
        chunks: Vec<Chunk>,
        mark: &EmbedderMark,
    ) -> Result<Document> {
        const OPERATION: &str = "postgres.put_document";
        let seen =
            document.organization_id == scope.organization_id && scope.sees(document.property_id);
        if !seen {
            return Err(Error::not_found(
                OPERATION,
                "there is no property with this id",
            ));
        }
        for chunk in &chunks {
            if chunk.embedding.len() != mark.dimension as usize {
                return Err(Error::invalid(OPERATION, "a vector has another dimension")
                    .with("expected", mark.dimension)
                    .with("found", chunk.embedding.len()));
            }
        }
        let mut tx = self.tenant(OPERATION, scope).await?;
        count_write(&mut tx, scope, mark).await?;
        let row: String = sqlx::query_scalar(AssertSqlSafe(format!(
            "insert into knowledge_documents (id, organization_id, property_id, category,
                 file_name, content_type, content, sha256, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (organization_id, coalesce(property_id, '00000000-0000-0000-0000-000000000000'), file_name) do update
             set category = excluded.category, content_type = excluded.content_type,
                 content = excluded.content, sha256 = excluded.sha256,
                 updated_at = excluded.updated_at
             returning {DOCUMENT}"
        )))
        .bind(document.id.uuid())
        .bind(document.organization_id.uuid())
        .bind(document.property_id.map(|id| id.uuid()))
        .bind(&document.category)
        .bind(&document.file_name)
        .bind(&document.content_type)
        .bind(clean_text(&document.content))
        .bind(&document.sha256)
        .bind(document.created_at)
        .bind(document.updated_at)
        .fetch_one(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        let stored: Document = codec::decode(OPERATION, &row)?;
        replace_chunks(&mut tx, &stored, &chunks).await?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(stored)
    }

    async fn delete_document(&self, scope: TenantScope, id: DocumentId) -> Result<bool> {
        const OPERATION: &str = "postgres.delete_document";
        let mut tx = self.tenant(OPERATION, scope).await?;
        let done = sqlx::query(
            "delete from knowledge_documents
             where id = $1 and organization_id = $2
               and ($3 is null or property_id is null or property_id = $3)",
        )
        .bind(id.uuid())
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "update knowledge_marks set generation = generation + 1 where organization_id = $1",
        )
        .bind(scope.organization_id.uuid())
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(true)
    }

    async fn document(&self, scope: TenantScope, id: DocumentId) -> Result<Option<Document>> {
        const OPERATION: &str = "postgres.document";
        let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "select {DOCUMENT} from knowledge_documents
             where id = $1 and organization_id = $2
               and ($3 is null or property_id is null or property_id = $3)"
        )))
        .bind(id.uuid())
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .fetch_optional(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| codec::decode(OPERATION, &row)).transpose()
    }

    async fn documents(&self, scope: TenantScope, page: &PageRequest) -> Result<Page<Document>> {
        const OPERATION: &str = "postgres.documents";
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "select {DOCUMENT} from knowledge_documents
             where organization_id = $1
               and ($2 is null or property_id is null or property_id = $2)
               and ($3 is null or id > $3::uuid)
             order by id limit $4"
        )))
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .bind(codec::after_id(OPERATION, page)?)
        .bind(codec::limit(page) as i64 + 1)
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        let items: Vec<Document> = codec::decode_all(OPERATION, &rows)?;
        Ok(codec::page_of(items, page, |item| item.id.to_string()))
    }

    async fn chunks(&self, scope: TenantScope) -> Result<Vec<Chunk>> {
        const OPERATION: &str = "postgres.chunks";
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "select json_build_object('id', c.id, 'document_id', c.document_id,
                 'organization_id', c.organization_id, 'property_id', d.property_id,
                 'category', d.category, 'file_name', d.file_name, 'ordinal', c.ordinal,
                 'heading', c.heading, 'text', c.text, 'embedding', '[]'::json)::text, c.embedding
             from knowledge_chunks c join knowledge_documents d on d.id = c.document_id
             where c.organization_id = $1
               and ($2 is null or d.property_id is null or d.property_id = $2)
             order by c.document_id, c.ordinal",
        )
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        rows.iter()
            .map(|(row, vector)| {
                let mut chunk: Chunk = codec::decode(OPERATION, row)?;
                chunk.embedding = codec::floats(OPERATION, vector)?;
                Ok(chunk)
            })
            .collect()
    }

    async fn generation(&self, scope: TenantScope) -> Result<i64> {
        const OPERATION: &str = "postgres.generation";
        let generation: Option<i64> =
            sqlx::query_scalar("select generation from knowledge_marks where organization_id = $1")
                .bind(scope.organization_id.uuid())
                .fetch_optional(&mut *self.tenant(OPERATION, scope).await?)
                .await
                .map_err(failed(OPERATION))?;
        Ok(generation.unwrap_or_default())
    }

    async fn embedder_mark(&self, scope: TenantScope) -> Result<Option<EmbedderMark>> {
        const OPERATION: &str = "postgres.embedder_mark";
        let row: Option<String> = sqlx::query_scalar(
            "select json_build_object('embedder', embedder, 'dimension', dimension)::text
             from knowledge_marks where organization_id = $1",
        )
        .bind(scope.organization_id.uuid())
        .fetch_optional(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| codec::decode(OPERATION, &row)).transpose()
    }
}

/// Counts a write; [`crate::ErrorKind::Conflict`] if the vectors there come from another embedder.
/// Once an organization has no passage left, another embedder may begin.
async fn count_write(tx: &mut PgConnection, scope: TenantScope, mark: &EmbedderMark) -> Result<()> {
    #[derive(Deserialize)]
    struct Counted {
        embedder: String,
        dimension: u32,
    }
    const OPERATION: &str = "postgres.put_document";
    let row: String = sqlx::query_scalar(
        "insert into knowledge_marks as k (organization_id, embedder, dimension, generation)
         values ($1, $2, $3, 1)
         on conflict (organization_id) do update
         set generation = k.generation + 1,
             embedder = case when exists (select 1 from knowledge_chunks
                                          where organization_id = k.organization_id)
                        then k.embedder else excluded.embedder end,
             dimension = case when exists (select 1 from knowledge_chunks
                                           where organization_id = k.organization_id)
                         then k.dimension else excluded.dimension end
         returning json_build_object('embedder', embedder, 'dimension', dimension)::text",
    )
    .bind(scope.organization_id.uuid())
    .bind(&mark.embedder)
    .bind(i64::from(mark.dimension))
    .fetch_one(tx)
    .await
    .map_err(failed(OPERATION))?;
    let found: Counted = codec::decode(OPERATION, &row)?;
    if found.embedder == mark.embedder && found.dimension == mark.dimension {
        return Ok(());
    }
    Err(Error::conflict(
        OPERATION,
        "the organization's passages come from another embedder: ingest all documents again, or \
         go back to that embedder",
    )
    .with(
        "stored",
        format!("{} ({})", found.embedder, found.dimension),
    )
    .with("offered", format!("{} ({})", mark.embedder, mark.dimension)))
}

async fn replace_chunks(tx: &mut PgConnection, stored: &Document, chunks: &[Chunk]) -> Result<()> {
    const OPERATION: &str = "postgres.put_document";
    sqlx::query("delete from knowledge_chunks where document_id = $1")
        .bind(stored.id.uuid())
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
    let rows: Vec<Value> = chunks
        .iter()
        .map(|chunk| {
            json!({
                "id": chunk.id,
                "ordinal": chunk.ordinal,
                "heading": chunk.heading,
                "text": chunk.text,
                "embedding": codec::hexadecimal(&chunk.embedding),
            })
        })
        .collect();
    sqlx::query(
        "insert into knowledge_chunks (id, organization_id, document_id, ordinal, heading, text,
             embedding)
         select id, $2, $3, ordinal, heading, text, decode(embedding, 'hex')
         from jsonb_to_recordset($1::jsonb)
             e(id uuid, ordinal integer, heading text, text text, embedding text)",
    )
    .bind(document(rows))
    .bind(stored.organization_id.uuid())
    .bind(stored.id.uuid())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}
