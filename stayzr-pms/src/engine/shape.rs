//! The shape of rows: links, what a new row starts with, and what a row cannot be.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    Error,
    clock::truncate,
    model::{Guest, Note, Property, Reservation, Room, RoomType, ServiceRequest},
    transform::{ColumnType, Entity, EntityKind, EntityRow, FieldMap},
};

/// The kind of row that a field links to; none if it is no link.
pub(super) fn link_kind(field: &str) -> Option<EntityKind> {
    match field {
        "room_type_id" => Some(EntityKind::RoomType),
        "room_id" => Some(EntityKind::Room),
        "guest_id" => Some(EntityKind::Guest),
        "reservation_id" => Some(EntityKind::Reservation),
        _ => None,
    }
}

/// Whether rows of a kind have this column.
pub(super) fn has_column(kind: EntityKind, field: &str) -> bool {
    kind.columns().iter().any(|column| column.name == field)
}

/// Whether a column cannot be empty.
fn is_required(kind: EntityKind, field: &str) -> bool {
    match kind {
        EntityKind::Property => matches!(
            field,
            "name"
                | "address"
                | "time_zone"
                | "currency"
                | "pricing"
                | "languages"
                | "amenities"
                | "policies"
        ),
        EntityKind::RoomType => matches!(field, "name" | "active"),
        EntityKind::Room => matches!(field, "name" | "condition" | "active"),
        EntityKind::Guest => matches!(field, "origin" | "classifications" | "active"),
        EntityKind::Reservation => matches!(
            field,
            "status" | "arrival" | "departure" | "adults" | "children"
        ),
        EntityKind::Note => matches!(field, "kind" | "text" | "active"),
        EntityKind::ServiceRequest => matches!(field, "category" | "description" | "status"),
    }
}

/// What a row starts with where the vendor says nothing: every column, empty where it may be.
/// A room or room type without a name is called by the vendor's id.
pub(super) fn defaults(kind: EntityKind, external_id: &str) -> FieldMap {
    let mut fields: FieldMap = kind
        .columns()
        .iter()
        .map(|column| (column.name.to_owned(), Value::Null))
        .collect();
    match kind {
        EntityKind::Property => {
            for list in ["languages", "amenities", "policies"] {
                fields.insert(list, json!([]));
            }
            fields.insert("address", json!({}));
            fields.insert("pricing", "gross");
        }
        EntityKind::RoomType => {
            fields.insert("name", external_id);
            fields.insert("active", true);
        }
        EntityKind::Room => {
            fields.insert("name", external_id);
            fields.insert("condition", "unknown");
            fields.insert("active", true);
        }
        EntityKind::Guest => {
            fields.insert("origin", "pms");
            fields.insert("classifications", json!([]));
            fields.insert("active", true);
        }
        EntityKind::Reservation => {
            fields.insert("status", "unknown");
            fields.insert("adults", 0);
            fields.insert("children", 0);
        }
        EntityKind::Note => {
            fields.insert("kind", "general");
            fields.insert("active", true);
        }
        EntityKind::ServiceRequest => {
            fields.insert("category", "general");
            fields.insert("status", "open");
        }
    }
    fields
}

/// A vendor's value as the store gives it back; none where it says nothing, such as an empty
/// value of a column that is never empty.
pub(super) fn canonical(kind: EntityKind, field: &str, value: &Value) -> Option<Value> {
    if value.is_null() {
        return (!is_required(kind, field)).then_some(Value::Null);
    }
    let column = kind.columns().iter().find(|column| column.name == field);
    let time = match (column.map(|column| column.kind), value.as_str()) {
        (Some(ColumnType::Timestamp), Some(text)) => DateTime::parse_from_rfc3339(text).ok(),
        _ => None,
    };
    Some(match time {
        Some(time) => json!(truncate(time.with_timezone(&Utc))),
        None => value.clone(),
    })
}

/// Whether a record can be a row, by what it says of itself; if not, says which field cannot be
/// what it is.
pub(super) fn check_record(kind: EntityKind, fields: &FieldMap) -> Result<(), String> {
    if kind != EntityKind::Reservation {
        return Ok(());
    }
    let time = |field| {
        fields
            .text(field)
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
    };
    match (time("arrival"), time("departure")) {
        (Some(arrival), Some(departure)) if departure <= arrival => Err(format!(
            "departure: {} is not after the arrival, {}",
            departure.to_rfc3339_opts(SecondsFormat::Secs, true),
            arrival.to_rfc3339_opts(SecondsFormat::Secs, true),
        )),
        _ => Ok(()),
    }
}

/// Whether the row can be read as its type; if not, says which field cannot be what it is.
/// `sound` are fields of a row that can be read.
pub(super) fn check(row: &EntityRow, sound: &FieldMap) -> Result<(), String> {
    if let Some(field) = row
        .kind
        .columns()
        .iter()
        .map(|column| column.name)
        .find(|name| is_required(row.kind, name) && row.fields.get(name).is_none_or(Value::is_null))
    {
        return Err(format!("{field}: the record has none"));
    }
    let Err(error) = parse(row) else {
        return Ok(());
    };
    let mut probe = EntityRow {
        fields: sound.clone(),
        ..row.clone()
    };
    for (field, value) in row.fields.changed_from(sound) {
        let before = probe.fields.insert(field.as_str(), value);
        if let Err(error) = parse(&probe) {
            return Err(format!("{field}: {}", reason(&error)));
        }
        probe.fields.insert(field, before.unwrap_or_default());
    }
    Err(reason(&error))
}

/// Fields of a row of this kind that can be read.
pub(super) fn sound(kind: EntityKind, external_id: &str) -> FieldMap {
    let mut fields = defaults(kind, external_id);
    if kind == EntityKind::Reservation {
        fields.insert("arrival", "2000-01-01T00:00:00Z");
        fields.insert("departure", "2000-01-02T00:00:00Z");
    }
    fields
}

fn parse(row: &EntityRow) -> stayzr_core::Result<()> {
    match row.kind {
        EntityKind::Property => Property::from_row(row).map(drop),
        EntityKind::RoomType => RoomType::from_row(row).map(drop),
        EntityKind::Room => Room::from_row(row).map(drop),
        EntityKind::Guest => Guest::from_row(row).map(drop),
        EntityKind::Reservation => Reservation::from_row(row).map(drop),
        EntityKind::Note => Note::from_row(row).map(drop),
        EntityKind::ServiceRequest => ServiceRequest::from_row(row).map(drop),
    }
}

fn reason(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.message().to_owned(),
    }
}
