use std::collections::HashSet;

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, SqliteConnection};
use uuid::Uuid;

use super::{SqliteStore, error::failed, journal, page};
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

/// All mappings of `m` as one JSON array. One text crosses from SQLite's thread to ours instead of a
/// thousand rows, and what is stored as JSON is passed on as it stands.
const MAPPINGS: &str = "'[' || coalesce(group_concat( \
    '{\"integration_id\":' || json_quote(m.integration_id) || \
    ',\"entity\":' || json_quote(m.entity) || \
    ',\"external_id\":' || json_quote(m.external_id) || \
    ',\"local_id\":' || json_quote(m.local_id) || \
    ',\"base\":' || m.base || \
    ',\"version\":' || json_quote(m.version) || \
    ',\"hash\":' || json_quote(m.hash) || \
    ',\"extra\":' || m.extra || \
    ',\"merged_into\":' || json_quote(m.merged_into) || \
    ',\"gone_at\":' || json_quote(m.gone_at) || \
    ',\"revision\":' || m.revision || \
    ',\"updated_at\":' || json_quote(m.updated_at) || '}'), '') || ']'";

#[async_trait]
impl SyncStore for SqliteStore {
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
        const OPERATION: &str = "sqlite.mappings";
        let wanted: HashSet<&String> = external_ids.iter().collect();
        let found: String = sqlx::query_scalar(AssertSqlSafe(format!(
            "select {MAPPINGS} from json_each($4) e
             cross join pms_entity_mappings m on m.integration_id = $2 and m.entity = $3
              and m.external_id = e.value and m.organization_id = $1"
        )))
        .bind(scope.organization_id.to_string())
        .bind(integration_id.to_string())
        .bind(kind.as_str())
        .bind(json!(wanted).to_string())
        .fetch_one(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode(OPERATION, &found)
    }

    async fn mappings_of(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        local_ids: &[Uuid],
    ) -> Result<Vec<Mapping>> {
        const OPERATION: &str = "sqlite.mappings_of";
        let wanted: HashSet<&Uuid> = local_ids.iter().collect();
        let found: String = sqlx::query_scalar(AssertSqlSafe(format!(
            "select {MAPPINGS} from json_each($4) e
             cross join pms_entity_mappings m on m.integration_id = $2 and m.entity = $3
              and m.local_id = e.value and m.organization_id = $1"
        )))
        .bind(scope.organization_id.to_string())
        .bind(integration_id.to_string())
        .bind(kind.as_str())
        .bind(json!(wanted).to_string())
        .fetch_one(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode(OPERATION, &found)
    }

    async fn cursor(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        mode: RunMode,
    ) -> Result<Option<Cursor>> {
        const OPERATION: &str = "sqlite.cursor";
        let row: Option<String> = sqlx::query_scalar(
            "select json_object('integration_id', integration_id, 'entity', entity, 'mode', mode,
                 'position', json(position), 'watermark', watermark)
             from pms_sync_cursors
             where organization_id = $1 and integration_id = $2 and entity = $3 and mode = $4",
        )
        .bind(scope.organization_id.to_string())
        .bind(integration_id.to_string())
        .bind(kind.as_str())
        .bind(mode.as_str())
        .fetch_optional(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| codec::decode(OPERATION, &row)).transpose()
    }

    async fn apply_page(&self, page: PageWrite) -> Result<()> {
        const OPERATION: &str = "sqlite.apply_page";
        let mut tx = self.write(OPERATION).await?;
        page::apply(&mut tx, &*self.clock, &page).await?;
        if let Some(cursor) = &page.cursor {
            write_cursor(&mut tx, page.scope, cursor, &codec::time(self.clock.now())).await?;
        }
        journal::write(&mut tx, page.scope, &page.changes).await?;
        tx.commit().await.map_err(failed(OPERATION))
    }

    async fn begin_run(&self, scope: TenantScope, run: &SyncRun) -> Result<()> {
        const OPERATION: &str = "sqlite.begin_run";
        if run.organization_id != scope.organization_id {
            return Err(Error::not_found(
                OPERATION,
                "not a run of this organization",
            ));
        }
        sqlx::query(
            "insert into pms_sync_runs (id, organization_id, integration_id, mode, status, read,
                 created, updated, unchanged, parked, conflicts, unknown, gone, error, started_at,
                 finished_at)
             select value ->> 'id', value ->> 'organization_id', value ->> 'integration_id',
                 value ->> 'mode', value ->> 'status', value ->> 'read', value ->> 'created',
                 value ->> 'updated', value ->> 'unchanged', value ->> 'parked',
                 value ->> 'conflicts', value ->> 'unknown', value ->> 'gone',
                 value ->> 'error', $2, $3
             from (select $1 as value)",
        )
        .bind(json!(run).to_string())
        .bind(codec::time(run.started_at))
        .bind(run.finished_at.map(codec::time))
        .execute(&self.writer)
        .await
        .map_err(failed(OPERATION))?;
        Ok(())
    }

    async fn end_run(&self, scope: TenantScope, id: SyncRunId, end: RunEnd) -> Result<()> {
        const OPERATION: &str = "sqlite.end_run";
        let done = sqlx::query(
            "update pms_sync_runs set status = $3 ->> '$', error = $4, finished_at = $5
             where id = $1 and organization_id = $2",
        )
        .bind(id.to_string())
        .bind(scope.organization_id.to_string())
        .bind(json!(end.status()).to_string())
        .bind(end.reason())
        .bind(codec::time(self.clock.now()))
        .execute(&self.writer)
        .await
        .map_err(failed(OPERATION))?;
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
        const OPERATION: &str = "sqlite.runs";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_object('id', id, 'organization_id', organization_id,
                 'integration_id', integration_id, 'mode', mode, 'status', status, 'read', read,
                 'created', created, 'updated', updated, 'unchanged', unchanged,
                 'parked', parked, 'conflicts', conflicts, 'unknown', unknown, 'gone', gone,
                 'error', error,
                 'started_at', started_at, 'finished_at', finished_at)
             from pms_sync_runs
             where organization_id = $1 and integration_id = $2 and ($3 is null or id < $3)
             order by id desc limit $4",
        )
        .bind(scope.organization_id.to_string())
        .bind(integration_id.to_string())
        .bind(codec::after_id(OPERATION, page)?)
        .bind(codec::limit(page) as i64 + 1)
        .fetch_all(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        let runs: Vec<SyncRun> = codec::decode_all(OPERATION, &rows)?;
        Ok(codec::page_of(runs, page, |run| run.id.to_string()))
    }
}

impl SqliteStore {
    async fn select_integrations(
        &self,
        scope: TenantScope,
        id: Option<IntegrationId>,
    ) -> Result<Vec<Integration>> {
        const OPERATION: &str = "sqlite.integrations";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_object('id', id, 'organization_id', organization_id,
                 'property_id', property_id, 'provider', provider, 'account', account,
                 'remote_property_id', remote_property_id, 'settings', json(settings),
                 'sealed', sealed, 'status', status, 'created_at', created_at,
                 'updated_at', updated_at)
             from pms_integrations
             where organization_id = $1 and ($2 is null or property_id = $2)
               and ($3 is null or id = $3)
             order by created_at, id",
        )
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .bind(id.map(|id| id.to_string()))
        .fetch_all(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }
}

async fn write_cursor(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    cursor: &Cursor,
    now: &str,
) -> Result<()> {
    let position = cursor
        .position
        .as_ref()
        .map(|position: &Value| codec::json(position));
    sqlx::query(
        "insert into pms_sync_cursors (organization_id, integration_id, entity, mode, position,
             watermark, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (integration_id, entity, mode) do update
         set position = excluded.position, watermark = excluded.watermark,
             updated_at = excluded.updated_at
         where organization_id = excluded.organization_id",
    )
    .bind(scope.organization_id.to_string())
    .bind(cursor.integration_id.to_string())
    .bind(cursor.entity.as_str())
    .bind(cursor.mode.as_str())
    .bind(position)
    .bind(cursor.watermark.map(codec::time))
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed("sqlite.write_cursor"))?;
    Ok(())
}
