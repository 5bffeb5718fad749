//! The queues as the API shows them.

use http::StatusCode;
use stayzr_core::{ids::JobId, queue::JobFilter};

use crate::http::{Call, Handled, Problem, json as answer};

pub(super) async fn list(call: Call) -> Handled {
    let filter = JobFilter {
        queue: call.query.parsed(
            "queue",
            "webhook_inbox, pms_sync_queue, agent_turn_queue or outbound_queue",
        )?,
        status: call
            .query
            .parsed("status", "PENDING, PROCESSING, COMPLETED or FAILED")?,
    };
    let page = call.query.page()?;
    let jobs = call.state.store.jobs(call.scope()?, &filter, &page).await?;
    answer(StatusCode::OK, &jobs)
}

pub(super) async fn retry(call: Call) -> Handled {
    let id: JobId = call.id("id", "job")?;
    let job = call.state.store.retry(call.scope()?, id).await?;
    call.state.wakes.wake(job.queue);
    answer(StatusCode::OK, &job)
}

pub(super) async fn cancel(call: Call) -> Handled {
    let id: JobId = call.id("id", "job")?;
    let job = call.state.store.cancel(call.scope()?, id).await?;
    answer(StatusCode::OK, &job)
}

pub(super) async fn item(call: Call) -> Handled {
    let id: JobId = call.id("id", "job")?;
    match call.state.store.job(call.scope()?, id).await? {
        Some(job) => answer(StatusCode::OK, &job),
        None => Err(Problem::not_found("job")),
    }
}
