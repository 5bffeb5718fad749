//! What is written is what is read.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use proptest::{option::of, prelude::*};
use serde_json::{Value, json};
use stayzr_core::{
    ids::{OrganizationId, PropertyId},
    model::{Guest, PricingMode, Reservation, Room},
    transform::{
        Entity, EntityKind, EntityRow, FieldMap, FieldRule, TransformContext, Transformer,
    },
};
use stayzr_pms::providers::cloudbeds::{
    transform::{GuestTransformer, ReservationTransformer, RoomTransformer, from_local, lookup},
    wire,
};

fn context(zone: chrono_tz::Tz) -> TransformContext {
    TransformContext {
        time_zone: zone,
        currency: "EUR".parse().ok(),
        country: Some("PT".to_owned()),
        pricing: PricingMode::Gross,
        now: "2026-03-01T00:00:00Z".parse().unwrap(),
        lookups: BTreeMap::from([
            (lookup::CHECK_IN.to_owned(), json!("15:00")),
            (lookup::CHECK_OUT.to_owned(), json!("11:00")),
        ]),
    }
}

/// The entity that a record becomes: the engine fills the fields a provider leaves out.
fn entity<T: Entity>(transformed: &FieldMap, defaults: &[(&str, Value)]) -> T {
    let mut fields: FieldMap = T::KIND
        .columns()
        .iter()
        .map(|column| (column.name.to_owned(), Value::Null))
        .collect();
    for (field, value) in defaults {
        fields.insert(*field, value.clone());
    }
    fields.extend(transformed);
    let row = EntityRow {
        kind: T::KIND,
        id: uuid::Uuid::nil(),
        organization_id: OrganizationId::from(uuid::Uuid::nil()),
        property_id: Some(PropertyId::from(uuid::Uuid::nil())),
        version: 1,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        fields,
    };
    T::from_row(&row).expect("fields are canonical JSON of the model")
}

fn writable(rules: &[FieldRule], fields: &FieldMap) -> FieldMap {
    fields.only(
        rules
            .iter()
            .filter(|rule| rule.writable)
            .map(|rule| rule.field),
    )
}

fn word() -> impl Strategy<Value = Option<String>> {
    of(prop_oneof![
        "[A-Za-zéßñ][A-Za-z éßñ'-]{0,20}[a-z]",
        Just(String::new())
    ])
}

fn day() -> impl Strategy<Value = NaiveDate> {
    (2020..2030i32, 1..=12u32, 1..=28u32)
        .prop_map(|(y, m, d)| NaiveDate::from_ymd_opt(y, m, d).unwrap())
}

fn zone() -> impl Strategy<Value = chrono_tz::Tz> {
    prop_oneof![
        Just(chrono_tz::Europe::Lisbon),
        Just(chrono_tz::America::New_York),
        Just(chrono_tz::Australia::Lord_Howe),
        Just(chrono_tz::Asia::Kathmandu),
    ]
}

proptest! {
    #[test]
    fn a_guest_survives_the_way_there_and_back(
        texts in (word(), word(), word(), word()),
        birth in of(day()),
    ) {
        let remote = wire::Guest {
            id: "1".to_owned(),
            guest_first_name: texts.0,
            guest_last_name: texts.1,
            guest_email: texts.2,
            guest_phone: texts.3,
            guest_birth_date: birth,
            ..wire::Guest::default()
        };
        let context = context(chrono_tz::UTC);
        let once = GuestTransformer.to_local(&remote, &context).unwrap();
        let local: Guest = entity(&once.fields, &[("origin", json!("pms")), ("classifications", json!([]))]);
        let twice = GuestTransformer
            .to_local(&GuestTransformer.to_remote(&local, &context).unwrap(), &context)
            .unwrap();
        let rules = GuestTransformer.fields();
        prop_assert_eq!(writable(rules, &once.fields), writable(rules, &twice.fields));
    }

    #[test]
    fn a_reservation_survives_the_way_there_and_back(
        zone in zone(),
        first in day(),
        nights in 1..30u64,
        expected in of((0..24u32, 0..60u32)),
        persons in (1..6i64, 0..4i64),
        state in prop_oneof!["confirmed", "not_confirmed", "checked_in", "checked_out", "no_show", "new_word"],
    ) {
        let remote = wire::Reservation {
            id: "7".to_owned(),
            status: Some(wire::ReservationState::from(state.as_str())),
            start_date: Some(first),
            end_date: Some(first + chrono::Days::new(nights)),
            estimated_arrival_time: expected.map(|(hour, minute)| format!("{hour:02}:{minute:02}")),
            adults: Some(persons.0),
            children: Some(persons.1),
            ..wire::Reservation::default()
        };
        let context = context(zone);
        let once = ReservationTransformer.to_local(&remote, &context).unwrap();
        let local: Reservation = entity(&once.fields, &[]);
        prop_assert_eq!(local.dates(zone), (first, first + chrono::Days::new(nights)));
        let twice = ReservationTransformer
            .to_local(&ReservationTransformer.to_remote(&local, &context).unwrap(), &context)
            .unwrap();
        let rules = ReservationTransformer.fields();
        prop_assert_eq!(writable(rules, &once.fields), writable(rules, &twice.fields));
    }

    #[test]
    fn every_local_time_is_some_moment_near_it(
        zone in zone(),
        day in day(),
        minutes in 0..1440u32,
    ) {
        let local = day.and_hms_opt(minutes / 60, minutes % 60, 0).unwrap();
        let moment: DateTime<Utc> = from_local(zone, local);
        let back = moment.with_timezone(&zone).naive_local();
        prop_assert!((back - local).num_minutes().abs() <= 120);
    }
}

#[test]
fn a_room_survives_the_way_there_and_back() {
    let context = context(chrono_tz::UTC);
    for (condition, blocked) in [
        ("clean", false),
        ("dirty", false),
        ("inspected", false),
        ("haunted", false),
    ] {
        let remote = wire::Room {
            id: "1-0".to_owned(),
            room_name: Some("101".to_owned()),
            room_condition: Some(condition.to_owned()),
            room_blocked: Some(blocked),
            ..wire::Room::default()
        };
        let once = RoomTransformer.to_local(&remote, &context).unwrap();
        let local: Room = entity(&once.fields, &[]);
        let again = RoomTransformer.to_remote(&local, &context).unwrap();
        let twice = RoomTransformer.to_local(&again, &context).unwrap();
        let rules = RoomTransformer.fields();
        assert_eq!(
            writable(rules, &once.fields),
            writable(rules, &twice.fields),
            "{condition}"
        );
    }
    assert_eq!(Room::KIND, EntityKind::Room);
}
