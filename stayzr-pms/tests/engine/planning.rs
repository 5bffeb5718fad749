//! What a page is planned to do, without a store.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use stayzr_core::{
    clock::{Clock, ManualClock, SystemClock},
    ids::{IntegrationId, OrganizationId, PropertyId},
    model::{
        ExternalRef, Guest as GuestModel, Reservation as ReservationModel, Room as RoomModel,
        RoomType as RoomTypeModel,
    },
    port::sync::RowWrite,
    transform::{ConflictStrategy, Entity, EntityKind, EntityRow, FieldMap},
};
use stayzr_pms::{
    RemoteRecord,
    engine::{PageState, Plan, PlanContext, Verdict, plan_page, record_hash, triage},
};

use crate::vendor::{map, rules};

struct Page {
    clock: ManualClock,
    organization: OrganizationId,
    property: PropertyId,
    integration: IntegrationId,
    strategy: ConflictStrategy,
    state: PageState,
}

impl Page {
    fn new() -> Self {
        Self {
            clock: ManualClock::new(crate::hotel::start()),
            organization: OrganizationId::generate(&SystemClock),
            property: PropertyId::generate(&SystemClock),
            integration: IntegrationId::generate(&SystemClock),
            strategy: ConflictStrategy::LocalWins,
            state: PageState::default(),
        }
    }

    fn plan(&self, kind: EntityKind, records: &[RemoteRecord]) -> Plan {
        let mut state = self.state.clone();
        let triaged = triage(records, &state.mappings);
        let context = PlanContext {
            organization_id: self.organization,
            property_id: self.property,
            integration_id: self.integration,
            kind,
            rules: rules(kind),
            strategy: self.strategy,
            country: Some("PT"),
            event: "incremental",
            enqueue_pushes: true,
            clock: &self.clock,
        };
        plan_page(context, &triaged, &mut state)
    }

    /// Keeps what a plan came to, as a store would.
    fn keep(&mut self, plan: Plan) {
        for row in plan.rows {
            match row {
                RowWrite::Insert(row) => {
                    self.state.rows.insert(row.id, row);
                }
                RowWrite::Update { id, set, .. } => {
                    let row = self.state.rows.get_mut(&id).unwrap();
                    row.fields.extend(&set);
                    row.version += 1;
                }
            }
        }
        for mapping in plan.mappings {
            self.state
                .mappings
                .insert(mapping.external_id.clone(), mapping);
        }
    }

    fn with(kind: EntityKind, record: &RemoteRecord) -> Self {
        let mut page = Self::new();
        let plan = page.plan(kind, std::slice::from_ref(record));
        page.keep(plan);
        page
    }
}

fn record(kind: EntityKind, version: &str, fields: Value) -> RemoteRecord {
    RemoteRecord {
        kind,
        external_id: "x".to_owned(),
        version: Some(version.to_owned()),
        fields: map(fields),
        links: BTreeMap::new(),
        merged_into: None,
        unknown: Vec::new(),
        extra: Map::new(),
    }
}

fn guest(version: &str, fields: Value) -> RemoteRecord {
    record(EntityKind::Guest, version, fields)
}

fn set_of(plan: &Plan) -> FieldMap {
    match &plan.rows[..] {
        [RowWrite::Update { set, .. }] => set.clone(),
        [] => FieldMap::new(),
        other => panic!("one update, not {other:?}"),
    }
}

#[test]
fn a_new_row_has_every_column_and_can_be_read_as_its_type() {
    let links = [(
        "room_type_id",
        Some(ExternalRef {
            kind: EntityKind::RoomType,
            id: "t".to_owned(),
        }),
    )];
    for kind in [
        EntityKind::RoomType,
        EntityKind::Room,
        EntityKind::Guest,
        EntityKind::Reservation,
    ] {
        let mut page = Page::new();
        let type_id = page.clock.uuid();
        page.state
            .links
            .insert(links[0].1.clone().unwrap(), type_id);
        let mut sparse = record(kind, "1", json!({}));
        if kind == EntityKind::Reservation {
            sparse.fields = map(json!({"arrival": "2026-07-01T14:00:00.123456789+02:00",
                "departure": "2026-07-03T10:00:00Z"}));
        }
        if matches!(kind, EntityKind::Room | EntityKind::Reservation) {
            sparse.links = links.clone().into();
        }

        let plan = page.plan(kind, &[sparse]);

        let [RowWrite::Insert(row)] = &plan.rows[..] else {
            panic!("{kind}: {plan:?}");
        };
        assert_eq!(row.fields.len(), kind.columns().len(), "{kind}");
        read(kind, row, &type_id.to_string(), page.property);
    }
}

fn read(kind: EntityKind, row: &EntityRow, type_id: &str, property: PropertyId) {
    match kind {
        EntityKind::RoomType => {
            let row = RoomTypeModel::from_row(row).unwrap();
            assert_eq!(
                (row.name.as_str(), row.active, row.property_id),
                ("x", true, property)
            );
        }
        EntityKind::Room => {
            let row = RoomModel::from_row(row).unwrap();
            assert_eq!(row.room_type_id.unwrap().to_string(), type_id);
        }
        EntityKind::Guest => {
            assert!(row.property_id.is_none());
            let row = GuestModel::from_row(row).unwrap();
            assert!(row.active && row.classifications.is_empty());
        }
        EntityKind::Reservation => {
            let row = ReservationModel::from_row(row).unwrap();
            assert_eq!(
                row.arrival,
                "2026-07-01T12:00:00.123456Z"
                    .parse::<chrono::DateTime<chrono::Utc>>()
                    .unwrap()
            );
            assert_eq!(row.room_type_id.unwrap().to_string(), type_id);
        }
        EntityKind::Property | EntityKind::Note | EntityKind::ServiceRequest => {
            unreachable!("not made by this test")
        }
    }
}

#[test]
fn an_older_mark_is_ignored_and_an_equal_one_with_other_content_is_applied() {
    let page = Page::with(
        EntityKind::Guest,
        &guest("2", json!({"last_name": "Lovelace"})),
    );

    let older = page.plan(
        EntityKind::Guest,
        &[guest("1", json!({"last_name": "Byron"}))],
    );
    let equal = page.plan(
        EntityKind::Guest,
        &[guest("2", json!({"last_name": "King"}))],
    );

    assert!(older.rows.is_empty() && older.mappings.is_empty());
    assert_eq!(older.counts.unchanged, 1);
    assert_eq!(set_of(&equal).text("last_name"), Some("King"));
}

#[test]
fn invariant_c_the_same_content_writes_nothing_and_a_newer_mark_only_the_mark() {
    let seen = guest("2", json!({"last_name": "Lovelace"}));
    let page = Page::with(EntityKind::Guest, &seen);

    let same = page.plan(EntityKind::Guest, &[seen]);
    let newer = page.plan(
        EntityKind::Guest,
        &[guest("3", json!({"last_name": "Lovelace"}))],
    );

    assert_eq!(
        same,
        Plan {
            counts: same.counts,
            read: same.read.clone(),
            ..Plan::default()
        }
    );
    assert!(newer.rows.is_empty() && newer.changes.is_empty() && newer.jobs.is_empty());
    assert_eq!(newer.mappings[0].version.as_deref(), Some("3"));
}

#[test]
fn a_record_that_comes_twice_in_a_page_counts_in_its_newest_state() {
    let records = [
        guest("2", json!({"last_name": "King"})),
        guest("1", json!({"last_name": "Byron"})),
    ];

    let plan = Page::new().plan(EntityKind::Guest, &records);

    let [RowWrite::Insert(row)] = &plan.rows[..] else {
        panic!("one row");
    };
    assert_eq!(row.fields.text("last_name"), Some("King"));
    assert_eq!(plan.mappings.len(), 1);
}

#[test]
fn what_the_record_does_not_say_stays_and_what_is_ours_alone_is_never_touched() {
    let first = guest(
        "1",
        json!({"last_name": "Lovelace", "email": "a@example.com", "loyalty_code": "L1"}),
    );
    let mut page = Page::with(EntityKind::Guest, &first);
    let row = page.state.rows.values_mut().next().unwrap();
    row.fields.insert("language", "pt");
    row.fields.insert("loyalty_code", "edited here");

    // `language` has the rule of a local field, even if a vendor sends one.
    let plan = page.plan(
        EntityKind::Guest,
        &[guest(
            "2",
            json!({"last_name": "King", "language": "en", "loyalty_code": "L1"}),
        )],
    );

    let set = set_of(&plan);
    assert_eq!(
        set.names().collect::<Vec<_>>(),
        ["last_name", "loyalty_code"]
    );
    assert_eq!(
        set.text("loyalty_code"),
        Some("L1"),
        "the vendor's field is the vendor's"
    );
}

#[test]
fn an_empty_value_of_a_column_that_is_never_empty_says_nothing() {
    let page = Page::with(
        EntityKind::Guest,
        &guest("1", json!({"classifications": ["A"]})),
    );

    let plan = page.plan(
        EntityKind::Guest,
        &[guest("2", json!({"classifications": null}))],
    );

    assert!(plan.rows.is_empty() && plan.parked.is_empty());
}

#[test]
fn a_value_that_no_row_can_hold_parks_the_record_and_writes_nothing_of_it() {
    let page = Page::with(
        EntityKind::Guest,
        &guest("1", json!({"last_name": "Lovelace"})),
    );

    let plan = page.plan(EntityKind::Guest, &[guest("2", json!({"last_name": 7}))]);

    assert!(plan.rows.is_empty() && plan.mappings.is_empty() && plan.changes.is_empty());
    assert_eq!(plan.parked[0].external_id.as_deref(), Some("x"));
    assert_eq!(plan.counts.parked, 1);
}

#[test]
fn the_hash_covers_links_and_extra_but_not_the_mark() {
    let plain = guest("1", json!({"last_name": "Lovelace"}));
    let mut marked = plain.clone();
    marked.version = Some("2".to_owned());
    let mut linked = plain.clone();
    linked.links.insert("room_id", None);
    let mut extended = plain.clone();
    extended.extra.insert("New".to_owned(), json!(1));
    let mut merged = plain.clone();
    merged.merged_into = Some("y".to_owned());

    let hash = record_hash(&plain);

    assert_eq!(hash, record_hash(&marked));
    for other in [linked, extended, merged] {
        assert_ne!(hash, record_hash(&other));
    }
}

#[test]
fn an_erased_guest_does_not_come_back() {
    let mut page = Page::with(
        EntityKind::Guest,
        &guest("1", json!({"last_name": "Lovelace"})),
    );
    let mapping = page.state.mappings.get_mut("x").unwrap();
    let mut notes = stayzr_pms::engine::Notes::of(mapping);
    notes.erased = true;
    notes.write(mapping);
    let newer = [guest("2", json!({"last_name": "King"}))];

    assert_eq!(
        triage(&newer, &page.state.mappings)[0].verdict,
        Verdict::Erased
    );
    let plan = page.plan(EntityKind::Guest, &newer);

    assert!(plan.rows.is_empty() && plan.mappings.is_empty() && plan.contacts.is_empty());
}

#[test]
fn the_hash_of_a_record_is_the_one_that_was_stored() {
    // Made of canonical JSON with sorted keys; another text would have every row looked at again.
    let mut whole = guest(
        "1",
        json!({"last_name": "O\"Brien\n", "notes": null, "active": true}),
    );
    whole.links.insert("room_id", None);
    whole.links.insert(
        "guest_id",
        Some(ExternalRef {
            kind: EntityKind::Guest,
            id: "ada".to_owned(),
        }),
    );
    whole.extra = map(json!({"b": {"z": 1.5, "a": [1, "é"]}, "a": -3}))
        .into_iter()
        .collect();
    let mut stored = FieldMap::new();
    stored.insert("fields", whole.fields.clone().into_json());
    stored.insert("links", json!({"guest_id": "ada", "room_id": null}));
    stored.insert("extra", whole.extra.clone());
    stored.insert("merged_into", Value::Null);

    assert_eq!(record_hash(&whole), stored.hash());
}

#[test]
fn only_the_vendors_mark_says_what_is_older() {
    for hours in [-100_000, 0, 100_000] {
        let mut page = Page::with(
            EntityKind::Guest,
            &guest("2026-06-09T12:00:00Z", json!({"last_name": "Lovelace"})),
        );
        let off = crate::hotel::start() + chrono::TimeDelta::hours(hours);
        page.clock = ManualClock::new(off);

        let older = guest("2026-06-09T11:59:59Z", json!({"last_name": "Byron"}));
        let newer = guest("2026-06-09T12:00:01Z", json!({"last_name": "King"}));

        assert!(page.plan(EntityKind::Guest, &[older]).rows.is_empty());
        let plan = page.plan(EntityKind::Guest, &[newer]);
        assert_eq!(set_of(&plan).text("last_name"), Some("King"));
    }
}

#[test]
fn a_record_without_a_mark_is_news_by_its_content() {
    let mut first = guest("", json!({"last_name": "Lovelace"}));
    first.version = None;
    let page = Page::with(EntityKind::Guest, &first);
    let mut other = first.clone();
    other.fields.insert("last_name", "King");

    assert!(page.plan(EntityKind::Guest, &[first]).mappings.is_empty());
    assert_eq!(
        set_of(&page.plan(EntityKind::Guest, &[other])).text("last_name"),
        Some("King")
    );
}

#[test]
fn invariant_b_a_dispute_applies_nothing_and_keeps_what_was_agreed() {
    let first = guest(
        "1",
        json!({"last_name": "Lovelace", "email": "a@example.com"}),
    );
    let mut page = Page::with(EntityKind::Guest, &first);
    page.strategy = ConflictStrategy::ManualReview;
    let row = page.state.rows.values_mut().next().unwrap();
    row.fields.insert("email", "ours@example.com");
    let theirs = guest(
        "2",
        json!({"last_name": "King", "email": "theirs@example.com"}),
    );

    let plan = page.plan(EntityKind::Guest, std::slice::from_ref(&theirs));

    assert!(plan.rows.is_empty() && plan.contacts.is_empty() && plan.jobs.is_empty());
    assert_eq!(plan.conflicts.len(), 1);
    assert_eq!(plan.counts.conflicts, 1);
    let mapping = &plan.mappings[0];
    assert_eq!(mapping.base.text("email"), Some("a@example.com"));
    assert_eq!(mapping.base.text("last_name"), Some("Lovelace"));
    assert_eq!(mapping.version.as_deref(), Some("2"));
    page.keep(plan);
    let again = page.plan(EntityKind::Guest, &[theirs]);
    assert_eq!(
        again,
        Plan {
            counts: again.counts,
            read: again.read.clone(),
            ..Plan::default()
        },
        "invariant C: the same state again says nothing"
    );
}

#[test]
fn a_value_that_no_row_can_hold_is_not_left_to_a_person() {
    let first = guest(
        "1",
        json!({"last_name": "Lovelace", "email": "a@example.com"}),
    );
    let mut page = Page::with(EntityKind::Guest, &first);
    page.strategy = ConflictStrategy::ManualReview;
    let row = page.state.rows.values_mut().next().unwrap();
    row.fields.insert("email", "ours@example.com");

    let plan = page.plan(EntityKind::Guest, &[guest("2", json!({"email": 7}))]);

    assert!(plan.conflicts.is_empty() && plan.mappings.is_empty());
    assert!(plan.parked[0].reason.starts_with("email: "));
    let mapping = &page.state.mappings["x"];
    assert_eq!(plan.parked[0].local_id, Some(mapping.local_id));
}
