//! What the front desk does beyond records: free rooms, messages, products and orders.

use chrono::{Days, NaiveDate, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    ErrorKind,
    model::{ExternalRef, PmsEvent},
    port::backend::StayQuery,
    transform::EntityKind,
};
use stayzr_pms::{
    PmsProvider,
    desk::{Desk as _, DeskMessage, MessageQuery, Recipient, RemoteOrder, RemoteProduct},
    providers::mews::{
        MewsProvider,
        wire::{
            METRICS, MessageThreadAdd, MessageThreadsAdd, ProductsGetPricing, RateGroupsGetAll,
            ServicesGetAll, ServicesGetAvailability, ServicesGetAvailabilityMetrics, TasksAdd,
            TasksClose, TasksGetAll,
        },
    },
    sandbox::{HotelProfile, MewsSandbox, SandboxOptions},
};

use crate::common::{Desk, fault, id, provider, sandbox, start};

fn stay(from: u64, nights: u64) -> StayQuery {
    let arrival = Utc::now().date_naive() + Days::new(from);
    StayQuery {
        arrival,
        departure: arrival + Days::new(nights),
        persons: 2,
    }
}

async fn free(provider: &MewsProvider, stay: &StayQuery, category: &str) -> i64 {
    let found = provider.availability(stay).await.unwrap();
    let category = found.iter().find(|free| free.room_type.id == category);
    category.unwrap().free
}

/// A reservation at the desk.
async fn book(desk: &Desk<'_>, category: &str, arrival: NaiveDate, nights: u64) {
    let at = |day: NaiveDate, hour: u32| format!("{day}T{hour:02}:00:00Z");
    let (start, end) = (at(arrival, 15), at(arrival + Days::new(nights), 11));
    let (status, _) = desk
        .post(
            "reservations",
            json!({
                "RequestedResourceCategoryId": category,
                "ScheduledStartUtc": start, "ScheduledEndUtc": end,
            }),
        )
        .await;
    assert_eq!(status, 201);
}

#[tokio::test]
async fn a_room_that_is_booked_for_one_night_is_not_free_for_the_stay() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let stay = stay(300, 3);
    let found = provider.availability(&stay).await.unwrap();
    let (category, rooms) = (found[0].room_type.id.clone(), found[0].free);
    assert!(rooms > 1, "{found:?}");
    book(&desk, &category, stay.arrival + Days::new(1), 1).await;
    assert_eq!(free(&provider, &stay, &category).await, rooms - 1);
    // The night of departure is somebody else's.
    book(&desk, &category, stay.departure, 2).await;
    assert_eq!(free(&provider, &stay, &category).await, rooms - 1);
    let mut none = stay;
    none.departure = none.arrival;
    let refused = provider.availability(&none).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn both_ways_of_counting_free_rooms_agree() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let services = provider
        .client()
        .list(ServicesGetAll::default())
        .await
        .unwrap();
    let service_id = services
        .iter()
        .find(|service| service.is_stay())
        .unwrap()
        .id
        .clone();
    // Lisbon's midnight is that of UTC in winter.
    let night = "2030-01-05T00:00:00Z".to_owned();
    let older = ServicesGetAvailability {
        service_id: service_id.clone(),
        first_time_unit_start_utc: night.clone(),
        last_time_unit_start_utc: night.clone(),
    };
    let newer = ServicesGetAvailabilityMetrics {
        service_id,
        first_time_unit_start_utc: night.clone(),
        last_time_unit_start_utc: night,
        metrics: METRICS.iter().map(|metric| (*metric).to_owned()).collect(),
        enterprise_id: None,
    };
    let category = provider
        .client()
        .send(&older)
        .await
        .unwrap()
        .category_availabilities[0]
        .category_id
        .clone()
        .unwrap();
    book(&desk, &category, "2030-01-05".parse().unwrap(), 1).await;
    let older = provider.client().send(&older).await.unwrap();
    let newer = provider.client().send(&newer).await.unwrap();
    for (older, newer) in older
        .category_availabilities
        .iter()
        .zip(&newer.resource_category_availabilities)
    {
        assert_eq!(older.category_id, newer.resource_category_id);
        let count = |metric: &str| newer.metrics[metric][0];
        assert_eq!(
            older.availabilities[0],
            count("UsableResources") - count("Occupied")
        );
        let booked = i64::from(older.category_id.as_ref() == Some(&category));
        assert_eq!(count("ConfirmedReservations"), booked);
    }
}

async fn thread(provider: &MewsProvider) -> String {
    let body = MessageThreadsAdd {
        message_threads: vec![MessageThreadAdd {
            original_sender: "Ann Lee".to_owned(),
            subject: "A late arrival".to_owned(),
        }],
        enterprise_id: None,
    };
    let answer = provider.client().send(&body).await.unwrap();
    answer.message_threads[0].id.clone()
}

fn message(thread: &str, text: &str) -> DeskMessage {
    DeskMessage {
        to: Recipient::Thread(thread.to_owned()),
        text: text.to_owned(),
        key: "key".to_owned(),
    }
}

#[tokio::test]
async fn a_message_that_an_event_names_is_found_in_its_thread_and_answered_there() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    assert!(provider.capabilities().desk.threads);
    thread(&provider).await;
    let thread = thread(&provider).await;
    let ours = provider
        .send_message(&message(&thread, "May we come at ten?"))
        .await
        .unwrap();
    let (_, theirs) = desk
        .post(
            "messages",
            json!({"MessageThreadId": thread, "Text": "Gladly"}),
        )
        .await;
    let event = json!({"EnterpriseId": sandbox.enterprise_id(), "Events": [
        {"Discriminator": "MessageAdded", "Value": {"Id": theirs["Id"]}}]});
    let events = provider.parse_event(event.to_string().as_bytes()).unwrap();
    let PmsEvent::Message { id: named, .. } = &events[0] else {
        panic!("{events:?}");
    };
    let found = provider
        .messages(&MessageQuery::Ids(vec![named.clone(), "gone".to_owned()]))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].thread.as_str(), found[0].text.as_str()),
        (&*thread, "Gladly")
    );
    assert_eq!(found[0].sender.as_deref(), Some("Ann Lee"));
    assert!(!found[0].own);
    let whole = provider
        .messages(&MessageQuery::Thread(thread.clone()))
        .await
        .unwrap();
    let own: Vec<(&str, bool)> = whole.iter().map(|one| (one.id.as_str(), one.own)).collect();
    assert_eq!(own.len(), 2);
    assert!(
        own.contains(&(&ours, true)) && own.contains(&(named, false)),
        "{own:?}"
    );
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_not_sent_again_and_can_be_seen() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    let thread = thread(&provider).await;
    sandbox.inject(fault("cut", "messages/add", 1)).unwrap();
    let lost = provider
        .send_message(&message(&thread, "Once"))
        .await
        .unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Ambiguous);
    let seen = provider
        .messages(&MessageQuery::Thread(thread))
        .await
        .unwrap();
    assert_eq!(seen.len(), 1);
    let gone = provider
        .send_message(&message("gone", "x"))
        .await
        .unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Invalid);
    let mut to_a_stay = message("", "x");
    to_a_stay.to = Recipient::Reservation("r".to_owned());
    let refused = provider.send_message(&to_a_stay).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
}

async fn named(provider: &MewsProvider, name: &str) -> RemoteProduct {
    let products = provider.products().await.unwrap();
    products
        .into_iter()
        .find(|product| product.name == name)
        .unwrap()
}

async fn in_house(desk: &Desk<'_>) -> String {
    id(&desk.reservation(|one| one["State"] == "Started").await)
}

fn order(reservation: &str, product: &RemoteProduct) -> RemoteOrder {
    RemoteOrder {
        reservation: reservation.to_owned(),
        product: product.id.clone(),
        count: 2,
        note: Some("Two glasses, please".to_owned()),
        key: "key".to_owned(),
    }
}

#[tokio::test]
async fn products_of_every_service_are_sold_with_their_taxes() {
    for gross in [true, false] {
        let hotel = HotelProfile {
            gross,
            ..HotelProfile::default()
        };
        let sandbox = start(SandboxOptions {
            hotel,
            ..SandboxOptions::default()
        })
        .await;
        let provider = provider(&sandbox);
        let wine = named(&provider, "Bottle of wine").await;
        let price = wine.price.unwrap();
        assert_eq!(
            (price.amount.to_string(), price.currency.code()),
            ("32".to_owned(), "EUR")
        );
        assert_eq!(wine.charging.as_deref(), Some("Once"));
        named(&provider, "Breakfast").await;
    }
}

#[tokio::test]
async fn a_bottle_is_an_order_that_names_the_stay_and_breakfast_is_a_part_of_it() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let stay = in_house(&desk).await;
    let wine = named(&provider, "Bottle of wine").await;
    let made = provider.order(&order(&stay, &wine)).await.unwrap().unwrap();
    let orders = desk.get("orders").await;
    assert_eq!(orders.as_array().unwrap().len(), 1);
    assert_eq!(id(&orders[0]), made);
    assert_eq!(orders[0]["LinkedReservationId"], json!(stay));
    assert_eq!(orders[0]["Notes"], "Two glasses, please");
    assert_eq!(orders[0]["ProductOrders"][0]["Count"], 2);
    let breakfast = named(&provider, "Breakfast").await;
    let item = provider.order(&order(&stay, &breakfast)).await.unwrap();
    let booked = desk.get(&format!("reservations/{stay}")).await;
    assert_eq!(booked["Items"][0]["Id"], json!(item));
    for (of, product, kind) in [
        ("gone", wine.id.as_str(), ErrorKind::NotFound),
        (&stay, "gone", ErrorKind::NotFound),
    ] {
        let mut wrong = order(of, &wine);
        wrong.product = product.to_owned();
        assert_eq!(provider.order(&wrong).await.unwrap_err().kind(), kind);
    }
    let mut none = order(&stay, &wine);
    none.count = 0;
    assert_eq!(
        provider.order(&none).await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_looked_up_and_never_sent_again() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let stay = in_house(&desk).await;
    let wine = named(&provider, "Bottle of wine").await;
    let first = provider.order(&order(&stay, &wine)).await.unwrap();
    sandbox.inject(fault("cut", "orders/add", 1)).unwrap();
    let second = provider.order(&order(&stay, &wine)).await.unwrap();
    assert!(second.is_some() && second != first);
    // What did not arrive cannot be seen, and might still: a person decides.
    sandbox.inject(fault("error_503", "orders/add", 1)).unwrap();
    let third = provider.order(&order(&stay, &wine)).await.unwrap_err();
    assert_eq!(third.kind(), ErrorKind::Ambiguous);
    assert_eq!(desk.stats().await["calls"]["orders/add"], 3);
    assert_eq!(desk.get("orders").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn tasks_are_given_to_departments_and_closed() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let stay = in_house(&desk).await;
    let client = provider.client();
    let task = TasksAdd {
        name: "Bring a cot".to_owned(),
        deadline_utc: "2030-01-01T18:00:00Z".to_owned(),
        service_order_id: Some(stay.clone()),
        ..TasksAdd::default()
    };
    let made = client.send(&task).await.unwrap().task_id.unwrap();
    let of_the_stay = TasksGetAll {
        service_order_ids: Some(vec![stay]),
        ..TasksGetAll::default()
    };
    let tasks = client.send(&of_the_stay).await.unwrap().tasks;
    assert_eq!(tasks.len(), 1);
    assert_eq!(
        (tasks[0].id.as_str(), tasks[0].state.as_deref()),
        (&*made, Some("Open"))
    );
    let close = TasksClose {
        task_ids: vec![made],
        enterprise_id: None,
    };
    client.send(&close).await.unwrap();
    let tasks = client.send(&of_the_stay).await.unwrap().tasks;
    assert!(tasks[0].closed_utc.is_some());
    let nameless = TasksAdd {
        deadline_utc: "tomorrow".to_owned(),
        ..task
    };
    let refused = client.send(&nameless).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("DeadlineUtc"), "{refused}");
}

/// The sandbox as an application without our client would see it.
async fn raw(sandbox: &MewsSandbox, operation: &str, mut body: Value) -> (u16, Value) {
    for (key, value) in [
        ("ClientToken", "sandbox-client-token"),
        ("AccessToken", "sandbox-access-token"),
        ("Client", "Test 1.0.0"),
    ] {
        body[key] = json!(value);
    }
    Desk(sandbox)
        .post(&format!("../api/connector/v1/{operation}"), body)
        .await
}

#[tokio::test]
async fn a_hotel_takes_amounts_in_its_own_way_only() {
    for (gross, taken, refused) in [
        (true, "GrossValue", "NetValue"),
        (false, "NetValue", "GrossValue"),
    ] {
        let hotel = HotelProfile {
            gross,
            ..HotelProfile::default()
        };
        let sandbox = start(SandboxOptions {
            hotel,
            ..SandboxOptions::default()
        })
        .await;
        let provider = provider(&sandbox);
        let desk = Desk(&sandbox);
        let stay = desk.reservation(|one| one["State"] == "Started").await;
        let services = provider
            .client()
            .list(ServicesGetAll::default())
            .await
            .unwrap();
        let service = services.iter().find(|service| !service.is_stay()).unwrap();
        let body = |key: &str, codes: Value| {
            json!({
                "ServiceId": service.id, "AccountId": stay["AccountId"],
                "Items": [{"Name": "Beer", "UnitCount": 1,
                    "UnitAmount": {"Currency": "EUR", key: 7, "TaxCodes": codes}}],
            })
        };
        let (status, answer) = raw(&sandbox, "orders/add", body(refused, json!(["T"]))).await;
        assert_eq!(
            (status, &answer["Message"]),
            (400, &json!("Invalid UnitAmount."))
        );
        let (status, _) = raw(&sandbox, "orders/add", body(taken, json!(["T"]))).await;
        assert_eq!(status, 200);
        let (status, _) = raw(&sandbox, "orders/add", body(taken, json!(["T", "U"]))).await;
        assert_eq!(status, if gross { 400 } else { 200 });
    }
}

#[tokio::test]
async fn rate_groups_and_prices_of_products_are_read() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    let groups = provider
        .client()
        .list(RateGroupsGetAll::default())
        .await
        .unwrap();
    assert_eq!(groups.len(), 1);
    let body = ProductsGetPricing {
        product_id: named(&provider, "Breakfast").await.id,
        first_time_unit_start_utc: "2030-01-05T00:00:00Z".to_owned(),
        last_time_unit_start_utc: "2030-01-06T00:00:00Z".to_owned(),
        enterprise_ids: None,
    };
    let pricing = provider.client().send(&body).await.unwrap();
    let paid: Vec<_> = pricing
        .base_amount_prices
        .iter()
        .map(|price| price.paid())
        .collect();
    assert_eq!(paid, vec!["18".parse().ok(); 2]);
}

#[tokio::test]
async fn what_the_desk_cannot_do_says_so() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    let known = &provider.capabilities().desk;
    assert!(known.events.is_none() && !known.reservation_messages);
    let refused = provider.next_events(None).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    let room_type = provider
        .availability(&stay(10, 1))
        .await
        .unwrap()
        .remove(0)
        .room_type;
    let expected = ExternalRef {
        kind: EntityKind::RoomType,
        id: room_type.id.clone(),
    };
    assert_eq!(room_type, expected);
}
