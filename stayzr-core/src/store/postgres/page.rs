//! What follows from one page of records, in the order in which rows depend on each other.

use sqlx::PgConnection;

use super::{
    conflict,
    document::{clean_json, clean_text},
    error::failed,
    jobs, merge, park, rows,
    rows::{Update, column},
};
use crate::{
    Error, Result,
    clock::Clock,
    ids::SyncRunId,
    model::Change,
    port::sync::{Mapping, PageWrite, RowWrite, RunCounts},
    tenant::TenantScope,
    transform::{EntityKind, EntityRow},
};

const OPERATION: &str = "postgres.apply_page";

/// Writes all of a page but its journal and cursor, and returns what the journal says beside it.
pub(super) async fn apply(
    tx: &mut PgConnection,
    clock: &dyn Clock,
    page: &PageWrite,
) -> Result<Vec<Change>> {
    let now = clock.now();
    if let Some(lease) = &page.lease {
        jobs::held(tx, lease, now).await?;
    }
    check_integration(tx, page).await?;
    merge::lock(tx, &page.merges).await?;
    let strays = merge::strays(tx, page).await?;
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
    park::unpark(tx, page, now).await?;
    rows::write_contacts(tx, page.scope, &page.contacts, now).await?;
    merge::check_claims(tx, page).await?;
    merge::apply(tx, page, strays, now).await?;
    conflict::open(tx, &page.conflicts).await?;
    conflict::settle(tx, clock, page).await?;
    let parked = park::park(tx, clock, page).await?;
    jobs::enqueue(tx, clock, &page.jobs).await?;
    if let Some((run, counts)) = page.run {
        count(tx, page.scope, run, counts).await?;
    }
    Ok(parked)
}

/// Another tenant's integration is not found: its mappings and cursors are out of reach. It stays
/// until the transaction ends, so that nothing is written for one that is being removed.
async fn check_integration(tx: &mut PgConnection, page: &PageWrite) -> Result<()> {
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
    let there: Option<i32> = sqlx::query_scalar(
        "select 1 from pms_integrations
         where id = $1 and organization_id = $2 and ($3 is null or property_id = $3)
         for key share",
    )
    .bind(page.integration_id.uuid())
    .bind(page.scope.organization_id.uuid())
    .bind(page.scope.property_id.map(|id| id.uuid()))
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

/// Makes or replaces mappings, each exactly if its revision follows the stored one.
pub(super) async fn write_mappings(
    tx: &mut PgConnection,
    scope: TenantScope,
    mappings: &[Mapping],
) -> Result<()> {
    if mappings.is_empty() {
        return Ok(());
    }
    // In the order of the primary key, whoever writes, so that two pages do not wait for each other.
    let mut sorted: Vec<&Mapping> = mappings.iter().collect();
    sorted.sort_by_key(|mapping| (mapping.integration_id, mapping.entity, &mapping.external_id));
    let done = sqlx::query(
        "insert into pms_entity_mappings as m (organization_id, integration_id, entity,
             external_id, local_id, base, version, hash, extra, merged_into, gone_at, revision,
             updated_at)
         select $1, e.integration_id, e.entity, e.external_id, e.local_id, e.base::jsonb,
             e.version, e.hash, e.extra::jsonb, e.merged_into, e.gone_at, e.revision, e.updated_at
         from unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[],
             $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::bigint[],
             $13::timestamptz[]) e(integration_id, entity, external_id, local_id, base, version,
             hash, extra, merged_into, gone_at, revision, updated_at)
         where e.revision = 1 or e.revision = 1 + (
             select s.revision from pms_entity_mappings s
             where s.integration_id = e.integration_id and s.entity = e.entity
               and s.external_id = e.external_id)
         on conflict (integration_id, entity, external_id) do update
         set local_id = excluded.local_id, base = excluded.base, version = excluded.version,
             hash = excluded.hash, extra = excluded.extra, merged_into = excluded.merged_into,
             gone_at = excluded.gone_at,
             revision = excluded.revision, updated_at = excluded.updated_at
         where m.organization_id = excluded.organization_id
           and m.revision = excluded.revision - 1",
    )
    .bind(scope.organization_id.uuid())
    .bind(column(&sorted, |mapping| mapping.integration_id.uuid()))
    .bind(column(&sorted, |mapping| mapping.entity.as_str()))
    .bind(column(&sorted, |mapping| clean_text(&mapping.external_id)))
    .bind(column(&sorted, |mapping| mapping.local_id))
    .bind(column(&sorted, |mapping| {
        clean_json(mapping.base.canonical_json())
    }))
    .bind(column(&sorted, |mapping| {
        mapping.version.as_deref().map(clean_text)
    }))
    .bind(column(&sorted, |mapping| mapping.hash.as_str()))
    .bind(column(&sorted, |mapping| {
        clean_json(mapping.extra.to_string())
    }))
    .bind(column(&sorted, |mapping| {
        mapping.merged_into.as_deref().map(clean_text)
    }))
    .bind(column(&sorted, |mapping| mapping.gone_at))
    .bind(column(&sorted, |mapping| mapping.revision))
    .bind(column(&sorted, |mapping| mapping.updated_at))
    .execute(tx)
    .await
    .map_err(failed("postgres.write_mappings"))?;
    if done.rows_affected() != mappings.len() as u64 {
        return Err(Error::conflict(
            OPERATION,
            "a mapping has changed since it was read: read and merge again",
        ));
    }
    Ok(())
}

async fn count(
    tx: &mut PgConnection,
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
    .bind(run.uuid())
    .bind(scope.organization_id.uuid())
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
    .map_err(failed("postgres.count"))?;
    Ok(())
}
