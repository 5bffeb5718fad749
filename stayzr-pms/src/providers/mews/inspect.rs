use std::collections::BTreeSet;

use chrono::Utc;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use stayzr_core::{
    Error, Result,
    model::PricingMode,
    transform::{EntityKind, TransformContext},
};

use super::{
    context::MewsContext,
    error::DIALECT,
    parse_event,
    record::{Element, element},
    wire::{
        Availability, Companionship, Department, Enterprise, ImageAssignment, ItemIds, Message,
        MessageAdded, MessageThread, OccupancyStates, OrderId, Pricing, Product, ProductPricing,
        ProductServiceOrder, Rate, RateGroup, ReservationAdded, ReservationGroup, ReservationPrice,
        ResourceBlock, ResourceCategoryAssignment, Service, SocketEvent, read_element,
    },
};
use crate::reading::{Reading, VendorComplaint, status_in};

/// Operations whose answers hold records: the start of the name, the key of the list, the kind.
/// An empty key means that the answer is the record.
const OPERATIONS: [(&str, &str, EntityKind); 10] = [
    ("configuration.get", "Enterprise", EntityKind::Property),
    ("customers.add", "", EntityKind::Guest),
    ("customers.update", "", EntityKind::Guest),
    ("customers", "Customers", EntityKind::Guest),
    ("enterprises", "Enterprises", EntityKind::Property),
    ("reservations", "Reservations", EntityKind::Reservation),
    (
        "resourceCategories",
        "ResourceCategories",
        EntityKind::RoomType,
    ),
    ("resources", "Resources", EntityKind::Room),
    ("serviceOrderNotes", "ServiceOrderNotes", EntityKind::Note),
    ("webhook", "", EntityKind::Reservation),
];

/// Reads an element; the error names its field.
type Reader = fn(&Value) -> std::result::Result<(), (String, String)>;

fn of<T: DeserializeOwned>(element: &Value) -> std::result::Result<(), (String, String)> {
    read_element::<T>(element).map(drop)
}

/// Operations whose answers hold something else, in the same form.
const OTHERS: [(&str, &str, Reader); 32] = [
    ("companionships", "Companionships", of::<Companionship>),
    ("departments", "Departments", of::<Department>),
    ("messageThreads", "MessageThreads", of::<MessageThread>),
    ("messages.add", "Messages", of::<MessageAdded>),
    ("messages.getAll", "Messages", of::<Message>),
    ("orders.add", "", of::<OrderId>),
    (
        "productServiceOrders",
        "ProductServiceOrders",
        of::<ProductServiceOrder>,
    ),
    ("products.getAll", "Products", of::<Product>),
    ("products.getPricing", "", of::<ProductPricing>),
    ("rateGroups", "RateGroups", of::<RateGroup>),
    ("rates.getAll", "Rates", of::<Rate>),
    ("rates.getPricing", "", of::<Pricing>),
    (
        "reservationGroups",
        "ReservationGroups",
        of::<ReservationGroup>,
    ),
    ("reservations.add", "Reservations", of::<ReservationAdded>),
    ("reservations.addCompanion", "", of::<Map<String, Value>>),
    ("reservations.addProduct", "", of::<ItemIds>),
    ("reservations.confirm", "", of::<Map<String, Value>>),
    (
        "reservations.price",
        "ReservationPrices",
        of::<ReservationPrice>,
    ),
    ("reservations.process", "", of::<Map<String, Value>>),
    ("reservations.start", "", of::<Map<String, Value>>),
    ("reservations.updateCustomer", "", of::<Map<String, Value>>),
    ("reservations.updateInterval", "", of::<Map<String, Value>>),
    ("resourceBlocks", "ResourceBlocks", of::<ResourceBlock>),
    ("resourceBlocks.delete", "", of::<Map<String, Value>>),
    (
        "resourceCategoryAssignments",
        "ResourceCategoryAssignments",
        of::<ResourceCategoryAssignment>,
    ),
    (
        "resourceCategoryImageAssignments",
        "ResourceCategoryImageAssignments",
        of::<ImageAssignment>,
    ),
    ("resources.getOccupancyState", "", of::<OccupancyStates>),
    ("resources.update", "", of::<Map<String, Value>>),
    ("services.getAll", "Services", of::<Service>),
    ("services.getAvailability", "", of::<Availability>),
    ("tasks", "", of::<Map<String, Value>>),
    ("websocket", "Events", of::<SocketEvent>),
];

/// Reads a body of Mews without asking Mews anything: `operation` as Mews names it, with dots or
/// slashes (`reservations/getAll/2023-06-06`, `webhook.general`). Rooms have no type and
/// persons all count as adults, since other calls tell these.
///
/// What we send holds nothing to be read.
///
/// [`stayzr_core::ErrorKind::Unsupported`] for operations that are not known,
/// [`stayzr_core::ErrorKind::Invalid`] for a body that is not of the operation, and the kind of the
/// complaint for a body that is one; of the operation `error` a complaint is what it is read as.
pub fn read_body(operation: &str, body: &Value) -> Result<Reading> {
    let operation = operation.replace('/', ".");
    let complaint = body
        .get("Message")
        .and_then(|_| VendorComplaint::of(&DIALECT, status_in(&operation), body));
    match complaint {
        Some(complaint) if operation.starts_with("error") => {
            return Ok(Reading::of_complaint(complaint));
        }
        Some(complaint) => return Err(complaint.error("mews.read_body")),
        None => {}
    }
    // What we send carries the tokens.
    if body.get("ClientToken").is_some() {
        return Ok(Reading::default());
    }
    let known = OPERATIONS
        .iter()
        .filter(|(start, ..)| operation.starts_with(start))
        .max_by_key(|(start, ..)| start.len());
    let other = OTHERS
        .iter()
        .filter(|(start, ..)| operation.starts_with(start))
        .max_by_key(|(start, ..)| start.len());
    if let Some((start, key, reader)) = other
        && known.is_none_or(|(known, ..)| known.len() < start.len())
    {
        return others(body, key, *reader);
    }
    let Some((start, key, kind)) = known else {
        return Err(Error::unsupported(
            "mews.read_body",
            "no records are read from this operation",
        )
        .with("operation", operation));
    };
    if *start == "webhook" {
        let events = parse_event(body.to_string().as_bytes())?;
        return Ok(Reading {
            events,
            ..Reading::default()
        });
    }
    let records = elements(body, key).ok_or_else(|| {
        Error::invalid("mews.read_body", "there is no list of records").with("key", key)
    })?;
    let context = offline(records);
    let mut reading = Reading::default();
    for record in records {
        // `customers/search` wraps each customer.
        let record = record.get("Customer").unwrap_or(record);
        match element(*kind, record, &context) {
            Element::Record(found) => reading.take(Ok(*found)),
            Element::Parked(parked) => reading.take(Err(parked)),
            Element::Foreign => reading.foreign += 1,
        }
    }
    Ok(reading)
}

fn others(body: &Value, key: &str, reader: Reader) -> Result<Reading> {
    let elements = elements(body, key).ok_or_else(|| {
        Error::invalid("mews.read_body", "there is no such list").with("key", key)
    })?;
    for element in elements {
        reader(element).map_err(|(field, reason)| {
            Error::invalid("mews.read_body", "an element cannot be read")
                .with("field", field)
                .with("reason", reason)
        })?;
    }
    Ok(Reading {
        others: elements.len(),
        ..Reading::default()
    })
}

fn elements<'a>(body: &'a Value, key: &str) -> Option<&'a [Value]> {
    let value = if key.is_empty() { body } else { body.get(key)? };
    match value {
        Value::Array(records) => Some(records),
        Value::Object(_) => Some(std::slice::from_ref(value)),
        _ => None,
    }
}

/// A context for records of which nothing else is known.
fn offline(records: &[Value]) -> MewsContext {
    let services = records.iter().filter_map(|record| record.get("ServiceId"));
    let services: BTreeSet<&str> = services.filter_map(Value::as_str).collect();
    MewsContext {
        enterprise: Enterprise::default(),
        now: None,
        services: Vec::new(),
        service_ids: services.into_iter().map(str::to_owned).collect(),
        sold: Vec::new(),
        categories: Vec::new(),
        assigned: Default::default(),
        transform: TransformContext {
            time_zone: chrono_tz::UTC,
            currency: None,
            country: None,
            pricing: PricingMode::Gross,
            now: Utc::now(),
            lookups: Default::default(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_longest_known_name_of_an_operation_says_how_its_body_is_read() {
        let customer = json!({"Id": "c", "LastName": "Smith", "Shoes": 42});
        let list = json!({"Customers": [customer, {"LastName": "x"}]});
        for (operation, body, records) in [
            ("customers/getAll", &list, 1),
            ("customers.getAll.response", &list, 1),
            ("customers.update", &customer, 1),
        ] {
            let reading = read_body(operation, body).unwrap();
            assert_eq!(reading.page.records.len(), records, "{operation}");
            assert!(reading.kept.contains("Shoes"));
        }
        assert_eq!(
            read_body("customers.getAll", &list)
                .unwrap()
                .page
                .parked
                .len(),
            1
        );
        assert!(read_body("bills.getAll", &list).is_err());
        assert!(read_body("reservations.getAll", &list).is_err());
        let refused = json!({"Message": "Invalid AccessToken"});
        assert!(read_body("customers.getAll", &refused).is_err());
        let complaint = read_body("error.401", &refused).unwrap().complaint.unwrap();
        assert_eq!(complaint.kind, stayzr_core::ErrorKind::Unauthorized);
    }

    #[test]
    fn values_nobody_knows_are_named() {
        let body = json!({"Resources": [{"Id": "r", "Name": "1", "State": "Haunted"}]});
        let reading = read_body("resources.getAll", &body).unwrap();
        assert!(reading.unknown.contains("State: Haunted"), "{reading:?}");
    }
}
