//! Records that cannot be rows, values that are not known, and records that come back.

use chrono::TimeDelta;
use serde_json::{Value, json};
use stayzr_core::{
    clock::Clock,
    model::{Change, ChangeOutcome},
    port::{
        PageRequest,
        edit::ChangeFilter,
        sync::{ParkedRecord, RowWrite},
    },
    queue::JobStatus,
    transform::EntityKind::{self, Guest, Property, Reservation, Room},
};
use stayzr_pms::UnknownValue;

use crate::hotel::Hotel;

async fn failed(hotel: &Hotel) -> Vec<String> {
    hotel
        .jobs()
        .await
        .into_iter()
        .filter(|job| job.status == JobStatus::Failed)
        .filter_map(|job| job.last_error)
        .collect()
}

async fn lines(hotel: &Hotel, kind: EntityKind, external_id: Option<&str>) -> Vec<Change> {
    let filter = ChangeFilter {
        entity: Some(kind),
        external_id: external_id.map(str::to_owned),
        outcome: Some(ChangeOutcome::Refused),
        ..ChangeFilter::default()
    };
    let page = PageRequest::default();
    let changes = hotel.store.changes(hotel.everything(), &filter, &page);
    changes.await.unwrap().items
}

#[tokio::test]
async fn a_departure_that_is_not_after_the_arrival_parks_the_reservation_alone() {
    for departure in ["2026-06-30T10:00:00Z", "2026-07-01T14:00:00Z"] {
        let hotel = Hotel::synchronised().await;
        hotel
            .vendor
            .change(Reservation, "r1", json!({"departure": departure}));
        hotel
            .vendor
            .change(Reservation, "r2", json!({"status": "in_house"}));

        let run = hotel.incremental().await;

        assert_eq!((run.parked, run.updated), (1, 1));
        let departure = hotel.text(Reservation, "r1", "departure").await;
        assert_eq!(departure.as_deref(), Some("2026-07-03T10:00:00Z"));
        let reasons = failed(&hotel).await;
        assert_eq!(reasons.len(), 1);
        assert!(reasons[0].starts_with("departure: "), "{reasons:?}");
        let line = &lines(&hotel, Reservation, Some("r1")).await[0];
        assert_eq!(
            line.entity_id,
            hotel.row(Reservation, "r1").await.id,
            "the journal of the row says so"
        );
    }
}

#[tokio::test]
async fn a_new_reservation_that_ends_before_it_begins_is_no_row() {
    let hotel = Hotel::synchronised().await;
    hotel.vendor.add(
        Reservation,
        "r9",
        json!({"number": "r9", "status": "confirmed", "adults": 1,
            "arrival": "2026-07-03T14:00:00Z", "departure": "2026-07-01T10:00:00Z"}),
    );

    let run = hotel.incremental().await;

    assert_eq!((run.parked, run.created), (1, 0));
    let line = &lines(&hotel, Reservation, Some("r9")).await[0];
    assert!(line.entity_id.is_nil());
    assert!(line.reason.as_ref().unwrap().starts_with("departure: "));
}

#[tokio::test]
async fn a_currency_that_does_not_exist_parks_the_property() {
    let hotel = Hotel::synchronised().await;
    hotel
        .vendor
        .change(Property, "enterprise", json!({"currency": "EURO"}));

    hotel.read(Property, "enterprise").await;

    let currency = hotel.text(Property, "enterprise", "currency").await;
    assert_eq!(currency.as_deref(), Some("EUR"));
    let reasons = failed(&hotel).await;
    assert!(
        reasons[0].contains("currency") && reasons[0].contains("4217"),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn a_record_without_an_id_is_put_aside_and_the_rest_goes_on() {
    let hotel = Hotel::furnished().await;
    hotel.vendor.add(Guest, " ", json!({"last_name": "Nobody"}));
    hotel.vendor.lock().page_size = 10;

    let run = hotel.backfill().await;

    assert_eq!(run.parked, 1);
    assert_eq!(hotel.count(Guest).await, 3);
    let reasons = failed(&hotel).await;
    assert_eq!(reasons, ["id: the record has none"]);
    assert_eq!(lines(&hotel, Guest, None).await[0].external_id, None);
}

#[tokio::test]
async fn a_record_that_its_provider_cannot_read_is_journalled_on_its_row() {
    let hotel = Hotel::synchronised().await;
    hotel.vendor.lock().parked.push(ParkedRecord {
        local_id: None,
        entity: Guest,
        external_id: Some("ada".to_owned()),
        reason: "birth_date: not a day".to_owned(),
    });

    hotel.backfill().await;
    hotel.backfill().await;

    let journal = hotel.journal(Guest, "ada").await;
    let refused: Vec<&Change> = journal
        .iter()
        .filter(|line| line.outcome == ChangeOutcome::Refused)
        .collect();
    assert_eq!(refused.len(), 1, "and once");
    assert_eq!(refused[0].reason.as_deref(), Some("birth_date: not a day"));
}

#[tokio::test]
async fn each_bad_record_is_put_aside_with_its_reason_and_the_good_ones_go_on() {
    let hotel = Hotel::synchronised().await;
    hotel
        .vendor
        .add(Guest, "curie", json!({"last_name": "Curie"}));
    for (id, bad) in [
        (" ", json!({})),
        ("r7", json!({"departure": "2026-06-30T10:00:00Z"})),
        ("r8", json!({"adults": "two"})),
        ("r9", json!({})),
    ] {
        let mut fields = json!({"number": id, "status": "confirmed", "adults": 1,
            "arrival": "2026-07-01T14:00:00Z", "departure": "2026-07-03T10:00:00Z"});
        for (field, value) in bad.as_object().unwrap() {
            fields[field] = value.clone();
        }
        let links = [("guest_id", Guest, "curie")];
        hotel.vendor.add_linked(Reservation, id, fields, &links);
    }

    let ids = [" ", "r7", "r8", "r9"].map(str::to_owned);
    hotel
        .engine
        .targeted(hotel.scope, hotel.integration_id, Reservation, &ids, None)
        .await
        .unwrap();

    let mut reasons = failed(&hotel).await;
    reasons.sort();
    let expected = ["adults: ", "departure: ", "id: the record has none"];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.starts_with(expected), "{reasons:?}");
    }
    for (id, field) in [("r7", "departure: "), ("r8", "adults: ")] {
        let line = &lines(&hotel, Reservation, Some(id)).await[0];
        assert!(line.reason.as_ref().unwrap().starts_with(field), "{line:?}");
    }
    let guest = hotel.row(Guest, "curie").await.id.to_string();
    assert_eq!(
        hotel.text(Reservation, "r9", "guest_id").await,
        Some(guest),
        "the guest nobody knew was read and linked"
    );
}

#[tokio::test]
async fn what_was_put_aside_ends_when_the_record_comes_back_as_it_was() {
    let hotel = Hotel::synchronised().await;
    let healthy = hotel.vendor.record(Reservation, "r1");
    hotel.vendor.change_at_once(
        Reservation,
        "r1",
        json!({"departure": "2026-06-30T10:00:00Z"}),
    );
    hotel.vendor.lock().parked.push(ParkedRecord {
        local_id: None,
        entity: Guest,
        external_id: Some("ada".to_owned()),
        reason: "BirthDate: not a day".to_owned(),
    });
    let ada = (Guest, "ada".to_owned());
    let record = hotel.vendor.lock().records.remove(&ada).unwrap();
    hotel.backfill().await;
    assert_eq!(failed(&hotel).await.len(), 2);
    let rows = (
        hotel.row(Guest, "ada").await,
        hotel.row(Reservation, "r1").await,
    );

    {
        let mut state = hotel.vendor.lock();
        state.parked.clear();
        state.records.insert(ada, record);
        let key = (Reservation, "r1".to_owned());
        state.records.insert(key, healthy);
    }
    hotel.backfill().await;

    assert!(failed(&hotel).await.is_empty(), "it is read: it is done");
    let after = (
        hotel.row(Guest, "ada").await,
        hotel.row(Reservation, "r1").await,
    );
    assert_eq!(after, rows, "and nothing of it changed");
}

#[tokio::test]
async fn invariant_u_values_that_are_not_known_are_counted_and_park_nothing() {
    let hotel = Hotel::furnished().await;
    hotel.vendor.edit(Reservation, "r1", |record| {
        record.fields.insert("status", "unknown");
        record.unknown = vec![UnknownValue {
            field: "State".to_owned(),
            value: "Hovering".to_owned(),
        }];
    });

    let run = hotel.backfill().await;

    assert_eq!((run.unknown, run.parked), (1, 0));
    let status = hotel.text(Reservation, "r1", "status").await;
    assert_eq!(status.as_deref(), Some("unknown"));
}

#[tokio::test]
async fn a_guest_who_can_never_be_asked_for_does_not_hold_back_his_reservation() {
    let hotel = Hotel::synchronised().await;
    hotel
        .vendor
        .lock()
        .unreadable
        .insert("not an id".to_owned());
    hotel
        .vendor
        .add(Guest, "curie", json!({"last_name": "Curie"}));
    for (id, guest) in [("r8", "not an id"), ("r9", "curie")] {
        hotel.vendor.add_linked(
            Reservation,
            id,
            json!({"number": id, "status": "confirmed", "adults": 1,
                "arrival": "2026-07-01T14:00:00Z", "departure": "2026-07-03T10:00:00Z"}),
            &[("guest_id", Guest, guest)],
        );
    }

    let ids = ["r8".to_owned(), "r9".to_owned()];
    hotel
        .engine
        .targeted(hotel.scope, hotel.integration_id, Reservation, &ids, None)
        .await
        .unwrap();

    assert_eq!(hotel.text(Reservation, "r8", "guest_id").await, None);
    let notes = stayzr_pms::engine::Notes::of(&hotel.mapping(Reservation, "r8").await);
    assert_eq!(notes.unresolved["guest_id"].id, "not an id");
    let guest = hotel.row(Guest, "curie").await.id.to_string();
    assert_eq!(
        hotel.text(Reservation, "r9", "guest_id").await,
        Some(guest),
        "the other id of the same call is read all the same"
    );
}

/// What a sweep does to a record that the vendor no longer has.
async fn mark_gone(hotel: &Hotel, kind: EntityKind, id: &str, set: Value) {
    let row = hotel.row(kind, id).await;
    let mut mapping = hotel.mapping(kind, id).await;
    mapping.gone_at = Some(hotel.clock.now());
    mapping.hash = String::new();
    mapping.revision += 1;
    let set = crate::vendor::map(set);
    mapping.base.extend(&set);
    let write = stayzr_core::port::sync::PageWrite {
        rows: vec![RowWrite::Update {
            kind,
            id: row.id,
            expected_version: row.version,
            set,
        }],
        mappings: vec![mapping],
        ..stayzr_core::port::sync::PageWrite::new(hotel.everything(), hotel.integration_id)
    };
    hotel.store.apply_page(write).await.unwrap();
}

#[tokio::test]
async fn a_record_that_comes_back_is_in_use_again() {
    let hotel = Hotel::synchronised().await;
    mark_gone(&hotel, Room, "101", json!({"active": false})).await;
    let cancelled = json!({"status": "cancelled", "cancelled_at": "2026-06-09T12:00:00Z",
        "cancellation_reason": "no longer at the PMS"});
    mark_gone(&hotel, Reservation, "r1", cancelled).await;
    let before = hotel.journal(Reservation, "r1").await.len();

    hotel.read(Room, "101").await;
    hotel.read(Reservation, "r1").await;
    hotel.drain().await;

    let room = hotel.row(Room, "101").await;
    assert_eq!(room.fields.get("active"), Some(&json!(true)));
    assert_eq!(hotel.mapping(Room, "101").await.gone_at, None);
    let reservation = hotel.row(Reservation, "r1").await;
    assert_eq!(reservation.fields.text("status"), Some("confirmed"));
    assert_eq!(reservation.fields.text("cancellation_reason"), None);
    assert_eq!(reservation.fields.text("cancelled_at"), None);
    assert_eq!(hotel.mapping(Reservation, "r1").await.gone_at, None);
    assert_eq!(
        hotel.journal(Reservation, "r1").await.len(),
        before + 3,
        "field by field"
    );
    assert!(hotel.vendor.pushes().is_empty());
}

#[tokio::test]
async fn invariant_b_an_edit_of_a_record_that_is_gone_is_refused_and_sent_once_it_is_back() {
    let hotel = Hotel::synchronised().await;
    let record = hotel
        .vendor
        .lock()
        .records
        .remove(&(Guest, "ada".to_owned()))
        .unwrap();
    mark_gone(&hotel, Guest, "ada", json!({"active": false})).await;
    hotel
        .edit(Guest, "ada", json!({"email": "ada@new.example"}))
        .await;

    let report = hotel.push(Guest, "ada").await.unwrap();
    hotel.drain().await;

    assert_eq!(report.refused.len(), 1);
    assert!(report.refused[0].reason.contains("does not have"));
    assert!(hotel.vendor.pushes().is_empty());
    let refused = lines(&hotel, Guest, Some("ada")).await;
    assert_eq!(refused.len(), 1);

    hotel
        .vendor
        .lock()
        .records
        .insert((Guest, "ada".to_owned()), record);
    hotel.clock.advance(TimeDelta::minutes(10));
    hotel.read(Guest, "ada").await;
    hotel.drain().await;

    let record = hotel.vendor.record(Guest, "ada");
    assert_eq!(record.fields.text("email"), Some("ada@new.example"));
    let row = hotel.row(Guest, "ada").await;
    assert_eq!(row.fields.get("active"), Some(&json!(true)));
}
