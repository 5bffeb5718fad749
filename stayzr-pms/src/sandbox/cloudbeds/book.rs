use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::{
    form::Form,
    prices::free,
    read::{Answer, Refusal},
    seed::{blank_guest, text},
    state::{Booked, Booking, Fields, Hotel, Kept, Moment, Person},
    write::{given_guest, is_day},
};

/// Statuses that `putReservation` takes.
const STATUSES: [&str; 6] = [
    "confirmed",
    "not_confirmed",
    "canceled",
    "checked_in",
    "checked_out",
    "no_show",
];

fn required<'a>(form: &'a Form, key: &str) -> Result<&'a str, Refusal> {
    form.text(key).ok_or_else(|| Refusal::required(key))
}

fn day_of(form: &Form, key: &str) -> Result<NaiveDate, Refusal> {
    required(form, key)?
        .parse()
        .map_err(|_| Refusal::invalid(key))
}

fn field<'a>(item: &'a Map<String, Value>, key: &str) -> Result<&'a str, Refusal> {
    let text = item.get(key).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| Refusal::required(key))
}

fn count(item: &Map<String, Value>, key: &str) -> Result<i64, Refusal> {
    let count: Option<i64> = field(item, key)?.parse().ok();
    count
        .filter(|count| (0..100).contains(count))
        .ok_or_else(|| Refusal::invalid(key))
}

/// `postReservation`: a reservation and its main guest.
pub(super) fn post_reservation(hotel: &mut Hotel, form: &Form, moment: Moment) -> Answer {
    let (start, end) = (day_of(form, "startDate")?, day_of(form, "endDate")?);
    if end <= start {
        return Err(Refusal::invalid("endDate"));
    }
    for key in [
        "guestFirstName",
        "guestLastName",
        "guestCountry",
        "guestZip",
        "guestEmail",
        "paymentMethod",
    ] {
        required(form, key)?;
    }
    let persons = |list: &str, room_type: &str| {
        let items = form.items(list);
        let of_type = items
            .iter()
            .find(|item| item.get("roomTypeID") == Some(&json!(room_type)));
        of_type.map(|item| count(item, "quantity")).transpose()
    };
    let mut rooms = Vec::new();
    let id = (7_061_305_000_000 + hotel.number()).to_string();
    for item in form.items("rooms") {
        let room_type = field(&item, "roomTypeID")?.to_owned();
        let sold = hotel
            .sold(&room_type)
            .ok_or_else(|| Refusal::missing("Room type"))?;
        let price = sold.price;
        for _ in 0..count(&item, "quantity")? {
            if free(hotel, &room_type, start, end) <= rooms.len() {
                return Err(Refusal::new("Room type is not available for these dates"));
            }
            let at = rooms.len() + 1;
            let sub = if at == 1 {
                id.clone()
            } else {
                format!("{id}-{at}")
            };
            rooms.push(Booked {
                sub,
                place: format!("{id}-{at}"),
                room_type: room_type.clone(),
                room: item
                    .get("roomID")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
                start,
                end,
                adults: persons("adults", &room_type)?
                    .ok_or_else(|| Refusal::required("adults"))?,
                children: persons("children", &room_type)?.unwrap_or(0),
                night: price,
                status: "not_checked_in".to_owned(),
            });
        }
    }
    if rooms.is_empty() {
        return Err(Refusal::required("rooms"));
    }
    let guest = add_guest(hotel, form, moment)?;
    let text_of = |key: &str| form.text(key).map(str::to_owned);
    let source_id = text_of("sourceID").unwrap_or_else(|| "s-1".to_owned());
    let booking = Booking {
        id: id.clone(),
        status: "confirmed".to_owned(),
        deleted: false,
        cancelled: None,
        guest: guest.clone(),
        others: Vec::new(),
        rooms,
        expected: text_of("estimatedArrivalTime"),
        source: "Website/Booking Engine".to_owned(),
        source_id,
        third_party: text_of("thirdPartyIdentifier").unwrap_or_default(),
        notes: Vec::new(),
        extra: Fields::new(),
    };
    hotel.tally.emails_sent += u64::from(form.by_default("sendEmailConfirmation"));
    hotel.tell_booking("reservation/created", &booking, moment);
    hotel.tell_guest("guest/created", &guest, moment);
    let kept = Kept::new(booking, moment.at);
    let whole = hotel.reservation(&kept, false);
    let answer = json!({"success": true, "reservationID": id, "status": "confirmed",
        "guestID": guest, "guestFirstName": form.get("guestFirstName"),
        "guestLastName": form.get("guestLastName"), "guestGender": "N/A",
        "guestEmail": form.get("guestEmail"), "startDate": start, "endDate": end,
        "dateCreated": whole["dateCreated"], "grandTotal": whole["total"], "unassigned": []});
    hotel.bookings.insert(id, kept);
    Ok(answer)
}

fn add_guest(hotel: &mut Hotel, form: &Form, moment: Moment) -> Result<String, Refusal> {
    let mut fields = blank_guest();
    fields.extend(given_guest(form)?);
    let id = (160_000_000 + hotel.number()).to_string();
    let person = Person {
        id: id.clone(),
        fields,
        notes: Vec::new(),
    };
    hotel
        .guests
        .insert(id.clone(), Kept::new(person, moment.at));
    Ok(id)
}

/// `postGuest`: a person beside the main guest.
pub(super) fn post_guest(hotel: &mut Hotel, form: &Form, moment: Moment) -> Answer {
    let mut booking = standing(hotel, form)?;
    for key in ["guestFirstName", "guestLastName", "guestEmail"] {
        required(form, key)?;
    }
    let guest = add_guest(hotel, form, moment)?;
    booking.others.push(guest.clone());
    let id = booking.id.clone();
    hotel.change_booking(&id, booking, moment);
    hotel.tell_guest("guest/created", &guest, moment);
    Ok(json!({"success": true, "guestID": guest}))
}

/// The reservation a form names, as it is now.
fn standing(hotel: &Hotel, form: &Form) -> Result<Booking, Refusal> {
    let id = required(form, "reservationID")?;
    let kept = hotel.bookings.get(id).filter(|kept| !kept.now.deleted);
    kept.map(|kept| kept.now.clone())
        .ok_or_else(|| Refusal::missing("Reservation"))
}

/// `putReservation`: the whole reservation is the answer.
pub(super) fn put_reservation(hotel: &mut Hotel, form: &Form, moment: Moment) -> Answer {
    let mut booking = standing(hotel, form)?;
    if let Some(time) = form.text("estimatedArrivalTime") {
        let read = chrono::NaiveTime::parse_from_str(time, "%H:%M");
        read.map_err(|_| Refusal::invalid("estimatedArrivalTime"))?;
        booking.expected = Some(time.to_owned());
    }
    let mut reprices = 0;
    for item in form.items("rooms") {
        reprices += u64::from(!matches!(
            item.get("adjustPrice").and_then(Value::as_str),
            Some("false")
        ));
        change_room(hotel, &mut booking, &item)?;
    }
    if form.text("checkoutDate").is_some() {
        let end = day_of(form, "checkoutDate")?;
        for room in &mut booking.rooms {
            if end <= room.start {
                return Err(Refusal::invalid("checkoutDate"));
            }
            room.end = end;
        }
    }
    if let Some(status) = form.text("status") {
        set_status(&mut booking, status, moment)?;
        hotel.tally.emails_sent += u64::from(form.by_default("sendStatusChangeEmail"));
    }
    hotel.tally.reprices += reprices;
    let id = booking.id.clone();
    hotel.change_booking(&id, booking, moment);
    let kept = hotel
        .bookings
        .get(&id)
        .ok_or_else(|| Refusal::missing("Reservation"))?;
    Ok(json!({"success": true, "data": hotel.reservation(kept, false)}))
}

fn set_status(booking: &mut Booking, status: &str, moment: Moment) -> Result<(), Refusal> {
    if !STATUSES.contains(&status) {
        return Err(Refusal::invalid("status"));
    }
    if booking.status == "checked_out" && status == "canceled" {
        return Err(Refusal::new("A checked out reservation cannot be canceled"));
    }
    if status == "checked_in" && booking.rooms.iter().any(|room| room.room.is_none()) {
        return Err(Refusal::new("Room is not assigned"));
    }
    let of_rooms = match status {
        "canceled" => "cancelled",
        "checked_in" => "in_house",
        "checked_out" => "checked_out",
        _ => "not_checked_in",
    };
    for room in &mut booking.rooms {
        of_rooms.clone_into(&mut room.status);
    }
    booking.cancelled = (status == "canceled").then_some(moment.at);
    status.clone_into(&mut booking.status);
    Ok(())
}

fn change_room(
    hotel: &Hotel,
    booking: &mut Booking,
    item: &Map<String, Value>,
) -> Result<(), Refusal> {
    let day = |key: &str| {
        let text = field(item, key)?;
        text.parse::<NaiveDate>().map_err(|_| Refusal::invalid(key))
    };
    let (start, end) = (day("checkinDate")?, day("checkoutDate")?);
    let room_type = field(item, "roomTypeID")?;
    hotel
        .sold(room_type)
        .ok_or_else(|| Refusal::missing("Room type"))?;
    if end <= start {
        return Err(Refusal::invalid("checkoutDate"));
    }
    let sub = item.get("subReservationID").and_then(Value::as_str);
    let only = booking.rooms.len() == 1;
    let room = booking
        .rooms
        .iter_mut()
        .find(|room| sub.map_or(only, |sub| room.sub == sub))
        .ok_or_else(|| Refusal::missing("Sub reservation"))?;
    if room.room_type != room_type {
        room_type.clone_into(&mut room.room_type);
        room.room = None;
    }
    (room.start, room.end) = (start, end);
    room.adults = count(item, "adults")?;
    room.children = count(item, "children")?;
    Ok(())
}

/// `postRoomAssign`.
pub(super) fn assign(hotel: &mut Hotel, form: &Form, moment: Moment) -> Answer {
    let mut booking = standing(hotel, form)?;
    let wanted = form
        .get("newRoomID")
        .ok_or_else(|| Refusal::required("newRoomID"))?;
    let (sub, place) = (
        form.text("subReservationID"),
        form.text("reservationRoomID"),
    );
    let only = booking.rooms.len() == 1;
    let room = booking
        .rooms
        .iter_mut()
        .find(|room| match (sub, place) {
            (Some(sub), _) => room.sub == sub,
            (None, Some(place)) => room.place == place,
            (None, None) => only,
        })
        .ok_or_else(|| Refusal::missing("Sub reservation"))?;
    if wanted.is_empty() {
        place.ok_or_else(|| Refusal::required("reservationRoomID"))?;
        room.room = None;
    } else {
        let found = hotel
            .rooms
            .get(wanted)
            .ok_or_else(|| Refusal::missing("Room"))?;
        let room_type = text(&found.now, "roomTypeID");
        if required(form, "roomTypeID")? != room_type {
            return Err(Refusal::invalid("roomTypeID"));
        }
        if room.room.is_some() && form.text("oldRoomID") != room.room.as_deref() {
            return Err(Refusal::required("oldRoomID"));
        }
        if is_taken(hotel, &booking.id, wanted, (room.start, room.end)) {
            return Err(Refusal::new("Room is not available for these dates"));
        }
        room.room = Some(wanted.to_owned());
        room.room_type = room_type;
    }
    hotel.tally.reprices += u64::from(form.on_request("adjustPrice"));
    let id = booking.id.clone();
    hotel.change_booking(&id, booking, moment);
    Ok(json!({"success": true}))
}

fn is_taken(hotel: &Hotel, by: &str, wanted: &str, (start, end): (NaiveDate, NaiveDate)) -> bool {
    let others = hotel.bookings.values().map(|kept| &kept.now);
    others
        .filter(|other| other.id != by && other.occupies())
        .flat_map(|other| &other.rooms)
        .any(|room| room.room.as_deref() == Some(wanted) && room.start < end && room.end > start)
}

/// `postRoomCheckIn` and `postRoomCheckOut`: the reservation follows when all its rooms did.
pub(super) fn check(hotel: &mut Hotel, form: &Form, out: bool, moment: Moment) -> Answer {
    let mut booking = standing(hotel, form)?;
    let (sub, room_id) = (form.text("subReservationID"), form.text("roomID"));
    let room = booking
        .rooms
        .iter_mut()
        .find(|room| match sub {
            Some(sub) => room.sub == sub,
            None => room_id.is_some() && room.room.as_deref() == room_id,
        })
        .ok_or_else(|| Refusal::missing("Sub reservation"))?;
    if room.room.is_none() {
        return Err(Refusal::new("Room is not assigned"));
    }
    let (from, to, whole) = match out {
        false => ("not_checked_in", "in_house", "checked_in"),
        true => ("in_house", "checked_out", "checked_out"),
    };
    if room.status != from || (!out && booking.status != "confirmed") {
        return Err(Refusal::new(format!(
            "Room cannot be {}",
            whole.replace('_', " ")
        )));
    }
    to.clone_into(&mut room.status);
    if booking.rooms.iter().all(|room| room.status == to) {
        whole.clone_into(&mut booking.status);
    }
    let id = booking.id.clone();
    hotel.change_booking(&id, booking, moment);
    Ok(json!({"success": true}))
}

/// A change made at the desk, by the names of `getReservation`.
pub(super) fn patch(
    hotel: &Hotel,
    booking: &mut Booking,
    key: &str,
    value: &Value,
    moment: Moment,
) {
    let words = value.as_str().unwrap_or_default();
    let day = is_day(words);
    let single = booking.rooms.first_mut();
    match (key, single) {
        ("status", _) => {
            if set_status(booking, words, moment).is_err() {
                words.clone_into(&mut booking.status);
            }
        }
        ("startDate", Some(room)) if day.is_some() => room.start = day.unwrap_or(room.start),
        ("endDate", Some(room)) if day.is_some() => room.end = day.unwrap_or(room.end),
        ("roomID", Some(room)) => room.room = value.as_str().map(str::to_owned),
        ("roomTypeID", Some(room)) if hotel.sold(words).is_some() => {
            words.clone_into(&mut room.room_type);
        }
        ("adults", Some(room)) => room.adults = number(value).unwrap_or(room.adults),
        ("children", Some(room)) => room.children = number(value).unwrap_or(room.children),
        ("estimatedArrivalTime", _) => booking.expected = value.as_str().map(str::to_owned),
        ("thirdPartyIdentifier", _) => words.clone_into(&mut booking.third_party),
        ("source" | "sourceName", _) => words.clone_into(&mut booking.source),
        ("guestID", _) => words.clone_into(&mut booking.guest),
        ("isDeleted", _) => booking.deleted = value == &json!(true),
        _ => {
            booking.extra.insert(key.to_owned(), value.clone());
        }
    }
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
