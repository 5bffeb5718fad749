//! What follows from one page of records, in the order in which rows depend on each other.

use serde::Serialize;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{conflict, error::failed, jobs, merge, park, rows, rows::Update};
use crate::{
    Error, Result,
    clock::Clock,
    ids::{IntegrationId, SyncRunId},
    port::sync::{Mapping, PageWrite, RowWrite, RunCounts},
    store::codec,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow},
};

const OPERATION: &str = "sqlite.apply_page";

/// Writes all of a page but its journal and cursor.
pub(super) async fn apply(
    tx: &mut SqliteConnection,
    clock: &dyn Clock,
    page: &PageWrite,
) -> Result<()> {
    let now = clock.now();
    if let Some(lease) = &page.lease {
        jobs::held(tx, lease, now).await?;
    }
    check_integration(tx, page).await?;
    for kind in EntityKind::ALL {
        let made = made(page, kind)?;
        if !made.is_empty() {
            rows::insert(tx, kind, &made).await?;
        }
        let changed = changed(page, kind);
        if !changed.is_empty() && !rows::update(tx, page.scope, kind, &changed, now).await? {
            return Err(Error::conflict(
                OPERATION,
                "a row has changed since it was read: read and merge again",
            )
            .with("entity", kind));
        }
    }
    write_mappings(tx, page.scope, &page.mappings).await?;
    rows::write_contacts(tx, page.scope, &page.contacts, now).await?;
    merge::check_claims(tx, page).await?;
    merge::apply(tx, page, now).await?;
    conflict::open(tx, page).await?;
    conflict::settle(tx, page, now).await?;
    park::unpark(tx, page, now).await?;
    park::park(tx, clock, page).await?;
    jobs::enqueue(tx, clock, &page.jobs).await?;
    if let Some((run, counts)) = page.run {
        count(tx, page.scope, run, counts).await?;
    }
    Ok(())
}

/// Another tenant's integration is not found: its mappings and cursors are out of reach.
async fn check_integration(tx: &mut SqliteConnection, page: &PageWrite) -> Result<()> {
    let mut named = (page.mappings.iter().map(|mapping| mapping.integration_id))
        .chain(
            page.conflicts
                .iter()
                .map(|conflict| conflict.integration_id),
        )
        .chain(page.cursor.iter().map(|cursor| cursor.integration_id));
    if named.any(|id| id != page.integration_id) {
        return Err(Error::invalid(
            OPERATION,
            "a page writes what belongs to another integration",
        ));
    }
    let there: Option<i64> = sqlx::query_scalar(
        "select 1 from pms_integrations
         where id = $1 and organization_id = $2 and ($3 is null or property_id = $3)",
    )
    .bind(page.integration_id.to_string())
    .bind(page.scope.organization_id.to_string())
    .bind(page.scope.property_id.map(|id| id.to_string()))
    .fetch_optional(tx)
    .await
    .map_err(failed(OPERATION))?;
    match there {
        Some(_) => Ok(()),
        None => Err(
            Error::not_found(OPERATION, "there is no integration with this id")
                .with("integration_id", page.integration_id),
        ),
    }
}

fn made(page: &PageWrite, kind: EntityKind) -> Result<Vec<&EntityRow>> {
    let mut made = Vec::new();
    for row in &page.rows {
        if let RowWrite::Insert(row) = row
            && row.kind == kind
        {
            let seen = row.organization_id == page.scope.organization_id
                && page.scope.sees(row.property_id);
            if !seen {
                return Err(
                    Error::not_found(OPERATION, "a row belongs to another tenant")
                        .with("entity", kind)
                        .with("id", row.id),
                );
            }
            made.push(row);
        }
    }
    Ok(made)
}

fn changed(page: &PageWrite, wanted: EntityKind) -> Vec<Update<'_>> {
    page.rows
        .iter()
        .filter_map(|row| match row {
            RowWrite::Update {
                kind,
                id,
                expected_version,
                set,
            } if *kind == wanted => Some(Update {
                id: *id,
                expected_version: *expected_version,
                set,
            }),
            _ => None,
        })
        .collect()
}

/// A mapping as the statement takes it.
#[derive(Serialize)]
struct Written<'a> {
    integration_id: IntegrationId,
    entity: EntityKind,
    external_id: &'a str,
    local_id: Uuid,
    base: String,
    version: Option<&'a str>,
    hash: &'a str,
    extra: String,
    merged_into: Option<&'a str>,
    gone_at: Option<String>,
    revision: i64,
    updated_at: String,
}

/// Makes or replaces mappings, each exactly if its revision follows the stored one;
/// [`crate::ErrorKind::Conflict`], and the transaction must not be committed, if one does not.
pub(super) async fn write_mappings(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    mappings: &[Mapping],
) -> Result<()> {
    const OPERATION: &str = "sqlite.write_mappings";
    if mappings.is_empty() {
        return Ok(());
    }
    let document: Vec<Written<'_>> = mappings
        .iter()
        .map(|mapping| Written {
            entity: mapping.entity,
            integration_id: mapping.integration_id,
            external_id: &mapping.external_id,
            local_id: mapping.local_id,
            base: mapping.base.canonical_json(),
            version: mapping.version.as_deref(),
            hash: &mapping.hash,
            extra: codec::json(&mapping.extra),
            merged_into: mapping.merged_into.as_deref(),
            gone_at: mapping.gone_at.map(codec::time),
            revision: mapping.revision,
            updated_at: codec::time(mapping.updated_at),
        })
        .collect();
    let done = sqlx::query(
        "insert into pms_entity_mappings as m (organization_id, integration_id, entity,
             external_id, local_id, base, version, hash, extra, merged_into, gone_at, revision,
             updated_at)
         select $2, value ->> 'integration_id', value ->> 'entity', value ->> 'external_id',
             value ->> 'local_id', value ->> 'base', value ->> 'version', value ->> 'hash',
             value ->> 'extra', value ->> 'merged_into', value ->> 'gone_at',
             value ->> 'revision', value ->> 'updated_at'
         from jsonb_each($1)
         where value ->> 'revision' = 1 + coalesce((
             select s.revision from pms_entity_mappings s
             where s.integration_id = value ->> 'integration_id' and s.entity = value ->> 'entity'
               and s.external_id = value ->> 'external_id'), 0)
         on conflict (integration_id, entity, external_id) do update
         set local_id = excluded.local_id, base = excluded.base, version = excluded.version,
             hash = excluded.hash, extra = excluded.extra, merged_into = excluded.merged_into,
             gone_at = excluded.gone_at, revision = excluded.revision,
             updated_at = excluded.updated_at
         where m.organization_id = excluded.organization_id
           and m.revision = excluded.revision - 1",
    )
    .bind(codec::document(OPERATION, &document)?)
    .bind(scope.organization_id.to_string())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    if done.rows_affected() != mappings.len() as u64 {
        return Err(Error::conflict(
            OPERATION,
            "a mapping has changed since it was read: read and merge again",
        ));
    }
    Ok(())
}

async fn count(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    run: SyncRunId,
    counts: RunCounts,
) -> Result<()> {
    sqlx::query(
        "update pms_sync_runs
         set read = read + $3, created = created + $4, updated = updated + $5,
             unchanged = unchanged + $6, parked = parked + $7, conflicts = conflicts + $8,
             unknown = unknown + $9, gone = gone + $10
         where id = $1 and organization_id = $2",
    )
    .bind(run.to_string())
    .bind(scope.organization_id.to_string())
    .bind(counts.read)
    .bind(counts.created)
    .bind(counts.updated)
    .bind(counts.unchanged)
    .bind(counts.parked)
    .bind(counts.conflicts)
    .bind(counts.unknown)
    .bind(counts.gone)
    .execute(tx)
    .await
    .map_err(failed("sqlite.count"))?;
    Ok(())
}
