//! What is written is what is read.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use proptest::{collection::vec, option::of, prelude::*};
use serde_json::{Value, json};
use stayzr_core::{
    ids::{OrganizationId, PropertyId},
    model::{Guest, PricingMode, Reservation, Room},
    transform::{Entity, EntityKind, EntityRow, FieldMap, TransformContext, Transformer},
};
use stayzr_pms::providers::mews::{
    transform::{
        GuestTransformer, PropertyTransformer, ReservationTransformer, RoomTransformer, lookup,
    },
    wire,
};

fn context() -> TransformContext {
    TransformContext {
        time_zone: chrono_tz::Europe::Lisbon,
        currency: "EUR".parse().ok(),
        country: Some("PT".to_owned()),
        pricing: PricingMode::Gross,
        now: "2026-03-01T00:00:00Z".parse().unwrap(),
        lookups: BTreeMap::from([
            (
                lookup::AGE_CATEGORIES.to_owned(),
                json!({"a": "Adult", "c": "Child"}),
            ),
            (lookup::ADULT_CATEGORY.to_owned(), json!("a")),
            (lookup::CHILD_CATEGORY.to_owned(), json!("c")),
            (lookup::RESOURCE_CATEGORIES.to_owned(), json!({})),
        ]),
    }
}

#[test]
fn invariant_u_what_a_property_says_beyond_our_fields_survives() {
    let enterprise = json!({
        "Id": "e", "Name": "House", "TimeZoneIdentifier": "Europe/Lisbon", "Pricing": "Barter",
        "Currencies": [{"Currency": "EUR", "IsDefault": true, "IsEnabled": true}],
        "Address": {"City": "Porto", "What3Words": "a.b.c"}, "BrandNew": 1
    });
    let enterprise: wire::Enterprise = serde_json::from_value(enterprise).unwrap();
    let read = PropertyTransformer
        .to_local(&enterprise, &context())
        .unwrap();
    assert_eq!(read.fields.text("pricing"), Some("gross"));
    assert_eq!(read.extra["Pricing"], "Barter");
    assert_eq!(read.extra["Address"], json!({"What3Words": "a.b.c"}));
    assert_eq!(read.extra["BrandNew"], 1);
}

fn row(kind: EntityKind, fields: FieldMap) -> EntityRow {
    EntityRow {
        kind,
        id: uuid::Uuid::nil(),
        organization_id: OrganizationId::from(uuid::Uuid::nil()),
        property_id: Some(PropertyId::from(uuid::Uuid::nil())),
        version: 1,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        fields,
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
    T::from_row(&row(T::KIND, fields)).expect("fields are canonical JSON of the model")
}

fn writable(transformer: &[stayzr_core::transform::FieldRule], fields: &FieldMap) -> FieldMap {
    let names = transformer
        .iter()
        .filter(|rule| rule.writable)
        .map(|rule| rule.field);
    fields.only(names)
}

fn word() -> impl Strategy<Value = Option<String>> {
    of(prop_oneof![
        "[A-Za-zéßñ][A-Za-z éßñ'-]{0,20}[a-z]",
        Just(String::new())
    ])
}

fn guest() -> impl Strategy<Value = wire::Customer> {
    let language = of(prop_oneof![
        Just("en-GB".to_owned()),
        Just("pt-PT".to_owned()),
        Just("zh-Hans-CN".to_owned()),
        Just("not a tag".to_owned()),
    ]);
    let country = of(prop_oneof!["[A-Z]{2}", Just("xx1".to_owned())]);
    let birth = of((1900..2020i32, 1..=12u32, 1..=28u32)
        .prop_map(|(y, m, d)| NaiveDate::from_ymd_opt(y, m, d).unwrap()));
    (
        (word(), word(), word(), word(), word(), word(), word()),
        (language, country, birth),
        vec("[A-Z][a-z]{2,8}", 0..4),
        any::<bool>(),
    )
        .prop_map(
            |(texts, (language, country, birth), classes, active)| wire::Customer {
                id: "g".to_owned(),
                title: texts.0,
                first_name: texts.1,
                last_name: texts.2,
                email: texts.3,
                phone: texts.4,
                loyalty_code: texts.5,
                notes: texts.6,
                preferred_language_code: language,
                nationality_code: country,
                birth_date: birth,
                classifications: classes,
                is_active: Some(active),
                ..wire::Customer::default()
            },
        )
}

fn reservation() -> impl Strategy<Value = wire::Reservation> {
    let state = prop_oneof!["Confirmed", "Started", "Optional", "Canceled", "Teleported"];
    (
        state,
        (0..2_000_000_000i64, 0..100_000_000i64),
        (word(), word(), word()),
        (0..9i64, 0..9i64),
    )
        .prop_map(|(state, (start, length), texts, (adults, children))| {
            let time = |seconds| DateTime::<Utc>::from_timestamp(seconds, 0);
            let group = |id: &str, count| wire::PersonCount {
                age_category_id: id.to_owned(),
                count,
            };
            wire::Reservation {
                id: "r".to_owned(),
                state: Some(wire::ReservationState::from(state.as_str())),
                scheduled_start_utc: time(start),
                scheduled_end_utc: time(start + length),
                channel_number: texts.0,
                purpose: texts.1,
                number: texts.2,
                person_counts: [group("a", adults), group("c", children)]
                    .into_iter()
                    .filter(|group| group.count > 0)
                    .collect(),
                ..wire::Reservation::default()
            }
        })
}

proptest! {
    #[test]
    fn a_guest_written_back_reads_the_same(remote in guest()) {
        let (transformer, context) = (GuestTransformer, context());
        let read = transformer.to_local(&remote, &context).unwrap();
        let local: Guest = entity(&read.fields, &[("origin", json!("pms"))]);
        let written = transformer.to_remote(&local, &context).unwrap();
        let again = transformer.to_local(&written, &context).unwrap();
        let rules = Transformer::fields(&transformer);
        prop_assert_eq!(writable(rules, &again.fields), writable(rules, &read.fields));
        // Reading twice is reading once: equal records have equal hashes.
        prop_assert_eq!(transformer.to_local(&remote, &context).unwrap(), read);
    }

    #[test]
    fn a_reservation_written_back_reads_the_same(remote in reservation()) {
        let (transformer, context) = (ReservationTransformer, context());
        let read = transformer.to_local(&remote, &context).unwrap();
        let local: Reservation = entity(&read.fields, &[]);
        let written = transformer.to_remote(&local, &context).unwrap();
        prop_assert_eq!(&written.person_counts, &remote.person_counts);
        let again = transformer.to_local(&written, &context).unwrap();
        let rules = Transformer::fields(&transformer);
        prop_assert_eq!(writable(rules, &again.fields), writable(rules, &read.fields));
    }

    #[test]
    fn a_room_written_back_reads_the_same(state in "Dirty|Clean|Inspected|OutOfService|OutOfOrder|Haunted", floor in word()) {
        let (transformer, context) = (RoomTransformer, context());
        let remote = wire::Resource {
            id: "r".to_owned(),
            name: Some("101".to_owned()),
            state: Some(wire::ResourceState::from(state.as_str())),
            data: Some(wire::ResourceData {
                discriminator: Some("Space".to_owned()),
                value: Some(wire::SpaceData { floor_number: floor, ..Default::default() }),
            }),
            ..wire::Resource::default()
        };
        let read = transformer.to_local(&remote, &context).unwrap();
        let local: Room = entity(&read.fields, &[]);
        let written = transformer.to_remote(&local, &context).unwrap();
        prop_assert_eq!(transformer.to_local(&written, &context).unwrap().fields, read.fields);
    }

    #[test]
    fn counts_of_persons_keep_what_is_right_already(
        now in vec((prop_oneof!["a", "b", "c", "d"], 0..5i64), 0..4),
        adults in 0..6i64,
        children in 0..6i64,
    ) {
        let mut context = context();
        context.lookups.insert(
            lookup::AGE_CATEGORIES.to_owned(),
            json!({"a": "Adult", "b": "Adult", "c": "Child", "d": "Child"}),
        );
        let current: Vec<wire::PersonCount> = now
            .into_iter()
            .map(|(id, count)| wire::PersonCount { age_category_id: id, count })
            .collect();
        let counts = stayzr_pms::providers::mews::transform::person_counts(
            adults, children, &current, &context,
        )
        .unwrap();
        let sum = |counts: &[wire::PersonCount], of: [&str; 2]| -> i64 {
            let mine = counts.iter().filter(|group| of.contains(&group.age_category_id.as_str()));
            mine.map(|group| group.count).sum()
        };
        prop_assert_eq!(sum(&counts, ["a", "b"]), adults);
        prop_assert_eq!(sum(&counts, ["c", "d"]), children);
        if sum(&current, ["a", "b"]) == adults {
            for group in current.iter().filter(|group| group.count > 0 && "ab".contains(&group.age_category_id)) {
                prop_assert!(counts.contains(group));
            }
        }
    }
}
