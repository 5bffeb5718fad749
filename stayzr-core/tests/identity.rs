//! Who a vendor's record is about.

use proptest::prelude::*;
use serde_json::{Value, json};
use stayzr_core::{
    chrono::DateTime,
    identity::{Candidate, MatchedBy, Recognition, fold, given_names_agree, recognise},
    ids::{GuestId, OrganizationId},
    transform::{EntityKind, EntityRow, FieldMap},
    uuid::Uuid,
};

use MatchedBy::{Email, Phone};

fn fields(values: &[(&str, Value)]) -> FieldMap {
    let owned = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    owned.collect()
}

fn record(first: Value, last: Value) -> FieldMap {
    fields(&[
        ("first_name", first),
        ("last_name", last),
        ("email", json!("ana@example.com")),
        ("phone", json!("+351912345678")),
    ])
}

fn guest(number: u128, origin: &str, first: Value, last: Value) -> EntityRow {
    EntityRow {
        kind: EntityKind::Guest,
        id: Uuid::from_u128(number),
        organization_id: OrganizationId::from(Uuid::from_u128(900)),
        property_id: None,
        version: 1,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        fields: fields(&[
            ("origin", json!(origin)),
            ("first_name", first),
            ("last_name", last),
            ("active", json!(true)),
            ("merged_into", Value::Null),
        ]),
    }
}

fn candidate<'a>(guest: &'a EntityRow, by: &[MatchedBy]) -> Candidate<'a> {
    Candidate {
        guest,
        by: by.to_vec(),
        written_from: false,
        mapped_here: false,
    }
}

fn id(number: u128) -> GuestId {
    GuestId::from(Uuid::from_u128(number))
}

#[test]
fn an_address_and_the_same_names_are_the_same_guest() {
    for (first, last) in [
        (json!("Ana"), json!("da Conceição")),
        (json!("ANA MARIA"), json!("DA CONCEICAO")),
        (json!("A."), json!("Da Conceic\u{327}a\u{303}o")),
        (Value::Null, json!("daConceição")),
    ] {
        let known = guest(1, "pms", json!("Ana"), json!("da Conceição"));
        for by in [Phone, Email] {
            let found = recognise(
                &record(first.clone(), last.clone()),
                &[candidate(&known, &[by])],
            );
            assert_eq!(found, Recognition::Same(id(1)), "{first} {last} by {by:?}");
        }
    }
}

#[test]
fn names_that_contradict_are_a_doubt() {
    for (first, last) in [
        (json!("Ana"), json!("Santos")),
        (json!("Rui"), json!("Silva")),
        (json!("Ana"), Value::Null),
    ] {
        let known = guest(1, "pms", json!("Ana"), json!("Silva"));
        let found = recognise(&record(first, last), &[candidate(&known, &[Phone, Email])]);
        assert_eq!(found, Recognition::Doubtful(vec![id(1)]));
    }
}

#[test]
fn who_wrote_from_the_telephone_needs_no_family_name() {
    let record = record(json!("Ana"), json!("Silva"));
    let cases = [
        (json!("Ana"), Recognition::Same(id(1))),
        (json!("Ana Silva"), Recognition::Same(id(1))),
        (json!("Mrs Silva"), Recognition::Same(id(1))),
        (json!("Aninhas"), Recognition::Same(id(1))),
        (Value::Null, Recognition::Same(id(1))),
        (json!("Rui Santos"), Recognition::Doubtful(vec![id(1)])),
    ];
    for (name, expected) in cases {
        let known = guest(1, "channel", name.clone(), Value::Null);
        let mut one = candidate(&known, &[Phone]);
        one.written_from = true;
        assert_eq!(recognise(&record, &[one]), expected, "{name}");
    }
}

#[test]
fn without_a_family_name_nothing_else_is_sure() {
    let record = record(json!("Ana"), json!("Silva"));
    for (origin, by, written_from) in [
        ("channel", Phone, false),
        ("channel", Email, true),
        ("staff", Phone, true),
        ("pms", Phone, true),
    ] {
        let known = guest(1, origin, json!("Ana"), Value::Null);
        let mut one = candidate(&known, &[by]);
        one.written_from = written_from;
        let found = recognise(&record, &[one]);
        assert_eq!(found, Recognition::Doubtful(vec![id(1)]), "{origin} {by:?}");
    }
}

#[test]
fn an_address_of_several_guests_is_a_doubt() {
    let record = record(json!("Ana"), json!("Silva"));
    let one = guest(1, "pms", json!("Ana"), json!("Silva"));
    let two = guest(2, "pms", json!("Rui"), json!("Silva"));
    for by in [Phone, Email] {
        let found = recognise(&record, &[candidate(&two, &[by]), candidate(&one, &[by])]);
        assert_eq!(found, Recognition::Doubtful(vec![id(1), id(2)]));
    }
}

#[test]
fn the_telephone_goes_before_the_email() {
    let record = record(json!("Ana"), json!("Silva"));
    let ana = guest(1, "pms", json!("Ana"), json!("Silva"));
    let other = guest(2, "pms", json!("Rui"), json!("Santos"));
    let sure = [candidate(&other, &[Email]), candidate(&ana, &[Phone])];
    assert_eq!(recognise(&record, &sure), Recognition::Same(id(1)));
    let doubt = [candidate(&other, &[Phone]), candidate(&ana, &[Email])];
    assert_eq!(
        recognise(&record, &doubt),
        Recognition::Doubtful(vec![id(2)])
    );
}

#[test]
fn an_address_of_a_booking_site_recognises_nobody() {
    let known = guest(1, "pms", json!("Ana"), json!("Silva"));
    for relay in [
        "asilva.1@guest.booking.com",
        "X1@M.ExpediaPartnerCentral.com",
        "ana-2@guest.airbnb.com",
        "3@agoda-messaging.com",
    ] {
        let mut record = record(json!("Ana"), json!("Silva"));
        record.insert("email", relay);
        assert_eq!(
            recognise(&record, &[candidate(&known, &[Email])]),
            Recognition::Nobody
        );
        let by_phone = recognise(&record, &[candidate(&known, &[Email, Phone])]);
        assert_eq!(
            by_phone,
            Recognition::Same(id(1)),
            "the telephone still counts"
        );
    }
}

#[test]
fn a_guest_who_is_no_more_matches_nothing() {
    let record = record(json!("Ana"), json!("Silva"));
    let mut gone = guest(1, "pms", json!("Ana"), json!("Silva"));
    gone.fields.insert("active", false);
    assert_eq!(
        recognise(&record, &[candidate(&gone, &[Email])]),
        Recognition::Nobody
    );
    let known = guest(2, "pms", json!("Ana"), json!("Silva"));
    let both = [candidate(&gone, &[Email]), candidate(&known, &[Email])];
    assert_eq!(recognise(&record, &both), Recognition::Same(id(2)));
    assert_eq!(recognise(&record, &[]), Recognition::Nobody);
}

fn a_name() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(vec![
        "Ana",
        "ANA",
        "Ána",
        "A.",
        "Ana Maria",
        "Rui",
        "Silva",
        "silva",
        "Sílva",
        "Santos",
        "-",
        "李",
    ]))
    .prop_map(|name| name.map(str::to_owned))
}

fn folded(name: Option<&String>) -> String {
    fold(name.map_or("", String::as_str))
}

proptest! {
    #[test]
    fn contradicting_or_mapped_is_never_the_same(
        (first, last, known_first, known_last) in (a_name(), a_name(), a_name(), a_name()),
        origin in prop::sample::select(vec!["pms", "channel", "staff"]),
        by in prop::sample::select(vec![vec![Phone], vec![Email], vec![Phone, Email]]),
        (written_from, mapped_here) in (any::<bool>(), any::<bool>()),
    ) {
        let known = guest(1, origin, json!(known_first), json!(known_last));
        let record = record(json!(first), json!(last));
        let one = Candidate { guest: &known, by, written_from, mapped_here };
        let found = recognise(&record, &[one]);
        let (theirs, ours) = (folded(last.as_ref()), folded(known_last.as_ref()));
        let contradict = !theirs.is_empty() && !ours.is_empty() && theirs != ours;
        if contradict || mapped_here {
            prop_assert_eq!(found, Recognition::Doubtful(vec![id(1)]));
        } else if !theirs.is_empty() && theirs == ours {
            let agree = given_names_agree(first.as_deref(), known_first.as_deref());
            prop_assert_eq!(found == Recognition::Same(id(1)), agree);
        }
    }

    #[test]
    fn the_order_of_candidates_decides_nothing(
        names in prop::collection::vec((a_name(), a_name()), 1..4),
        by in prop::sample::select(vec![Phone, Email]),
    ) {
        let guests: Vec<EntityRow> = names
            .iter()
            .enumerate()
            .map(|(at, (first, last))| guest(at as u128 + 1, "pms", json!(first), json!(last)))
            .collect();
        let record = record(json!("Ana"), json!("Silva"));
        let mut candidates: Vec<Candidate<'_>> =
            guests.iter().map(|guest| candidate(guest, &[by])).collect();
        let forward = recognise(&record, &candidates);
        candidates.reverse();
        prop_assert_eq!(&recognise(&record, &candidates), &forward);
        if guests.len() > 1 {
            prop_assert!(matches!(forward, Recognition::Doubtful(_)));
        }
    }
}
