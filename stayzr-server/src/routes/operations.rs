//! What operators and their machines ask: is it alive, is it ready, how is it doing.

use std::time::Instant;

use http::StatusCode;
use serde_json::{Value, json};
use stayzr_core::queue::Queue;

use crate::{
    http::{Call, Handled, json as answer, text},
    state::ServerState,
};

pub(super) async fn health(_: Call) -> Handled {
    answer(
        StatusCode::OK,
        &json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}),
    )
}

/// Ready once every dependency answers; 503 with the one that does not. Degraded, and still 200,
/// where one is silent that webhooks and the API do without.
pub(super) async fn ready(call: Call) -> Handled {
    let mut dependencies = Vec::with_capacity(call.state.probes.len());
    let (mut up, mut whole) = (true, true);
    for probe in &call.state.probes {
        let began = Instant::now();
        let name = probe.name();
        dependencies.push(match probe.check().await {
            Ok(()) => json!({"name": name, "status": "ok", "latency_ms": milliseconds(began)}),
            Err(error) => {
                tracing::error!(%error, name, "a dependency does not answer");
                whole = false;
                let mut down =
                    json!({"name": name, "status": "down", "code": error.kind().as_str()});
                match probe.without_it() {
                    Some(consequence) => down["consequence"] = consequence.into(),
                    None => up = false,
                }
                down
            }
        });
    }
    let queues = queues(&call.state).await;
    let (status, word) = match (up && queues.is_ok(), whole) {
        (true, true) => (StatusCode::OK, "ready"),
        (true, false) => (StatusCode::OK, "degraded"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
    };
    let queues = queues.unwrap_or_default();
    answer(
        status,
        &json!({"status": word, "dependencies": dependencies, "queues": queues}),
    )
}

/// The age of the oldest due job of each queue.
async fn queues(state: &ServerState) -> stayzr_core::Result<Vec<Value>> {
    let mut queues = Vec::with_capacity(Queue::ALL.len());
    let now = state.clock.now();
    for queue in Queue::ALL {
        let oldest = state.store.oldest_due(queue).await?;
        let seconds = oldest.map(|at| (now - at).as_seconds_f64().max(0.0));
        state.metrics.gauge(
            "stayzr_queue_oldest_job_seconds",
            &[("queue", queue.as_str())],
            seconds.unwrap_or(0.0),
        );
        queues.push(json!({"queue": queue, "oldest_job_seconds": seconds}));
    }
    Ok(queues)
}

pub(super) async fn metrics(call: Call) -> Handled {
    let up = match queues(&call.state).await {
        Ok(_) => 1.0,
        Err(_) => 0.0,
    };
    call.state.metrics.gauge("stayzr_store_up", &[], up);
    Ok(text(
        "text/plain; version=0.0.4; charset=utf-8",
        call.state.metrics.render(),
    ))
}

fn milliseconds(began: Instant) -> f64 {
    (began.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
}
