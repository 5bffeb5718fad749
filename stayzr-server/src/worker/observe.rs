use std::time::Duration;

use stayzr_core::queue::{AttemptEnd, AttemptObserver, Queue};
use stayzr_webhooks::receiver::{Observation, ReceiverObserver};

use crate::http::Metrics;

/// Counts attempts on jobs and webhooks taken.
pub struct JobMetrics(pub Metrics);

impl AttemptObserver for JobMetrics {
    fn ended(&self, queue: Queue, end: AttemptEnd, took: Duration) {
        let queue = ("queue", queue.as_str());
        let labels = [queue, ("end", end.as_str())];
        self.0.count("stayzr_job_attempts_total", &labels, 1);
        self.0.time("stayzr_job_duration_seconds", &[queue], took);
    }
}

impl ReceiverObserver for JobMetrics {
    fn observe(&self, observation: &Observation<'_>) {
        let provider = ("provider", observation.provider);
        let labels = [
            provider,
            ("verdict", observation.verdict.as_str()),
            ("reason", observation.reason),
        ];
        self.0.count("stayzr_webhooks_total", &labels, 1);
        self.0.time(
            "stayzr_webhook_duration_seconds",
            &[provider],
            observation.elapsed,
        );
    }
}
