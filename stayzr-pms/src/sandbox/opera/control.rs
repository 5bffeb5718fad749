use http::Method;
use serde_json::{Map, Value, json};

use super::{
    super::{
        control::{self, missing, object, refuse},
        server::{Asked, Reply},
    },
    api::Vendor,
    state::{Hotel, Kept},
    write::{Writer, merge},
};

/// The lists that change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reservations,
    Guests,
    Rooms,
}

/// Answers the control API: `path` is what follows `/_sandbox/`.
pub(super) fn handle(vendor: &Vendor, path: &str, asked: &Asked) -> Reply {
    let parts: Vec<&str> = path.split('/').collect();
    match (&asked.method, parts.as_slice()) {
        // Events wait until they are asked for: OPERA sends nothing.
        (&Method::POST, ["deliver"]) => {
            let waiting = vendor.running().hotel.events.len();
            Reply::json(200, &json!({"delivered": 0, "waiting": waiting}))
        }
        (_, ["faults"]) => control::faults(&mut vendor.running().faults, asked),
        (&Method::GET, ["stats"]) => stats(vendor),
        (&Method::GET, ["messages"]) => Reply::json(200, &json!(vendor.running().hotel.messages)),
        (&Method::GET, ["service_requests"]) => {
            Reply::json(200, &json!(vendor.running().hotel.service_requests))
        }
        (&Method::POST, ["stream"]) => hang_up(vendor, asked),
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

/// `{"close": 1006}`: hangs up on whoever reads the stream.
fn hang_up(vendor: &Vendor, asked: &Asked) -> Reply {
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let Some(code) = body["close"]
        .as_u64()
        .and_then(|code| u16::try_from(code).ok())
    else {
        return refuse(
            400,
            "close must be the code of a WebSocket's end, such as 1006",
        );
    };
    vendor.running().hang_up = Some(code);
    Reply::json(200, &json!({}))
}

fn stats(vendor: &Vendor) -> Reply {
    let running = vendor.running();
    let hotel = &running.hotel;
    let waiting = ("events_waiting", hotel.events.len());
    control::stats(&hotel.tally, &running.window, waiting)
}

fn records(vendor: &Vendor, method: &Method, kind: Kind, rest: &[&str], asked: &Asked) -> Reply {
    let now = vendor.now();
    let mut running = vendor.running();
    let hotel = &mut running.hotel;
    let shown = |hotel: &Hotel, id: &str| match kind {
        Kind::Reservations => Some(hotel.listed(hotel.bookings.get(id)?, false, now)),
        Kind::Guests => hotel.profile(id, false, "profileDetails"),
        Kind::Rooms => Some(hotel.rooms.get(id)?.now.clone()),
    };
    let answer = |hotel: &Hotel, status: u16, id: &str| {
        shown(hotel, id).map_or_else(missing, |one| Reply::json(status, &one))
    };
    match (method, rest) {
        (&Method::GET, []) => {
            let ids: Vec<&String> = match kind {
                Kind::Reservations => hotel.bookings.keys().collect(),
                Kind::Guests => hotel.profiles.keys().collect(),
                Kind::Rooms => hotel.rooms.keys().collect(),
            };
            let all = ids.into_iter().filter_map(|id| shown(hotel, id));
            Reply::json(200, &all.collect())
        }
        (&Method::GET, [id]) => answer(hotel, 200, id),
        (&Method::PATCH, [id]) => {
            let fields = match object(asked) {
                Ok(fields) => fields,
                Err(refusal) => return refusal,
            };
            let writer = Writer { now, is_own: false };
            if !patch(hotel, kind, id, fields, writer) {
                return missing();
            }
            vendor.keep(hotel);
            answer(hotel, 200, id)
        }
        (&Method::POST, []) if kind == Kind::Reservations => {
            let fields = match object(asked) {
                Ok(fields) => fields,
                Err(refusal) => return refusal,
            };
            let Some(id) = book(hotel, now) else {
                return refuse(409, "a hotel without reservations has none to follow");
            };
            patch(hotel, kind, &id, fields, Writer { now, is_own: true });
            hotel.tell("Reservation", "NEW RESERVATION", &id, now);
            vendor.keep(hotel);
            answer(hotel, 201, &id)
        }
        (&Method::DELETE, [id]) => {
            let lost = match kind {
                Kind::Reservations => hotel.bookings.remove(*id),
                Kind::Guests => hotel.profiles.remove(*id),
                Kind::Rooms => hotel.rooms.remove(*id),
            };
            vendor.keep(hotel);
            lost.map_or_else(missing, |_| Reply::json(200, &json!({})))
        }
        _ => missing(),
    }
}

fn patch(
    hotel: &mut Hotel,
    kind: Kind,
    id: &str,
    mut fields: Map<String, Value>,
    writer: Writer,
) -> bool {
    let kept = match kind {
        Kind::Reservations => hotel.bookings.get(id),
        Kind::Guests => hotel.profiles.get(id),
        Kind::Rooms => hotel.rooms.get(id),
    };
    let Some(mut now) = kept.map(|kept| kept.now.clone()) else {
        return false;
    };
    match kind {
        Kind::Reservations => {
            // What the list has within the stay may be named without it.
            const STAY: [&str; 6] = [
                "arrivalDate",
                "departureDate",
                "adultCount",
                "childCount",
                "roomType",
                "roomId",
            ];
            for key in STAY {
                if let Some(value) = fields.remove(key) {
                    let inner = Map::from_iter([(key.to_owned(), value)]);
                    merge(&mut now["roomStay"], &inner);
                }
            }
            merge(&mut now, &fields);
            writer.booking(hotel, id, now, "UPDATE RESERVATION")
        }
        Kind::Guests => {
            // So may names and addresses, as the list names them.
            for (key, place) in [
                ("givenName", "/customer/personName/0/givenName"),
                ("surname", "/customer/personName/0/surname"),
                ("email", "/emails/emailInfo/0/email/emailAddress"),
                (
                    "phoneNumber",
                    "/telephones/telephoneInfo/0/telephone/phoneNumber",
                ),
            ] {
                if let (Some(value), Some(place)) = (fields.remove(key), now.pointer_mut(place)) {
                    *place = value;
                }
            }
            if let Some(Value::Object(details)) = fields.remove("profileDetails") {
                merge(&mut now, &details);
            }
            merge(&mut now, &fields);
            writer.profile(hotel, id, now)
        }
        Kind::Rooms => {
            if let Some(word) = fields.remove("housekeepingRoomStatus") {
                now["housekeeping"]["housekeepingRoomStatus"]["housekeepingRoomStatus"] = word;
            }
            merge(&mut now, &fields);
            writer.room(hotel, id, now)
        }
    }
}

/// A reservation of tomorrow for two nights, else like the first one.
fn book(hotel: &mut Hotel, now: chrono::DateTime<chrono::Utc>) -> Option<String> {
    let mut booking = hotel.bookings.values().next()?.now.clone();
    let id = (900_000 + hotel.number()).to_string();
    let start = hotel.today(now) + chrono::Days::new(1);
    booking["reservationIdList"] = json!([{"id": id, "type": "Reservation"},
        {"id": format!("1{id}"), "type": "Confirmation"}]);
    booking["reservationStatus"] = json!("Reserved");
    booking["roomStay"]["arrivalDate"] = json!(start);
    booking["roomStay"]["departureDate"] = json!(start + chrono::Days::new(2));
    if let Value::Object(stay) = &mut booking["roomStay"] {
        stay.remove("roomId");
        stay.remove("expectedTimes");
    }
    hotel.bookings.insert(id.clone(), Kept::new(booking, now));
    Some(id)
}
