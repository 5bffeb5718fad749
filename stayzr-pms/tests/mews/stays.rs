//! Reservations that are booked and moved on, and rooms that are out of order.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use stayzr_core::{ErrorKind, model::ExternalRef, transform::EntityKind};
use stayzr_pms::{
    PmsProvider, Push, PushOutcome,
    providers::mews::wire::{
        CompanionshipsGetAll, CustomerExtent, CustomersSearch, PersonCount, ReservationAdd,
        ReservationsAddCompanion, ReservationsDeleteCompanion, ReservationsPrice,
        ReservationsUpdateCustomer, ReservationsUpdateInterval,
    },
};

use crate::common::{Desk, applied, change, fault, id, one, provider, sandbox};

/// A change of a status that both sides knew.
fn step(id: &str, base: &[(&str, &str)], status: &str) -> Push {
    let mut push = change(EntityKind::Reservation, id, &[("status", json!(status))]);
    for (field, value) in base {
        push.base.insert(*field, *value);
    }
    push
}

fn link(kind: EntityKind, id: &Value) -> Option<ExternalRef> {
    Some(ExternalRef {
        kind,
        id: id.as_str().unwrap().to_owned(),
    })
}

async fn booking(desk: &Desk<'_>) -> Push {
    let guest = desk.get("guests").await[0]["Id"].clone();
    let like = desk.reservation(|one| one["State"] == "Confirmed").await;
    let mut push = change(
        EntityKind::Reservation,
        "",
        &[
            ("status", json!("confirmed")),
            ("arrival", json!("2030-01-05T15:00:00Z")),
            ("departure", json!("2030-01-07T11:00:00Z")),
            ("adults", json!(2)),
            ("children", json!(1)),
        ],
    );
    push.external_id = None;
    for (field, kind, id) in [
        ("guest_id", EntityKind::Guest, &guest),
        (
            "room_type_id",
            EntityKind::RoomType,
            &like["RequestedResourceCategoryId"],
        ),
    ] {
        push.links.insert(field.to_owned(), link(kind, id));
    }
    push
}

#[tokio::test]
async fn a_stay_is_booked_without_an_email_and_the_answer_is_what_is_read() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let push = booking(&desk).await;
    assert_eq!(provider.find(&push).await.unwrap(), []);
    let made = applied(provider.push(&push).await.unwrap());
    assert_eq!(made.fields.text("status"), Some("confirmed"));
    assert_eq!(made.fields.get("children"), Some(&json!(1)));
    assert_eq!(made.links["guest_id"], push.links["guest_id"]);
    let read = one(&provider, EntityKind::Reservation, &made.external_id).await;
    assert_eq!(read, Some(made.clone()), "a later sync sees no change");
    let stats = desk.stats().await;
    assert_eq!(
        (&stats["emails_sent"], &stats["reprices"]),
        (&json!(0), &json!(0))
    );
    let found = provider.find(&push).await.unwrap();
    assert_eq!(found, [made]);
    let mut held = push.clone();
    held.changed.insert("status", "tentative");
    let held = applied(provider.push(&held).await.unwrap());
    assert_eq!(held.fields.text("status_vendor"), Some("Optional"));
}

#[tokio::test]
async fn a_booking_whose_answer_was_lost_is_found_and_is_not_made_again() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let push = booking(&desk).await;
    sandbox.inject(fault("cut", "reservations/add", 1)).unwrap();
    let lost = provider.push(&push).await.unwrap();
    assert!(matches!(lost, PushOutcome::Ambiguous(_)), "{lost:?}");
    assert_eq!(provider.find(&push).await.unwrap().len(), 1);
    assert_eq!(desk.stats().await["calls"]["reservations/add"], 1);
}

#[tokio::test]
async fn a_booking_says_what_it_lacks_and_what_mews_refuses() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let whole = booking(&desk).await;
    let mut lacking = whole.clone();
    lacking.links.remove("guest_id");
    let refused = provider.push(&lacking).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    let mut started = whole.clone();
    started.changed.insert("status", "in_house");
    let outcome = provider.push(&started).await.unwrap();
    assert_eq!(outcome, PushOutcome::Unsupported(vec!["status".to_owned()]));
    // All rooms of the type are taken for good.
    let category = whole.links["room_type_id"].as_ref().unwrap().id.clone();
    for _ in 0..40 {
        desk.post(
            "reservations",
            json!({"RequestedResourceCategoryId": category,
                "ScheduledStartUtc": "2030-01-05T15:00:00Z",
                "ScheduledEndUtc": "2030-01-06T11:00:00Z"}),
        )
        .await;
    }
    let refused = provider.push(&whole).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    let why = format!("{:?}", refused.context());
    assert!(why.contains("availability"), "{why}");
}

#[tokio::test]
async fn a_stay_is_confirmed_started_and_processed_as_the_desk_does_it() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let booked = desk.reservation(|one| one["State"] == "Optional").await;
    let stay = id(&booked);
    let room = desk.get("rooms").await[0].clone();
    let now = Utc::now();
    desk.patch(
        &format!("reservations/{stay}"),
        json!({
            "ScheduledStartUtc": now - TimeDelta::hours(2),
            "ScheduledEndUtc": now + TimeDelta::minutes(1),
            "AssignedResourceId": room["Id"],
        }),
    )
    .await;
    let optional = [("status", "tentative"), ("status_vendor", "Optional")];
    let push = step(&stay, &optional, "confirmed");
    let confirmed = applied(provider.push(&push).await.unwrap());
    assert_eq!(confirmed.fields.text("status"), Some("confirmed"));
    assert_eq!(desk.stats().await["emails_sent"], 0);

    let start = step(&stay, &[("status", "confirmed")], "in_house");
    desk.patch(&format!("rooms/{}", id(&room)), json!({"State": "Dirty"}))
        .await;
    let refused = provider.push(&start).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    assert!(format!("{:?}", refused.context()).contains("not inspected"));
    desk.patch(
        &format!("rooms/{}", id(&room)),
        json!({"State": "Inspected"}),
    )
    .await;
    let started = applied(provider.push(&start).await.unwrap());
    assert_eq!(started.fields.text("status"), Some("in_house"));

    let leave = step(&stay, &[("status", "in_house")], "departed");
    let gone = applied(provider.push(&leave).await.unwrap());
    assert_eq!(gone.fields.text("status"), Some("departed"));
}

#[tokio::test]
async fn a_status_without_a_step_is_not_sent() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let stay = id(&desk.reservation(|one| one["State"] == "Inquired").await);
    for (base, status) in [
        // Mews confirms what is held, and not what was only asked about.
        (
            [("status", "tentative"), ("status_vendor", "Inquired")],
            "confirmed",
        ),
        (
            [("status", "tentative"), ("status_vendor", "Inquired")],
            "in_house",
        ),
        (
            [("status", "confirmed"), ("status_vendor", "Confirmed")],
            "departed",
        ),
        (
            [("status", "in_house"), ("status_vendor", "Started")],
            "no_show",
        ),
    ] {
        let outcome = provider.push(&step(&stay, &base, status)).await.unwrap();
        assert_eq!(outcome, PushOutcome::Unsupported(vec!["status".to_owned()]));
    }
}

#[tokio::test]
async fn a_step_whose_answer_was_lost_is_not_repeated_blindly() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let stay = id(&desk.reservation(|one| one["State"] == "Optional").await);
    let optional = [("status", "tentative"), ("status_vendor", "Optional")];
    sandbox
        .inject(fault("cut", "reservations/confirm", 1))
        .unwrap();
    let lost = provider
        .push(&step(&stay, &optional, "confirmed"))
        .await
        .unwrap();
    assert!(matches!(lost, PushOutcome::Ambiguous(_)), "{lost:?}");
    assert_eq!(desk.stats().await["calls"]["reservations/confirm"], 1);
    let read = one(&provider, EntityKind::Reservation, &stay)
        .await
        .unwrap();
    assert_eq!(read.fields.text("status"), Some("confirmed"));
}

fn condition(room: &str, base: &str, wanted: &str) -> Push {
    let mut push = change(EntityKind::Room, room, &[("condition", json!(wanted))]);
    push.base.insert("condition", base);
    push
}

#[tokio::test]
async fn a_room_out_of_order_is_a_block_that_is_lifted_again() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let room = id(&desk.get("rooms").await[0]);
    let closed = condition(&room, "clean", "out_of_order");
    let record = applied(provider.push(&closed).await.unwrap());
    assert_eq!(record.fields.text("condition"), Some("out_of_order"));
    let blocks = desk.get("blocks").await;
    assert_eq!(
        (&blocks[0]["Type"], &blocks[0]["IsActive"]),
        (&json!("OutOfOrder"), &json!(true))
    );
    // What was done already is not done twice.
    applied(provider.push(&closed).await.unwrap());
    assert_eq!(desk.get("blocks").await.as_array().unwrap().len(), 1);
    let opened = condition(&room, "out_of_order", "clean");
    let record = applied(provider.push(&opened).await.unwrap());
    assert_eq!(record.fields.text("condition"), Some("clean"));
    assert_eq!(desk.get("blocks").await[0]["IsActive"], false);
    assert_eq!(desk.stats().await["calls"]["resourceBlocks/delete"], 1);
}

#[tokio::test]
async fn a_block_that_an_event_names_is_read_as_its_room() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let rooms = desk.get("rooms").await;
    let (closed, other) = (id(&rooms[0]), id(&rooms[1]));
    applied(
        provider
            .push(&condition(&closed, "clean", "out_of_order"))
            .await
            .unwrap(),
    );
    let block = id(&desk.get("blocks").await[0]);
    let asked = [block, other.clone(), "gone".to_owned()];
    let page = provider.fetch_ids(EntityKind::Room, &asked).await.unwrap();
    let mut found: Vec<&str> = page
        .records
        .iter()
        .map(|room| room.external_id.as_str())
        .collect();
    found.sort_unstable();
    let mut wanted = [closed.as_str(), other.as_str()];
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_stay_is_moved_given_over_and_shared() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let client = provider.client();
    let booked = desk.reservation(|one| one["State"] == "Confirmed").await;
    let reservation_id = id(&booked);
    let guests = desk.get("guests").await;
    let somebody = guests
        .as_array()
        .unwrap()
        .iter()
        .find(|guest| guest["Id"] != booked["AccountId"])
        .map(id)
        .unwrap();
    let moved = ReservationsUpdateInterval {
        reservation_id: reservation_id.clone(),
        end_utc: Some("2031-01-01T11:00:00Z".to_owned()),
        ..ReservationsUpdateInterval::default()
    };
    client.send(&moved).await.unwrap();
    let given = ReservationsUpdateCustomer {
        reservation_id: reservation_id.clone(),
        customer_id: somebody.clone(),
        enterprise_id: None,
    };
    client.send(&given).await.unwrap();
    let shared = ReservationsAddCompanion {
        reservation_id: reservation_id.clone(),
        customer_id: booked["AccountId"].as_str().unwrap().to_owned(),
        enterprise_id: None,
    };
    client.send(&shared).await.unwrap();
    let twice = client.send(&shared).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::Forbidden);
    let now = desk.get(&format!("reservations/{reservation_id}")).await;
    assert_eq!(now["ScheduledEndUtc"], "2031-01-01T11:00:00Z");
    assert_eq!(now["AccountId"], json!(somebody));
    assert_eq!(desk.stats().await["fees_posted"], 0);
    let with = CompanionshipsGetAll {
        reservation_ids: Some(vec![reservation_id.clone()]),
        ..CompanionshipsGetAll::default()
    };
    let companions = client.list(with.clone()).await.unwrap();
    assert_eq!(companions.len(), 1);
    assert_eq!(
        companions[0].customer_id.as_deref(),
        booked["AccountId"].as_str()
    );
    let alone = ReservationsDeleteCompanion {
        reservation_id: shared.reservation_id,
        customer_id: shared.customer_id,
        enterprise_id: None,
    };
    client.send(&alone).await.unwrap();
    assert!(client.list(with).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_stay_is_priced_exactly_and_people_in_house_are_found_by_name() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let like = desk.reservation(|one| one["State"] == "Started").await;
    let text = |key: &str| like[key].as_str().unwrap().to_owned();
    let body = ReservationsPrice {
        service_id: text("ServiceId"),
        reservations: vec![ReservationAdd {
            // From a Sunday to a Tuesday: no night costs more.
            start_utc: "2030-01-06T15:00:00Z".to_owned(),
            end_utc: "2030-01-08T11:00:00Z".to_owned(),
            requested_category_id: text("RequestedResourceCategoryId"),
            rate_id: text("RateId"),
            person_counts: vec![PersonCount {
                age_category_id: like["PersonCounts"][0]["AgeCategoryId"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
                count: 1,
            }],
            ..ReservationAdd::default()
        }],
        enterprise_id: None,
    };
    let prices = provider
        .client()
        .send(&body)
        .await
        .unwrap()
        .reservation_prices;
    let total = prices[0].total_amount.as_ref().unwrap();
    let (net, gross) = (total.net_value.unwrap(), total.gross_value.unwrap());
    assert!(net < gross, "{net} {gross}");
    assert_eq!(total.paid(), Some(gross));

    let guest = desk.get(&format!("guests/{}", text("AccountId"))).await;
    let named = CustomersSearch {
        name: guest["LastName"].as_str().map(str::to_owned),
        extent: CustomerExtent {
            customers: true,
            ..CustomerExtent::default()
        },
        ..CustomersSearch::default()
    };
    let found = provider.client().send(&named).await.unwrap().customers;
    let ids: Vec<&str> = found
        .iter()
        .map(|found| found.customer.id.as_str())
        .collect();
    assert!(ids.contains(&id(&guest).as_str()), "{ids:?}");
    assert!(found.iter().all(|found| found.reservation.is_some()));
}
