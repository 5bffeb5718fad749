//! Backfill, incremental and targeted reads.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use stayzr_core::{
    ErrorKind,
    clock::Clock,
    model::{Contact, ContactChannel, Reservation, RunMode, RunStatus},
    port::{
        PageRequest,
        backend::{Quotes, StayQuery},
        entities::EntitiesExt,
        sync::ParkedRecord,
    },
    queue::JobStatus,
    transform::EntityKind::{self, Guest, Note, Property, Reservation as Booking, Room, RoomType},
};
use stayzr_pms::engine::EngineQuotes;

use crate::{hotel::Hotel, vendor::Call};

pub fn ids_asked(calls: &[Call]) -> Vec<String> {
    calls
        .iter()
        .filter_map(|call| match call {
            Call::Ids(_, ids) => Some(ids.clone()),
            _ => None,
        })
        .flatten()
        .collect()
}

fn windows(calls: &[Call], wanted: EntityKind) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    calls
        .iter()
        .filter_map(|call| match call {
            Call::Page(query) if query.kind == wanted => query.changed,
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_backfill_makes_each_row_once_and_links_them() {
    let hotel = Hotel::furnished().await;

    let run = hotel.backfill().await;

    assert_eq!(run.status, RunStatus::Completed);
    // Nine records, of which the property existed here before.
    assert_eq!((run.read, run.created, run.updated), (9, 8, 1));
    let row = hotel.row(Booking, "r1").await;
    let reservation: Reservation = hotel
        .store
        .entity(hotel.everything(), row.id)
        .await
        .unwrap();
    let guest = hotel.row(Guest, "ada").await;
    assert_eq!(reservation.guest_id.unwrap().uuid(), guest.id);
    assert_eq!(reservation.property_id, hotel.property_id);
    let room = hotel.row(Room, "101").await;
    assert_eq!(reservation.room_id.unwrap().uuid(), room.id);
    assert_eq!(guest.fields.text("origin"), Some("pms"));
    let journal = hotel.journal(Guest, "ada").await;
    assert_eq!(journal.len(), 1, "a creation is one line");
    assert_eq!(journal[0].field, None);
}

#[tokio::test]
async fn the_vendors_property_is_the_property_that_was_connected() {
    let hotel = Hotel::furnished().await;

    hotel.backfill().await;

    assert_eq!(hotel.count(Property).await, 1);
    let row = hotel.row(Property, "enterprise").await;
    assert_eq!(row.id, hotel.property_id.uuid());
    assert_eq!(row.fields.text("name"), Some("Aurelia Porto"));
    assert_eq!(row.fields.text("currency"), Some("EUR"));
    // What the vendor does not give is ours.
    assert_eq!(row.fields.text("check_in"), Some("15:00"));
    assert_eq!(
        row.fields.get("amenities"),
        Some(&json!([{"name": "Pool"}]))
    );
}

#[tokio::test]
async fn a_stopped_backfill_goes_on_where_it_stopped() {
    let hotel = Hotel::furnished().await;
    // Pages: property 1, room type 1, room 1, guests 2, reservations 2, notes 1.
    hotel.vendor.lock().failing_page = Some(5);

    let error = hotel.run(RunMode::Backfill).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(hotel.count(Guest).await, 2);
    hotel.vendor.take_calls();
    let run = hotel.backfill().await;

    assert_eq!(
        (run.read, run.created),
        (4, 4),
        "the rest, and nothing twice"
    );
    let calls = hotel.vendor.take_calls();
    let kinds: Vec<EntityKind> = calls
        .iter()
        .filter_map(|call| match call {
            Call::Page(query) => Some(query.kind),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [Guest, Booking, Booking, Note]);
    assert_eq!(
        (hotel.count(Guest).await, hotel.count(Booking).await),
        (3, 3)
    );
    let page = PageRequest::default();
    let runs = hotel
        .store
        .runs(hotel.everything(), hotel.integration_id, &page);
    let runs = runs.await.unwrap().items;
    assert!(
        runs.iter()
            .any(|run| run.status == RunStatus::Failed && run.error.is_some())
    );
}

#[tokio::test]
async fn a_backfill_after_a_finished_one_reads_everything_again() {
    let hotel = Hotel::synchronised().await;

    let run = hotel.backfill().await;

    assert_eq!((run.read, run.unchanged), (9, 9));
}

#[tokio::test]
async fn an_incremental_run_overlaps_what_was_read_by_the_vendors_clock() {
    let hotel = Hotel::furnished().await;
    // Our clock is hours ahead of the vendor's and decides nothing.
    hotel.clock.advance(TimeDelta::hours(7));
    let before = hotel.vendor.lock().now;
    hotel.backfill().await;
    hotel.vendor.take_calls();
    hotel.vendor.lock().now += TimeDelta::hours(1);
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));

    let run = hotel.incremental().await;

    assert_eq!(run.updated, 1);
    assert_eq!(
        hotel.text(Guest, "ada", "last_name").await.as_deref(),
        Some("King")
    );
    let calls = hotel.vendor.take_calls();
    let windows = windows(&calls, Guest);
    assert_eq!(windows[0].0, before - TimeDelta::minutes(5));
    assert!(windows[0].1 > hotel.vendor.lock().now);
}

#[tokio::test]
async fn long_absence_is_read_in_windows_the_vendor_takes() {
    let hotel = Hotel::synchronised().await;
    hotel.clock.advance(TimeDelta::days(200));
    hotel.vendor.lock().now += TimeDelta::days(200);
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));

    hotel.incremental().await;

    let calls = hotel.vendor.take_calls();
    let windows = windows(&calls, Guest);
    assert_eq!(windows.len(), 3);
    for pair in windows.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "no gap");
    }
    assert!(
        windows
            .iter()
            .all(|(from, to)| *to - *from <= TimeDelta::days(90))
    );
    assert_eq!(
        hotel.text(Guest, "ada", "last_name").await.as_deref(),
        Some("King")
    );
}

#[tokio::test]
async fn a_stopped_incremental_run_goes_on_in_its_window() {
    let hotel = Hotel::synchronised().await;
    hotel.vendor.lock().now += TimeDelta::hours(1);
    for id in ["ada", "alan", "grace"] {
        hotel.vendor.change(Guest, id, json!({"notes": "Met us"}));
    }
    // Backfill took eight pages, property, room type and room take three more.
    hotel.vendor.lock().failing_page = Some(13);
    hotel.run(RunMode::Incremental).await.unwrap_err();
    hotel.vendor.take_calls();

    let run = hotel.incremental().await;

    assert_eq!(run.updated, 1, "two of three guests were done");
    for id in ["ada", "alan", "grace"] {
        assert_eq!(
            hotel.text(Guest, id, "notes").await.as_deref(),
            Some("Met us")
        );
    }
}

#[tokio::test]
async fn a_change_made_while_a_backfill_reads_is_found_by_the_next_run() {
    let hotel = Hotel::furnished().await;
    let vendor = hotel.vendor.clone();
    hotel.vendor.lock().during_page = Some(Box::pin(async move {
        vendor.change(Guest, "grace", json!({"last_name": "Murray"}));
        vendor.change(Guest, "grace", json!({"last_name": "Hopper"}));
    }));
    hotel.backfill().await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));

    hotel.incremental().await;

    assert_eq!(
        hotel.text(Guest, "ada", "last_name").await.as_deref(),
        Some("King")
    );
    assert_eq!(
        hotel.text(Guest, "grace", "last_name").await.as_deref(),
        Some("Hopper")
    );
}

#[tokio::test]
async fn a_window_whose_later_page_takes_too_long_is_halved_and_read_from_its_start() {
    let hotel = Hotel::synchronised().await;
    for guest in ["ada", "alan", "grace"] {
        let there = json!({"last_name": format!("{guest} the second")});
        hotel.vendor.change(Guest, guest, there);
        hotel.vendor.lock().now += TimeDelta::hours(1);
    }
    hotel.vendor.lock().patience = Some(TimeDelta::hours(2));

    let run = hotel.incremental().await;

    assert_eq!(run.updated, 3);
    let asked = windows(&hotel.vendor.take_calls(), Guest);
    assert!(asked.len() > 3, "{asked:?}");
    assert!(
        asked
            .iter()
            .any(|(from, to)| *to - *from <= TimeDelta::hours(2)),
        "{asked:?}"
    );
    hotel.vendor.lock().patience = None;
    assert_eq!(hotel.incremental().await.updated, 0, "nothing was missed");
}

#[tokio::test]
async fn a_vendor_without_a_clock_is_read_whole() {
    let hotel = Hotel::furnished().await;
    hotel.vendor.lock().tells_time = false;
    hotel.backfill().await;
    hotel.vendor.take_calls();
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));

    hotel.incremental().await;

    assert_eq!(windows(&hotel.vendor.take_calls(), Guest), []);
    assert_eq!(
        hotel.text(Guest, "ada", "last_name").await.as_deref(),
        Some("King")
    );
}

#[tokio::test]
async fn a_targeted_read_asks_once_for_each_record_in_the_vendors_batches() {
    let hotel = Hotel::synchronised().await;
    hotel
        .vendor
        .change(Guest, "grace", json!({"last_name": "Murray"}));
    let ids: Vec<String> = ["grace", "ada", "nobody", "ada", "alan"]
        .map(str::to_owned)
        .to_vec();

    let read = hotel
        .engine
        .targeted(hotel.scope, hotel.integration_id, Guest, &ids, None)
        .await
        .unwrap();

    assert_eq!(read.missing, ["nobody"]);
    assert_eq!((read.run.read, read.run.updated), (3, 1));
    let calls = hotel.vendor.take_calls();
    assert_eq!(calls.len(), 2, "three ids a call");
    assert_eq!(ids_asked(&calls), ["ada", "alan", "grace", "nobody"]);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_put_aside_and_the_rest_goes_on() {
    let hotel = Hotel::furnished().await;
    hotel.vendor.lock().parked.push(ParkedRecord {
        local_id: None,
        entity: Guest,
        external_id: Some("broken".to_owned()),
        reason: "BirthDate: not a day".to_owned(),
    });
    // The provider lets it pass, but no row can hold it.
    hotel.vendor.add(
        Booking,
        "no-arrival",
        json!({"number": "x", "status": "confirmed", "departure": "2026-07-03T10:00:00Z"}),
    );

    let run = hotel.backfill().await;

    assert_eq!((run.parked, run.created), (2, 8));
    let failed: Vec<String> = hotel
        .jobs()
        .await
        .into_iter()
        .filter(|job| job.status == JobStatus::Failed)
        .filter_map(|job| job.last_error)
        .collect();
    assert_eq!(failed.len(), 2);
    assert!(failed.iter().any(|reason| reason.contains("BirthDate")));
    assert!(failed.iter().any(|reason| reason.contains("arrival")));
}

#[tokio::test]
async fn addresses_of_guests_are_compared_in_one_form() {
    let hotel = Hotel::furnished().await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"phone": "912 345 678"}));

    hotel.backfill().await;

    let guest = hotel.row(Guest, "ada").await.id;
    for (channel, address) in [
        (ContactChannel::Phone, "+351912345678"),
        (ContactChannel::Email, "ada@example.com"),
    ] {
        let contact = Contact {
            channel,
            address: address.to_owned(),
        };
        let found = hotel
            .store
            .guest_by_contact(hotel.everything(), &[contact])
            .await
            .unwrap();
        assert_eq!(found.map(|id| id.uuid()), Some(guest), "{address}");
    }
}

#[tokio::test]
async fn a_page_is_all_that_is_held() {
    let hotel = Hotel::open().await;
    crate::hotel::furnish(&hotel.vendor);
    for n in 0..25 {
        let id = format!("many-{n:02}");
        hotel
            .vendor
            .add(Guest, &id, json!({"last_name": id, "classifications": []}));
    }
    // Each page is in the store before the next is asked for.
    let store = hotel.store.clone();
    let scope = hotel.everything();
    hotel.vendor.lock().page_size = 5;
    hotel.vendor.lock().failing_page = Some(7);

    hotel.run(RunMode::Backfill).await.unwrap_err();

    let page = PageRequest {
        limit: 1000,
        cursor: None,
    };
    let rows = store
        .rows(scope, Guest, &Default::default(), &page)
        .await
        .unwrap();
    assert_eq!(rows.items.len(), 15);
    hotel.backfill().await;
    assert_eq!(hotel.count(Guest).await, 28);
}

#[tokio::test]
async fn quotes_come_under_our_room_types() {
    let hotel = Hotel::synchronised().await;
    let stay = StayQuery {
        arrival: "2026-07-01".parse().unwrap(),
        departure: "2026-07-03".parse().unwrap(),
        persons: 2,
    };

    let quotes = EngineQuotes::new(hotel.engine.clone())
        .quotes(hotel.scope, hotel.property_id, &stay)
        .await
        .unwrap();

    assert_eq!(quotes.len(), 1, "what was never synchronised is left out");
    assert_eq!(quotes[0].room_type, "Double");
    let double = hotel.row(RoomType, "double").await.id;
    assert_eq!(quotes[0].room_type_id.uuid(), double);
    assert_eq!(hotel.clock.now(), crate::hotel::start());
}
