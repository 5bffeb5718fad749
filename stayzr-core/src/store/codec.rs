//! What the SQL adapters share: how values are written into columns and read back.
//!
//! Commands go in as one JSON document for each statement, rows come out as one JSON text each, so
//! that both databases are read by the same code.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    Error, Result,
    ids::GuestId,
    model::{Change, Contact},
    port::{Page, PageRequest, entities::ContactOwner},
    transform::{ColumnType, EntityKind, EntityRow, FieldMap, canonical_value},
};

/// A time as text: RFC 3339 in UTC with exactly six decimals, so that text order is time order.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// A value as JSON with sorted keys.
pub(crate) fn json(value: &Value) -> String {
    canonical_value(value)
}

/// What a statement takes apart, as JSON text.
#[cfg(feature = "sqlite")]
pub(crate) fn document<T: serde::Serialize>(operation: &'static str, rows: &[T]) -> Result<String> {
    serde_json::to_string(rows)
        .map_err(|error| Error::internal(operation, "cannot be written as JSON").with_source(error))
}

/// A row that came as JSON text.
pub(crate) fn decode<T: DeserializeOwned>(operation: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| corrupt(operation, error))
}

/// A value that is stored by its name.
pub(crate) fn named<T: DeserializeOwned>(operation: &'static str, name: &str) -> Result<T> {
    serde_json::from_value(Value::from(name)).map_err(|error| corrupt(operation, error))
}

/// Rows that came as JSON text.
pub(crate) fn decode_all<T: DeserializeOwned>(
    operation: &'static str,
    texts: &[String],
) -> Result<Vec<T>> {
    texts.iter().map(|text| decode(operation, text)).collect()
}

fn corrupt(operation: &'static str, error: serde_json::Error) -> Error {
    Error::corrupt(operation, "a stored row cannot be read").with_source(error)
}

/// An entity row from `{"id", …, "fields": {…}}` as the database wrote it.
pub(crate) fn entity_row(
    operation: &'static str,
    kind: EntityKind,
    text: &str,
) -> Result<EntityRow> {
    let mut map: Map<String, Value> = decode(operation, text)?;
    map.insert("kind".to_owned(), Value::from(kind.as_str()));
    let mut row: EntityRow =
        serde_json::from_value(Value::Object(map)).map_err(|error| corrupt(operation, error))?;
    let mut fields = FieldMap::new();
    for column in kind.columns() {
        let value = row.fields.remove(column.name).unwrap_or(Value::Null);
        fields.insert(column.name, canonical(column.kind, value));
    }
    row.fields = fields;
    if kind == EntityKind::Property {
        row.property_id = Some(row.id.into());
    }
    Ok(row)
}

/// A stored value in the form that serde gives the model's types.
fn canonical(kind: ColumnType, value: Value) -> Value {
    match (kind, value) {
        (ColumnType::Timestamp, Value::String(text)) => parse_time(&text)
            .and_then(|at| serde_json::to_value(at).ok())
            .unwrap_or(Value::String(text)),
        (ColumnType::Boolean, Value::Number(number)) => Value::Bool(number.as_i64() != Some(0)),
        (_, value) => value,
    }
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|at| at.with_timezone(&Utc))
}

/// Fields as they are bound: times in the stored form, everything else as it is.
/// [`crate::ErrorKind::Invalid`] for a field that the kind has not.
pub(crate) fn stored_fields(
    operation: &'static str,
    kind: EntityKind,
    fields: &FieldMap,
) -> Result<Map<String, Value>> {
    let mut stored = Map::new();
    for (name, value) in fields.iter() {
        let column = kind
            .columns()
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(|| {
                Error::invalid(operation, format!("a {kind} has no field of this name"))
                    .with("field", name)
            })?;
        let value = match (column.kind, value) {
            (ColumnType::Timestamp, Value::String(text)) => {
                let at = parse_time(text)
                    .filter(|at| (0..=9999).contains(&at.year()))
                    .ok_or_else(|| {
                        Error::invalid(operation, "not a time of the years 0 to 9999")
                            .with("field", name)
                    })?;
                Value::from(time(at))
            }
            (_, value) => value.clone(),
        };
        stored.insert(name.to_owned(), value);
    }
    Ok(stored)
}

/// A line of the journal whose values came as JSON text, so that a value which is `null` and no
/// value at all stay apart.
pub(crate) fn change(operation: &'static str, text: &str) -> Result<Change> {
    let mut map: Map<String, Value> = decode(operation, text)?;
    let mut values = [None, None, None];
    for (slot, name) in values.iter_mut().zip(["base", "old", "new"]) {
        if let Some(Value::String(text)) = map.remove(name) {
            *slot = Some(decode(operation, &text)?);
        }
    }
    let mut change: Change =
        serde_json::from_value(Value::Object(map)).map_err(|error| corrupt(operation, error))?;
    [change.base, change.old, change.new] = values;
    Ok(change)
}

/// Whom an address leads to, from `{"channel", "address", "guest_id", "source"}`.
pub(crate) fn contact_owner(operation: &'static str, text: &str) -> Result<ContactOwner> {
    #[derive(Deserialize)]
    struct Stored {
        #[serde(flatten)]
        contact: Contact,
        guest_id: GuestId,
        source: String,
    }
    let stored: Stored = decode(operation, text)?;
    Ok(ContactOwner {
        contact: stored.contact,
        guest_id: stored.guest_id,
        written_from: stored.source == "channel",
    })
}

/// How many items a page may have.
pub(crate) fn limit(page: &PageRequest) -> usize {
    page.limit.clamp(1, 1000) as usize
}

/// The id after which a page starts; [`crate::ErrorKind::Invalid`] if the cursor is not one of
/// ours.
pub(crate) fn after_id(operation: &'static str, page: &PageRequest) -> Result<Option<String>> {
    page.cursor
        .as_deref()
        .map(|cursor| {
            uuid::Uuid::parse_str(cursor)
                .map(|id| id.to_string())
                .map_err(|error| bad_cursor(operation).with_source(error))
        })
        .transpose()
}

/// The number after which a page starts.
pub(crate) fn after_number(operation: &'static str, page: &PageRequest) -> Result<Option<i64>> {
    page.cursor
        .as_deref()
        .map(|cursor| cursor.parse().map_err(|_| bad_cursor(operation)))
        .transpose()
}

fn bad_cursor(operation: impl Into<Cow<'static, str>>) -> Error {
    Error::invalid(
        operation,
        "not a cursor of this list: take `next_cursor` as it came",
    )
}

/// A page of what was read with one item more than asked for.
pub(crate) fn page_of<T>(
    mut items: Vec<T>,
    page: &PageRequest,
    cursor: impl Fn(&T) -> String,
) -> Page<T> {
    let limit = limit(page);
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = if more { items.last().map(cursor) } else { None };
    Page { items, next_cursor }
}

/// A vector's bytes, little end first, in hexadecimal.
pub(crate) fn hexadecimal(vector: &[f32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(vector.len() * 8);
    for byte in vector.iter().flat_map(|number| number.to_le_bytes()) {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// A vector from its bytes, little end first.
pub(crate) fn floats(operation: &'static str, bytes: &[u8]) -> Result<Vec<f32>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Error::corrupt(operation, "a stored vector is cut off"));
    }
    Ok(numbers
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect())
}
