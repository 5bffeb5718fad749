//! Guests that turned out to be others: what hung on them hangs on who remains.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::error::failed;
use crate::{
    Error, Result,
    ids::GuestId,
    port::sync::{GuestMerge, PageWrite},
    store::{codec, succession},
};

const OPERATION: &str = "sqlite.merge_guests";

/// Merges the guests of a page. A merge that was done before only moves what came since.
pub(super) async fn apply(
    tx: &mut SqliteConnection,
    page: &PageWrite,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut merges = strays(tx, page).await?;
    merges.extend_from_slice(&page.merges);
    if merges.is_empty() {
        return Ok(());
    }
    let known = known(tx, page, &merges).await?;
    let document: Vec<Value> = succession::successions(&merges, &known)
        .iter()
        .map(|one| json!({ "from": one.from, "into": one.into, "heir": one.heir }))
        .collect();
    if document.is_empty() {
        return Ok(());
    }
    let document = Value::from(document).to_string();
    let organization = page.scope.organization_id.to_string();
    let now = codec::time(now);
    for statement in MOVES {
        sqlx::query(statement)
            .bind(&document)
            .bind(&organization)
            .bind(&now)
            .execute(&mut *tx)
            .await
            .map_err(failed(OPERATION))?;
    }
    move_mappings(tx, page, &document, &now).await
}

/// The stored guests that merges lead to, and whom each was merged into.
async fn known(
    tx: &mut SqliteConnection,
    page: &PageWrite,
    merges: &[GuestMerge],
) -> Result<HashMap<GuestId, Option<GuestId>>> {
    #[derive(Deserialize)]
    struct Known {
        id: GuestId,
        merged_into: Option<GuestId>,
    }
    let named = succession::named(merges);
    let rows: Vec<String> = sqlx::query_scalar(
        "with recursive reached (id) as (
             select value from json_each($1)
             union
             select g.merged_into from reached r
             cross join guests g on g.id = r.id and +g.organization_id = $2
             where g.merged_into is not null
         )
         select json_object('id', g.id, 'merged_into', g.merged_into)
         from reached r cross join guests g on g.id = r.id and +g.organization_id = $2",
    )
    .bind(json!(named).to_string())
    .bind(page.scope.organization_id.to_string())
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    let known: Vec<Known> = codec::decode_all(OPERATION, &rows)?;
    let known: HashMap<_, _> = known
        .into_iter()
        .map(|known| (known.id, known.merged_into))
        .collect();
    match named.iter().find(|id| !known.contains_key(*id)) {
        Some(id) => Err(Error::conflict(
            OPERATION,
            "a guest of a merge is gone: read and merge again",
        )
        .with("id", id)),
        None => Ok(known),
    }
}

/// In this order: a base is rewritten while its row still tells whose it was, and a conversation is
/// closed before it would be the second one of a guest.
const MOVES: [&str; 9] = [
    "update pms_entity_mappings as m
     set base = json_replace(m.base, '$.guest_id', (
             select e.value ->> 'heir' from json_each($1) e
             where e.value ->> 'from' = m.base ->> '$.guest_id')),
         revision = m.revision + 1, updated_at = $3
     where m.rowid in (
         select o.rowid from json_each($1) e
         cross join reservations r
           on r.organization_id = $2 and r.guest_id = e.value ->> 'from'
         cross join pms_entity_mappings o
           on o.organization_id = $2 and o.entity = 'reservation' and o.local_id = r.id
         where o.base ->> '$.guest_id' = e.value ->> 'from')",
    "update pms_entity_mappings as m
     set base = json_replace(m.base, '$.guest_id', (
             select e.value ->> 'heir' from json_each($1) e
             where e.value ->> 'from' = m.base ->> '$.guest_id')),
         revision = m.revision + 1, updated_at = $3
     where m.rowid in (
         select o.rowid from json_each($1) e
         cross join notes n on n.organization_id = $2 and n.guest_id = e.value ->> 'from'
         cross join pms_entity_mappings o
           on o.organization_id = $2 and o.entity = 'note' and o.local_id = n.id
         where o.base ->> '$.guest_id' = e.value ->> 'from')",
    "update pms_entity_mappings as m
     set base = json_replace(m.base, '$.guest_id', (
             select e.value ->> 'heir' from json_each($1) e
             where e.value ->> 'from' = m.base ->> '$.guest_id')),
         revision = m.revision + 1, updated_at = $3
     where m.rowid in (
         select o.rowid from json_each($1) e
         cross join service_requests s on s.organization_id = $2 and s.guest_id = e.value ->> 'from'
         cross join pms_entity_mappings o
           on o.organization_id = $2 and o.entity = 'service_request' and o.local_id = s.id
         where o.base ->> '$.guest_id' = e.value ->> 'from')",
    "update reservations as t
     set version = t.version + 1, updated_at = $3, guest_id = (
             select e.value ->> 'heir' from json_each($1) e
             where e.value ->> 'from' = t.guest_id)
     where t.rowid in (
         select r.rowid from json_each($1) e
         cross join reservations r
           on r.organization_id = $2 and r.guest_id = e.value ->> 'from')",
    "update notes as t
     set version = t.version + 1, updated_at = $3, guest_id = (
             select e.value ->> 'heir' from json_each($1) e
             where e.value ->> 'from' = t.guest_id)
     where t.rowid in (
         select n.rowid from json_each($1) e
         cross join notes n on n.organization_id = $2 and n.guest_id = e.value ->> 'from')",
    "update conversations set status = 'closed', updated_at = $3
     where rowid in (
         select place from (
             select c.rowid as place, row_number() over (
                 partition by p.heir, c.property_id, c.channel, coalesce(c.channel_account_id, '')
                 order by c.last_inbound_at desc, c.guest_id = p.heir desc, c.id desc) as rank
             from (
                 select value ->> 'from' as guest, value ->> 'heir' as heir from json_each($1)
                 union select value ->> 'heir', value ->> 'heir' from json_each($1)) p
             cross join conversations c on c.organization_id = $2 and c.guest_id = p.guest
             where c.status <> 'closed')
         where rank > 1)",
    "update conversations as t
     set updated_at = $3, guest_id = (
             select e.value ->> 'heir' from json_each($1) e
             where e.value ->> 'from' = t.guest_id)
     where t.rowid in (
         select c.rowid from json_each($1) e
         cross join conversations c
           on c.organization_id = $2 and c.guest_id = e.value ->> 'from')",
    "update service_requests as t
     set version = t.version + 1, updated_at = $3, guest_id = (
             select e.value ->> 'heir' from json_each($1) e
             where e.value ->> 'from' = t.guest_id)
     where t.organization_id = $2
       and t.guest_id in (select value ->> 'from' from json_each($1))",
    "update guests as t
     set version = t.version + 1, updated_at = $3, active = 0, merged_into = e.value ->> 'into'
     from json_each($1) e
     where t.id = e.value ->> 'from' and +t.organization_id = $2
       and (t.active or t.merged_into is not e.value ->> 'into')",
];

/// Addresses, and mappings of other integrations where the guest who remains has none there.
async fn move_mappings(
    tx: &mut SqliteConnection,
    page: &PageWrite,
    document: &str,
    now: &str,
) -> Result<()> {
    sqlx::query(
        "update guest_contacts as t
         set guest_id = (select e.value ->> 'heir' from json_each($1) e
                         where e.value ->> 'from' = t.guest_id)
         where t.rowid in (
             select c.rowid from json_each($1) e
             cross join guest_contacts c
               on c.guest_id = e.value ->> 'from' and +c.organization_id = $2)",
    )
    .bind(document)
    .bind(page.scope.organization_id.to_string())
    .execute(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    sqlx::query(
        "update pms_entity_mappings as t
         set revision = t.revision + 1, updated_at = $3, local_id = (
                 select e.value ->> 'heir' from json_each($1) e
                 where e.value ->> 'from' = t.local_id)
         where t.rowid in (
             select place from (
                 select m.rowid as place, row_number() over (
                     partition by m.integration_id, e.value ->> 'heir' order by m.external_id) as rank
                 from json_each($1) e
                 cross join pms_entity_mappings m
                   on m.organization_id = $2 and m.entity = 'guest'
                  and m.local_id = e.value ->> 'from'
                 where m.integration_id <> $4 and not exists (
                     select 1 from pms_entity_mappings o
                     where o.integration_id = m.integration_id and o.entity = 'guest'
                       and o.local_id = e.value ->> 'heir'))
             where rank = 1)",
    )
    .bind(document)
    .bind(page.scope.organization_id.to_string())
    .bind(now)
    .bind(page.integration_id.to_string())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// Merges to repeat: those of guests that the page's rows link to although they were merged before,
/// because links were followed too early.
async fn strays(tx: &mut SqliteConnection, page: &PageWrite) -> Result<Vec<GuestMerge>> {
    let linked = page.linked_guests();
    if linked.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<String> = sqlx::query_scalar(
        "select json_object('from', g.id, 'into', g.merged_into)
         from json_each($1) e cross join guests g on g.id = e.value
         where g.merged_into is not null",
    )
    .bind(json!(linked).to_string())
    .fetch_all(tx)
    .await
    .map_err(failed(OPERATION))?;
    codec::decode_all(OPERATION, &rows)
}

/// Refuses a page that was planned before somebody wrote from an address that it gives away.
pub(super) async fn check_claims(tx: &mut SqliteConnection, page: &PageWrite) -> Result<()> {
    if page.unclaimed.is_empty() {
        return Ok(());
    }
    let taken: Option<i64> = sqlx::query_scalar(
        "select 1 from json_each($1) e
         cross join guest_contacts c on c.organization_id = $2
          and c.channel = e.value ->> 'channel' and c.address = e.value ->> 'address'
         where not exists (
             select 1 from json_each($3) w
             where w.value ->> 'guest_id' = c.guest_id and w.value ->> 'channel' = c.channel
               and w.value ->> 'address' = c.address)
         limit 1",
    )
    .bind(json!(page.unclaimed).to_string())
    .bind(page.scope.organization_id.to_string())
    .bind(json!(page.contacts).to_string())
    .fetch_optional(tx)
    .await
    .map_err(failed(OPERATION))?;
    match taken {
        Some(_) => Err(Error::conflict(
            OPERATION,
            "an address came to lead to somebody else: read and merge again",
        )),
        None => Ok(()),
    }
}
