//! Rows of every entity kind, written and read by statements made from the kind's columns.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, SqliteConnection};
use uuid::Uuid;

use super::error::failed;
use crate::{
    Error, Result,
    port::sync::ContactWrite,
    store::codec,
    tenant::TenantScope,
    transform::{ColumnType, EntityKind, EntityRow, FieldMap},
};

/// The JSON of a row `t`, as [`codec::entity_row`] reads it.
pub(super) fn select_json(kind: EntityKind) -> String {
    let mut fields = String::new();
    for column in kind.columns() {
        if !fields.is_empty() {
            fields.push_str(", ");
        }
        let name = column.name;
        match column.kind {
            ColumnType::Json => fields.push_str(&format!("'{name}', json(t.{name})")),
            _ => fields.push_str(&format!("'{name}', t.{name}")),
        }
    }
    let property = if kind.has_property() {
        "t.property_id"
    } else {
        "null"
    };
    format!(
        "json_object('id', t.id, 'organization_id', t.organization_id, 'property_id', {property}, \
         'version', t.version, 'created_at', t.created_at, 'updated_at', t.updated_at, \
         'fields', json_object({fields}))"
    )
}

/// Whether a property sees the row `t`.
pub(super) fn seen(kind: EntityKind, property: &str) -> String {
    match kind {
        EntityKind::Property => format!("t.id = {property}"),
        EntityKind::Guest => format!(
            // `+` makes SQLite look for the guest's reservations, not through the property's.
            "(exists (select 1 from reservations r where r.organization_id = t.organization_id \
             and r.guest_id = t.id and +r.property_id = {property}) \
             or exists (select 1 from conversations c where c.organization_id = t.organization_id \
             and c.guest_id = t.id and c.property_id = {property}))"
        ),
        EntityKind::RoomType
        | EntityKind::Room
        | EntityKind::Reservation
        | EntityKind::Note
        | EntityKind::ServiceRequest => format!("t.property_id = {property}"),
    }
}

/// One row, if it is in scope.
pub(super) async fn find(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    kind: EntityKind,
    id: Uuid,
) -> Result<Option<EntityRow>> {
    const OPERATION: &str = "sqlite.row";
    let statement = format!(
        "select {json} from {table} t
         where t.id = $1 and t.organization_id = $2 and ($3 is null or {seen})",
        json = select_json(kind),
        table = kind.table(),
        seen = seen(kind, "$3"),
    );
    let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(id.to_string())
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .fetch_optional(tx)
        .await
        .map_err(failed(OPERATION))?;
    row.map(|row| codec::entity_row(OPERATION, kind, &row))
        .transpose()
}

/// Rows of one kind with these ids, those that are in the organization.
pub(super) async fn find_all(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    kind: EntityKind,
    ids: &[Uuid],
) -> Result<Vec<EntityRow>> {
    const OPERATION: &str = "sqlite.rows";
    let statement = format!(
        "select {json} from json_each($1) e
         cross join {table} t on t.id = e.value and +t.organization_id = $2",
        json = select_json(kind),
        table = kind.table(),
    );
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(json!(ids).to_string())
        .bind(scope.organization_id.to_string())
        .fetch_all(tx)
        .await
        .map_err(failed(OPERATION))?;
    rows.iter()
        .map(|row| codec::entity_row(OPERATION, kind, row))
        .collect()
}

/// Inserts rows of one kind in one statement.
pub(super) async fn insert(
    tx: &mut SqliteConnection,
    kind: EntityKind,
    rows: &[&EntityRow],
) -> Result<()> {
    const OPERATION: &str = "sqlite.insert_rows";
    let mut names = String::from("id, organization_id, version, created_at, updated_at");
    let mut values = String::from(
        "value ->> 'id', value ->> 'organization_id', value ->> 'version', value ->> 'created_at', \
         value ->> 'updated_at'",
    );
    if kind.has_property() {
        names.push_str(", property_id");
        values.push_str(", value ->> 'property_id'");
    }
    for column in kind.columns() {
        names.push_str(&format!(", {}", column.name));
        values.push_str(&format!(", value ->> '$.fields.{}'", column.name));
    }
    let table = kind.table();
    let statement =
        format!("insert into {table} ({names}) select {values} from jsonb_each($1) where true");
    let documents = rows
        .iter()
        .map(|row| {
            Ok(json!({
                "id": row.id,
                "organization_id": row.organization_id,
                "property_id": row.property_id,
                "version": row.version,
                "created_at": codec::time(row.created_at),
                "updated_at": codec::time(row.updated_at),
                "fields": bound_fields(kind, &row.fields)?,
            }))
        })
        .collect::<Result<Vec<Value>>>()?;
    sqlx::query(AssertSqlSafe(statement))
        .bind(Value::from(documents).to_string())
        .execute(tx)
        .await
        .map_err(failed(OPERATION))?;
    Ok(())
}

/// One row to change.
pub(super) struct Update<'a> {
    pub(super) id: Uuid,
    pub(super) expected_version: i64,
    pub(super) set: &'a FieldMap,
}

/// Sets fields of rows of one kind in one statement. False, and the transaction must not be
/// committed, if a row is not in scope or has another version.
pub(super) async fn update(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    kind: EntityKind,
    updates: &[Update<'_>],
    now: DateTime<Utc>,
) -> Result<bool> {
    const OPERATION: &str = "sqlite.update_rows";
    let mut set = String::new();
    for column in kind.columns() {
        let name = column.name;
        // Only columns that some row of the page sets are named at all.
        if updates.iter().any(|update| update.set.contains(name)) {
            set.push_str(&format!(
                ", {name} = case when json_type(e.value, '$.set.{name}') is null then t.{name} \
                 else e.value ->> '$.set.{name}' end"
            ));
        }
    }
    let in_property = match kind {
        EntityKind::Property => "and ($4 is null or t.id = $4)",
        EntityKind::Guest => "and ($4 is null or true)",
        _ => "and ($4 is null or +t.property_id = $4)",
    };
    let statement = format!(
        "update {table} as t set version = t.version + 1, updated_at = $2{set}
         from jsonb_each($1) e
         where t.id = e.value ->> 'id' and t.version = e.value ->> 'version'
           and +t.organization_id = $3 {in_property}",
        table = kind.table(),
    );
    let documents = updates
        .iter()
        .map(|update| {
            Ok(json!({
                "id": update.id,
                "version": update.expected_version,
                "set": bound_fields(kind, update.set)?,
            }))
        })
        .collect::<Result<Vec<Value>>>()?;
    let done = sqlx::query(AssertSqlSafe(statement))
        .bind(Value::from(documents).to_string())
        .bind(codec::time(now))
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .execute(tx)
        .await
        .map_err(failed(OPERATION))?;
    Ok(done.rows_affected() == updates.len() as u64)
}

/// Fields as SQLite takes them from the document: JSON columns as text with sorted keys.
fn bound_fields(kind: EntityKind, fields: &FieldMap) -> Result<Map<String, Value>> {
    let mut bound = codec::stored_fields("sqlite.fields", kind, fields)?;
    for column in kind.columns() {
        if column.kind == ColumnType::Json
            && let Some(value) = bound.get_mut(column.name)
            && !value.is_null()
        {
            *value = Value::from(codec::json(value));
        }
    }
    Ok(bound)
}

/// Sets addresses of guests: those of the guest's row that are no longer named go, new ones come
/// unless they lead to somebody else.
pub(super) async fn write_contacts(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    contacts: &[ContactWrite],
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "sqlite.write_contacts";
    if contacts.is_empty() {
        return Ok(());
    }
    let document = serde_json::to_string(contacts).map_err(|error| {
        Error::internal(OPERATION, "cannot be written as JSON").with_source(error)
    })?;
    sqlx::query(
        "delete from guest_contacts where rowid in (
             select c.rowid from json_each($1) e
             cross join guest_contacts c on c.guest_id = e.value ->> 'guest_id'
              and c.channel = e.value ->> 'channel' and c.organization_id = $2
             where c.source = 'record' and c.address is not e.value ->> 'address')",
    )
    .bind(&document)
    .bind(scope.organization_id.to_string())
    .execute(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    sqlx::query(
        "insert into guest_contacts (organization_id, channel, address, guest_id, source,
             created_at)
         select $2, e.value ->> 'channel', e.value ->> 'address', g.id, 'record', $3
         from json_each($1) e
         cross join guests g on g.id = e.value ->> 'guest_id' and g.organization_id = $2
         where e.value ->> 'address' is not null
         on conflict do nothing",
    )
    .bind(&document)
    .bind(scope.organization_id.to_string())
    .bind(codec::time(now))
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::connect::tests::plan, seen};
    use crate::transform::EntityKind;

    #[tokio::test]
    async fn a_property_sees_its_guests_without_reading_all_reservations_for_each() {
        let seen = seen(EntityKind::Guest, "$2");
        let statement = format!(
            "select t.id from guests t where t.organization_id = $1 and {seen} order by t.id"
        );
        let plan = plan(&statement).await;
        assert!(plan.contains("reservations_guest"), "{plan}");
    }
}
