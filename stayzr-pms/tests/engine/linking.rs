//! Records that lead to others.

use chrono::TimeDelta;
use serde_json::json;
use stayzr_core::transform::EntityKind::{Guest, Reservation as Booking};

use crate::{hotel::Hotel, reading::ids_asked, vendor::Vendor};

#[tokio::test]
async fn an_unknown_guest_of_a_reservation_is_fetched_and_linked() {
    let hotel = Hotel::synchronised().await;
    add_guest_and_booking(&hotel.vendor);

    hotel.read(Booking, "r9").await;

    assert_eq!(
        ids_asked(&hotel.vendor.take_calls()),
        ["r9", "new-guest"],
        "one call more"
    );
    let guest = hotel.row(Guest, "new-guest").await.id.to_string();
    assert_eq!(hotel.text(Booking, "r9", "guest_id").await, Some(guest));
}

#[tokio::test]
async fn a_reservation_of_a_guest_nobody_knows_is_kept_and_linked_later() {
    let hotel = Hotel::synchronised().await;
    add_guest_and_booking(&hotel.vendor);
    let unknown = hotel
        .vendor
        .lock()
        .records
        .remove(&(Guest, "new-guest".to_owned()));

    hotel.read(Booking, "r9").await;
    assert_eq!(hotel.text(Booking, "r9", "guest_id").await, None);

    hotel
        .vendor
        .lock()
        .records
        .insert((Guest, "new-guest".to_owned()), unknown.unwrap());
    hotel.read(Guest, "new-guest").await;
    hotel.read(Booking, "r9").await;

    let guest = hotel.row(Guest, "new-guest").await.id.to_string();
    assert_eq!(hotel.text(Booking, "r9", "guest_id").await, Some(guest));
}

fn add_guest_and_booking(vendor: &Vendor) {
    vendor.add(
        Guest,
        "new-guest",
        json!({"last_name": "Curie", "classifications": []}),
    );
    vendor.add_linked(
        Booking,
        "r9",
        json!({"number": "r9", "status": "confirmed", "adults": 1,
            "arrival": "2026-07-01T14:00:00Z", "departure": "2026-07-03T10:00:00Z"}),
        &[("guest_id", Guest, "new-guest")],
    );
}

#[tokio::test]
async fn a_merged_guest_leads_to_the_one_who_remains() {
    let hotel = Hotel::synchronised().await;
    hotel.vendor.lock().now += TimeDelta::seconds(1);
    hotel.vendor.edit(Guest, "alan", |record| {
        record.merged_into = Some("ada".to_owned());
    });
    hotel.read(Guest, "alan").await;
    hotel
        .vendor
        .change(Booking, "r2", json!({"status": "in_house"}));

    hotel.read(Booking, "r2").await;

    let merged = hotel.row(Guest, "alan").await;
    assert_eq!(merged.fields.get("active"), Some(&json!(false)));
    let remains = hotel.row(Guest, "ada").await.id.to_string();
    assert_eq!(hotel.text(Booking, "r2", "guest_id").await, Some(remains));
    assert_eq!(hotel.count(Guest).await, 3);
}
