//! Field maps and the rows of the model's structs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stayzr_core::{
    ErrorKind,
    model::{Guest, Note, Property, Reservation, Room, RoomType, ServiceRequest},
    transform::{ColumnType, Entity, EntityKind, EntityRow, FieldMap},
    uuid::Uuid,
};

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zé\"\\\\\n]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-e]", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The same value with the keys of every object put in the other way round.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.iter().rev();
            let mut out = Map::new();
            for (name, value) in fields {
                out.insert(name.clone(), reversed(value));
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(reversed).collect(),
        scalar => scalar.clone(),
    }
}

proptest! {
    #[test]
    fn a_hash_depends_on_no_order(
        fields in prop::collection::btree_map("[a-h]{1,3}", json_value(), 0..8),
        seed in any::<u64>(),
    ) {
        let forward: FieldMap = fields.clone().into_iter().collect();
        let mut shuffled: Vec<(String, Value)> = fields
            .iter()
            .map(|(name, value)| (name.clone(), reversed(value)))
            .collect();
        shuffled.sort_by_key(|(name, _)| {
            let mut hash = seed;
            for byte in name.bytes() {
                hash = hash.wrapping_mul(31).wrapping_add(u64::from(byte)).rotate_left(17);
            }
            hash
        });
        let mut other = FieldMap::new();
        for (name, value) in shuffled {
            other.insert(name, value);
        }
        prop_assert_eq!(forward.hash(), other.hash());
        prop_assert_eq!(&forward, &other);
        prop_assert!(forward.changed_from(&other).is_empty());
        let parsed: FieldMap = serde_json::from_str(&forward.canonical_json()).unwrap();
        prop_assert_eq!(&parsed, &forward);
    }

    #[test]
    fn another_value_has_another_hash(
        fields in prop::collection::btree_map("[a-h]{1,3}", json_value(), 1..8),
        value in json_value(),
    ) {
        let map: FieldMap = fields.clone().into_iter().collect();
        let name = fields.keys().next().unwrap();
        let mut other = map.clone();
        other.insert(name.clone(), value.clone());
        prop_assert_eq!(map.hash() == other.hash(), fields[name] == value);
    }
}

#[test]
fn what_changed_is_what_differs_and_an_absent_field_is_null() {
    let map = |value: Value| -> FieldMap { serde_json::from_value(value).unwrap() };
    let now = map(json!({ "a": 1, "b": null, "c": "x", "d": [1] }));
    let before = map(json!({ "a": 1, "c": "y", "e": 2 }));
    let expected = map(json!({ "c": "x", "d": [1] }));
    assert_eq!(now.changed_from(&before), expected);
    assert_eq!(now.only(["a", "e"]), map(json!({ "a": 1 })));
}

fn row(kind: EntityKind, fields: Value) -> EntityRow {
    let now = "2026-03-01T12:00:00.000001Z".parse().unwrap();
    EntityRow {
        kind,
        id: Uuid::now_v7(),
        organization_id: Uuid::now_v7().into(),
        property_id: kind.has_property().then(|| Uuid::now_v7().into()),
        version: 3,
        created_at: now,
        updated_at: now,
        fields: serde_json::from_value(fields).unwrap(),
    }
}

/// A row of each kind with every field that must be there.
fn rows() -> [EntityRow; 7] {
    let stay = "2026-03-01T14:00:00Z";
    [
        row(
            EntityKind::Property,
            json!({ "name": "n", "address": {}, "time_zone": "UTC", "currency": "EUR",
                "pricing": "gross", "languages": ["en"], "amenities": [], "policies": [],
                "geo": { "latitude": 41.1, "longitude": -8.6 } }),
        ),
        row(
            EntityKind::RoomType,
            json!({ "name": "n", "active": true, "capacity": 2 }),
        ),
        row(
            EntityKind::Room,
            json!({ "name": "101", "condition": "clean", "active": true,
                "room_type_id": Uuid::now_v7() }),
        ),
        row(
            EntityKind::Guest,
            json!({ "origin": "pms", "classifications": ["VIP"], "active": true,
                "birth_date": "1980-02-29", "language": "pt-PT" }),
        ),
        row(
            EntityKind::Reservation,
            json!({ "status": "confirmed", "arrival": stay, "departure": stay, "adults": 2,
                "children": 0, "guest_id": Uuid::now_v7(), "cancelled_at": stay }),
        ),
        row(
            EntityKind::Note,
            json!({ "kind": "special_request", "text": "a cot", "active": true,
                "reservation_id": Uuid::now_v7(), "guest_id": Uuid::now_v7() }),
        ),
        row(
            EntityKind::ServiceRequest,
            json!({ "category": "housekeeping", "description": "towels", "status": "open",
                "guest_id": Uuid::now_v7(), "due_at": stay }),
        ),
    ]
}

fn fields_of(row: &EntityRow) -> FieldMap {
    match row.kind {
        EntityKind::Property => Property::from_row(row).unwrap().to_fields(),
        EntityKind::RoomType => RoomType::from_row(row).unwrap().to_fields(),
        EntityKind::Room => Room::from_row(row).unwrap().to_fields(),
        EntityKind::Guest => Guest::from_row(row).unwrap().to_fields(),
        EntityKind::Reservation => Reservation::from_row(row).unwrap().to_fields(),
        EntityKind::Note => Note::from_row(row).unwrap().to_fields(),
        EntityKind::ServiceRequest => ServiceRequest::from_row(row).unwrap().to_fields(),
    }
    .unwrap()
}

#[test]
fn every_kind_has_a_column_for_each_field_of_its_struct_and_no_other() {
    assert_eq!(
        rows().iter().map(|row| row.kind).collect::<Vec<_>>(),
        EntityKind::ALL
    );
    for row in rows() {
        let fields = fields_of(&row);
        let names: BTreeSet<&str> = fields.names().collect();
        let columns: BTreeSet<&str> = row
            .kind
            .columns()
            .iter()
            .map(|column| column.name)
            .collect();
        assert_eq!(names, columns, "{}", row.kind);
    }
}

#[test]
fn columns_hold_what_the_fields_are() {
    for row in rows() {
        let fields = fields_of(&row);
        for column in row.kind.columns() {
            let value = fields.get(column.name).unwrap();
            if value.is_null() {
                continue;
            }
            let text = value.as_str();
            let fits = match column.kind {
                ColumnType::Text => text.is_some(),
                ColumnType::Uuid => text.is_some_and(|text| text.parse::<Uuid>().is_ok()),
                ColumnType::Timestamp => text.is_some_and(|text| text.ends_with('Z')),
                ColumnType::Date => text.is_some_and(|text| text.len() == 10),
                ColumnType::Integer => value.is_i64(),
                ColumnType::Boolean => value.is_boolean(),
                ColumnType::Json => value.is_object() || value.is_array(),
            };
            assert!(fits, "{}.{}: {value}", row.kind, column.name);
        }
    }
}

#[test]
fn a_row_survives_its_struct() {
    for row in rows() {
        let there = fields_of(&row);
        let back = fields_of(&EntityRow {
            fields: there.clone(),
            ..row.clone()
        });
        assert_eq!(there, back);
        for (name, value) in row.fields.iter() {
            assert_eq!(there.get(name), Some(value), "{}.{name}", row.kind);
        }
    }
}

#[test]
fn a_field_of_the_wrong_type_is_corrupt_and_names_the_row() {
    let mut broken = rows()[4].clone();
    broken.fields.insert("adults", "two");
    let error = Reservation::from_row(&broken).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&broken.id.to_string()));
}
