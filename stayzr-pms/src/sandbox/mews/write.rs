use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    blocks, booking,
    list::{Refusal, time},
    notes, orders,
    state::{Hotel, Kind, stamp},
    talk,
};

type Fields = Map<String, Value>;

/// When something happens and when it is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: DateTime<Utc>,
    pub(super) due: DateTime<Utc>,
}

/// Does an operation that writes; none if there is no such operation.
pub(super) fn write(
    hotel: &mut Hotel,
    operation: &str,
    body: &Fields,
    moment: Moment,
) -> Option<Result<Value, Refusal>> {
    Some(match operation {
        "customers/add" => add_customer(hotel, body, moment),
        "customers/update" => update_customer(hotel, body, moment),
        "reservations/update" => update_reservations(hotel, body, moment),
        "reservations/cancel" => cancel_reservations(hotel, body, moment),
        "resources/update" => update_resources(hotel, body, moment),
        "serviceOrderNotes/add" => notes::add(hotel, body, moment),
        "serviceOrderNotes/update" => notes::update(hotel, body, moment),
        "serviceOrderNotes/delete" => notes::delete(hotel, body),
        "reservations/add" => booking::add(hotel, body, moment),
        "reservations/updateInterval" => booking::update_interval(hotel, body, moment),
        "reservations/updateCustomer" => booking::update_customer(hotel, body, moment),
        "reservations/confirm" => booking::confirm(hotel, body, moment),
        "reservations/start" => booking::start(hotel, body, moment),
        "reservations/process" => booking::process(hotel, body, moment),
        "reservations/addCompanion" => booking::add_companion(hotel, body, moment),
        "reservations/deleteCompanion" => booking::delete_companion(hotel, body),
        "reservations/addProduct" => orders::add_product(hotel, body, moment),
        "resourceBlocks/add" => blocks::add(hotel, body, moment),
        "resourceBlocks/delete" => blocks::delete(hotel, body, moment),
        "orders/add" => orders::add(hotel, body, moment),
        "messageThreads/add" => talk::add_threads(hotel, body, moment),
        "messages/add" => talk::add_messages(hotel, body, moment),
        "tasks/add" => talk::add_task(hotel, body, moment),
        "tasks/close" => talk::close_tasks(hotel, body, moment),
        _ => return None,
    })
}

/// Fields of a customer that an application may set, by plain values.
const CUSTOMER: [&str; 18] = [
    "Title",
    "Sex",
    "FirstName",
    "LastName",
    "SecondLastName",
    "NationalityCode",
    "PreferredLanguageCode",
    "BirthDate",
    "BirthPlace",
    "Occupation",
    "Email",
    "Phone",
    "LoyaltyCode",
    "Notes",
    "CarRegistrationNumber",
    "DietaryRequirements",
    "Classifications",
    "Options",
];

fn given(body: &Fields) -> Fields {
    let blank = |value: &Value| value.is_null() || value == "";
    CUSTOMER
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), body.get(*key)?.clone())))
        .filter(|(_, value)| !blank(value))
        .collect()
}

fn owner_of(hotel: &Hotel, email: &Value) -> Option<String> {
    let email = email.as_str()?;
    hotel
        .guests
        .iter()
        .find(|(_, guest)| {
            guest
                .text("Email")
                .is_some_and(|known| known.eq_ignore_ascii_case(email))
                && guest.now.get("IsActive") != Some(&json!(false))
        })
        .map(|(id, _)| id.clone())
}

fn customer(hotel: &Hotel, id: &str) -> Result<Value, Refusal> {
    let guest = hotel.guests.get(id);
    guest
        .map(|guest| Value::Object(guest.now.clone()))
        .ok_or_else(|| Refusal::invalid("CustomerId"))
}

fn add_customer(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let fields = given(body);
    if !fields.contains_key("LastName") {
        return Err(Refusal::invalid("LastName"));
    }
    let overwrite = body
        .get("OverwriteExisting")
        .and_then(Value::as_bool)
        .ok_or_else(|| Refusal::invalid("OverwriteExisting"))?;
    let owner = fields.get("Email").and_then(|email| owner_of(hotel, email));
    match owner {
        Some(_) if !overwrite => Err(Refusal::forbidden(
            "Another customer with this email already exists.",
        )),
        Some(id) => {
            hotel.change(Kind::Guests, &id, fields, moment.at, moment.due);
            customer(hotel, &id)
        }
        None => {
            let mut record = hotel.blank_customer();
            record.extend(fields);
            let id = hotel.add(Kind::Guests, record, moment.at, moment.due);
            customer(hotel, &id)
        }
    }
}

fn update_customer(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let id = text(body, "CustomerId")?.to_owned();
    customer(hotel, &id)?;
    let fields = given(body);
    let owner = fields.get("Email").and_then(|email| owner_of(hotel, email));
    if owner.is_some_and(|owner| owner != id) {
        return Err(Refusal::forbidden(
            "Another customer with this email already exists.",
        ));
    }
    hotel.change(Kind::Guests, &id, fields, moment.at, moment.due);
    customer(hotel, &id)
}

pub(super) fn text<'a>(body: &'a Fields, key: &str) -> Result<&'a str, Refusal> {
    body.get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::invalid(key))
}

pub(super) fn updates<'a>(body: &'a Fields, key: &str) -> Result<Vec<&'a Fields>, Refusal> {
    let list = body.get(key).and_then(Value::as_array);
    list.filter(|list| (1..=1000).contains(&list.len()))
        .and_then(|list| list.iter().map(Value::as_object).collect())
        .ok_or_else(|| Refusal::invalid(key))
}

/// The value of an update: none keeps the field.
pub(super) fn set(update: &Fields, key: &str) -> Result<Option<Value>, Refusal> {
    match update.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(wrapper)) => {
            Ok(Some(wrapper.get("Value").cloned().unwrap_or(Value::Null)))
        }
        Some(_) => Err(Refusal::invalid(key)),
    }
}

/// A list of ids, at most so many.
pub(super) fn ids(body: &Fields, key: &str, most: usize) -> Result<Vec<String>, Refusal> {
    let ids = body.get(key).and_then(Value::as_array);
    ids.filter(|ids| (1..=most).contains(&ids.len()))
        .and_then(|ids| {
            ids.iter()
                .map(|id| id.as_str().map(str::to_owned))
                .collect()
        })
        .ok_or_else(|| Refusal::invalid(key))
}

/// A flag that has to be said.
pub(super) fn flag(body: &Fields, key: &str) -> Result<bool, Refusal> {
    let flag = body.get(key).and_then(Value::as_bool);
    flag.ok_or_else(|| Refusal::invalid(key))
}

/// An option that does something unless it is switched off.
pub(super) fn by_default(body: &Fields, key: &str) -> bool {
    body.get(key).and_then(Value::as_bool).unwrap_or(true)
}

fn update_reservations(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    text(body, "ReservationId")?;
    let mut changes = Vec::new();
    for update in updates(body, "ReservationUpdates")? {
        let id = text(update, "ReservationId")?;
        changes.push((id.to_owned(), reservation_change(hotel, id, update)?));
    }
    let prices = body.get("ReservationUpdates").and_then(Value::as_array);
    let sets_prices = prices.is_some_and(|updates| {
        updates
            .iter()
            .any(|update| update.get("TimeUnitPrices").is_some())
    });
    if sets_prices && text(body, "Reason").is_err() {
        return Err(Refusal::invalid("Reason"));
    }
    hotel.tally.reprices += u64::from(by_default(body, "Reprice"));
    hotel.tally.fees_posted += u64::from(by_default(body, "ApplyCancellationFee"));
    let mut answered = Vec::new();
    for (id, fields) in changes {
        hotel.change(Kind::Reservations, &id, fields, moment.at, moment.due);
        if let Some(record) = hotel.reservations.get(&id) {
            answered.push(older_form(&record.now));
        }
    }
    Ok(json!({"Reservations": answered, "Customers": null, "Cursor": null}))
}

fn reservation_change(hotel: &Hotel, id: &str, update: &Fields) -> Result<Fields, Refusal> {
    let record = hotel
        .reservations
        .get(id)
        .ok_or_else(|| Refusal::invalid("ReservationId"))?;
    if matches!(record.text("State"), Some("Canceled" | "Processed")) {
        return Err(Refusal::forbidden(
            "The reservation can no longer be changed.",
        ));
    }
    let mut fields = Fields::new();
    for (key, targets) in [
        ("ChannelNumber", &["ChannelNumber"][..]),
        ("Purpose", &["Purpose"]),
        ("StartUtc", &["ScheduledStartUtc", "StartUtc"]),
        ("EndUtc", &["ScheduledEndUtc", "EndUtc"]),
        ("AssignedResourceId", &["AssignedResourceId"]),
        ("AssignedResourceLocked", &["AssignedResourceLocked"]),
        ("RequestedCategoryId", &["RequestedResourceCategoryId"]),
        ("PersonCounts", &["PersonCounts"]),
        ("RateId", &["RateId"]),
    ] {
        if let Some(value) = set(update, key)? {
            for target in targets {
                fields.insert((*target).to_owned(), value.clone());
            }
        }
    }
    let after = |key: &str| fields.get(key).or_else(|| record.now.get(key));
    let moment = |key| after(key).and_then(Value::as_str).and_then(time);
    match (moment("ScheduledStartUtc"), moment("ScheduledEndUtc")) {
        (Some(start), Some(end)) if start <= end => {}
        _ => return Err(Refusal::invalid("StartUtc")),
    }
    check_room(hotel, record.now.get("AssignedResourceLocked"), &fields)?;
    if fields
        .get("PersonCounts")
        .is_some_and(|counts| !known_persons(hotel, counts))
    {
        return Err(Refusal::invalid("PersonCounts"));
    }
    let category = fields.get("RequestedResourceCategoryId");
    if category.is_some_and(|id| {
        !hotel
            .categories
            .iter()
            .any(|known| known.get("Id") == Some(id))
    }) {
        return Err(Refusal::invalid("RequestedCategoryId"));
    }
    Ok(fields)
}

/// Whether these are counts of persons, all of known ages.
pub(super) fn known_persons(hotel: &Hotel, counts: &Value) -> bool {
    let known = |count: &Value| {
        let category = count.get("AgeCategoryId");
        let ages = &hotel.age_categories;
        category.is_some() && ages.iter().any(|age| age.get("Id") == category)
    };
    let counts = counts.as_array();
    counts.is_some_and(|counts| !counts.is_empty() && counts.iter().all(known))
}

/// A room that is pinned is unpinned first, by an update of its own.
fn check_room(hotel: &Hotel, locked: Option<&Value>, fields: &Fields) -> Result<(), Refusal> {
    let Some(room) = fields.get("AssignedResourceId") else {
        return Ok(());
    };
    if locked == Some(&json!(true)) {
        return Err(Refusal::forbidden("The space is locked."));
    }
    match room.as_str() {
        None if room.is_null() => Ok(()),
        Some(id) if hotel.rooms.contains_key(id) => Ok(()),
        _ => Err(Refusal::invalid("AssignedResourceId")),
    }
}

/// What writes answer with: other names and the other spelling of a state.
pub(super) fn older_form(record: &Fields) -> Value {
    let mut old = record.clone();
    for (new, name) in [
        ("AccountId", "CustomerId"),
        ("RequestedResourceCategoryId", "RequestedCategoryId"),
        ("PartnerCompanyId", "CompanyId"),
    ] {
        let value = old.remove(new).unwrap_or(Value::Null);
        old.insert(name.to_owned(), value);
    }
    old.insert(
        "OwnerId".to_owned(),
        old.get("CustomerId").cloned().unwrap_or_default(),
    );
    for key in [
        "AccountType",
        "ScheduledStartUtc",
        "ScheduledEndUtc",
        "ActualStartUtc",
        "ActualEndUtc",
    ] {
        old.remove(key);
    }
    if old.get("State") == Some(&json!("Inquired")) {
        old.insert("State".to_owned(), json!("Enquired"));
    }
    for (key, value) in [
        ("CompanionIds", json!([])),
        ("AdultCount", json!(0)),
        ("ChildCount", json!(0)),
        ("AssignedSpaceId", Value::Null),
        ("AssignedSpaceLocked", json!(false)),
    ] {
        old.insert(key.to_owned(), value);
    }
    Value::Object(old)
}

fn cancel_reservations(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    text(body, "Notes")?;
    let ids = ids(body, "ReservationIds", 1000)?;
    for id in &ids {
        let record = hotel.reservations.get(id);
        match record.map(|record| record.text("State")) {
            None => return Err(Refusal::invalid("ReservationIds")),
            Some(Some("Confirmed" | "Optional" | "Inquired" | "Requested")) => {}
            Some(_) => {
                return Err(Refusal::forbidden("The reservation cannot be cancelled."));
            }
        }
    }
    let fee = body.get("PostCancellationFee") == Some(&json!(true));
    hotel.tally.fees_posted += u64::from(fee);
    hotel.tally.emails_sent += u64::from(by_default(body, "SendEmail"));
    for id in &ids {
        let fields = Fields::from_iter([
            ("State".to_owned(), json!("Canceled")),
            ("CancelledUtc".to_owned(), stamp(moment.at)),
            ("CancellationReason".to_owned(), json!("Other")),
        ]);
        hotel.change(Kind::Reservations, id, fields, moment.at, moment.due);
    }
    Ok(json!({"ReservationIds": ids}))
}

fn update_resources(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    const STATES: [&str; 4] = ["Dirty", "Clean", "Inspected", "OutOfService"];
    let mut changes = Vec::new();
    for update in updates(body, "ResourceUpdates")? {
        let id = text(update, "ResourceId")?;
        if !hotel.rooms.contains_key(id) {
            return Err(Refusal::invalid("ResourceId"));
        }
        let mut fields = Fields::new();
        for key in ["State", "Name", "StateReason"] {
            if let Some(value) = set(update, key)? {
                let known = value.as_str().is_some_and(|state| STATES.contains(&state));
                if key == "State" && !known {
                    return Err(Refusal::invalid(key));
                }
                fields.insert(key.to_owned(), value);
            }
        }
        changes.push((id.to_owned(), fields));
    }
    for (id, fields) in changes {
        hotel.change(Kind::Rooms, &id, fields, moment.at, moment.due);
    }
    Ok(json!({}))
}
