//! One guest or two: people who write before the PMS tells of them, and people who share a telephone.

use chrono::TimeDelta;
use serde_json::{Value, json};
use stayzr_core::{
    ids::GuestId,
    model::{ChangeOutcome, ContactChannel},
    port::{PageRequest, entities::EntityFilter},
    transform::EntityKind::{Guest, Reservation},
};

use crate::hotel::Hotel;

const PHONE: &str = "+351912345678";

fn add_curie(hotel: &Hotel, fields: Value) {
    let mut whole = json!({"first_name": "Marie", "last_name": "Curie", "classifications": []});
    for (field, value) in fields.as_object().unwrap() {
        whole[field] = value.clone();
    }
    hotel.vendor.add(Guest, "curie", whole);
}

fn book(hotel: &Hotel, id: &str, guest: &str) {
    hotel.vendor.add_linked(
        Reservation,
        id,
        json!({"number": id, "status": "in_house", "adults": 1,
            "arrival": "2026-06-08T14:00:00Z", "departure": "2026-06-12T10:00:00Z"}),
        &[("guest_id", Guest, guest)],
    );
}

/// The reservations that the concierge of the property sees of a guest.
async fn stays(hotel: &Hotel, guest: GuestId) -> Vec<String> {
    let filter = EntityFilter {
        guest_id: Some(guest),
        ..EntityFilter::default()
    };
    let page = PageRequest::default();
    let rows = hotel.store.rows(hotel.scope, Reservation, &filter, &page);
    let rows = rows.await.unwrap().items;
    rows.iter()
        .filter_map(|row| row.fields.text("number").map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn a_guest_who_wrote_first_is_the_guest_of_the_record_with_that_number() {
    let hotel = Hotel::synchronised().await;
    let written = hotel.message(PHONE, "marie ✨").await;
    add_curie(
        &hotel,
        json!({"phone": "912 345 678", "email": "Marie@Example.com"}),
    );
    book(&hotel, "r9", "curie");

    hotel.read(Reservation, "r9").await;

    assert_eq!(hotel.count(Guest).await, 4, "one guest, not two");
    let guest = hotel.row(Guest, "curie").await;
    assert_eq!(guest.id, written.guest_id.uuid());
    assert_eq!(guest.fields.text("first_name"), Some("Marie"));
    assert_eq!(guest.fields.text("origin"), Some("pms"));
    assert_eq!(stays(&hotel, written.guest_id).await, ["r9"]);
    hotel.drain().await;
    assert!(
        hotel.vendor.pushes().is_empty(),
        "what a messenger calls its owner is not told to the PMS"
    );
    let journal = hotel.journal(Guest, "curie").await;
    let name = journal
        .iter()
        .find(|line| line.field.as_deref() == Some("first_name"))
        .expect("field by field");
    assert_eq!(name.old, Some(json!("marie ✨")));
    assert_eq!(name.outcome, ChangeOutcome::Applied);
    let owner = hotel
        .owner_of(ContactChannel::Email, "marie@example.com")
        .await;
    assert_eq!(owner, Some(guest.id));
    let before = (guest, hotel.mapping(Guest, "curie").await);
    hotel.read(Guest, "curie").await;
    let after = (
        hotel.row(Guest, "curie").await,
        hotel.mapping(Guest, "curie").await,
    );
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_guest_who_writes_later_is_found_by_the_number_of_the_record() {
    let hotel = Hotel::synchronised().await;
    add_curie(&hotel, json!({"phone": "912 345 678"}));
    book(&hotel, "r9", "curie");
    hotel.read(Reservation, "r9").await;

    let written = hotel.message(PHONE, "marie ✨").await;

    assert_eq!(written.guest_id.uuid(), hotel.row(Guest, "curie").await.id);
    assert_eq!(stays(&hotel, written.guest_id).await, ["r9"]);
}

#[tokio::test]
async fn a_family_that_shares_a_telephone_stays_several_guests() {
    let hotel = Hotel::synchronised().await;
    add_curie(&hotel, json!({"phone": "912 345 678"}));
    hotel.vendor.add(
        Guest,
        "pierre",
        json!({"first_name": "Pierre", "last_name": "Curie", "phone": "912 345 678"}),
    );

    hotel.read(Guest, "curie").await;
    hotel.read(Guest, "pierre").await;

    assert_eq!(hotel.count(Guest).await, 5);
    let marie = hotel.row(Guest, "curie").await.id;
    let journal = hotel.journal(Guest, "pierre").await;
    assert_eq!(journal.len(), 1, "a creation is one line");
    let reason = journal[0].reason.as_deref().unwrap();
    assert!(reason.contains("not merged"), "{reason}");
    assert!(reason.contains(&marie.to_string()), "{reason}");
    assert_eq!(
        hotel.owner_of(ContactChannel::Phone, PHONE).await,
        Some(marie),
        "an address that leads to a guest stays with him"
    );
}

#[tokio::test]
async fn two_records_of_a_page_do_not_become_the_same_guest() {
    let hotel = Hotel::synchronised().await;
    let written = hotel.message(PHONE, "Marie").await;
    hotel.vendor.lock().page_size = 10;
    add_curie(&hotel, json!({"phone": "912 345 678"}));
    hotel.vendor.add(
        Guest,
        "daughter",
        json!({"first_name": "Marie", "last_name": "Curie", "phone": "912 345 678"}),
    );

    hotel.incremental().await;

    assert_eq!(hotel.count(Guest).await, 5);
    let first = hotel.row(Guest, "curie").await.id;
    let second = hotel.row(Guest, "daughter").await.id;
    assert_ne!(first, second);
    assert_eq!(first, written.guest_id.uuid());
}

#[tokio::test]
async fn an_address_that_a_booking_site_forwards_from_names_nobody() {
    let hotel = Hotel::synchronised().await;
    let relay = json!({"email": "mcurie.123456@guest.booking.com"});
    add_curie(&hotel, relay.clone());
    hotel.read(Guest, "curie").await;
    let mut same = relay;
    same["first_name"] = json!("Marie");
    same["last_name"] = json!("Curie");
    hotel.vendor.add(Guest, "again", same);

    hotel.read(Guest, "again").await;

    assert_eq!(hotel.count(Guest).await, 5);
    assert_eq!(hotel.journal(Guest, "again").await[0].reason, None);
}

#[tokio::test]
async fn a_guest_whom_another_pms_knows_is_merged_by_the_strategies() {
    let hotel = Hotel::synchronised().await;
    // Made here by the PMS of another property, which this integration has no mapping of.
    let known = hotel
        .insert_guest(
            json!({"origin": "pms", "first_name": "Marie", "last_name": "Curie",
            "phone": PHONE, "notes": "Prefers tea"}),
        )
        .await;
    hotel.own(known, ContactChannel::Phone, PHONE).await;
    add_curie(
        &hotel,
        json!({"phone": PHONE, "email": "marie@example.com", "notes": null}),
    );

    hotel.read(Guest, "curie").await;
    hotel.drain().await;

    let row = hotel.row(Guest, "curie").await;
    assert_eq!(row.id, known);
    assert_eq!(row.fields.text("email"), Some("marie@example.com"));
    assert_eq!(row.fields.text("notes"), Some("Prefers tea"));
    let record = hotel.vendor.record(Guest, "curie");
    assert_eq!(record.fields.text("notes"), Some("Prefers tea"));
}

#[tokio::test]
async fn a_mapped_guest_whose_number_becomes_known_is_joined_by_who_wrote_from_it() {
    let hotel = Hotel::synchronised().await;
    add_curie(&hotel, json!({}));
    book(&hotel, "r9", "curie");
    hotel.read(Reservation, "r9").await;
    let written = hotel.message(PHONE, "Marie").await;
    assert_ne!(written.guest_id.uuid(), hotel.row(Guest, "curie").await.id);

    hotel.clock.advance(TimeDelta::minutes(1));
    hotel
        .vendor
        .change(Guest, "curie", json!({"phone": "912 345 678"}));
    hotel.read(Guest, "curie").await;

    let remains = hotel.row(Guest, "curie").await;
    let next = hotel.message(PHONE, "Marie").await;
    assert_eq!(next.guest_id.uuid(), remains.id);
    assert_eq!(
        next.conversation_id, written.conversation_id,
        "the conversation goes on"
    );
    let stranger = hotel
        .store
        .row(hotel.everything(), Guest, written.guest_id.uuid())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        stranger.fields.text("merged_into"),
        Some(remains.id.to_string().as_str())
    );
}

#[tokio::test]
async fn a_mapped_guest_is_not_joined_by_whom_a_pms_knows() {
    let hotel = Hotel::synchronised().await;
    add_curie(&hotel, json!({"email": "marie@example.com"}));
    hotel.read(Guest, "curie").await;

    hotel.vendor.change(
        Guest,
        "ada",
        json!({"email": "marie@example.com", "first_name": "Marie", "last_name": "Curie"}),
    );
    hotel.read(Guest, "ada").await;

    for guest in ["ada", "curie"] {
        let row = hotel.row(Guest, guest).await;
        assert_eq!(row.fields.get("active"), Some(&json!(true)), "{guest}");
    }
}
