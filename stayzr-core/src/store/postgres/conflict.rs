use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{
    PostgresStore, document::document, error::failed, jobs, journal, page, rows, rows::Update,
};
use crate::{
    Error, Result,
    clock::Clock,
    ids::ConflictId,
    model::{Conflict, ConflictStatus, Resolution, ResolutionChoice},
    port::{
        Page, PageRequest,
        conflict::{ConflictFilter, Conflicts, ResolveWrite},
        sync::PageWrite,
    },
    store::codec,
    tenant::TenantScope,
    transform::{EntityKind, FieldMap},
};

/// The JSON of a [`Conflict`] `c`.
const CONFLICT: &str = "json_build_object('id', c.id, 'organization_id', c.organization_id, \
    'integration_id', c.integration_id, 'entity', c.entity, 'entity_id', c.entity_id, \
    'external_id', c.external_id, 'base', c.base, 'local', c.local, 'remote', c.remote, \
    'waiting', c.waiting, 'status', c.status, 'resolution', c.resolution, \
    'revision', c.revision, 'created_at', c.created_at, 'updated_at', c.updated_at)::text";

#[async_trait]
impl Conflicts for PostgresStore {
    async fn conflict(&self, scope: TenantScope, id: ConflictId) -> Result<Option<Conflict>> {
        let mut tx = self.tenant("postgres.conflict", scope).await?;
        find(&mut tx, scope, id).await
    }

    async fn conflicts(
        &self,
        scope: TenantScope,
        filter: &ConflictFilter,
        page: &PageRequest,
    ) -> Result<Page<Conflict>> {
        const OPERATION: &str = "postgres.conflicts";
        let statement = format!(
            "select {CONFLICT} from pms_conflicts c
             where c.organization_id = $1
               and ($2 is null or c.integration_id in (
                   select i.id from pms_integrations i
                   where i.organization_id = $1 and i.property_id = $2))
               and ($3 is null or c.status = $3)
               and ($4 is null or c.integration_id = $4)
               and ($5 is null or c.entity = $5)
               and ($6 is null or c.entity_id = $6)
               and ($7 is null or c.id < $7::uuid)
             order by c.id desc limit $8"
        );
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(scope.organization_id.uuid())
            .bind(scope.property_id.map(|id| id.uuid()))
            .bind(filter.status.map(status_name))
            .bind(filter.integration_id.map(|id| id.uuid()))
            .bind(filter.entity.map(EntityKind::as_str))
            .bind(filter.entity_id)
            .bind(codec::after_id(OPERATION, page)?)
            .bind(codec::limit(page) as i64 + 1)
            .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
            .await
            .map_err(failed(OPERATION))?;
        let conflicts: Vec<Conflict> = codec::decode_all(OPERATION, &rows)?;
        Ok(codec::page_of(conflicts, page, |conflict| {
            conflict.id.to_string()
        }))
    }

    /// Row, mapping, conflict: in the order of a page, so that neither waits for the other with
    /// something in hand.
    async fn resolve_conflict(&self, resolve: ResolveWrite) -> Result<Conflict> {
        const OPERATION: &str = "postgres.resolve_conflict";
        let now = self.clock.now();
        let scope = resolve.scope;
        let mut tx = self.tenant(OPERATION, scope).await?;
        let before = find(&mut tx, scope, resolve.id).await?.ok_or_else(|| {
            Error::not_found(OPERATION, "there is no conflict with this id").with("id", resolve.id)
        })?;
        if resolve.mapping.integration_id != before.integration_id
            || resolve.mapping.entity != before.entity
            || resolve.mapping.local_id != before.entity_id
        {
            return Err(Error::invalid(
                OPERATION,
                "the mapping is not of the record that the conflict is about",
            )
            .with("id", resolve.id));
        }
        let update = Update {
            id: before.entity_id,
            expected_version: resolve.expected_version,
            set: &resolve.set,
        };
        // The integration's property was checked: a guest has none of its own.
        let whole = TenantScope {
            property_id: None,
            ..scope
        };
        let kept = match resolve.set.is_empty() {
            true => rows::stands(&mut tx, whole, before.entity, &update).await?,
            false => rows::update(&mut tx, whole, before.entity, &[update], now).await?,
        };
        // What is in conflict is mapped.
        if !kept || resolve.mapping.revision < 2 {
            return Err(changed(OPERATION, resolve.id));
        }
        page::write_mappings(&mut tx, scope, std::slice::from_ref(&resolve.mapping)).await?;
        rows::write_contacts(&mut tx, scope, &resolve.contacts, now).await?;
        let statement = format!(
            "update pms_conflicts c
             set status = 'resolved', resolution = $4::jsonb, revision = c.revision + 1,
                 updated_at = $5
             where c.id = $1 and c.organization_id = $2 and c.status = 'open' and c.revision = $3
             returning {CONFLICT}"
        );
        let after: Option<String> = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(resolve.id.uuid())
            .bind(scope.organization_id.uuid())
            .bind(resolve.expected_revision)
            .bind(document(json!(resolve.resolution)))
            .bind(now)
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed(OPERATION))?;
        let after = after.ok_or_else(|| changed(OPERATION, resolve.id))?;
        jobs::enqueue(&mut tx, &*self.clock, &resolve.jobs).await?;
        journal::write(&mut tx, scope, &resolve.changes).await?;
        tx.commit().await.map_err(failed(OPERATION))?;
        codec::decode(OPERATION, &after)
    }
}

fn changed(operation: &'static str, id: ConflictId) -> Error {
    Error::conflict(
        operation,
        "the conflict, its row or its mapping has changed meanwhile: read it again and decide again",
    )
    .with("id", id)
}

const fn status_name(status: ConflictStatus) -> &'static str {
    match status {
        ConflictStatus::Open => "open",
        ConflictStatus::Resolved => "resolved",
    }
}

async fn find(
    tx: &mut PgConnection,
    scope: TenantScope,
    id: ConflictId,
) -> Result<Option<Conflict>> {
    const OPERATION: &str = "postgres.conflict";
    let statement = format!(
        "select {CONFLICT} from pms_conflicts c
         where c.id = $1 and c.organization_id = $2
           and ($3 is null or exists (
               select 1 from pms_integrations i
               where i.id = c.integration_id and i.organization_id = $2 and i.property_id = $3))"
    );
    let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(id.uuid())
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .fetch_optional(tx)
        .await
        .map_err(failed(OPERATION))?;
    row.map(|row| codec::decode(OPERATION, &row)).transpose()
}

/// Opens conflicts; one that is open for the same row takes what stands here.
pub(super) async fn open(tx: &mut PgConnection, conflicts: &[Conflict]) -> Result<()> {
    if conflicts.is_empty() {
        return Ok(());
    }
    let rows: Vec<Value> = conflicts
        .iter()
        .map(|conflict| {
            json!({
                "id": conflict.id,
                "organization_id": conflict.organization_id,
                "integration_id": conflict.integration_id,
                "entity": conflict.entity,
                "entity_id": conflict.entity_id,
                "external_id": conflict.external_id,
                "base": conflict.base,
                "local": conflict.local,
                "remote": conflict.remote,
                "waiting": conflict.waiting,
                "created_at": codec::time(conflict.created_at),
                "updated_at": codec::time(conflict.updated_at),
            })
        })
        .collect();
    sqlx::query(
        "insert into pms_conflicts as c (id, organization_id, integration_id, entity, entity_id,
             external_id, base, local, remote, waiting, status, revision, created_at, updated_at)
         select id, organization_id, integration_id, entity, entity_id, external_id, base, local,
             remote, waiting, 'open', 1, created_at, updated_at
         from jsonb_to_recordset($1::jsonb) e(id uuid, organization_id uuid, integration_id uuid,
             entity text, entity_id uuid, external_id text, base jsonb, local jsonb, remote jsonb,
             waiting jsonb, created_at timestamptz, updated_at timestamptz)
         order by entity, entity_id
         on conflict (integration_id, entity, entity_id) where status = 'open' do update
         set external_id = excluded.external_id, base = excluded.base, local = excluded.local,
             remote = excluded.remote, waiting = excluded.waiting, revision = c.revision + 1,
             updated_at = excluded.updated_at",
    )
    .bind(document(rows))
    .execute(tx)
    .await
    .map_err(failed("postgres.open_conflicts"))?;
    Ok(())
}

/// An open conflict that ended by itself, and its row.
#[derive(Deserialize)]
struct Settled {
    id: Uuid,
    base: FieldMap,
    local: FieldMap,
    remote: FieldMap,
    row: Option<Value>,
}

/// Ends open conflicts about which both sides came to say the same, each with what its row says of
/// the disputed fields.
pub(super) async fn settle(
    tx: &mut PgConnection,
    clock: &dyn Clock,
    page: &PageWrite,
) -> Result<()> {
    const OPERATION: &str = "postgres.settle_conflicts";
    if page.settled.is_empty() {
        return Ok(());
    }
    let mut named: BTreeMap<EntityKind, Vec<Uuid>> = BTreeMap::new();
    for settled in &page.settled {
        named
            .entry(settled.entity)
            .or_default()
            .push(settled.entity_id);
    }
    let mut resolutions = Vec::new();
    for (kind, ids) in named {
        let statement = format!(
            "select json_build_object('id', c.id, 'base', c.base, 'local', c.local,
                 'remote', c.remote, 'row', case when t.id is not null then {row} end)::text
             from pms_conflicts c left join {table} t on t.id = c.entity_id
             where c.organization_id = $1 and c.integration_id = $2 and c.entity = $3
               and c.entity_id = any($4) and c.status = 'open'
             for no key update of c",
            row = rows::json_object(kind),
            table = kind.table(),
        );
        let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(page.scope.organization_id.uuid())
            .bind(page.integration_id.uuid())
            .bind(kind.as_str())
            .bind(&ids)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed(OPERATION))?;
        for text in &found {
            resolutions.push(resolution(OPERATION, clock, kind, text)?);
        }
    }
    if resolutions.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update pms_conflicts c
         set status = 'resolved', resolution = e.resolution, revision = c.revision + 1,
             updated_at = $2
         from jsonb_to_recordset($1::jsonb) e(id uuid, resolution jsonb)
         where c.id = e.id",
    )
    .bind(document(resolutions))
    .bind(clock.now())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

fn resolution(
    operation: &'static str,
    clock: &dyn Clock,
    kind: EntityKind,
    text: &str,
) -> Result<Value> {
    let settled: Settled = codec::decode(operation, text)?;
    let row = match settled.row {
        Some(row) => codec::entity_row(operation, kind, &row.to_string())?.fields,
        None => FieldMap::new(),
    };
    let disputed: BTreeSet<&str> = [&settled.base, &settled.local, &settled.remote]
        .into_iter()
        .flat_map(FieldMap::names)
        .collect();
    let resolution = Resolution {
        choice: ResolutionChoice::Converged,
        fields: row.only(disputed),
        source: None,
        at: clock.now(),
    };
    Ok(json!({ "id": settled.id, "resolution": resolution }))
}
