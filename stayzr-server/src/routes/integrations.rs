//! Connections to PMSs: what there is, runs, a run by hand.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use stayzr_core::{
    ErrorKind,
    ids::IntegrationId,
    model::{Integration, RunMode},
    tenant::TenantScope,
};
use stayzr_pms::engine::SyncJob;

use super::setup::refused_by_vendor;
use crate::{
    http::{Call, Handled, Problem, json as answer, page_of},
    plan::named,
};

/// After so long a plan that reads on is given up.
const PLAN_LIMIT: Duration = Duration::from_secs(30);

pub(super) async fn list(call: Call) -> Handled {
    let page = call.query.page()?;
    let all = call.state.store.integrations(call.scope()?).await?;
    let items = page_of(all, &page, |integration| integration.id.to_string())?;
    answer(StatusCode::OK, &items)
}

pub(super) async fn item(call: Call) -> Handled {
    let (_, integration) = find(&call).await?;
    answer(StatusCode::OK, &integration)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRun {
    mode: RunMode,
    #[serde(default)]
    accept_missing: bool,
}

/// Stores the job of a run and says which it is.
pub(super) async fn sync(call: Call) -> Handled {
    let (scope, integration) = find(&call).await?;
    let NewRun {
        mode,
        accept_missing,
    } = call.json()?;
    let job = match (mode, accept_missing) {
        (RunMode::Targeted, _) => {
            return Err(Problem::invalid(
                "`mode` must be backfill, incremental or reconcile",
            ));
        }
        (RunMode::Reconcile, true) => SyncJob::reconcile_accepting(scope, integration.id),
        (_, true) => {
            return Err(Problem::invalid(
                "`accept_missing` goes with the mode reconcile alone",
            ));
        }
        (_, false) => SyncJob::run(scope, integration.id, mode),
    };
    let queue = job.queue;
    let ids = call.state.store.enqueue(vec![job]).await?;
    call.state.wakes.wake(queue);
    answer(
        StatusCode::ACCEPTED,
        &json!({
            "integration_id": integration.id,
            "mode": mode,
            "accept_missing": accept_missing,
            "job_id": ids.first(),
        }),
    )
}

/// Says what a run would change, and changes nothing. All changes are counted; `limit` of them are
/// listed.
pub(super) async fn plan(call: Call) -> Handled {
    let (scope, integration) = find(&call).await?;
    let mode = match call.query.one("mode")? {
        None | Some("incremental") => RunMode::Incremental,
        Some("backfill") => RunMode::Backfill,
        Some("reconcile") => RunMode::Reconcile,
        Some(_) => {
            return Err(
                Problem::invalid("`mode` must be backfill, incremental or reconcile")
                    .with("parameter", "mode"),
            );
        }
    };
    let limit = call.query.page()?.limit as usize;
    let state = &call.state;
    let work = state.engine.plan(scope, integration.id, mode, limit);
    let plan = tokio::time::timeout(PLAN_LIMIT, work)
        .await
        .map_err(|_| {
            Problem::of(ErrorKind::Timeout).detail(format!(
                "reading for this plan takes longer than a request may ({} s): `stayzr sync plan \
                 --integration {}` has no such limit",
                PLAN_LIMIT.as_secs(),
                integration.id
            ))
        })?
        .map_err(refused_by_vendor)?;
    let plan = named(state.store.as_ref(), scope, plan).await?;
    answer(StatusCode::OK, &plan)
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
