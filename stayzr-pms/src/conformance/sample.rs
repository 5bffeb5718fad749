use chrono::{DateTime, Days, SecondsFormat, Utc};
use serde_json::{Value, json};
use stayzr_core::transform::{Column, ColumnType, EntityKind};

use crate::provider::RemoteRecord;

/// Canonical values for a field, where the bench has none of its own.
pub(super) fn samples(now: &RemoteRecord, field: &str) -> Vec<Value> {
    let known = |values: &[&str]| values.iter().map(|value| json!(value)).collect();
    match (now.kind, field) {
        (_, "first_name") => known(&["Aurélia", "Zoë"]),
        (_, "last_name") => known(&["Kestrel", "Weiß-Müller"]),
        (_, "email") => known(&["aurelia@guest.example", "zoe@guest.example"]),
        (_, "phone") => known(&["+351210000001", "+4930901820"]),
        (_, "nationality") => known(&["PT", "DE"]),
        (_, "language") => known(&["pt-PT", "de-DE"]),
        (_, "birth_date") => known(&["1980-02-29", "1991-07-14"]),
        (EntityKind::Room, "condition") => known(&["dirty", "clean", "inspected"]),
        (EntityKind::Reservation, "status") => known(&[
            "cancelled",
            "confirmed",
            "in_house",
            "checked_out",
            "no_show",
        ]),
        (EntityKind::Reservation, "adults") => vec![json!(1), json!(2), json!(3)],
        (EntityKind::Reservation, "children") => vec![json!(0), json!(1)],
        (EntityKind::Reservation, "arrival") => moved(now, field, [-1, 1]),
        (EntityKind::Reservation, "departure") => moved(now, field, [1, 2]),
        _ => by_type(now.kind, field),
    }
}

fn by_type(kind: EntityKind, field: &str) -> Vec<Value> {
    let column = |column: &&Column| column.name == field;
    match kind.columns().iter().find(column).map(|column| column.kind) {
        Some(ColumnType::Text) => vec![json!("Alpha sample"), json!("Beta sample")],
        Some(ColumnType::Timestamp) => {
            vec![json!("2031-07-01T16:30:00Z"), json!("2031-07-02T16:30:00Z")]
        }
        Some(ColumnType::Date) => vec![json!("2031-07-01"), json!("2031-07-02")],
        Some(ColumnType::Integer) => vec![json!(1), json!(2)],
        Some(ColumnType::Boolean) => vec![json!(true), json!(false)],
        Some(ColumnType::Json | ColumnType::Uuid) | None => Vec::new(),
    }
}

/// The same hour so many days later.
pub(super) fn moved(now: &RemoteRecord, field: &str, days: [i64; 2]) -> Vec<Value> {
    let Some(time) = now.fields.text(field) else {
        return Vec::new();
    };
    let Ok(time) = DateTime::parse_from_rfc3339(time) else {
        return Vec::new();
    };
    let time = time.with_timezone(&Utc);
    let later = days.into_iter().filter_map(|days| match days {
        0.. => time.checked_add_days(Days::new(days.unsigned_abs())),
        _ => time.checked_sub_days(Days::new(days.unsigned_abs())),
    });
    later
        .map(|time| json!(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
        .collect()
}
