//! Connections to PMSs: what there is, runs, a run by hand.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use stayzr_core::{
    ids::IntegrationId,
    model::{Integration, RunMode},
    tenant::TenantScope,
};
use stayzr_pms::engine::SyncJob;

use crate::http::{Call, Handled, Problem, json as answer};

pub(super) async fn list(call: Call) -> Handled {
    let items = call.state.store.integrations(call.scope()?).await?;
    answer(
        StatusCode::OK,
        &json!({"items": items, "next_cursor": null}),
    )
}

pub(super) async fn item(call: Call) -> Handled {
    let (_, integration) = find(&call).await?;
    answer(StatusCode::OK, &integration)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRun {
    mode: RunMode,
}

/// Stores the job of a run and says which it is.
pub(super) async fn sync(call: Call) -> Handled {
    let (scope, integration) = find(&call).await?;
    let NewRun { mode } = call.json()?;
    if mode == RunMode::Targeted {
        return Err(Problem::invalid("`mode` must be backfill or incremental"));
    }
    let job = SyncJob::run(scope, integration.id, mode);
    let queue = job.queue;
    let ids = call.state.store.enqueue(vec![job]).await?;
    call.state.wakes.wake(queue);
    answer(
        StatusCode::ACCEPTED,
        &json!({"integration_id": integration.id, "mode": mode, "job_id": ids.first()}),
    )
}

pub(super) async fn runs(call: Call) -> Handled {
    let (scope, integration) = find(&call).await?;
    let page = call.query.page()?;
    let runs = call.state.store.runs(scope, integration.id, &page).await?;
    answer(StatusCode::OK, &runs)
}

/// The integration of the path, and the scope of its property.
async fn find(call: &Call) -> Result<(TenantScope, Integration), Problem> {
    let id: IntegrationId = call.id("id", "integration")?;
    let scope = call.scope()?;
    let found = call.state.store.integration(scope, id).await?;
    let integration = found.ok_or_else(|| Problem::not_found("integration"))?;
    let scope = TenantScope::property(scope.organization_id, integration.property_id);
    Ok((scope, integration))
}
