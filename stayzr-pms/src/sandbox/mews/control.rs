use http::Method;
use serde_json::{Map, Value, json};

use super::{
    super::{
        fault::Fault,
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
        (&Method::POST, ["faults"]) => add_fault(vendor, asked),
        (&Method::DELETE, ["faults"]) => {
            vendor.running().faults.clear();
            Reply::json(200, &json!({}))
        }
        (&Method::GET, ["stats"]) => stats(vendor),
        (method, ["property"]) => property(vendor, method, asked),
        (method, [kind, rest @ ..]) => match (Kind::parse(kind), rest) {
            (Some(kind), rest) => records(vendor, method, kind, rest, asked),
            (None, _) => missing(),
        },
        _ => missing(),
    }
}

fn missing() -> Reply {
    refuse(404, "there is nothing here")
}

fn refuse(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"Message": message}))
}

fn object(asked: &Asked) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&asked.body) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

fn add_fault(vendor: &Vendor, asked: &Asked) -> Reply {
    let fault: Fault = match serde_json::from_slice(&asked.body) {
        Ok(fault) => fault,
        Err(error) => return refuse(400, &format!("not a fault: {error}")),
    };
    match vendor.running().faults.add(fault) {
        Ok(()) => Reply::json(200, &json!({})),
        Err(reason) => refuse(400, &reason),
    }
}

fn stats(vendor: &Vendor) -> Reply {
    let running = vendor.running();
    let mut stats = json!(running.hotel.tally);
    stats["webhooks_waiting"] = json!(running.hotel.events.len());
    stats["total_calls"] = json!(running.hotel.tally.calls.values().sum::<u64>());
    Reply::json(200, &stats)
}

fn property(vendor: &Vendor, method: &Method, asked: &Asked) -> Reply {
    let moment = vendor.moment();
    let mut running = vendor.running();
    let hotel = &mut running.hotel;
    match *method {
        Method::GET => {}
        Method::PATCH => {
            let Some(fields) = object(asked) else {
                return refuse(400, "must be a JSON object of the vendor's fields");
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
            let Some(fields) = object(asked) else {
                return refuse(400, "must be a JSON object of the vendor's fields");
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
            let into = object(asked).and_then(|body| body.get("into")?.as_str().map(str::to_owned));
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
            let Some(given) = object(asked) else {
                return refuse(400, "must be a JSON object of the vendor's fields");
            };
            let mut fields = match kind {
                Kind::Guests => hotel.blank_customer(),
                Kind::Reservations => hotel.blank_reservation(moment.at),
                Kind::Notes => Hotel::blank_note(),
                Kind::Rooms => return refuse(405, "rooms cannot be made"),
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
