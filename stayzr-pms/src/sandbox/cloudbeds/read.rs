use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    form::Form,
    prices,
    seed::text,
    state::{Booking, Hotel, Kept, Person},
};

/// Why a call is refused: the sentence of the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) String);

impl Refusal {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(super) fn required(key: &str) -> Self {
        Self(format!("Parameter {key} is required"))
    }

    pub(super) fn invalid(key: &str) -> Self {
        Self(format!("Parameter {key} is invalid"))
    }

    pub(super) fn missing(what: &str) -> Self {
        Self(format!("{what} not found"))
    }
}

pub(super) type Answer = Result<Value, Refusal>;

/// Calls that read.
pub(super) const READS: [&str; 14] = [
    "getHotels",
    "getHotelDetails",
    "getRoomTypes",
    "getRooms",
    "getGuest",
    "getGuestList",
    "getGuestNotes",
    "getReservation",
    "getReservations",
    "getReservationsWithRateDetails",
    "getReservationNotes",
    "getAvailableRoomTypes",
    "getHousekeepingStatus",
    "getWebhooks",
];

/// Answers a call that reads.
pub(super) fn read(
    hotel: &Hotel,
    method: &str,
    query: &Form,
    stale: bool,
    now: DateTime<Utc>,
) -> Answer {
    match method {
        "getHotels" => paged(vec![hotels(hotel)], query, 20, 100),
        "getHotelDetails" => Ok(found(Value::Object(hotel.details.clone()))),
        "getRoomTypes" => room_types(hotel, query),
        "getRooms" => rooms(hotel, query, stale),
        "getGuest" => guest(hotel, query, stale),
        "getGuestList" => guest_list(hotel, query, stale),
        "getGuestNotes" => {
            let id = query
                .text("guestID")
                .ok_or_else(|| Refusal::required("guestID"))?;
            let guest = hotel
                .guests
                .get(id)
                .ok_or_else(|| Refusal::missing("Guest"))?;
            Ok(found(json!(guest.now.notes)))
        }
        "getReservation" => {
            let kept = booking(hotel, query)?;
            Ok(found(hotel.reservation(kept, stale)))
        }
        "getReservations" => reservations(hotel, query, stale),
        "getReservationsWithRateDetails" => detailed(hotel, query, stale),
        "getReservationNotes" => Ok(found(json!(booking(hotel, query)?.now.notes))),
        "getAvailableRoomTypes" => prices::available(hotel, query),
        "getHousekeepingStatus" => {
            let today = now.with_timezone(&hotel.zone).date_naive();
            let rooms = hotel.rooms.values();
            let rooms = rooms.map(|room| hotel.housekeeping(room.seen(stale), today));
            paged(rooms.collect(), query, 100, 5000)
        }
        "getWebhooks" => Ok(found(subscriptions(hotel))),
        _ => Err(Refusal::new("Method does not exist")),
    }
}

fn found(data: Value) -> Value {
    json!({"success": true, "data": data})
}

fn booking<'a>(hotel: &'a Hotel, query: &Form) -> Result<&'a Kept<Booking>, Refusal> {
    let id = query
        .text("reservationID")
        .ok_or_else(|| Refusal::required("reservationID"))?;
    let kept = hotel.bookings.get(id).filter(|kept| !kept.now.deleted);
    kept.ok_or_else(|| Refusal::missing("Reservation"))
}

/// Start and end of the page that is asked for.
fn window(
    query: &Form,
    default: usize,
    most: usize,
    len: usize,
) -> Result<std::ops::Range<usize>, Refusal> {
    let number = |key: &str, default: usize| match query.text(key) {
        None => Ok(default),
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Refusal::invalid(key)),
    };
    let size = number("pageSize", default)?.min(most);
    let start = (number("pageNumber", 1)? - 1).saturating_mul(size);
    Ok(start.min(len)..start.saturating_add(size).min(len))
}

fn paged(all: Vec<Value>, query: &Form, default: usize, most: usize) -> Answer {
    let range = window(query, default, most, all.len())?;
    let page = &all[range];
    Ok(json!({"success": true, "data": page, "count": page.len(), "total": all.len()}))
}

fn hotels(hotel: &Hotel) -> Value {
    let detail = |key: &str| hotel.details.get(key).cloned().unwrap_or_default();
    let currency = json!({"currencyCode": hotel.currency, "currencySymbol": "",
        "currencyPosition": "before"});
    json!({"propertyID": hotel.property_id, "organizationID": detail("organizationID"),
        "propertyName": detail("propertyName"), "propertyImage": "", "propertyDescription": "",
        "propertyTimezone": hotel.zone.name(), "propertyCurrency": [currency]})
}

fn room_types(hotel: &Hotel, query: &Form) -> Answer {
    let wanted = query.listed("roomTypeIDs");
    let types = hotel
        .sold
        .iter()
        .filter(|sold| {
            wanted
                .as_ref()
                .is_none_or(|ids| ids.contains(&sold.id.as_str()))
        })
        .map(|sold| {
            json!({"roomTypeID": sold.id, "propertyID": hotel.property_id,
                "roomTypeName": sold.name, "roomTypeNameShort": sold.short,
                "roomTypeDescription": "", "isPrivate": true, "maxGuests": sold.persons,
                "adultsIncluded": sold.persons.min(2), "childrenIncluded": 0})
        });
    // Without count and total: the specification has none here.
    let all: Vec<Value> = types.collect();
    let range = window(query, 20, 100, all.len())?;
    Ok(found(json!(&all[range])))
}

/// Counts and totals count properties here, of which there is one.
fn rooms(hotel: &Hotel, query: &Form, stale: bool) -> Answer {
    let all: Vec<Value> = hotel
        .rooms
        .values()
        .map(|kept| hotel.room(kept.seen(stale)))
        .collect();
    let range = window(query, 20, 100, all.len())?;
    let property = json!({"propertyID": hotel.property_id, "rooms": &all[range]});
    Ok(json!({"success": true, "data": [property], "count": 1, "total": 1}))
}

fn guest(hotel: &Hotel, query: &Form, stale: bool) -> Answer {
    let of_booking = |id| hotel.bookings.get(id).map(|kept| kept.now.guest.as_str());
    let id = query
        .text("guestID")
        .or_else(|| query.text("reservationID").and_then(of_booking))
        .ok_or_else(|| Refusal::required("guestID"))?;
    let kept = hotel
        .guests
        .get(id)
        .ok_or_else(|| Refusal::missing("Guest"))?;
    Ok(found(hotel.guest(kept, stale)))
}

/// Whether a local time is within a span of the query.
fn within(
    hotel: &Hotel,
    query: &Form,
    keys: (&str, &str),
    time: DateTime<Utc>,
) -> Result<bool, Refusal> {
    let local = time.with_timezone(&hotel.zone).naive_local();
    let bound = |key: &str| match query.text(key) {
        None => Ok(None),
        Some(text) => moment(text).map(Some).ok_or_else(|| Refusal::invalid(key)),
    };
    let (from, to) = (bound(keys.0)?, bound(keys.1)?);
    Ok(from.is_none_or(|from| local >= from) && to.is_none_or(|to| local <= to))
}

fn moment(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")
        .ok()
        .or_else(|| text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0))
}

fn guest_list(hotel: &Hotel, query: &Form, stale: bool) -> Answer {
    let mut people: Vec<&Kept<Person>> = Vec::new();
    for kept in hotel.guests.values() {
        let said = |key: &str, name: &str| {
            query
                .text(key)
                .is_none_or(|wanted| text(&kept.now.fields, name).eq_ignore_ascii_case(wanted))
        };
        let named = said("guestEmail", "email")
            && said("guestPhone", "phone")
            && said("guestFirstName", "firstName")
            && said("guestLastName", "lastName");
        if named && within(hotel, query, ("resultsFrom", "resultsTo"), kept.modified)? {
            people.push(kept);
        }
    }
    match query.text("sortBy") {
        Some("creation") => people.sort_by_key(|kept| (kept.created, kept.now.id.clone())),
        Some("modification") | None => {
            people.sort_by_key(|kept| (kept.modified, kept.now.id.clone()))
        }
        Some(_) => return Err(Refusal::invalid("sortBy")),
    }
    let range = window(query, 100, 100, people.len())?;
    let page = &people[range];
    let whole = query.on_request("includeGuestInfo");
    let map: Map<String, Value> = page
        .iter()
        .map(|kept| (kept.now.id.clone(), hotel.guest_line(kept, stale, whole)))
        .collect();
    // PHP writes an empty map as an empty list.
    let data = if map.is_empty() {
        json!([])
    } else {
        Value::Object(map)
    };
    Ok(json!({"success": true, "data": data, "count": page.len(), "total": people.len()}))
}

fn chosen<'a>(hotel: &'a Hotel, query: &Form) -> Result<Vec<&'a Kept<Booking>>, Refusal> {
    let mut chosen = Vec::new();
    for kept in hotel.bookings.values() {
        let booking = &kept.now;
        if booking.deleted && !query.on_request("includeDeleted") {
            continue;
        }
        let is = |key: &str, value: &str| query.text(key).is_none_or(|wanted| wanted == value);
        let ids = query.listed("reservationID");
        let excluded = query.listed("excludeStatuses").unwrap_or_default();
        let guest = query.text("guestID").is_none_or(|wanted| {
            booking.guest == wanted || booking.others.iter().any(|other| other == wanted)
        });
        let day = |keys: [&str; 2], day: Option<NaiveDate>| {
            let bound = |key: &str| {
                query
                    .text(key)
                    .and_then(|text| text.parse::<NaiveDate>().ok())
            };
            bound(keys[0]).is_none_or(|from| day.is_some_and(|day| day >= from))
                && bound(keys[1]).is_none_or(|to| day.is_some_and(|day| day <= to))
        };
        let wanted = is("status", &booking.status)
            && ids.is_none_or(|ids| ids.contains(&booking.id.as_str()))
            && !excluded.contains(&booking.status.as_str())
            && is("sourceReservationId", &booking.third_party)
            && guest
            && day(["checkInFrom", "checkInTo"], booking.start())
            && day(["checkOutFrom", "checkOutTo"], booking.end())
            && day(
                ["reservationCheckOutFrom", "reservationCheckOutTo"],
                booking.end(),
            )
            && within(hotel, query, ("modifiedFrom", "modifiedTo"), kept.modified)?
            && within(hotel, query, ("resultsFrom", "resultsTo"), kept.created)?;
        if wanted {
            chosen.push(kept);
        }
    }
    Ok(chosen)
}

fn reservations(hotel: &Hotel, query: &Form, stale: bool) -> Answer {
    let (rooms, guests) = (
        query.on_request("includeAllRooms"),
        query.on_request("includeGuestsDetails"),
    );
    let lines = chosen(hotel, query)?
        .into_iter()
        .map(|kept| hotel.reservation_line(kept, stale, rooms, guests));
    paged(lines.collect(), query, 100, 100)
}

fn detailed(hotel: &Hotel, query: &Form, stale: bool) -> Answer {
    let lines = chosen(hotel, query)?
        .into_iter()
        .map(|kept| hotel.detailed_line(kept, stale));
    paged(lines.collect(), query, 100, 100)
}

fn subscriptions(hotel: &Hotel) -> Value {
    let known = hotel.subscriptions.iter().map(|known| {
        let (entity, action) = known.event.split_once('/').unwrap_or((&known.event, ""));
        json!({"id": known.id, "key": {"type": "property", "id": hotel.property_id},
            "event": {"entity": entity, "action": action},
            "owner": {"type": "api_client", "id": "sandbox"}, "subscriptionType": "webhook",
            "subscriptionData": {"endpoint": known.endpoint}})
    });
    known.collect()
}
