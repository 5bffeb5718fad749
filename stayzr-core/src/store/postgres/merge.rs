//! Guests who turned out to be others: what hangs on one hangs on the other from now on.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::error::failed;
use crate::{
    Error, Result,
    ids::{GuestId, IntegrationId},
    port::sync::{GuestMerge, PageWrite},
    store::succession,
};

const OPERATION: &str = "postgres.merge_guests";

/// The merges of a page, column by column; see [`succession::Succession`].
struct Moves {
    from: Vec<Uuid>,
    into: Vec<Uuid>,
    heirs: Vec<Uuid>,
}

/// Holds the guests of a page's merges before anything else is written: who accepts a message
/// holds its guest first too, so that neither waits for the other with something in hand, and a
/// conversation is begun before the merge, which moves it, or after it, for the guest who remains.
pub(super) async fn lock(tx: &mut PgConnection, merges: &[GuestMerge]) -> Result<()> {
    if merges.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "with recursive reached (id) as (
             select unnest($1)
             union
             select g.merged_into from reached r join guests g on g.id = r.id
             where g.merged_into is not null
         )
         select 1 from guests where id in (select id from reached) order by id for update",
    )
    .bind(named(merges))
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// Merges guests, and repeats what `strays` found. For one that was merged before only what came to hang on it meanwhile moves.
pub(super) async fn apply(
    tx: &mut PgConnection,
    page: &PageWrite,
    mut merges: Vec<GuestMerge>,
    now: DateTime<Utc>,
) -> Result<()> {
    merges.extend_from_slice(&page.merges);
    if merges.is_empty() {
        return Ok(());
    }
    let known = known(tx, page, &merges).await?;
    if let Some(gone) = succession::named(&merges)
        .iter()
        .find(|id| !known.contains_key(id))
    {
        return Err(
            Error::conflict(OPERATION, "a guest is gone: read and merge again").with("id", gone),
        );
    }
    let taken = succession::successions(&merges, &known);
    let moves = Moves {
        from: taken.iter().map(|one| one.from.uuid()).collect(),
        into: taken.iter().map(|one| one.into.uuid()).collect(),
        heirs: taken.iter().map(|one| one.heir.uuid()).collect(),
    };
    let organization = page.scope.organization_id.uuid();
    move_rows(tx, organization, &moves, now).await?;
    move_conversations(tx, organization, &moves, now).await?;
    move_contacts(tx, organization, &moves).await?;
    move_mappings(tx, organization, page.integration_id, &moves, now).await?;
    retire(tx, organization, &moves, now).await
}

fn named(merges: &[GuestMerge]) -> Vec<Uuid> {
    let named = succession::named(merges);
    named.into_iter().map(GuestId::uuid).collect()
}

/// The stored guests that merges lead to, and whom each was merged into.
async fn known(
    tx: &mut PgConnection,
    page: &PageWrite,
    merges: &[GuestMerge],
) -> Result<HashMap<GuestId, Option<GuestId>>> {
    #[derive(FromRow)]
    struct Known {
        id: Uuid,
        merged_into: Option<Uuid>,
    }
    let rows: Vec<Known> = sqlx::query_as(
        "with recursive reached (id) as (
             select unnest($1)
             union
             select g.merged_into from reached r join guests g on g.id = r.id
             where g.merged_into is not null
         )
         select g.id, g.merged_into from reached r
         join guests g on g.id = r.id and g.organization_id = $2",
    )
    .bind(named(merges))
    .bind(page.scope.organization_id.uuid())
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(rows
        .into_iter()
        .map(|row| (GuestId::from(row.id), row.merged_into.map(GuestId::from)))
        .collect())
}

/// Reservations, notes and service requests, and what both sides last agreed on about them. The
/// vendor names the remaining guest from now on, which is no change.
async fn move_rows(
    tx: &mut PgConnection,
    organization: Uuid,
    moves: &Moves,
    now: DateTime<Utc>,
) -> Result<()> {
    for statement in [
        "with moved as (
             update reservations t
             set guest_id = m.heir_id, version = t.version + 1, updated_at = $4
             from unnest($2::uuid[], $3::uuid[]) m(from_id, heir_id)
             where t.guest_id = m.from_id and t.organization_id = $1
             returning t.id, m.from_id, m.heir_id)
         update pms_entity_mappings e
         set base = jsonb_set(e.base, '{guest_id}', to_jsonb(moved.heir_id)),
             revision = e.revision + 1, updated_at = $4
         from moved
         where e.organization_id = $1 and e.entity = 'reservation' and e.local_id = moved.id
           and e.base ->> 'guest_id' = moved.from_id::text",
        "with moved as (
             update notes t
             set guest_id = m.heir_id, version = t.version + 1, updated_at = $4
             from unnest($2::uuid[], $3::uuid[]) m(from_id, heir_id)
             where t.guest_id = m.from_id and t.organization_id = $1
             returning t.id, m.from_id, m.heir_id)
         update pms_entity_mappings e
         set base = jsonb_set(e.base, '{guest_id}', to_jsonb(moved.heir_id)),
             revision = e.revision + 1, updated_at = $4
         from moved
         where e.organization_id = $1 and e.entity = 'note' and e.local_id = moved.id
           and e.base ->> 'guest_id' = moved.from_id::text",
        "with moved as (
             update service_requests t
             set guest_id = m.heir_id, version = t.version + 1, updated_at = $4
             from unnest($2::uuid[], $3::uuid[]) m(from_id, heir_id)
             where t.guest_id = m.from_id and t.organization_id = $1
             returning t.id, m.from_id, m.heir_id)
         update pms_entity_mappings e
         set base = jsonb_set(e.base, '{guest_id}', to_jsonb(moved.heir_id)),
             revision = e.revision + 1, updated_at = $4
         from moved
         where e.organization_id = $1 and e.entity = 'service_request' and e.local_id = moved.id
           and e.base ->> 'guest_id' = moved.from_id::text",
    ] {
        sqlx::query(statement)
            .bind(organization)
            .bind(&moves.from)
            .bind(&moves.heirs)
            .bind(now)
            .execute(&mut *tx)
            .await
            .map_err(failed(OPERATION))?;
    }
    Ok(())
}

/// Of the conversations that would be current side by side, the one whose guest wrote last stays;
/// of equal ones that of the guest who remains.
async fn move_conversations(
    tx: &mut PgConnection,
    organization: Uuid,
    moves: &Moves,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "with m as materialized (
             select * from unnest($2::uuid[], $3::uuid[]) m(from_id, heir_id)
         ), whose as (
             select from_id as guest_id, heir_id, 1 as moves from m
             union
             select heir_id, heir_id, 0 from m
         ), ranked as (
             select c.id, row_number() over (
                 partition by w.heir_id, c.property_id, c.channel, c.channel_account_id
                 order by c.last_inbound_at desc nulls last, w.moves, c.id) as place
             from whose w
             join conversations c on c.organization_id = $1 and c.guest_id = w.guest_id
              and c.status <> 'closed'
         )
         update conversations c set status = 'closed', updated_at = $4
         from ranked where ranked.place > 1 and c.id = ranked.id",
    )
    .bind(organization)
    .bind(&moves.from)
    .bind(&moves.heirs)
    .bind(now)
    .execute(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    sqlx::query(
        "update conversations t set guest_id = m.heir_id, updated_at = $4
         from unnest($2::uuid[], $3::uuid[]) m(from_id, heir_id)
         where t.guest_id = m.from_id and t.organization_id = $1",
    )
    .bind(organization)
    .bind(&moves.from)
    .bind(&moves.heirs)
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

async fn move_contacts(tx: &mut PgConnection, organization: Uuid, moves: &Moves) -> Result<()> {
    sqlx::query(
        "update guest_contacts t set guest_id = m.heir_id
         from unnest($2::uuid[], $3::uuid[]) m(from_id, heir_id)
         where t.guest_id = m.from_id and t.organization_id = $1",
    )
    .bind(organization)
    .bind(&moves.from)
    .bind(&moves.heirs)
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// What other vendors call the guest, where they do not call the remaining one something already.
async fn move_mappings(
    tx: &mut PgConnection,
    organization: Uuid,
    integration: IntegrationId,
    moves: &Moves,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "with moving as (
             select distinct on (e.integration_id, m.heir_id)
                 e.integration_id, e.external_id, m.heir_id
             from unnest($2::uuid[], $3::uuid[]) with ordinality m(from_id, heir_id, place)
             join pms_entity_mappings e on e.organization_id = $1 and e.entity = 'guest'
              and e.local_id = m.from_id and e.integration_id <> $5
             where not exists (
                 select 1 from pms_entity_mappings h
                 where h.integration_id = e.integration_id and h.entity = 'guest'
                   and h.local_id = m.heir_id)
             order by e.integration_id, m.heir_id, m.place, e.external_id)
         update pms_entity_mappings e
         set local_id = moving.heir_id, revision = e.revision + 1, updated_at = $4
         from moving
         where e.integration_id = moving.integration_id and e.entity = 'guest'
           and e.external_id = moving.external_id",
    )
    .bind(organization)
    .bind(&moves.from)
    .bind(&moves.heirs)
    .bind(now)
    .bind(integration.uuid())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

async fn retire(
    tx: &mut PgConnection,
    organization: Uuid,
    moves: &Moves,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "update guests t
         set active = false, merged_into = m.into_id, version = t.version + 1, updated_at = $4
         from unnest($2::uuid[], $3::uuid[]) m(from_id, into_id)
         where t.id = m.from_id and t.organization_id = $1
           and (t.active or t.merged_into is distinct from m.into_id)",
    )
    .bind(organization)
    .bind(&moves.from)
    .bind(&moves.into)
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// Merges to repeat: those of guests that the page's rows link to although they were merged before,
/// because links were followed too early. The others are not merged until the page is written: a
/// merge, which holds them whole, waits for it and moves what it wrote. Who only edits one does not.
pub(super) async fn strays(tx: &mut PgConnection, page: &PageWrite) -> Result<Vec<GuestMerge>> {
    let linked: Vec<Uuid> = page.linked_guests().into_iter().collect();
    if linked.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(Uuid, Option<Uuid>)> = sqlx::query_as(
        "select id, merged_into from guests where id = any($1) order by id for key share",
    )
    .bind(linked)
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(rows
        .into_iter()
        .filter_map(|(from, into)| {
            Some(GuestMerge {
                from: GuestId::from(from),
                into: GuestId::from(into?),
            })
        })
        .collect())
}

/// Refuses a page that was planned before somebody wrote from an address that it gives away.
pub(super) async fn check_claims(tx: &mut PgConnection, page: &PageWrite) -> Result<()> {
    if page.unclaimed.is_empty() {
        return Ok(());
    }
    let channels: Vec<&str> = page
        .unclaimed
        .iter()
        .map(|one| one.channel.as_str())
        .collect();
    let addresses: Vec<&str> = page
        .unclaimed
        .iter()
        .map(|one| one.address.as_str())
        .collect();
    let owners: Vec<(String, String, Uuid)> = sqlx::query_as(
        "select c.channel, c.address, c.guest_id
         from unnest($2::text[], $3::text[]) e(channel, address)
         join guest_contacts c on c.organization_id = $1
          and c.channel = e.channel and c.address = e.address",
    )
    .bind(page.scope.organization_id.uuid())
    .bind(channels)
    .bind(addresses)
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    let given: HashSet<(&str, &str, Uuid)> = page
        .contacts
        .iter()
        .filter_map(|write| {
            let address = write.address.as_deref()?;
            Some((write.channel.as_str(), address, write.guest_id.uuid()))
        })
        .collect();
    let ours = |(channel, address, guest): &(String, String, Uuid)| {
        given.contains(&(channel.as_str(), address.as_str(), *guest))
    };
    match owners.iter().all(ours) {
        true => Ok(()),
        false => Err(Error::conflict(
            OPERATION,
            "an address came to lead to somebody else: read and merge again",
        )),
    }
}
