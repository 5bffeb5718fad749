use async_trait::async_trait;
use serde_json::json;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{PostgresStore, document::document, error::failed, rows};
use crate::{
    Result,
    ids::{GuestId, OrganizationId},
    model::{Contact, Organization},
    port::{
        Page, PageRequest,
        entities::{ContactOwner, Entities, EntityFilter, RowRef},
    },
    store::codec,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow},
};

#[async_trait]
impl Entities for PostgresStore {
    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>> {
        const OPERATION: &str = "postgres.organization";
        let row: Option<String> = sqlx::query_scalar(
            "select json_build_object('id', id, 'name', name, 'created_at', created_at)::text
             from organizations where id = $1",
        )
        .bind(id.uuid())
        .fetch_optional(&mut *self.organization_tx(OPERATION, id).await?)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| codec::decode(OPERATION, &row)).transpose()
    }

    async fn row(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        id: Uuid,
    ) -> Result<Option<EntityRow>> {
        let mut tx = self.tenant("postgres.row", scope).await?;
        rows::find(&mut tx, scope, kind, id).await
    }

    async fn rows(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        filter: &EntityFilter,
        page: &PageRequest,
    ) -> Result<Page<EntityRow>> {
        const OPERATION: &str = "postgres.rows";
        let mut query = QueryBuilder::new("select ");
        query
            .push(rows::select_json(kind))
            .push(" from ")
            .push(kind.table())
            .push(" t where t.organization_id = ")
            .push_bind(scope.organization_id.uuid());
        narrow(&mut query, scope, kind, filter);
        if let Some(text) = &filter.search {
            push_search(&mut query, kind, &text.to_lowercase());
        }
        if let Some(after) = codec::after_id(OPERATION, page)? {
            query.push(" and t.id > ").push_bind(after).push("::uuid");
        }
        query
            .push(" order by t.id limit ")
            .push_bind(codec::limit(page) as i64 + 1);
        let texts: Vec<String> = query
            .build_query_scalar()
            .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
            .await
            .map_err(failed(OPERATION))?;
        let found = texts
            .iter()
            .map(|text| codec::entity_row(OPERATION, kind, text))
            .collect::<Result<Vec<EntityRow>>>()?;
        Ok(codec::page_of(found, page, |row| row.id.to_string()))
    }

    async fn external_refs(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        ids: &[Uuid],
    ) -> Result<Vec<RowRef>> {
        const OPERATION: &str = "postgres.external_refs";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('local_id', m.local_id, 'provider', i.provider,
                 'integration_id', m.integration_id, 'id', m.external_id)::text
             from unnest($4) with ordinality e(value, key)
             join pms_entity_mappings m on m.organization_id = $1 and m.entity = $3
              and m.local_id = e.value and m.merged_into is null
             join pms_integrations i on i.id = m.integration_id and i.organization_id = $1
              and ($2 is null or i.property_id = $2)
             order by e.key, i.id",
        )
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .bind(kind.as_str())
        .bind(ids)
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }

    async fn contact_owners(
        &self,
        scope: TenantScope,
        contacts: &[Contact],
    ) -> Result<Vec<ContactOwner>> {
        const OPERATION: &str = "postgres.contact_owners";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('channel', c.channel, 'address', c.address,
                 'guest_id', c.guest_id, 'source', c.source)::text
             from (select value ->> 'channel' as channel, value ->> 'address' as address,
                       min(key) as key
                   from jsonb_array_elements($2::jsonb) with ordinality e(value, key)
                   group by 1, 2) e
             join guest_contacts c on c.organization_id = $1
              and c.channel = e.channel and c.address = e.address
             order by e.key",
        )
        .bind(scope.organization_id.uuid())
        .bind(document(json!(contacts)))
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        rows.iter()
            .map(|row| codec::contact_owner(OPERATION, row))
            .collect()
    }

    async fn guest_by_contact(
        &self,
        scope: TenantScope,
        contacts: &[Contact],
    ) -> Result<Option<GuestId>> {
        const OPERATION: &str = "postgres.guest_by_contact";
        let id: Option<Uuid> = sqlx::query_scalar(
            "select c.guest_id from jsonb_array_elements($2::jsonb) with ordinality e(value, key)
             join guest_contacts c on c.organization_id = $1
              and c.channel = e.value ->> 'channel' and c.address = e.value ->> 'address'
             order by e.key limit 1",
        )
        .bind(scope.organization_id.uuid())
        .bind(json!(contacts).to_string())
        .fetch_optional(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        Ok(id.map(GuestId::from))
    }
}

fn narrow(
    query: &mut QueryBuilder<Postgres>,
    scope: TenantScope,
    kind: EntityKind,
    filter: &EntityFilter,
) {
    if let Some(property) = scope.property_id {
        // An id is hexadecimal digits and hyphens: it can stand in the text.
        query
            .push(" and ")
            .push(rows::seen(kind, &format!("'{property}'")));
    }
    if let Some(ids) = &filter.ids {
        query
            .push(" and t.id = any(")
            .push_bind(ids.clone())
            .push(")");
    }
    if matches!(
        kind,
        EntityKind::Reservation | EntityKind::Note | EntityKind::ServiceRequest
    ) && let Some(guest) = filter.guest_id
    {
        query.push(" and t.guest_id = ").push_bind(guest.uuid());
    }
    if matches!(kind, EntityKind::Note | EntityKind::ServiceRequest)
        && let Some(reservation) = filter.reservation_id
    {
        query
            .push(" and t.reservation_id = ")
            .push_bind(reservation.uuid());
    }
    if kind != EntityKind::Reservation {
        return;
    }
    if let Some(room) = filter.room_id {
        query.push(" and t.room_id = ").push_bind(room.uuid());
    }
    if let Some(number) = &filter.number {
        query.push(" and t.number = ").push_bind(number.clone());
    }
    if let Some(statuses) = &filter.statuses {
        query
            .push(" and t.status in (select jsonb_array_elements_text(")
            .push_bind(json!(statuses).to_string())
            .push("::jsonb))");
    }
    if let Some((from, to)) = filter.overlaps {
        query
            .push(" and t.arrival < ")
            .push_bind(to)
            .push(" and t.departure > ")
            .push_bind(from);
    }
}

/// What of a row is searched.
const fn searched(kind: EntityKind) -> &'static [&'static str] {
    match kind {
        EntityKind::Property => &["name", "email", "phone"],
        EntityKind::RoomType | EntityKind::Room => &["name"],
        EntityKind::Guest => &["first_name", "last_name", "email", "phone"],
        EntityKind::Reservation => &["number"],
        EntityKind::Note => &["text"],
        EntityKind::ServiceRequest => &["description"],
    }
}

/// The searched fields in one text. A guest's name reads as it is written.
fn push_search(query: &mut QueryBuilder<Postgres>, kind: EntityKind, text: &str) {
    let fields: Vec<String> = searched(kind)
        .iter()
        .map(|name| format!("coalesce(t.{name}, '')"))
        .collect();
    query
        .push(" and strpos(lower(")
        .push(fields.join(" || ' ' || "))
        .push("), ")
        .push_bind(text.to_owned())
        .push(") > 0");
}
