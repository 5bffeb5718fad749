//! What the front desk of a PMS does for a stay: products, orders, messages left for a guest.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use stayzr_core::{ids::PropertyId, transform::EntityKind};
use stayzr_pms::engine::NewOrder;
use uuid::Uuid;

use super::entities::noun;
use crate::http::{Call, Handled, Problem, json as answer};

/// The longest message for a guest, in characters: OPERA's limit.
const LONGEST_MESSAGE: usize = 2000;

/// What the hotel sells beside rooms.
pub(super) async fn products(call: Call) -> Handled {
    let id: PropertyId = call.id("id", noun(EntityKind::Property))?;
    let scope = call.scope_of(id).await?;
    let items = call.state.engine.products(scope, id).await?;
    answer(StatusCode::OK, &json!({"items": items}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    product: String,
    #[serde(default = "one")]
    count: u32,
    note: Option<String>,
}

const fn one() -> u32 {
    1
}

/// Posts a product to a reservation while the caller waits.
pub(super) async fn order(call: Call) -> Handled {
    let id: Uuid = call.id("id", noun(EntityKind::Reservation))?;
    let Order {
        product,
        count,
        note,
    } = call.masked_json()?;
    let order = NewOrder {
        product,
        count,
        note,
        key: call.state.clock.uuid().to_string(),
    };
    let engine = &call.state.engine;
    let made = engine
        .order(call.scope()?, id, order, call.staff()?)
        .await?;
    answer(StatusCode::CREATED, &json!({"order_id": made}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    text: String,
}

/// Leaves a message at the desk for the guest of a reservation while the caller waits.
pub(super) async fn leave_message(call: Call) -> Handled {
    let id: Uuid = call.id("id", noun(EntityKind::Reservation))?;
    let Message { text } = call.masked_json()?;
    if text.trim().is_empty() || text.chars().count() > LONGEST_MESSAGE {
        return Err(Problem::invalid("`text` has 1 to 2,000 characters").with("parameter", "text"));
    }
    let key = call.state.clock.uuid().to_string();
    let engine = &call.state.engine;
    let left = engine
        .leave_message(call.scope()?, id, text, key, call.staff()?)
        .await?;
    answer(StatusCode::CREATED, &json!({"vendor_message_id": left}))
}
