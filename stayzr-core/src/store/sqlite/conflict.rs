use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{SqliteStore, error::failed, jobs, journal, page, rows, rows::Update};
use crate::{
    Error, Result,
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

/// The JSON of a [`Conflict`] from `pms_conflicts c`.
const CONFLICT: &str = "json_object('id', c.id, 'organization_id', c.organization_id, \
    'integration_id', c.integration_id, 'entity', c.entity, 'entity_id', c.entity_id, \
    'external_id', c.external_id, 'base', json(c.base), 'local', json(c.local), \
    'remote', json(c.remote), 'waiting', json(c.waiting), 'status', c.status, \
    'resolution', json(c.resolution), 'revision', c.revision, 'created_at', c.created_at, \
    'updated_at', c.updated_at)";

#[async_trait]
impl Conflicts for SqliteStore {
    async fn conflict(&self, scope: TenantScope, id: ConflictId) -> Result<Option<Conflict>> {
        const OPERATION: &str = "sqlite.conflict";
        let mut connection = self.reader.acquire().await.map_err(failed(OPERATION))?;
        find(&mut connection, scope, id).await
    }

    async fn conflicts(
        &self,
        scope: TenantScope,
        filter: &ConflictFilter,
        page: &PageRequest,
    ) -> Result<Page<Conflict>> {
        const OPERATION: &str = "sqlite.conflicts";
        let mut query = QueryBuilder::<Sqlite>::new("select ");
        query
            .push(CONFLICT)
            .push(" from pms_conflicts c where c.organization_id = ")
            .push_bind(scope.organization_id.to_string());
        if let Some(property) = scope.property_id {
            query
                .push(" and exists (select 1 from pms_integrations i where i.id = c.integration_id")
                .push(" and i.property_id = ")
                .push_bind(property.to_string())
                .push(")");
        }
        if let Some(status) = filter.status {
            query.push(" and c.status = ").push_bind(name(status));
        }
        if let Some(integration) = filter.integration_id {
            query
                .push(" and c.integration_id = ")
                .push_bind(integration.to_string());
        }
        if let Some(kind) = filter.entity {
            query.push(" and c.entity = ").push_bind(kind.as_str());
        }
        if let Some(id) = filter.entity_id {
            query.push(" and c.entity_id = ").push_bind(id.to_string());
        }
        if let Some(before) = codec::after_id(OPERATION, page)? {
            query.push(" and c.id < ").push_bind(before);
        }
        query
            .push(" order by c.id desc limit ")
            .push_bind(codec::limit(page) as i64 + 1);
        let rows: Vec<String> = query
            .build_query_scalar()
            .fetch_all(&self.reader)
            .await
            .map_err(failed(OPERATION))?;
        let conflicts: Vec<Conflict> = codec::decode_all(OPERATION, &rows)?;
        Ok(codec::page_of(conflicts, page, |one| one.id.to_string()))
    }

    async fn resolve_conflict(&self, resolve: ResolveWrite) -> Result<Conflict> {
        const OPERATION: &str = "sqlite.resolve_conflict";
        let now = self.clock.now();
        let mut tx = self.write(OPERATION).await?;
        let before = find(&mut tx, resolve.scope, resolve.id).await?;
        let before = before.ok_or_else(|| {
            Error::not_found(OPERATION, "there is no conflict with this id").with("id", resolve.id)
        })?;
        check(&before, &resolve)?;
        write_row(&mut tx, &before, &resolve, now).await?;
        page::write_mappings(&mut tx, resolve.scope, &[resolve.mapping]).await?;
        rows::write_contacts(&mut tx, resolve.scope, &resolve.contacts, now).await?;
        journal::write(&mut tx, resolve.scope, &resolve.changes).await?;
        jobs::enqueue(&mut tx, &*self.clock, &resolve.jobs).await?;
        end(&mut tx, &[(before.id, &resolve.resolution)], now).await?;
        let after = find(&mut tx, resolve.scope, resolve.id).await?;
        let after = after
            .ok_or_else(|| Error::internal(OPERATION, "the conflict left its decider's sight"))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(after)
    }
}

const fn name(status: ConflictStatus) -> &'static str {
    match status {
        ConflictStatus::Open => "open",
        ConflictStatus::Resolved => "resolved",
    }
}

async fn find(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    id: ConflictId,
) -> Result<Option<Conflict>> {
    const OPERATION: &str = "sqlite.conflict";
    let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select {CONFLICT} from pms_conflicts c
         where c.id = $1 and c.organization_id = $2 and ($3 is null or exists (
             select 1 from pms_integrations i where i.id = c.integration_id and i.property_id = $3))"
    )))
    .bind(id.to_string())
    .bind(scope.organization_id.to_string())
    .bind(scope.property_id.map(|id| id.to_string()))
    .fetch_optional(tx)
    .await
    .map_err(failed(OPERATION))?;
    row.map(|row| codec::decode(OPERATION, &row)).transpose()
}

/// A decision that the conflict still waits for, with the mapping of its own row.
fn check(conflict: &Conflict, resolve: &ResolveWrite) -> Result<()> {
    const OPERATION: &str = "sqlite.resolve_conflict";
    let mapping = &resolve.mapping;
    if (mapping.integration_id, mapping.entity, mapping.local_id)
        != (conflict.integration_id, conflict.entity, conflict.entity_id)
    {
        return Err(
            Error::invalid(OPERATION, "the mapping is another row's").with("id", resolve.id)
        );
    }
    let waits =
        conflict.status == ConflictStatus::Open && conflict.revision == resolve.expected_revision;
    match waits {
        true => Ok(()),
        false => Err(Error::conflict(
            OPERATION,
            "the conflict has changed since it was read: read it again and decide again",
        )
        .with("id", resolve.id)),
    }
}

/// Sets what was chosen in the row, which must be as the decision saw it even where nothing is set.
async fn write_row(
    tx: &mut SqliteConnection,
    conflict: &Conflict,
    resolve: &ResolveWrite,
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "sqlite.resolve_conflict";
    // The conflict is in sight, and so is its row.
    let scope = TenantScope::organization(resolve.scope.organization_id);
    let unchanged = if resolve.set.is_empty() {
        let row = rows::find(tx, scope, conflict.entity, conflict.entity_id).await?;
        row.is_some_and(|row| row.version == resolve.expected_version)
    } else {
        let update = Update {
            id: conflict.entity_id,
            expected_version: resolve.expected_version,
            set: &resolve.set,
        };
        rows::update(tx, scope, conflict.entity, &[update], now).await?
    };
    if unchanged {
        return Ok(());
    }
    Err(Error::conflict(
        OPERATION,
        "the row has changed since it was read: read the conflict again and decide again",
    )
    .with("id", resolve.id))
}

/// Opens the conflicts of a page; one that is open for the same row is brought up to date.
pub(super) async fn open(tx: &mut SqliteConnection, page: &PageWrite) -> Result<()> {
    const OPERATION: &str = "sqlite.open_conflicts";
    if page.conflicts.is_empty() {
        return Ok(());
    }
    let document: Vec<Value> = page
        .conflicts
        .iter()
        .map(|conflict| {
            json!({
                "id": conflict.id,
                "integration_id": conflict.integration_id,
                "entity": conflict.entity,
                "entity_id": conflict.entity_id,
                "external_id": conflict.external_id,
                "base": conflict.base.canonical_json(),
                "local": conflict.local.canonical_json(),
                "remote": conflict.remote.canonical_json(),
                "waiting": conflict.waiting.canonical_json(),
                "created_at": codec::time(conflict.created_at),
                "updated_at": codec::time(conflict.updated_at),
            })
        })
        .collect();
    sqlx::query(
        "insert into pms_conflicts (id, organization_id, integration_id, entity, entity_id,
             external_id, base, local, remote, waiting, status, revision, created_at, updated_at)
         select value ->> 'id', $2, value ->> 'integration_id', value ->> 'entity',
             value ->> 'entity_id', value ->> 'external_id', value ->> 'base', value ->> 'local',
             value ->> 'remote', value ->> 'waiting', 'open', 1, value ->> 'created_at',
             value ->> 'updated_at'
         from json_each($1) where true
         on conflict (integration_id, entity, entity_id) where status = 'open' do update
         set external_id = excluded.external_id, base = excluded.base, local = excluded.local,
             remote = excluded.remote, waiting = excluded.waiting, revision = revision + 1,
             updated_at = excluded.updated_at",
    )
    .bind(Value::from(document).to_string())
    .bind(page.scope.organization_id.to_string())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// Ends the conflicts of a page in which both sides came to say the same, where they are open.
pub(super) async fn settle(
    tx: &mut SqliteConnection,
    page: &PageWrite,
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "sqlite.settle_conflicts";
    #[derive(Deserialize)]
    struct Open {
        id: ConflictId,
        entity: EntityKind,
        entity_id: Uuid,
        local: FieldMap,
    }
    if page.settled.is_empty() {
        return Ok(());
    }
    let rows: Vec<String> = sqlx::query_scalar(
        "select json_object('id', c.id, 'entity', c.entity, 'entity_id', c.entity_id,
             'local', json(c.local))
         from json_each($1) e
         cross join pms_conflicts c on c.integration_id = $2 and c.entity = e.value ->> 'entity'
          and c.entity_id = e.value ->> 'entity_id' and c.status = 'open'
         group by c.rowid",
    )
    .bind(json!(page.settled).to_string())
    .bind(page.integration_id.to_string())
    .fetch_all(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    let open: Vec<Open> = codec::decode_all(OPERATION, &rows)?;
    let mut ended = Vec::with_capacity(open.len());
    for kind in EntityKind::ALL {
        let of_kind = || open.iter().filter(|one| one.entity == kind);
        let ids: Vec<Uuid> = of_kind().map(|one| one.entity_id).collect();
        if ids.is_empty() {
            continue;
        }
        let stored = rows::find_all(tx, page.scope, kind, &ids).await?;
        for one in of_kind() {
            let row = stored.iter().find(|row| row.id == one.entity_id);
            let fields = match row {
                Some(row) => row.fields.only(one.local.names()),
                None => one.local.clone(),
            };
            let resolution = Resolution {
                choice: ResolutionChoice::Converged,
                fields,
                source: None,
                at: now,
            };
            ended.push((one.id, resolution));
        }
    }
    let ended: Vec<(ConflictId, &Resolution)> = ended
        .iter()
        .map(|(id, resolution)| (*id, resolution))
        .collect();
    end(tx, &ended, now).await
}

/// Ends open conflicts, each with its resolution.
async fn end(
    tx: &mut SqliteConnection,
    ended: &[(ConflictId, &Resolution)],
    now: DateTime<Utc>,
) -> Result<()> {
    let document: Vec<Value> = ended
        .iter()
        .map(|(id, resolution)| json!({ "id": id, "resolution": codec::json(&json!(resolution)) }))
        .collect();
    sqlx::query(
        "update pms_conflicts as c
         set status = 'resolved', resolution = e.value ->> 'resolution',
             revision = c.revision + 1, updated_at = $2
         from json_each($1) e where c.id = e.value ->> 'id'",
    )
    .bind(Value::from(document).to_string())
    .bind(codec::time(now))
    .execute(tx)
    .await
    .map_err(failed("sqlite.end_conflicts"))?;
    Ok(())
}
