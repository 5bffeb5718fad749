use std::{collections::HashSet, hash::Hash};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{PostgresStore, error::failed, journal, page};
use crate::{
    Error, Result,
    ids::{IntegrationId, SyncRunId},
    model::{Integration, ProviderDocument, RunMode, SyncRun},
    port::{
        Page, PageRequest,
        sync::{Cursor, MappedRecord, Mapping, PageWrite, RunEnd, SyncStore},
    },
    store::codec,
    tenant::TenantScope,
    transform::EntityKind,
};

#[async_trait]
impl SyncStore for PostgresStore {
    async fn integration(
        &self,
        scope: TenantScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>> {
        let found = self.select_integrations(scope, Some(id)).await?;
        Ok(found.into_iter().next())
    }

    async fn integrations(&self, scope: TenantScope) -> Result<Vec<Integration>> {
        self.select_integrations(scope, None).await
    }

    async fn mappings(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        external_ids: &[String],
    ) -> Result<Vec<Mapping>> {
        const OPERATION: &str = "postgres.mappings";
        // `offset 0`: each id is looked up in the primary key, whatever the planner thinks of a table
        // that is being filled; a join would read the whole integration for every page.
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('integration_id', m.integration_id, 'entity', m.entity,
                 'external_id', m.external_id, 'local_id', m.local_id, 'base', m.base,
                 'version', m.version, 'hash', m.hash, 'extra', m.extra,
                 'merged_into', m.merged_into, 'gone_at', m.gone_at, 'revision', m.revision,
                 'updated_at', m.updated_at)::text
             from unnest($4) with ordinality e(value, key)
             cross join lateral (
                 select * from pms_entity_mappings m
                 where m.integration_id = $2 and m.entity = $3 and m.external_id = e.value
                   and m.organization_id = $1
                 offset 0) m
             order by e.key",
        )
        .bind(scope.organization_id.uuid())
        .bind(integration_id.uuid())
        .bind(kind.as_str())
        .bind(distinct(external_ids))
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }

    async fn mappings_of(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        local_ids: &[Uuid],
    ) -> Result<Vec<Mapping>> {
        const OPERATION: &str = "postgres.mappings_of";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('integration_id', m.integration_id, 'entity', m.entity,
                 'external_id', m.external_id, 'local_id', m.local_id, 'base', m.base,
                 'version', m.version, 'hash', m.hash, 'extra', m.extra,
                 'merged_into', m.merged_into, 'gone_at', m.gone_at, 'revision', m.revision,
                 'updated_at', m.updated_at)::text
             from unnest($4) with ordinality e(value, key)
             cross join lateral (
                 select * from pms_entity_mappings m
                 where m.integration_id = $2 and m.entity = $3 and m.local_id = e.value
                   and m.organization_id = $1
                 offset 0) m
             order by e.key",
        )
        .bind(scope.organization_id.uuid())
        .bind(integration_id.uuid())
        .bind(kind.as_str())
        .bind(distinct(local_ids))
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }

    async fn cursor(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        mode: RunMode,
    ) -> Result<Option<Cursor>> {
        const OPERATION: &str = "postgres.cursor";
        let row: Option<String> = sqlx::query_scalar(
            "select json_build_object('integration_id', integration_id, 'entity', entity, 'mode', mode,
                 'position', position, 'watermark', watermark)::text
             from pms_sync_cursors
             where organization_id = $1 and integration_id = $2 and entity = $3 and mode = $4",
        )
        .bind(scope.organization_id.uuid())
        .bind(integration_id.uuid())
        .bind(kind.as_str())
        .bind(mode.as_str())
        .fetch_optional(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| codec::decode(OPERATION, &row)).transpose()
    }

    async fn apply_page(&self, page: PageWrite) -> Result<()> {
        const OPERATION: &str = "postgres.apply_page";
        let mut tx = self.tenant(OPERATION, page.scope).await?;
        let beside = page::apply(&mut tx, &*self.clock, &page).await?;
        if let Some(cursor) = &page.cursor {
            write_cursor(&mut tx, page.scope, cursor, self.clock.now()).await?;
        }
        let mut changes = page.changes;
        changes.extend(beside);
        journal::write(&mut tx, page.scope, &changes).await?;
        tx.commit().await.map_err(failed(OPERATION))
    }

    async fn begin_run(&self, scope: TenantScope, run: &SyncRun) -> Result<()> {
        const OPERATION: &str = "postgres.begin_run";
        if run.organization_id != scope.organization_id {
            return Err(Error::not_found(
                OPERATION,
                "not a run of this organization",
            ));
        }
        let mut tx = self.tenant(OPERATION, scope).await?;
        sqlx::query(
            "insert into pms_sync_runs (id, organization_id, integration_id, mode, status, read,
                 created, updated, unchanged, parked, conflicts, unknown, gone, error, started_at,
                 finished_at)
             select id, organization_id, integration_id, mode, status, read, created, updated,
                 unchanged, parked, conflicts, unknown, gone, error, $2, $3
             from jsonb_to_record($1::jsonb) e(id uuid, organization_id uuid, integration_id uuid,
                 mode text, status text, read bigint, created bigint, updated bigint,
                 unchanged bigint, parked bigint, conflicts bigint, unknown bigint, gone bigint,
                 error text)",
        )
        .bind(json!(run).to_string())
        .bind(run.started_at)
        .bind(run.finished_at)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))
    }

    async fn end_run(&self, scope: TenantScope, id: SyncRunId, end: RunEnd) -> Result<()> {
        const OPERATION: &str = "postgres.end_run";
        let mut tx = self.tenant(OPERATION, scope).await?;
        let done = sqlx::query(
            "update pms_sync_runs set status = $3::jsonb #>> '{}', error = $4, finished_at = $5
             where id = $1 and organization_id = $2",
        )
        .bind(id.uuid())
        .bind(scope.organization_id.uuid())
        .bind(json!(end.status()).to_string())
        .bind(end.reason())
        .bind(self.clock.now())
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        match done.rows_affected() {
            0 => Err(Error::not_found(OPERATION, "there is no run with this id")),
            _ => Ok(()),
        }
    }

    async fn mapped(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<MappedRecord>> {
        self.select_mapped(scope, integration_id, kind, after, limit)
            .await
    }

    async fn mapped_count(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
    ) -> Result<u64> {
        self.count_mapped(scope, integration_id, kind).await
    }

    async fn provider_document(
        &self,
        scope: TenantScope,
        provider: &str,
    ) -> Result<Option<ProviderDocument>> {
        let found = self.select_documents(scope, Some(provider)).await?;
        Ok(found.into_iter().next())
    }

    async fn runs(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>> {
        const OPERATION: &str = "postgres.runs";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('id', id, 'organization_id', organization_id,
                 'integration_id', integration_id, 'mode', mode, 'status', status, 'read', read,
                 'created', created, 'updated', updated, 'unchanged', unchanged,
                 'parked', parked, 'conflicts', conflicts, 'unknown', unknown, 'gone', gone, 'error', error,
                 'started_at', started_at, 'finished_at', finished_at)::text
             from pms_sync_runs
             where organization_id = $1 and integration_id = $2 and ($3 is null or id < $3::uuid)
             order by id desc limit $4",
        )
        .bind(scope.organization_id.uuid())
        .bind(integration_id.uuid())
        .bind(codec::after_id(OPERATION, page)?)
        .bind(codec::limit(page) as i64 + 1)
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        let runs: Vec<SyncRun> = codec::decode_all(OPERATION, &rows)?;
        Ok(codec::page_of(runs, page, |run| run.id.to_string()))
    }
}

impl PostgresStore {
    async fn select_integrations(
        &self,
        scope: TenantScope,
        id: Option<IntegrationId>,
    ) -> Result<Vec<Integration>> {
        const OPERATION: &str = "postgres.integrations";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('id', id, 'organization_id', organization_id,
                 'property_id', property_id, 'provider', provider, 'account', account,
                 'remote_property_id', remote_property_id, 'settings', settings,
                 'sealed', sealed, 'status', status, 'created_at', created_at,
                 'updated_at', updated_at)::text
             from pms_integrations
             where organization_id = $1 and ($2 is null or property_id = $2)
               and ($3 is null or id = $3)
             order by created_at, id",
        )
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .bind(id.map(|id| id.uuid()))
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }
}

/// Each once, in the order in which they first come.
fn distinct<T: Clone + Eq + Hash>(ids: &[T]) -> Vec<T> {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
}

async fn write_cursor(
    tx: &mut PgConnection,
    scope: TenantScope,
    cursor: &Cursor,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "insert into pms_sync_cursors as c (organization_id, integration_id, entity, mode, position,
             watermark, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (integration_id, entity, mode) do update
         set position = excluded.position, watermark = excluded.watermark,
             updated_at = excluded.updated_at
         where c.organization_id = excluded.organization_id",
    )
    .bind(scope.organization_id.uuid())
    .bind(cursor.integration_id.uuid())
    .bind(cursor.entity.as_str())
    .bind(cursor.mode.as_str())
    .bind(&cursor.position)
    .bind(cursor.watermark)
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed("postgres.write_cursor"))?;
    Ok(())
}
