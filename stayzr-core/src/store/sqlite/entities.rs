use async_trait::async_trait;
use serde_json::json;
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::{SqliteStore, error::failed, rows};
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
impl Entities for SqliteStore {
    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>> {
        let row: Option<String> = sqlx::query_scalar(
            "select json_object('id', id, 'name', name, 'created_at', created_at)
             from organizations where id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&self.reader)
        .await
        .map_err(failed("sqlite.organization"))?;
        row.map(|row| codec::decode("sqlite.organization", &row))
            .transpose()
    }

    async fn row(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        id: Uuid,
    ) -> Result<Option<EntityRow>> {
        let mut connection = self.reader.acquire().await.map_err(failed("sqlite.row"))?;
        rows::find(&mut connection, scope, kind, id).await
    }

    async fn rows(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        filter: &EntityFilter,
        page: &PageRequest,
    ) -> Result<Page<EntityRow>> {
        const OPERATION: &str = "sqlite.rows";
        let limit = codec::limit(page);
        let search = filter.search.as_deref().map(str::to_lowercase);
        let mut after = codec::after_id(OPERATION, page)?;
        let mut found = Vec::new();
        loop {
            let mut query = QueryBuilder::new("select ");
            query
                .push(rows::select_json(kind))
                .push(" from ")
                .push(kind.table())
                .push(" t where t.organization_id = ")
                .push_bind(scope.organization_id.to_string());
            narrow(&mut query, scope, kind, filter);
            if let Some(text) = &search {
                push_search(&mut query, kind, text);
            }
            if let Some(after) = &after {
                query.push(" and t.id > ").push_bind(after.clone());
            }
            query
                .push(" order by t.id limit ")
                .push_bind(limit as i64 + 1);
            let texts: Vec<String> = query
                .build_query_scalar()
                .fetch_all(&self.reader)
                .await
                .map_err(failed(OPERATION))?;
            for text in &texts {
                let row = codec::entity_row(OPERATION, kind, text)?;
                after = Some(row.id.to_string());
                if search.as_deref().is_none_or(|text| matches(&row, text)) {
                    found.push(row);
                }
            }
            // SQLite folds the case of ASCII alone, so that it may give more than what matches.
            if texts.len() <= limit || found.len() > limit {
                break;
            }
        }
        Ok(codec::page_of(found, page, |row| row.id.to_string()))
    }

    async fn external_refs(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        ids: &[Uuid],
    ) -> Result<Vec<RowRef>> {
        const OPERATION: &str = "sqlite.external_refs";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_object('local_id', m.local_id, 'provider', i.provider,
                 'integration_id', m.integration_id, 'id', m.external_id)
             from json_each($4) e
             cross join pms_entity_mappings m on m.organization_id = $1 and m.entity = $3
              and m.local_id = e.value and m.merged_into is null
             cross join pms_integrations i on i.id = m.integration_id and i.organization_id = $1
              and ($2 is null or i.property_id = $2)
             order by e.key, i.id",
        )
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .bind(kind.as_str())
        .bind(json!(ids).to_string())
        .fetch_all(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }

    async fn contact_owners(
        &self,
        scope: TenantScope,
        contacts: &[Contact],
    ) -> Result<Vec<ContactOwner>> {
        const OPERATION: &str = "sqlite.contact_owners";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_object('channel', c.channel, 'address', c.address,
                 'guest_id', c.guest_id, 'source', c.source)
             from json_each($2) e
             cross join guest_contacts c on c.organization_id = $1
              and c.channel = e.value ->> 'channel' and c.address = e.value ->> 'address'
             group by c.rowid order by min(e.key)",
        )
        .bind(scope.organization_id.to_string())
        .bind(json!(contacts).to_string())
        .fetch_all(&self.reader)
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
        const OPERATION: &str = "sqlite.guest_by_contact";
        let row: Option<String> = sqlx::query_scalar(
            "select json_quote(c.guest_id) from json_each($2) e
             cross join guest_contacts c on c.organization_id = $1
              and c.channel = e.value ->> 'channel' and c.address = e.value ->> 'address'
             order by e.key limit 1",
        )
        .bind(scope.organization_id.to_string())
        .bind(json!(contacts).to_string())
        .fetch_optional(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| codec::decode(OPERATION, &row)).transpose()
    }
}

fn narrow(
    query: &mut QueryBuilder<Sqlite>,
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
            .push(" and t.id in (select value from json_each(")
            .push_bind(json!(ids).to_string())
            .push("))");
    }
    if let (Some(guest), EntityKind::Reservation | EntityKind::Note | EntityKind::ServiceRequest) =
        (filter.guest_id, kind)
    {
        query
            .push(" and t.guest_id = ")
            .push_bind(guest.to_string());
    }
    if let (Some(reservation), EntityKind::Note | EntityKind::ServiceRequest) =
        (filter.reservation_id, kind)
    {
        query
            .push(" and t.reservation_id = ")
            .push_bind(reservation.to_string());
    }
    if kind != EntityKind::Reservation {
        return;
    }
    if let Some(room) = filter.room_id {
        query.push(" and t.room_id = ").push_bind(room.to_string());
    }
    if let Some(number) = &filter.number {
        query.push(" and t.number = ").push_bind(number.clone());
    }
    if let Some(statuses) = &filter.statuses {
        query
            .push(" and t.status in (select value from json_each(")
            .push_bind(json!(statuses).to_string())
            .push("))");
    }
    if let Some((from, to)) = filter.overlaps {
        query
            .push(" and t.arrival < ")
            .push_bind(codec::time(to))
            .push(" and t.departure > ")
            .push_bind(codec::time(from));
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
fn push_search(query: &mut QueryBuilder<Sqlite>, kind: EntityKind, text: &str) {
    let fields: Vec<String> = searched(kind)
        .iter()
        .map(|name| format!("coalesce(t.{name}, '')"))
        .collect();
    query
        .push(" and ")
        .push(fields.join(" || ' ' || "))
        .push(" like ")
        .push_bind(pattern(text))
        .push(" escape '\\'");
}

/// A LIKE pattern that matches whatever contains the text in any case; beyond ASCII it matches
/// more.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        match character {
            '%' | '_' | '\\' => pattern.extend(['\\', character]),
            _ if character.is_ascii() => pattern.push(character),
            _ => pattern.push('%'),
        }
    }
    pattern.push('%');
    pattern
}

fn matches(row: &EntityRow, text: &str) -> bool {
    let fields: Vec<&str> = searched(row.kind)
        .iter()
        .map(|name| row.fields.text(name).unwrap_or_default())
        .collect();
    fields.join(" ").to_lowercase().contains(text)
}
