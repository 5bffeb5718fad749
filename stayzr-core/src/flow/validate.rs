//! What a row's fields may be set to.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    Error, Result,
    model::{Guest, Note, Property, Reservation, Room, RoomType, ServiceRequest},
    port::entities::Entities,
    tenant::TenantScope,
    transform::{ColumnType, Entity, EntityKind, EntityRow, FieldMap},
};

/// Fields that no edit sets: they follow from others or say where a row comes from.
pub(super) fn is_derived(kind: EntityKind, field: &str) -> bool {
    matches!(
        (kind, field),
        (EntityKind::Guest, "origin" | "active" | "merged_into")
            | (
                EntityKind::Note,
                "kind_vendor" | "reservation_id" | "guest_id"
            )
            | (
                EntityKind::ServiceRequest,
                "status_vendor" | "reservation_id" | "guest_id" | "conversation_id"
            )
            | (EntityKind::Room, "condition_vendor" | "active")
            | (
                EntityKind::Reservation,
                "status_vendor" | "rate_vendor" | "origin"
            )
            | (EntityKind::Property, "pricing")
    )
}

/// The fields in canonical form; refuses what the row has not, may not, or cannot hold.
pub(super) fn validate(row: &EntityRow, set: &FieldMap) -> Result<FieldMap> {
    if set.is_empty() {
        return Err(Error::invalid("edit", "the edit names no field"));
    }
    if let Some(field) = set.names().find(|field| is_derived(row.kind, field)) {
        return Err(
            Error::invalid("edit", format!("the field `{field}` cannot be edited"))
                .with("field", field),
        );
    }
    canonical(row, set)
}

/// The fields in canonical form, derived ones too.
pub(super) fn canonical(row: &EntityRow, set: &FieldMap) -> Result<FieldMap> {
    let columns = row.kind.columns();
    for (field, _) in set.iter() {
        if !columns.iter().any(|column| column.name == field) {
            let known: Vec<&str> = columns
                .iter()
                .map(|column| column.name)
                .filter(|name| !is_derived(row.kind, name))
                .collect();
            return Err(Error::invalid(
                "edit",
                format!(
                    "a {} has no field `{field}`; it has {}",
                    row.kind,
                    known.join(", ")
                ),
            )
            .with("field", field));
        }
    }
    // One field at a time, so that the error names it.
    let mut canonical = FieldMap::new();
    for (field, value) in set.iter() {
        let mut edited = row.clone();
        edited.fields.insert(field, trimmed(value));
        let fields = reparse(&edited).map_err(|error| {
            Error::invalid("edit", format!("`{field}` cannot take this value"))
                .with("field", field)
                .with("expected", expected(row.kind, field))
                .with_source(error)
        })?;
        canonical.insert(field, fields.get(field).cloned().unwrap_or(Value::Null));
    }
    if row.kind == EntityKind::Property {
        check_times_of_day(&canonical)?;
    }
    if row.kind == EntityKind::Note && canonical.text("kind") == Some("unknown") {
        return Err(
            Error::invalid("edit", "`kind` is general, channel or special_request")
                .with("field", "kind"),
        );
    }
    if row.kind == EntityKind::ServiceRequest && canonical.text("status") == Some("unknown") {
        return Err(
            Error::invalid("edit", "`status` is open, in_progress, done or cancelled")
                .with("field", "status"),
        );
    }
    let mut whole = row.clone();
    whole.fields.extend(&canonical);
    check(&whole)?;
    Ok(canonical)
}

/// `HH:MM`, as guests are told it. Only what is edited: a vendor may have said it otherwise.
fn check_times_of_day(set: &FieldMap) -> Result<()> {
    for field in ["check_in", "check_out"] {
        let Some(Value::String(text)) = set.get(field) else {
            continue;
        };
        if text.len() != 5 || chrono::NaiveTime::parse_from_str(text, "%H:%M").is_err() {
            return Err(Error::invalid(
                "edit",
                format!("`{field}` is a time of day such as 15:00"),
            )
            .with("field", field));
        }
    }
    Ok(())
}

fn trimmed(value: &Value) -> Value {
    match value {
        Value::String(text) if text.trim().is_empty() => Value::Null,
        Value::String(text) => Value::from(text.trim()),
        other => other.clone(),
    }
}

/// The fields of a row as its type writes them.
fn reparse(row: &EntityRow) -> Result<FieldMap> {
    match row.kind {
        EntityKind::Property => Property::from_row(row)?.to_fields(),
        EntityKind::RoomType => RoomType::from_row(row)?.to_fields(),
        EntityKind::Room => Room::from_row(row)?.to_fields(),
        EntityKind::Guest => Guest::from_row(row)?.to_fields(),
        EntityKind::Reservation => Reservation::from_row(row)?.to_fields(),
        EntityKind::Note => Note::from_row(row)?.to_fields(),
        EntityKind::ServiceRequest => ServiceRequest::from_row(row)?.to_fields(),
    }
}

fn expected(kind: EntityKind, field: &str) -> &'static str {
    let column = kind.columns().iter().find(|column| column.name == field);
    match column.map(|column| column.kind) {
        Some(ColumnType::Timestamp) => "a time such as 2026-06-09T13:00:00Z",
        Some(ColumnType::Date) => "a day such as 1983-12-31",
        Some(ColumnType::Uuid) => "an id",
        Some(ColumnType::Integer) => "a whole number",
        Some(ColumnType::Boolean) => "true or false",
        Some(ColumnType::Json) => "a value of the documented shape",
        Some(ColumnType::Text) | None => "text of the documented form",
    }
}

/// Refuses a row whose fields contradict each other.
pub(super) fn check(row: &EntityRow) -> Result<()> {
    if row.kind == EntityKind::Reservation {
        let reservation = Reservation::from_row(row)?;
        if reservation.departure <= reservation.arrival {
            return Err(
                Error::invalid("edit", "the departure is not after the arrival")
                    .with("field", "departure"),
            );
        }
        if reservation.adults < 0 || reservation.children < 0 {
            return Err(
                Error::invalid("edit", "a number of persons is negative").with("field", "adults")
            );
        }
    }
    if row.kind == EntityKind::Property {
        let property = Property::from_row(row)?;
        if property.time_zone.parse::<chrono_tz::Tz>().is_err() {
            return Err(
                Error::invalid("edit", "not a time zone of the IANA database")
                    .with("field", "time_zone"),
            );
        }
    }
    Ok(())
}

/// What a field names must be in the editor's sight and, where it is of a property, in the row's.
pub(super) async fn check_references<S>(
    store: &S,
    scope: TenantScope,
    row: &EntityRow,
    set: &FieldMap,
) -> Result<()>
where
    S: Entities + ?Sized,
{
    for (field, value) in set.iter() {
        let (kind, scope) = match field {
            "guest_id" => (EntityKind::Guest, scope),
            "reservation_id" => (EntityKind::Reservation, scope),
            "room_type_id" | "room_id" => {
                let property_id = row.property_id.or(scope.property_id);
                let scope = TenantScope {
                    property_id,
                    ..scope
                };
                let is_room = field == "room_id";
                let kind = if is_room {
                    EntityKind::Room
                } else {
                    EntityKind::RoomType
                };
                (kind, scope)
            }
            _ => continue,
        };
        let Some(id) = value.as_str().and_then(|id| id.parse::<Uuid>().ok()) else {
            continue;
        };
        if store.row(scope, kind, id).await?.is_none() {
            return Err(
                Error::invalid("edit", format!("`{field}` names no {kind} that is here"))
                    .with("field", field),
            );
        }
    }
    Ok(())
}
