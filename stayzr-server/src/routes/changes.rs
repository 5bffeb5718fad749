//! The journal: what changed, who changed it, and how a value comes back.

use http::StatusCode;
use serde_json::json;
use stayzr_core::{
    flow::{self, RestoreRequest},
    ids::ChangeId,
    model::ChangeOutcome,
    port::edit::ChangeFilter,
    queue::Queue,
    transform::EntityKind,
};
use uuid::Uuid;

use super::entities::{noun, one};
use crate::http::{Call, Handled, Problem, Query, json as answer};

/// The journal of a row.
pub(super) async fn of_row(kind: EntityKind, call: Call) -> Handled {
    let scope = call.scope()?;
    let id: Uuid = call.id("id", noun(kind))?;
    let page = call.query.page()?;
    let filter = ChangeFilter {
        outcome: outcome(&call.query)?,
        ..ChangeFilter::of(kind, id)
    };
    let store = call.state.store.as_ref();
    if store.row(scope, kind, id).await?.is_none() {
        return Err(Problem::not_found(noun(kind)));
    }
    let found = store.changes(scope, &filter, &page).await?;
    answer(StatusCode::OK, &found)
}

/// The whole journal. Records that were put aside stand only here: they never became a row.
pub(super) async fn list(call: Call) -> Handled {
    let page = call.query.page()?;
    let filter = ChangeFilter {
        entity: call.query.parsed("entity", super::KINDS)?,
        entity_id: call.query.parsed("entity_id", "a UUID")?,
        external_id: call.query.one("external_id")?.map(str::to_owned),
        outcome: outcome(&call.query)?,
    };
    let store = call.state.store.as_ref();
    let found = store.changes(call.scope()?, &filter, &page).await?;
    answer(StatusCode::OK, &found)
}

/// Brings back the value that a line of the journal says was lost: an edit like any other.
pub(super) async fn restore(kind: EntityKind, call: Call) -> Handled {
    let scope = call.scope()?;
    let id: Uuid = call.id("id", noun(kind))?;
    let change_id: ChangeId = call.id("change_id", "line of the journal")?;
    let state = &call.state;
    if state.store.row(scope, kind, id).await?.is_none() {
        return Err(Problem::not_found(noun(kind)));
    }
    let request = RestoreRequest {
        change_id,
        of: Some((kind, id)),
        source: call.staff()?,
    };
    let row = flow::restore(
        state.store.as_ref(),
        state.push_policy.as_ref(),
        state.clock.as_ref(),
        scope,
        request,
    )
    .await?;
    state.wakes.wake(Queue::PmsSyncQueue);
    one(StatusCode::OK, state.store.as_ref(), scope, row).await
}

fn outcome(query: &Query) -> Result<Option<ChangeOutcome>, Problem> {
    let Some(word) = query.one("outcome")? else {
        return Ok(None);
    };
    serde_json::from_value(json!(word)).map(Some).map_err(|_| {
        Problem::invalid("`outcome` must be applied or refused").with("parameter", "outcome")
    })
}
