//! The vendor's own examples are read whole: no field of them is lost.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use stayzr_core::{model::PmsEvent, transform::EntityKind};
use stayzr_pms::providers::mews::{
    parse_event, read_body,
    wire::{
        Availability, Configuration, Customer, Department, ImageAssignment, Message, MessageAdded,
        MessageThread, OccupancyStates, Pricing, Product, ProductPricing, ProductServiceOrder,
        Rate, RateGroup, Reservation, ReservationGroup, ReservationV2017, ResourceBlock,
        ResourceCategory, ResourceCategoryAssignment, Service, ServiceOrderNote, SocketEvent,
        TaskId, read_element,
    },
};

use crate::common::{example, vendor_files};

/// Reads each element and checks that writing it again loses nothing.
fn kept<T: DeserializeOwned + Serialize>(file: &str, key: &str) -> Vec<T> {
    let Some(body) = example(file) else {
        return Vec::new();
    };
    let elements = body[key].as_array().expect(key);
    assert!(!elements.is_empty());
    elements
        .iter()
        .map(|element| {
            let read: T = read_element(element).unwrap_or_else(|why| panic!("{file}: {why:?}"));
            lost_nothing(file, element, &serde_json::to_value(&read).unwrap());
            read
        })
        .collect()
}

fn lost_nothing(file: &str, before: &Value, after: &Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                // One key of the vendor's ends in a space.
                let kept = after
                    .get(key)
                    .or(after.get(key.trim()))
                    .unwrap_or_else(|| panic!("{file}: {key} is lost"));
                lost_nothing(&format!("{file}/{key}"), value, kept);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len(), "{file}");
            for (before, after) in before.iter().zip(after) {
                lost_nothing(file, before, after);
            }
        }
        // Decimals are kept as text.
        (Value::Number(number), Value::String(text)) => assert_eq!(&number.to_string(), text),
        _ => assert_eq!(before, after, "{file}"),
    }
}

#[test]
fn invariant_u_lists_of_the_vendor_are_read_without_loss() {
    kept::<Customer>("customers.getAll.response.json", "Customers");
    kept::<Reservation>(
        "reservations.getAll.2023-06-06.response.json",
        "Reservations",
    );
    kept::<ReservationV2017>("reservations.update.response.json", "Reservations");
    kept::<Service>("services.getAll.response.json", "Services");
    kept::<ResourceCategory>("resourceCategories.add.response.json", "ResourceCategories");
    kept::<ResourceCategoryAssignment>(
        "resourceCategoryAssignments.getAll.response.json",
        "ResourceCategoryAssignments",
    );
    kept::<Rate>("rates.getAll.response.json", "Rates");
    kept::<Department>("departments.getAll.response.json", "Departments");
    kept::<MessageThread>("messageThreads.add.response.json", "MessageThreads");
    kept::<MessageAdded>("messages.add.response.json", "Messages");
    kept::<Message>("messages.getAll.response.json", "Messages");
    kept::<ProductServiceOrder>(
        "productServiceOrders.getAll.response.json",
        "ProductServiceOrders",
    );
    kept::<Product>("products.getAll.response.json", "Products");
    kept::<Product>("products.getAll.response.json", "CustomerProducts");
    kept::<RateGroup>("rateGroups.getAll.response.json", "RateGroups");
    kept::<ReservationGroup>(
        "reservationGroups.getAll.response.json",
        "ReservationGroups",
    );
    kept::<ImageAssignment>(
        "resourceCategoryImageAssignments.getAll.response.json",
        "ResourceCategoryImageAssignments",
    );
    kept::<SocketEvent>("websocket.events.json", "Events");
    for file in ["getAll", "add"] {
        let file = format!("resourceBlocks.{file}.response.json");
        kept::<ResourceBlock>(&file, "ResourceBlocks");
    }
    for file in ["getAll", "add"] {
        let file = format!("serviceOrderNotes.{file}.response.json");
        kept::<ServiceOrderNote>(&file, "ServiceOrderNotes");
    }
}

fn whole<T: DeserializeOwned + Serialize>(file: &str) {
    if let Some(body) = example(file) {
        let read: T = read_element(&body).unwrap_or_else(|why| panic!("{file}: {why:?}"));
        lost_nothing(file, &body, &serde_json::to_value(&read).unwrap());
    }
}

#[test]
fn every_body_the_vendor_shows_is_read_by_the_name_of_its_file() {
    for file in vendor_files().unwrap_or_default() {
        let body = example(&file).unwrap();
        let read = read_body(&file, &body).unwrap_or_else(|error| panic!("{file}: {error:?}"));
        assert_eq!(read.page.parked, [], "{file}");
    }
}

#[test]
fn single_answers_of_the_vendor_are_read_without_loss() {
    if let Some(body) = example("configuration.get.response.json") {
        let read: Configuration = read_element(&body).unwrap();
        assert_eq!(read.enterprise.name.as_deref(), Some("Connector API Hotel"));
        lost_nothing(
            "configuration",
            &body,
            &serde_json::to_value(&read).unwrap(),
        );
    }
    if let Some(body) = example("rates.getPricing.response.json") {
        let read: Pricing = read_element(&body).unwrap();
        let gross = read.category_prices[0].amount_prices[0].net_value.unwrap();
        assert_eq!(gross.to_string(), "93.46");
        lost_nothing("pricing", &body, &serde_json::to_value(&read).unwrap());
    }
    whole::<Availability>("services.getAvailability.response.json");
    whole::<OccupancyStates>("resources.getOccupancyState.response.json");
    whole::<ProductPricing>("products.getPricing.response.json");
    whole::<TaskId>("tasks.add.response.json");
    if let Some(body) = example("customers.search.response.json") {
        let read: Customer = read_element(&body["Customers"][0]["Customer"]).unwrap();
        assert_eq!(read.last_name.as_deref(), Some("Smith"));
    }
}

#[test]
fn the_stay_service_is_told_from_the_others() {
    let services: Vec<Service> = kept("services.getAll.response.json", "Services");
    if !services.is_empty() {
        let stays: Vec<bool> = services.iter().map(Service::is_stay).collect();
        assert_eq!(stays, [false, true]);
    }
}

#[test]
fn webhooks_of_the_vendor_name_each_record_once() {
    let events = |file: &str| -> Option<Vec<PmsEvent>> {
        let body = serde_json::to_vec(&example(file)?).unwrap();
        Some(parse_event(&body).unwrap())
    };
    let changed = |events: &[PmsEvent]| -> Vec<(EntityKind, String)> {
        events
            .iter()
            .filter_map(|event| match event {
                PmsEvent::Changed { record, .. } => Some((record.kind, record.id.clone())),
                PmsEvent::Message { .. } | PmsEvent::Unknown { .. } => None,
            })
            .collect()
    };
    if let Some(events) = events("webhook.general.json") {
        let kinds: Vec<EntityKind> = changed(&events).into_iter().map(|(kind, _)| kind).collect();
        use EntityKind::{Guest, Reservation, Room};
        assert_eq!(kinds, [Reservation, Room, Guest, Guest]);
        assert!(matches!(&events[2], PmsEvent::Message { .. }), "{events:?}");
        assert_eq!(events.len(), 6);
    }
    if let Some(events) = events("webhook.general.CustomerAdded-CustomerUpdated.derived.json") {
        assert_eq!(changed(&events).len(), 1);
        assert_eq!(events.len(), 1);
    }
    if let Some(events) = events("webhook.general.ServiceOrderUpdated.derived.json") {
        let id = "673b9a2f-0215-4797-bd8d-1cb830aeae25".to_owned();
        assert_eq!(changed(&events), [(EntityKind::Reservation, id)]);
    }
    if let Some(events) = events("webhook.integration.json") {
        assert!(
            matches!(&events[..], [PmsEvent::Unknown { name, .. }] if name == "IntegrationCreated")
        );
    }
}

#[test]
fn bodies_are_read_offline_as_the_command_line_does() {
    for (file, records) in [
        ("customers.getAll.response.json", 1),
        ("customers.search.response.json", 1),
        ("reservations.getAll.2023-06-06.response.json", 1),
        ("reservations.update.response.json", 1),
        ("resourceCategories.add.response.json", 1),
    ] {
        let Some(body) = example(file) else { continue };
        let reading = read_body(file, &body).unwrap();
        assert_eq!(reading.page.parked, [], "{file}");
        assert_eq!(reading.page.records.len(), records, "{file}");
        assert!(!reading.kept.is_empty(), "{file}");
    }
    if let Some(body) = example("webhook.general.json") {
        assert_eq!(read_body("webhook.general", &body).unwrap().events.len(), 6);
    }
}
