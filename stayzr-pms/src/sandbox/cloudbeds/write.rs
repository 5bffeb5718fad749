use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{
    book,
    form::Form,
    read::{Answer, Refusal},
    seed::text,
    state::{Fields, Hotel, Moment, Subscribed},
};

/// Calls that write, and the method of HTTP that each is made with.
pub(super) const WRITES: [(&str, &str); 12] = [
    ("postReservation", "POST"),
    ("putReservation", "PUT"),
    ("postRoomAssign", "POST"),
    ("postRoomCheckIn", "POST"),
    ("postRoomCheckOut", "POST"),
    ("putGuest", "PUT"),
    ("postGuest", "POST"),
    ("postGuestNote", "POST"),
    ("postReservationNote", "POST"),
    ("postHousekeepingStatus", "POST"),
    ("postWebhook", "POST"),
    ("deleteWebhook", "DELETE"),
];

/// Does a call that writes.
pub(super) fn write(hotel: &mut Hotel, method: &str, form: &Form, moment: Moment) -> Answer {
    match method {
        "postReservation" => book::post_reservation(hotel, form, moment),
        "putReservation" => book::put_reservation(hotel, form, moment),
        "postRoomAssign" => book::assign(hotel, form, moment),
        "postRoomCheckIn" => book::check(hotel, form, false, moment),
        "postRoomCheckOut" => book::check(hotel, form, true, moment),
        "postGuest" => book::post_guest(hotel, form, moment),
        "putGuest" => put_guest(hotel, form, moment),
        "postGuestNote" => post_guest_note(hotel, form, moment),
        "postReservationNote" => post_reservation_note(hotel, form, moment),
        "postHousekeepingStatus" => housekeeping(hotel, form, moment),
        "postWebhook" => subscribe(hotel, form),
        "deleteWebhook" => unsubscribe(hotel, form),
        _ => Err(Refusal::new("Method does not exist")),
    }
}

fn required<'a>(form: &'a Form, key: &str) -> Result<&'a str, Refusal> {
    form.text(key).ok_or_else(|| Refusal::required(key))
}

pub(super) fn is_day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}

/// Names that writes have for a guest's fields, and `getGuest`'s.
pub(super) const GUEST: [(&str, &str); 14] = [
    ("guestFirstName", "firstName"),
    ("guestLastName", "lastName"),
    ("guestGender", "gender"),
    ("guestEmail", "email"),
    ("guestPhone", "phone"),
    ("guestCellPhone", "cellPhone"),
    ("guestAddress1", "address"),
    ("guestAddress2", "address2"),
    ("guestCity", "city"),
    ("guestCountry", "country"),
    ("guestState", "state"),
    ("guestZip", "zip"),
    ("guestBirthDate", "birthDate"),
    ("guestCompanyName", "companyName"),
];

/// The fields of a guest that a form sets.
pub(super) fn given_guest(form: &Form) -> Result<Fields, Refusal> {
    let mut given = Fields::new();
    for (key, name) in GUEST {
        let Some(value) = form.text(key) else {
            continue;
        };
        let possible = match name {
            "gender" => ["M", "F", "N/A"].contains(&value),
            "country" => value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase()),
            "birthDate" => is_day(value).is_some(),
            "email" => value.contains('@'),
            _ => true,
        };
        if !possible {
            return Err(Refusal::invalid(key));
        }
        given.insert(name.to_owned(), json!(value));
    }
    Ok(given)
}

fn put_guest(hotel: &mut Hotel, form: &Form, moment: Moment) -> Answer {
    let id = required(form, "guestID")?.to_owned();
    let given = given_guest(form)?;
    let kept = hotel
        .guests
        .get_mut(&id)
        .ok_or_else(|| Refusal::missing("Guest"))?;
    if given.is_empty() {
        return Err(Refusal::new("At least one information field is required"));
    }
    let mut person = kept.now.clone();
    person.fields.extend(given);
    if kept.change(person, moment.at) {
        hotel.tell_guest("guest/details_changed", &id, moment);
    }
    Ok(json!({"success": true}))
}

fn note(hotel: &mut Hotel, keys: (&str, &str), text: &str, moment: Moment) -> (String, Fields) {
    let id = (500_000 + hotel.number()).to_string();
    let at = hotel.local(moment.at);
    let fields = [
        (keys.0, json!(id)),
        (keys.1, json!(text)),
        ("userName", json!("API")),
        ("dateCreated", json!(at)),
        ("dateModified", json!(at)),
    ];
    let fields = fields.map(|(key, value)| (key.to_owned(), value));
    (id, Fields::from_iter(fields))
}

fn post_guest_note(hotel: &mut Hotel, form: &Form, moment: Moment) -> Answer {
    let guest = required(form, "guestID")?.to_owned();
    let text = required(form, "guestNote")?.to_owned();
    let kept = hotel
        .guests
        .get(&guest)
        .ok_or_else(|| Refusal::missing("Guest"))?;
    let mut person = kept.now.clone();
    let (id, note) = note(hotel, ("guestNoteID", "guestNote"), &text, moment);
    person.notes.push(note);
    if let Some(kept) = hotel.guests.get_mut(&guest) {
        kept.change(person, moment.at);
    }
    Ok(json!({"success": true, "guestNoteID": id}))
}

fn post_reservation_note(hotel: &mut Hotel, form: &Form, moment: Moment) -> Answer {
    let reservation = required(form, "reservationID")?.to_owned();
    let text = required(form, "reservationNote")?.to_owned();
    let kept = hotel
        .bookings
        .get(&reservation)
        .ok_or_else(|| Refusal::missing("Reservation"))?;
    let mut booking = kept.now.clone();
    let (id, note) = note(
        hotel,
        ("reservationNoteID", "reservationNote"),
        &text,
        moment,
    );
    booking.notes.push(note);
    hotel.change_booking(&reservation, booking, moment);
    Ok(json!({"success": true, "reservationNoteID": id}))
}

/// Without a condition and any flag the room is switched to the other condition.
fn housekeeping(hotel: &mut Hotel, form: &Form, moment: Moment) -> Answer {
    let id = required(form, "roomID")?.to_owned();
    let kept = hotel
        .rooms
        .get_mut(&id)
        .ok_or_else(|| Refusal::missing("Room"))?;
    let mut room = kept.now.clone();
    let mut says_nothing = true;
    for key in ["doNotDisturb", "refusedService", "vacantPickup"] {
        if let Some(flag) = form.text(key) {
            says_nothing = false;
            room.insert(key.to_owned(), json!(matches!(flag, "true" | "1")));
        }
    }
    if let Some(comments) = form.get("roomComments") {
        says_nothing = false;
        room.insert("roomComments".to_owned(), json!(comments));
    }
    let condition = match form.text("roomCondition") {
        Some(condition) if ["dirty", "clean", "inspected"].contains(&condition) => {
            Some(condition.to_owned())
        }
        Some(_) => return Err(Refusal::invalid("roomCondition")),
        None if says_nothing => {
            hotel.tally.conditions_switched += 1;
            let other = if text(&room, "roomCondition") == "dirty" {
                "clean"
            } else {
                "dirty"
            };
            Some(other.to_owned())
        }
        None => None,
    };
    if let Some(condition) = condition {
        room.insert("roomCondition".to_owned(), json!(condition));
    }
    let part = |key: &str| room.get(key).cloned().unwrap_or_default();
    let today = moment.at.with_timezone(&hotel.zone).date_naive();
    let answer = json!({"success": true, "data": {"date": today, "roomID": id,
        "roomCondition": part("roomCondition"), "roomComments": part("roomComments"),
        "doNotDisturb": part("doNotDisturb"), "refusedService": part("refusedService"),
        "vacantPickup": part("vacantPickup")}});
    change_room(hotel, &id, room, moment);
    Ok(answer)
}

/// Changes a room and tells of it. False if there is no such room.
pub(super) fn change_room(hotel: &mut Hotel, id: &str, room: Fields, moment: Moment) -> bool {
    let Some(kept) = hotel.rooms.get_mut(id) else {
        return false;
    };
    let before = kept.now.clone();
    if !kept.change(room, moment.at) {
        return true;
    }
    let now = kept.now.clone();
    let differs = |key: &str| before.get(key) != now.get(key);
    if differs("roomBlocked") {
        let blocked = now.get("roomBlocked") == Some(&json!(true));
        let name = if blocked {
            "roomblock/created"
        } else {
            "roomblock/removed"
        };
        hotel.tell_room(name, id, moment);
    }
    if differs("roomCondition") {
        hotel.tell_room("housekeeping/room_condition_changed", id, moment);
    }
    true
}

fn subscribe(hotel: &mut Hotel, form: &Form) -> Answer {
    let (object, action) = (required(form, "object")?, required(form, "action")?);
    let endpoint = required(form, "endpointUrl")?.to_owned();
    let event = format!("{object}/{action}");
    let mut known = hotel.subscriptions.iter();
    if known.any(|known| known.event == event && known.endpoint == endpoint) {
        return Err(Refusal::new("Subscription already exists"));
    }
    let id = format!("sub{:06}", hotel.number());
    hotel.subscriptions.push(Subscribed {
        id: id.clone(),
        event,
        endpoint,
    });
    Ok(json!({"success": true, "data": {"subscriptionID": id}}))
}

fn unsubscribe(hotel: &mut Hotel, form: &Form) -> Answer {
    let id = required(form, "subscriptionID")?;
    let before = hotel.subscriptions.len();
    hotel.subscriptions.retain(|known| known.id != id);
    if hotel.subscriptions.len() == before {
        return Err(Refusal::missing("Subscription"));
    }
    Ok(Value::from(Fields::from_iter([(
        "success".to_owned(),
        json!(true),
    )])))
}
