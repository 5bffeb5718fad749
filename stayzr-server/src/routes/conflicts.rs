//! Conflicts that wait for a person, and what the person decides.

use http::StatusCode;
use serde::Deserialize;
use stayzr_core::{
    flow::{self, ResolveRequest},
    ids::ConflictId,
    model::{Conflict, ConflictStatus, ResolutionChoice},
    port::{Page, conflict::ConflictFilter},
    queue::Queue,
    transform::FieldMap,
};

use crate::{
    http::{Call, Handled, Problem, Query, json as answer},
    review::review,
};

pub(super) async fn list(call: Call) -> Handled {
    let scope = call.scope()?;
    let filter = filter(&call.query)?;
    let page = call.query.page()?;
    let store = call.state.store.as_ref();
    let found = store.conflicts(scope, &filter, &page).await?;
    let items = review(store, scope, found.items).await?;
    let next_cursor = found.next_cursor;
    answer(StatusCode::OK, &Page { items, next_cursor })
}

pub(super) async fn item(call: Call) -> Handled {
    let id: ConflictId = call.id("id", "conflict")?;
    let found = call.state.store.conflict(call.scope()?, id).await?;
    let conflict = found.ok_or_else(|| Problem::not_found("conflict"))?;
    one(&call, conflict).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    choice: String,
    #[serde(default)]
    fields: FieldMap,
    /// The revision that the person saw; none takes the newest.
    revision: Option<i64>,
}

/// Decides a conflict. The body names a side or, with the choice `fields`, for each disputed field
/// `"local"`, `"remote"` or the value to have.
pub(super) async fn resolve(call: Call) -> Handled {
    let conflict_id: ConflictId = call.id("id", "conflict")?;
    // Whether it is there comes first: what a decision must look like is nobody else's to learn.
    let scope = call.scope()?;
    if call
        .state
        .store
        .conflict(scope, conflict_id)
        .await?
        .is_none()
    {
        return Err(Problem::not_found("conflict"));
    }
    let decision: Decision = call.masked_json()?;
    let choice = match decision.choice.as_str() {
        "local" => ResolutionChoice::Local,
        "remote" => ResolutionChoice::Remote,
        "fields" => ResolutionChoice::Fields,
        _ => {
            return Err(Problem::invalid("`choice` must be local, remote or fields")
                .with("parameter", "choice"));
        }
    };
    let request = ResolveRequest {
        conflict_id,
        choice,
        fields: decision.fields,
        expected_revision: decision.revision,
        source: call.staff()?,
    };
    let state = &call.state;
    let (resolved, _) = flow::resolve(
        state.store.as_ref(),
        state.push_policy.as_ref(),
        state.clock.as_ref(),
        scope,
        request,
    )
    .await?;
    state.wakes.wake(Queue::PmsSyncQueue);
    one(&call, resolved).await
}

/// Only those that wait, unless others are asked for.
fn filter(query: &Query) -> Result<ConflictFilter, Problem> {
    let status = match query.one("status")? {
        None | Some("open") => Some(ConflictStatus::Open),
        Some("resolved") => Some(ConflictStatus::Resolved),
        Some("all") => None,
        Some(_) => {
            return Err(Problem::invalid("`status` must be open, resolved or all")
                .with("parameter", "status"));
        }
    };
    Ok(ConflictFilter {
        status,
        integration_id: query.parsed("integration_id", "a UUID")?,
        entity: query.parsed("entity", super::KINDS)?,
        entity_id: query.parsed("entity_id", "a UUID")?,
    })
}

async fn one(call: &Call, conflict: Conflict) -> Handled {
    let store = call.state.store.as_ref();
    let mut items = review(store, call.scope()?, vec![conflict]).await?;
    answer(StatusCode::OK, &items.pop())
}
