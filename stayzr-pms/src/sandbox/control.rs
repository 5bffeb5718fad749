//! What the control APIs of all vendors have alike.

use http::Method;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    fault::{Fault, FaultPlan},
    server::{Asked, Reply},
    window::Window,
};

pub(super) fn missing() -> Reply {
    refuse(404, "there is nothing here")
}

pub(super) fn refuse(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"message": message}))
}

/// The fields of a body; the refusal where it has none.
pub(super) fn object(asked: &Asked) -> Result<Map<String, Value>, Reply> {
    match serde_json::from_slice(&asked.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(refuse(400, "must be a JSON object of the vendor's fields")),
    }
}

/// Asks for a fault, or for no more of them.
pub(super) fn faults(plan: &mut FaultPlan, asked: &Asked) -> Reply {
    match asked.method {
        Method::DELETE => {
            plan.clear();
            Reply::json(200, &json!({}))
        }
        Method::POST => {
            let fault: Fault = match serde_json::from_slice(&asked.body) {
                Ok(fault) => fault,
                Err(error) => return refuse(400, &format!("not a fault: {error}")),
            };
            match plan.add(fault) {
                Ok(()) => Reply::json(200, &json!({})),
                Err(reason) => refuse(400, &reason),
            }
        }
        _ => missing(),
    }
}

/// What calls caused: a vendor's own counts with those of its limit, and how much waits under which
/// name.
pub(super) fn stats<T: Serialize>(tally: &T, window: &Window, waiting: (&str, usize)) -> Reply {
    let mut stats = json!(tally);
    let calls = stats["calls"].as_object().into_iter().flat_map(Map::values);
    stats["total_calls"] = json!(calls.filter_map(Value::as_u64).sum::<u64>());
    stats["refused_by_limit"] = json!(window.refused);
    stats["most_in_window"] = json!(window.most);
    stats[waiting.0] = json!(waiting.1);
    Reply::json(200, &stats)
}
