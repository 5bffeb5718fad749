//! Rows of every entity kind, written and read by statements made from the kind's columns.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{
    document::{clean_json, clean_text, document},
    error::failed,
};
use crate::{
    Error, Result,
    port::sync::ContactWrite,
    store::codec,
    tenant::TenantScope,
    transform::{ColumnType, EntityKind, EntityRow, FieldMap},
};

/// The JSON of a row `t` as text, as [`codec::entity_row`] reads it.
pub(super) fn select_json(kind: EntityKind) -> String {
    format!("{}::text", json_object(kind))
}

/// The JSON of a row `t`.
pub(super) fn json_object(kind: EntityKind) -> String {
    let mut fields = String::new();
    for column in kind.columns() {
        if !fields.is_empty() {
            fields.push_str(", ");
        }
        let name = column.name;
        fields.push_str(&format!("'{name}', t.{name}"));
    }
    let property = if kind.has_property() {
        "t.property_id"
    } else {
        "null"
    };
    format!(
        "json_build_object('id', t.id, 'organization_id', t.organization_id, \
         'property_id', {property}, 'version', t.version, 'created_at', t.created_at, \
         'updated_at', t.updated_at, 'fields', json_build_object({fields}))"
    )
}

/// Whether a property sees the row `t`.
pub(super) fn seen(kind: EntityKind, property: &str) -> String {
    match kind {
        EntityKind::Property => format!("t.id = {property}"),
        EntityKind::Guest => format!(
            "(exists (select 1 from reservations r where r.organization_id = t.organization_id \
             and r.guest_id = t.id and r.property_id = {property}) \
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

/// The type of a column.
const fn type_of(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "text",
        ColumnType::Uuid => "uuid",
        ColumnType::Timestamp => "timestamptz",
        ColumnType::Date => "date",
        ColumnType::Integer => "bigint",
        ColumnType::Boolean => "boolean",
        ColumnType::Json => "jsonb",
    }
}

/// One row, if it is in scope.
pub(super) async fn find(
    tx: &mut PgConnection,
    scope: TenantScope,
    kind: EntityKind,
    id: Uuid,
) -> Result<Option<EntityRow>> {
    const OPERATION: &str = "postgres.row";
    let statement = format!(
        "select {json} from {table} t
         where t.id = $1 and t.organization_id = $2 and ($3 is null or {seen})",
        json = select_json(kind),
        table = kind.table(),
        seen = seen(kind, "$3"),
    );
    let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(id)
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .fetch_optional(tx)
        .await
        .map_err(failed(OPERATION))?;
    row.map(|row| codec::entity_row(OPERATION, kind, &row))
        .transpose()
}

/// Inserts rows of one kind in one statement. Values go in column by column, which costs the server
/// and this process less than one document with the names in every row.
pub(super) async fn insert(
    tx: &mut PgConnection,
    kind: EntityKind,
    rows: &[&EntityRow],
) -> Result<()> {
    const OPERATION: &str = "postgres.insert_rows";
    let mut names = String::from("id, organization_id, version, created_at, updated_at");
    let mut values = names.clone();
    let mut arrays =
        String::from("$1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::timestamptz[]");
    let mut next = 6;
    if kind.has_property() {
        names.push_str(", property_id");
        values.push_str(", property_id");
        arrays.push_str(", $6::uuid[]");
        next += 1;
    }
    for column in kind.columns() {
        names.push_str(&format!(", {}", column.name));
        values.push_str(&format!(", {}::{}", column.name, type_of(column.kind)));
        arrays.push_str(&format!(", ${next}::text[]"));
        next += 1;
    }
    let table = kind.table();
    let statement =
        format!("insert into {table} ({names}) select {values} from unnest({arrays}) e({names})");
    let mut columns = vec![Vec::with_capacity(rows.len()); kind.columns().len()];
    for row in rows {
        let mut fields = codec::stored_fields(OPERATION, kind, &row.fields)?;
        for (column, values) in kind.columns().iter().zip(&mut columns) {
            let value = fields.get_mut(column.name).map(Value::take);
            values.push(value.and_then(|value| text(column.kind, value)));
        }
    }
    let mut query = sqlx::query(AssertSqlSafe(statement))
        .bind(column(rows, |row| row.id))
        .bind(column(rows, |row| row.organization_id.uuid()))
        .bind(column(rows, |row| row.version))
        .bind(column(rows, |row| row.created_at))
        .bind(column(rows, |row| row.updated_at));
    if kind.has_property() {
        query = query.bind(column(rows, |row| row.property_id.map(|id| id.uuid())));
    }
    for values in columns {
        query = query.bind(values);
    }
    query.execute(tx).await.map_err(failed(OPERATION))?;
    Ok(())
}

/// One column of many rows, as a statement takes it.
pub(super) fn column<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// A field's value as the text that its column is read from.
fn text(kind: ColumnType, value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if kind != ColumnType::Json => Some(match clean_text(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(clean) => clean,
        }),
        other => Some(document(other)),
    }
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
    tx: &mut PgConnection,
    scope: TenantScope,
    kind: EntityKind,
    updates: &[Update<'_>],
    now: DateTime<Utc>,
) -> Result<bool> {
    const OPERATION: &str = "postgres.update_rows";
    let mut set = String::new();
    for column in kind.columns() {
        let name = column.name;
        // Only columns that some row of the page sets are named at all.
        if !updates.iter().any(|update| update.set.contains(name)) {
            continue;
        }
        let value = match column.kind {
            // `null` takes a value away; it is not stored as the JSON value.
            ColumnType::Json => format!("nullif(e.set -> '{name}', 'null'::jsonb)"),
            ColumnType::Text => format!("e.set ->> '{name}'"),
            kind => format!("(e.set ->> '{name}')::{}", type_of(kind)),
        };
        set.push_str(&format!(
            ", {name} = case when e.set ? '{name}' then {value} else t.{name} end"
        ));
    }
    let in_property = match kind {
        EntityKind::Property => "and ($4 is null or t.id = $4)",
        EntityKind::Guest => "and ($4::uuid is null or true)",
        _ => "and ($4 is null or t.property_id = $4)",
    };
    let statement = format!(
        "update {table} as t set version = t.version + 1, updated_at = $2{set}
         from jsonb_to_recordset($1::jsonb) e(id uuid, version bigint, set jsonb)
         where t.id = e.id and t.version = e.version and t.organization_id = $3 {in_property}",
        table = kind.table(),
    );
    let documents = updates
        .iter()
        .map(|update| {
            Ok(json!({
                "id": update.id,
                "version": update.expected_version,
                "set": codec::stored_fields(OPERATION, kind, update.set)?,
            }))
        })
        .collect::<Result<Vec<Value>>>()?;
    let done = sqlx::query(AssertSqlSafe(statement))
        .bind(document(documents))
        .bind(now)
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .execute(tx)
        .await
        .map_err(failed(OPERATION))?;
    Ok(done.rows_affected() == updates.len() as u64)
}

/// Whether a row still has the version that somebody saw. It keeps it until the transaction ends.
pub(super) async fn stands(
    tx: &mut PgConnection,
    scope: TenantScope,
    kind: EntityKind,
    update: &Update<'_>,
) -> Result<bool> {
    let statement = format!(
        "select 1 from {table} where id = $1 and version = $2 and organization_id = $3
         for no key update",
        table = kind.table(),
    );
    let there: Option<i32> = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(update.id)
        .bind(update.expected_version)
        .bind(scope.organization_id.uuid())
        .fetch_optional(tx)
        .await
        .map_err(failed("postgres.row"))?;
    Ok(there.is_some())
}

/// Sets addresses of guests: those of the guest's row that are no longer named go, new ones come
/// unless they lead to somebody else.
pub(super) async fn write_contacts(
    tx: &mut PgConnection,
    scope: TenantScope,
    contacts: &[ContactWrite],
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "postgres.write_contacts";
    if contacts.is_empty() {
        return Ok(());
    }
    let document = clean_json(serde_json::to_string(contacts).map_err(|error| {
        Error::internal(OPERATION, "cannot be written as JSON").with_source(error)
    })?);
    sqlx::query(
        "delete from guest_contacts c
         using jsonb_to_recordset($1::jsonb) e(guest_id uuid, channel text, address text)
         where c.guest_id = e.guest_id and c.channel = e.channel and c.organization_id = $2
           and c.source = 'record' and c.address is distinct from e.address",
    )
    .bind(&document)
    .bind(scope.organization_id.uuid())
    .execute(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    sqlx::query(
        "insert into guest_contacts (organization_id, channel, address, guest_id, source,
             created_at)
         select $2, e.channel, e.address, g.id, 'record', $3
         from jsonb_to_recordset($1::jsonb) e(guest_id uuid, channel text, address text)
         join guests g on g.id = e.guest_id and g.organization_id = $2
         where e.address is not null
         order by e.channel, e.address
         on conflict do nothing",
    )
    .bind(&document)
    .bind(scope.organization_id.uuid())
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}
