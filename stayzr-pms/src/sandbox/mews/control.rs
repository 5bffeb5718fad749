use http::Method;
use serde_json::{Map, json};

use super::{
    super::{
        control::{self, missing, object, refuse},
        server::{Asked, Reply},
    },
    api::Vendor,
    state::{Hotel, Kind},
};

/// Answers the control API: `path` is what follows `/_sandbox/`.
pub(super) async fn handle(vendor: &Vendor, path: &str, asked: &Asked) -> Reply {
    let parts: Vec<&str> = path.split('/').collect();
    match (&asked.method, parts.as_slice()) {
        (&Method::POST, ["deliver"]) => Reply::json(200, &vendor.deliver(true).await),
        (_, ["faults"]) => control::faults(&mut vendor.running().faults, asked),
        (&Method::GET, ["stats"]) => stats(vendor),
        (method, ["property"]) => property(vendor, method, asked),
        (method, [kind, rest @ ..]) => match (Kind::parse(kind), rest) {
            (Some(kind), rest) => records(vendor, method, kind, rest, asked),
            (None, _) => missing(),
        },
        _ => missing(),
    }
}

fn stats(vendor: &Vendor) -> Reply {
    let running = vendor.running();
    let hotel = &running.hotel;
    let waiting = ("webhooks_waiting", hotel.events.len());
    control::stats(&hotel.tally, &running.window, waiting)
}

fn property(vendor: &Vendor, method: &Method, asked: &Asked) -> Reply {
    let moment = vendor.moment();
    let mut running = vendor.running();
    let hotel = &mut running.hotel;
    match *method {
        Method::GET => {}
        Method::PATCH => {
            let fields = match object(asked) {
                Ok(fields) => fields,
                Err(refusal) => return refusal,
            };
            hotel.change_property(fields, moment.at);
            vendor.keep(hotel);
        }
        _ => return missing(),
    }
    Reply::json(200, &json!(hotel.enterprise))
}

fn records(vendor: &Vendor, method: &Method, kind: Kind, rest: &[&str], asked: &Asked) -> Reply {
    let moment = vendor.moment();
    let mut running = vendor.running();
    let hotel = &mut running.hotel;
    match (method, rest) {
        (&Method::GET, []) => {
            let records = hotel.records(kind).values();
            Reply::json(200, &records.map(|record| json!(record.now)).collect())
        }
        (&Method::GET, [id]) => match hotel.records(kind).get(*id) {
            Some(record) => Reply::json(200, &json!(record.now)),
            None => missing(),
        },
        (&Method::PATCH, [id]) => {
            let fields = match object(asked) {
                Ok(fields) => fields,
                Err(refusal) => return refusal,
            };
            if !hotel.change(kind, id, fields, moment.at, moment.due) {
                return missing();
            }
            vendor.keep(hotel);
            Reply::json(
                200,
                &json!(hotel.records(kind).get(*id).map(|record| &record.now)),
            )
        }
        (&Method::DELETE, [id]) => {
            if !hotel.lose(kind, id) {
                return missing();
            }
            vendor.keep(hotel);
            Reply::json(200, &json!({}))
        }
        (&Method::POST, [id, "merge"]) if kind == Kind::Guests => {
            let into = object(asked)
                .ok()
                .and_then(|body| body.get("into")?.as_str().map(str::to_owned));
            let Some(into) = into else {
                return refuse(400, "must name the guest who remains as `into`");
            };
            if !hotel.merge(id, &into, moment) {
                return refuse(409, "both guests must be there, and neither merged before");
            }
            vendor.keep(hotel);
            Reply::json(200, &json!(hotel.guests.get(*id).map(|guest| &guest.now)))
        }
        (&Method::POST, []) => {
            let given = match object(asked) {
                Ok(fields) => fields,
                Err(refusal) => return refusal,
            };
            let mut fields = match kind {
                Kind::Guests => hotel.blank_customer(),
                Kind::Reservations => hotel.blank_reservation(moment.at),
                Kind::Notes => Hotel::blank_note(),
                Kind::Rooms => return refuse(405, "rooms cannot be made"),
                Kind::Messages => Hotel::blank_message(),
                Kind::Blocks
                | Kind::Companionships
                | Kind::Orders
                | Kind::Threads
                | Kind::Tasks => Map::new(),
            };
            fields.extend(given);
            let id = hotel.add(kind, fields, moment.at, moment.due);
            vendor.keep(hotel);
            Reply::json(
                201,
                &json!(hotel.records(kind).get(&id).map(|record| &record.now)),
            )
        }
        _ => missing(),
    }
}
