//! What may be done with a reservation beside changing its fields.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    list::{ListQuery, Refusal, time},
    prices::{amount, night_price},
    read::listed,
    seed::fields,
    state::{Hotel, Kind, stamp},
    write::{Moment, by_default, flag, ids, known_persons, older_form, text, updates},
};

type Fields = Map<String, Value>;

/// `reservations/add`.
pub(super) fn add(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let service = service(hotel, body)?;
    let mut booked = Vec::new();
    for wanted in updates(body, "Reservations")? {
        let customer = text(wanted, "CustomerId")?;
        if !hotel.guests.contains_key(customer) {
            return Err(Refusal::invalid("CustomerId"));
        }
        let state = match wanted.get("State").and_then(Value::as_str) {
            None | Some("Confirmed") => "Confirmed",
            Some("Optional") => "Optional",
            // Writes spell it so, and reads do not.
            Some("Enquired") => "Inquired",
            Some(_) => return Err(Refusal::invalid("State")),
        };
        let stay = stay(hotel, wanted)?;
        if by_default(body, "CheckOverbooking") && !hotel.has_room(&stay.category, stay.span) {
            return Err(Refusal::forbidden(
                "There is no availability in the selected category.",
            ));
        }
        let mut record = hotel.blank_reservation(moment.at);
        record.extend(fields(json!({
            "ServiceId": service, "AccountId": customer, "BookerId": wanted.get("BookerId"),
            "State": state, "Origin": "Connector", "CommanderOrigin": null,
            "RateId": stay.rate, "RequestedResourceCategoryId": stay.category,
            "AssignedResourceId": wanted.get("AssignedResourceId"),
            "ChannelNumber": wanted.get("ChannelNumber"),
            "ReleasedUtc": wanted.get("ReleasedUtc"),
            "ScheduledStartUtc": stamp(stay.span.0), "StartUtc": stamp(stay.span.0),
            "ScheduledEndUtc": stamp(stay.span.1), "EndUtc": stamp(stay.span.1),
            "PersonCounts": stay.persons,
        })));
        booked.push((wanted.get("Identifier"), record, wanted.get("Notes")));
    }
    hotel.tally.emails_sent += u64::from(by_default(body, "SendConfirmationEmail"));
    let group = body
        .get("GroupId")
        .filter(|group| !group.is_null())
        .cloned();
    let group = group.unwrap_or_else(|| json!(hotel.number("group")));
    let mut answered = Vec::new();
    for (identifier, mut record, notes) in booked {
        record.insert("GroupId".to_owned(), group.clone());
        let id = hotel.add(Kind::Reservations, record, moment.at, moment.due);
        if let Some(text) = notes.and_then(Value::as_str) {
            let note = fields(json!({"OrderId": id, "Text": text, "Type": "General"}));
            hotel.add(Kind::Notes, note, moment.at, moment.due);
        }
        if let Some(record) = hotel.reservations.get(&id) {
            answered.push(json!({
                "Identifier": identifier, "Reservation": older_form(&record.now),
            }));
        }
    }
    Ok(json!({"Reservations": answered}))
}

/// `reservations/price`: nothing is made, and persons who do not fit are not noticed.
pub(super) fn price(hotel: &Hotel, body: &Fields) -> Result<Value, Refusal> {
    service(hotel, body)?;
    let mut prices = Vec::new();
    for wanted in updates(body, "Reservations")? {
        let stay = stay(hotel, wanted)?;
        let total = hotel.price_of(&stay.category, stay.span);
        prices.push(json!({
            "Identifier": wanted.get("Identifier"),
            "TotalAmount": amount(total, &hotel.currency()),
        }));
    }
    Ok(json!({"ReservationPrices": prices}))
}

/// A stay that can be booked or priced.
struct Stay {
    category: String,
    rate: String,
    span: (DateTime<Utc>, DateTime<Utc>),
    persons: Value,
}

fn stay(hotel: &Hotel, wanted: &Fields) -> Result<Stay, Refusal> {
    let is = |list: &[Fields], key: &str| -> Result<String, Refusal> {
        let id = text(wanted, key)?;
        let known = list.iter().any(|known| known.get("Id") == Some(&json!(id)));
        known
            .then(|| id.to_owned())
            .ok_or_else(|| Refusal::invalid(key))
    };
    let at = |key: &str| time(text(wanted, key)?).ok_or_else(|| Refusal::invalid(key));
    let span = (at("StartUtc")?, at("EndUtc")?);
    if span.0 >= span.1 {
        return Err(Refusal::invalid("EndUtc"));
    }
    let persons = wanted.get("PersonCounts").cloned().unwrap_or_default();
    if !known_persons(hotel, &persons) {
        return Err(Refusal::invalid("PersonCounts"));
    }
    if let Some(room) = wanted.get("AssignedResourceId").and_then(Value::as_str)
        && !hotel.rooms.contains_key(room)
    {
        return Err(Refusal::invalid("AssignedResourceId"));
    }
    Ok(Stay {
        category: is(&hotel.categories, "RequestedCategoryId")?,
        rate: is(&hotel.rates, "RateId")?,
        span,
        persons,
    })
}

fn service(hotel: &Hotel, body: &Fields) -> Result<String, Refusal> {
    let id = text(body, "ServiceId")?;
    let bookable = hotel.services.iter().any(|service| {
        service.get("Id") == Some(&json!(id))
            && service
                .get("Data")
                .and_then(|data| data.pointer("/Discriminator"))
                == Some(&json!("Bookable"))
    });
    bookable
        .then(|| id.to_owned())
        .ok_or_else(|| Refusal::invalid("ServiceId"))
}

fn one<'a>(hotel: &'a Hotel, body: &Fields) -> Result<(String, &'a Fields), Refusal> {
    let id = text(body, "ReservationId")?;
    let record = hotel.reservations.get(id);
    let record = record.ok_or_else(|| Refusal::invalid("ReservationId"))?;
    Ok((id.to_owned(), &record.now))
}

fn state(record: &Fields) -> &str {
    record
        .get("State")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn still_open(record: &Fields) -> Result<(), Refusal> {
    if matches!(state(record), "Canceled" | "Processed") {
        return Err(Refusal::forbidden(
            "The reservation can no longer be changed.",
        ));
    }
    Ok(())
}

/// `reservations/updateInterval`.
pub(super) fn update_interval(
    hotel: &mut Hotel,
    body: &Fields,
    moment: Moment,
) -> Result<Value, Refusal> {
    let (id, record) = one(hotel, body)?;
    still_open(record)?;
    let charges = flag(body, "ChargeCancellationFee")?;
    let mut change = Fields::new();
    let mut bounds = Vec::new();
    for (key, target) in [
        ("StartUtc", "ScheduledStartUtc"),
        ("EndUtc", "ScheduledEndUtc"),
    ] {
        let given = body.get(key).filter(|value| !value.is_null());
        let value = given.or_else(|| record.get(target));
        let at = value.and_then(Value::as_str).and_then(time);
        bounds.push(at.ok_or_else(|| Refusal::invalid(key))?);
        if let Some(value) = given {
            change.insert(key.to_owned(), value.clone());
            change.insert(target.to_owned(), value.clone());
        }
    }
    if bounds[0] >= bounds[1] {
        return Err(Refusal::invalid("EndUtc"));
    }
    hotel.tally.fees_posted += u64::from(charges);
    hotel.change(Kind::Reservations, &id, change, moment.at, moment.due);
    Ok(json!({}))
}

/// `reservations/updateCustomer`.
pub(super) fn update_customer(
    hotel: &mut Hotel,
    body: &Fields,
    moment: Moment,
) -> Result<Value, Refusal> {
    let (id, record) = one(hotel, body)?;
    still_open(record)?;
    let customer = guest(hotel, body)?;
    let change = fields(json!({"AccountId": customer, "AccountType": "Customer"}));
    hotel.change(Kind::Reservations, &id, change, moment.at, moment.due);
    Ok(json!({}))
}

fn guest(hotel: &Hotel, body: &Fields) -> Result<String, Refusal> {
    let id = text(body, "CustomerId")?;
    let known = hotel.guests.contains_key(id).then(|| id.to_owned());
    known.ok_or_else(|| Refusal::invalid("CustomerId"))
}

/// `reservations/confirm`: optional reservations become confirmed.
pub(super) fn confirm(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let ids = ids(body, "ReservationIds", 1000)?;
    for id in &ids {
        match hotel.reservations.get(id).map(|record| state(&record.now)) {
            None => return Err(Refusal::invalid("ReservationIds")),
            Some("Optional") => {}
            Some(_) => return Err(Refusal::forbidden("The reservation cannot be confirmed.")),
        }
    }
    hotel.tally.emails_sent += u64::from(by_default(body, "SendConfirmationEmail"));
    for id in &ids {
        let change = fields(json!({"State": "Confirmed", "ReleasedUtc": null}));
        hotel.change(Kind::Reservations, id, change, moment.at, moment.due);
    }
    Ok(json!({"ReservationIds": ids}))
}

/// `reservations/start`: the check-in.
pub(super) fn start(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let (id, record) = one(hotel, body)?;
    let begins = record.get("ScheduledStartUtc").and_then(Value::as_str);
    let room = record.get("AssignedResourceId").and_then(Value::as_str);
    let room = room.and_then(|room| hotel.rooms.get(room)?.text("State"));
    let problem = if state(record) != "Confirmed" {
        Some("Reservation cannot be started.")
    } else if begins.and_then(time).is_none_or(|start| start > moment.at) {
        Some("Reservation starts in the future.")
    } else if room != Some("Inspected") {
        Some("The assigned space is not inspected.")
    } else {
        None
    };
    if let Some(problem) = problem {
        return Err(Refusal::forbidden(problem));
    }
    let change = fields(json!({"State": "Started", "ActualStartUtc": stamp(moment.at)}));
    hotel.change(Kind::Reservations, &id, change, moment.at, moment.due);
    Ok(json!({}))
}

/// `reservations/process`: the check-out. Bills are not simulated: nobody has an open balance.
pub(super) fn process(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let (id, record) = one(hotel, body)?;
    let allows = body.get("AllowOpenBalance") == Some(&json!(true));
    if allows && text(body, "Notes").is_err() {
        return Err(Refusal::invalid("Notes"));
    }
    let zone = hotel.zone();
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let ends = record.get("ScheduledEndUtc").and_then(Value::as_str);
    if state(record) != "Started" {
        return Err(Refusal::forbidden("Reservation cannot be processed."));
    }
    if ends
        .and_then(time)
        .is_none_or(|end| day(end) > day(moment.at))
    {
        return Err(Refusal::forbidden("It is not the last day of the stay."));
    }
    let change = fields(json!({"State": "Processed", "ActualEndUtc": stamp(moment.at)}));
    hotel.change(Kind::Reservations, &id, change, moment.at, moment.due);
    Ok(json!({}))
}

/// `companionships/getAll`.
pub(super) fn companionships(hotel: &Hotel, body: &Fields, stale: bool) -> Result<Value, Refusal> {
    let query = ListQuery::new(body);
    let found = listed(
        hotel,
        Kind::Companionships,
        stale,
        &query,
        &[
            ("CompanionshipIds", 1000, "Id"),
            ("CustomerIds", 1000, "CustomerId"),
            ("ReservationIds", 1000, "ReservationId"),
            ("ReservationGroupIds", 1000, "ReservationGroupId"),
        ],
    )?;
    query.page("Companionships", found)
}

/// `reservations/addCompanion`.
pub(super) fn add_companion(
    hotel: &mut Hotel,
    body: &Fields,
    moment: Moment,
) -> Result<Value, Refusal> {
    let (id, record) = one(hotel, body)?;
    still_open(record)?;
    let customer = guest(hotel, body)?;
    if hotel.companion(&id, &customer).is_some() {
        return Err(Refusal::forbidden("The customer is a companion already."));
    }
    let group = record.get("GroupId");
    let companion = fields(json!({
        "CustomerId": customer, "ReservationId": id, "ReservationGroupId": group,
    }));
    let made = hotel.add(Kind::Companionships, companion, moment.at, moment.due);
    Ok(json!({"CompanionshipId": made}))
}

/// `reservations/deleteCompanion`.
pub(super) fn delete_companion(hotel: &mut Hotel, body: &Fields) -> Result<Value, Refusal> {
    let (id, _) = one(hotel, body)?;
    let customer = text(body, "CustomerId")?;
    let known = hotel.companion(&id, customer);
    let known = known.ok_or_else(|| Refusal::invalid("CustomerId"))?;
    hotel.lose(Kind::Companionships, &known);
    Ok(json!({}))
}

impl Hotel {
    fn companion(&self, reservation: &str, customer: &str) -> Option<String> {
        let mut known = self.companionships.iter();
        let found = known.find(|(_, record)| {
            record.text("ReservationId") == Some(reservation)
                && record.text("CustomerId") == Some(customer)
        });
        found.map(|(id, _)| id.clone())
    }

    /// What a stay costs in a category.
    fn price_of(&self, category: &str, span: (DateTime<Utc>, DateTime<Utc>)) -> Decimal {
        let price = self.prices.get(category).copied().unwrap_or_default();
        let nights = self.nights(span);
        nights.map(|night| night_price(price, night)).sum()
    }
}
