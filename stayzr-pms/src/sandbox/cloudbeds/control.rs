use http::Method;
use serde_json::{Map, Value, json};

use super::{
    super::{
        control::{self, missing, object, refuse},
        server::{Asked, Reply},
    },
    api::Vendor,
    book,
    seed::blank_guest,
    state::{Booked, Booking, Fields, Hotel, Kept, Moment, Person},
    write::{GUEST, change_room},
};

/// The lists that change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reservations,
    Guests,
    Rooms,
}

/// Answers the control API: `path` is what follows `/_sandbox/`.
pub(super) async fn handle(vendor: &Vendor, path: &str, asked: &Asked) -> Reply {
    let parts: Vec<&str> = path.split('/').collect();
    match (&asked.method, parts.as_slice()) {
        (&Method::POST, ["deliver"]) => Reply::json(200, &vendor.deliver(true).await),
        (_, ["faults"]) => control::faults(&mut vendor.running().faults, asked),
        (&Method::GET, ["stats"]) => stats(vendor),
        (method, [kind, rest @ ..]) => {
            let kind = match *kind {
                "reservations" => Kind::Reservations,
                "guests" => Kind::Guests,
                "rooms" => Kind::Rooms,
                _ => return missing(),
            };
            records(vendor, method, kind, rest, asked)
        }
        _ => missing(),
    }
}

fn stats(vendor: &Vendor) -> Reply {
    let running = vendor.running();
    let hotel = &running.hotel;
    let waiting = ("webhooks_waiting", hotel.events.len());
    control::stats(&hotel.tally, &running.window, waiting)
}

fn records(vendor: &Vendor, method: &Method, kind: Kind, rest: &[&str], asked: &Asked) -> Reply {
    let moment = vendor.moment();
    let mut running = vendor.running();
    let hotel = &mut running.hotel;
    match (method, rest) {
        (&Method::GET, []) => {
            let ids: Vec<String> = match kind {
                Kind::Reservations => hotel.bookings.keys().cloned().collect(),
                Kind::Guests => hotel.guests.keys().cloned().collect(),
                Kind::Rooms => hotel.rooms.keys().cloned().collect(),
            };
            let all = ids.iter().filter_map(|id| one(hotel, kind, id));
            Reply::json(200, &all.collect())
        }
        (&Method::GET, [id]) => {
            one(hotel, kind, id).map_or_else(missing, |it| Reply::json(200, &it))
        }
        (&Method::PATCH, [id]) => {
            let fields = match object(asked) {
                Ok(fields) => fields,
                Err(refusal) => return refusal,
            };
            if !patch(hotel, kind, id, &fields, moment) {
                return missing();
            }
            vendor.keep(hotel);
            one(hotel, kind, id).map_or_else(missing, |it| Reply::json(200, &it))
        }
        (&Method::DELETE, [id]) => {
            let lost = match kind {
                Kind::Reservations => hotel.bookings.remove(*id).is_some(),
                Kind::Guests => hotel.guests.remove(*id).is_some(),
                Kind::Rooms => hotel.rooms.remove(*id).is_some(),
            };
            if !lost {
                return missing();
            }
            vendor.keep(hotel);
            Reply::json(200, &json!({}))
        }
        (&Method::POST, []) => {
            let fields = match object(asked) {
                Ok(fields) => fields,
                Err(refusal) => return refusal,
            };
            let id = match kind {
                Kind::Guests => add_guest(hotel, moment),
                Kind::Reservations => add_reservation(hotel, moment),
                Kind::Rooms => return refuse(405, "rooms cannot be made"),
            };
            patch(hotel, kind, &id, &fields, moment);
            vendor.keep(hotel);
            one(hotel, kind, &id).map_or_else(missing, |it| Reply::json(201, &it))
        }
        _ => missing(),
    }
}

/// A record in the shape of `getReservation`, `getGuest` with its id, or `getRooms` with
/// housekeeping.
fn one(hotel: &Hotel, kind: Kind, id: &str) -> Option<Value> {
    match kind {
        Kind::Reservations => Some(hotel.reservation(hotel.bookings.get(id)?, false)),
        Kind::Rooms => Some(Value::Object(hotel.rooms.get(id)?.now.clone())),
        Kind::Guests => {
            let mut guest = hotel.guest(hotel.guests.get(id)?, false);
            guest["guestID"] = json!(id);
            Some(guest)
        }
    }
}

fn patch(
    hotel: &mut Hotel,
    kind: Kind,
    id: &str,
    fields: &Map<String, Value>,
    moment: Moment,
) -> bool {
    match kind {
        Kind::Reservations => {
            let Some(mut booking) = hotel.bookings.get(id).map(|kept| kept.now.clone()) else {
                return false;
            };
            for (key, value) in fields {
                book::patch(hotel, &mut booking, key, value, moment);
            }
            hotel.change_booking(id, booking, moment)
        }
        Kind::Guests => {
            let Some(kept) = hotel.guests.get_mut(id) else {
                return false;
            };
            let mut person = kept.now.clone();
            for (key, value) in fields {
                // Lists have names of their own for the same.
                let known = GUEST.iter().find(|(name, _)| name == key);
                let name = known.map_or(key.as_str(), |(_, name)| name);
                person.fields.insert(name.to_owned(), value.clone());
            }
            if kept.change(person, moment.at) {
                hotel.tell_guest("guest/details_changed", id, moment);
            }
            true
        }
        Kind::Rooms => {
            let Some(mut room) = hotel.rooms.get(id).map(|kept| kept.now.clone()) else {
                return false;
            };
            room.extend(fields.clone());
            change_room(hotel, id, room, moment)
        }
    }
}

fn add_guest(hotel: &mut Hotel, moment: Moment) -> String {
    let id = (160_000_000 + hotel.number()).to_string();
    let person = Person {
        id: id.clone(),
        fields: blank_guest(),
        notes: Vec::new(),
    };
    hotel
        .guests
        .insert(id.clone(), Kept::new(person, moment.at));
    hotel.tell_guest("guest/created", &id, moment);
    id
}

/// A confirmed reservation of tomorrow for two nights, of the first guest.
fn add_reservation(hotel: &mut Hotel, moment: Moment) -> String {
    let id = (7_061_305_000_000 + hotel.number()).to_string();
    let start = moment.at.with_timezone(&hotel.zone).date_naive() + chrono::Days::new(1);
    let sold = hotel.sold.first();
    let room = Booked {
        sub: id.clone(),
        place: format!("{id}-1"),
        room_type: sold.map(|sold| sold.id.clone()).unwrap_or_default(),
        room: None,
        start,
        end: start + chrono::Days::new(2),
        adults: 1,
        children: 0,
        night: sold.map(|sold| sold.price).unwrap_or_default(),
        status: "not_checked_in".to_owned(),
    };
    let booking = Booking {
        id: id.clone(),
        status: "confirmed".to_owned(),
        deleted: false,
        cancelled: None,
        guest: hotel.guests.keys().next().cloned().unwrap_or_default(),
        others: Vec::new(),
        rooms: vec![room],
        expected: None,
        source_id: "s-3".to_owned(),
        source: "Phone".to_owned(),
        third_party: String::new(),
        notes: Vec::new(),
        extra: Fields::new(),
    };
    hotel.tell_booking("reservation/created", &booking, moment);
    hotel
        .bookings
        .insert(id.clone(), Kept::new(booking, moment.at));
    id
}
