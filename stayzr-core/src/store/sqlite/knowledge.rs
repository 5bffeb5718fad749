use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{SqliteStore, error::failed};
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

const DOCUMENT: &str = "json_object('id', id, 'organization_id', organization_id, \
    'property_id', property_id, 'category', category, 'file_name', file_name, \
    'content_type', content_type, 'content', content, 'sha256', sha256, \
    'created_at', created_at, 'updated_at', updated_at)";

#[async_trait]
impl KnowledgeStore for SqliteStore {
    async fn put_document(
        &self,
        scope: TenantScope,
        document: Document,
        chunks: Vec<Chunk>,
        mark: &EmbedderMark,
    ) -> Result<Document> {
        const OPERATION: &str = "sqlite.put_document";
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
        let mut tx = self.write(OPERATION).await?;
        count_write(&mut tx, scope, mark).await?;
        let row: String = sqlx::query_scalar(AssertSqlSafe(format!(
            "insert into knowledge_documents (id, organization_id, property_id, category,
                 file_name, content_type, content, sha256, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (organization_id, coalesce(property_id, ''), file_name) do update
             set category = excluded.category, content_type = excluded.content_type,
                 content = excluded.content, sha256 = excluded.sha256,
                 updated_at = excluded.updated_at
             returning {DOCUMENT}"
        )))
        .bind(document.id.to_string())
        .bind(document.organization_id.to_string())
        .bind(document.property_id.map(|id| id.to_string()))
        .bind(&document.category)
        .bind(&document.file_name)
        .bind(&document.content_type)
        .bind(&document.content)
        .bind(&document.sha256)
        .bind(codec::time(document.created_at))
        .bind(codec::time(document.updated_at))
        .fetch_one(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        let stored: Document = codec::decode(OPERATION, &row)?;
        replace_chunks(&mut tx, &stored, &chunks).await?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(stored)
    }

    async fn delete_document(&self, scope: TenantScope, id: DocumentId) -> Result<bool> {
        const OPERATION: &str = "sqlite.delete_document";
        let mut tx = self.write(OPERATION).await?;
        let done = sqlx::query(
            "delete from knowledge_documents
             where id = $1 and organization_id = $2
               and ($3 is null or property_id is null or property_id = $3)",
        )
        .bind(id.to_string())
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "update knowledge_marks set generation = generation + 1 where organization_id = $1",
        )
        .bind(scope.organization_id.to_string())
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(true)
    }

    async fn document(&self, scope: TenantScope, id: DocumentId) -> Result<Option<Document>> {
        const OPERATION: &str = "sqlite.document";
        let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "select {DOCUMENT} from knowledge_documents
             where id = $1 and organization_id = $2
               and ($3 is null or property_id is null or property_id = $3)"
        )))
        .bind(id.to_string())
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .fetch_optional(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| codec::decode(OPERATION, &row)).transpose()
    }

    async fn documents(&self, scope: TenantScope, page: &PageRequest) -> Result<Page<Document>> {
        const OPERATION: &str = "sqlite.documents";
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "select {DOCUMENT} from knowledge_documents
             where organization_id = $1
               and ($2 is null or property_id is null or property_id = $2)
               and ($3 is null or id > $3)
             order by id limit $4"
        )))
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .bind(codec::after_id(OPERATION, page)?)
        .bind(codec::limit(page) as i64 + 1)
        .fetch_all(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        let items: Vec<Document> = codec::decode_all(OPERATION, &rows)?;
        Ok(codec::page_of(items, page, |item| item.id.to_string()))
    }

    async fn chunks(&self, scope: TenantScope) -> Result<Vec<Chunk>> {
        const OPERATION: &str = "sqlite.chunks";
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "select json_object('id', c.id, 'document_id', c.document_id,
                 'organization_id', c.organization_id, 'property_id', d.property_id,
                 'category', d.category, 'file_name', d.file_name, 'ordinal', c.ordinal,
                 'heading', c.heading, 'text', c.text, 'embedding', json_array()), c.embedding
             from knowledge_chunks c join knowledge_documents d on d.id = c.document_id
             where c.organization_id = $1
               and ($2 is null or d.property_id is null or d.property_id = $2)
             order by c.document_id, c.ordinal",
        )
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .fetch_all(&self.reader)
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
        let generation: Option<i64> =
            sqlx::query_scalar("select generation from knowledge_marks where organization_id = $1")
                .bind(scope.organization_id.to_string())
                .fetch_optional(&self.reader)
                .await
                .map_err(failed("sqlite.generation"))?;
        Ok(generation.unwrap_or_default())
    }

    async fn embedder_mark(&self, scope: TenantScope) -> Result<Option<EmbedderMark>> {
        const OPERATION: &str = "sqlite.embedder_mark";
        let row: Option<String> = sqlx::query_scalar(
            "select json_object('embedder', embedder, 'dimension', dimension)
             from knowledge_marks where organization_id = $1",
        )
        .bind(scope.organization_id.to_string())
        .fetch_optional(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| codec::decode(OPERATION, &row)).transpose()
    }
}

/// Counts a write; [`crate::ErrorKind::Conflict`] if the vectors there come from another embedder.
/// Once an organization has no passage left, another embedder may begin.
async fn count_write(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    mark: &EmbedderMark,
) -> Result<()> {
    #[derive(Deserialize)]
    struct Counted {
        embedder: String,
        dimension: u32,
    }
    const OPERATION: &str = "sqlite.put_document";
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
         returning json_object('embedder', embedder, 'dimension', dimension)",
    )
    .bind(scope.organization_id.to_string())
    .bind(&mark.embedder)
    .bind(mark.dimension)
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

async fn replace_chunks(
    tx: &mut SqliteConnection,
    document: &Document,
    chunks: &[Chunk],
) -> Result<()> {
    const OPERATION: &str = "sqlite.put_document";
    sqlx::query("delete from knowledge_chunks where document_id = $1")
        .bind(document.id.to_string())
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
         select value ->> 'id', $2, $3, value ->> 'ordinal', value ->> 'heading',
             value ->> 'text', unhex(value ->> 'embedding')
         from json_each($1)",
    )
    .bind(Value::from(rows).to_string())
    .bind(document.organization_id.to_string())
    .bind(document.id.to_string())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}
