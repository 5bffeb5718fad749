use std::time::Duration;

use stayzr_core::{
    model::{RunStatus, SyncRun},
    queue::{AttemptEnd, AttemptObserver, Queue},
};
use stayzr_pms::engine::RunObserver;
use stayzr_webhooks::receiver::{Observation, ReceiverObserver};

use crate::http::Metrics;

/// Counts attempts on jobs, runs of the synchronisation, and webhooks taken.
pub struct JobMetrics(pub Metrics);

impl AttemptObserver for JobMetrics {
    fn ended(&self, queue: Queue, end: AttemptEnd, took: Duration) {
        let queue = ("queue", queue.as_str());
        let labels = [queue, ("end", end.as_str())];
        self.0.count("stayzr_job_attempts_total", &labels, 1);
        self.0.time("stayzr_job_duration_seconds", &[queue], took);
    }
}

impl RunObserver for JobMetrics {
    fn ended(&self, provider: &str, run: &SyncRun) {
        let status = match run.status {
            RunStatus::Running => "running",
            RunStatus::Completed => "completed",
            RunStatus::Failed => "failed",
            RunStatus::Stopped => "stopped",
        };
        let (provider, mode) = (("provider", provider), ("mode", run.mode.as_str()));
        let labels = [provider, mode, ("status", status)];
        self.0.count("stayzr_pms_runs_total", &labels, 1);
        for (outcome, count) in [
            ("created", run.created),
            ("updated", run.updated),
            ("unchanged", run.unchanged),
            ("parked", run.parked),
            ("conflict", run.conflicts),
            ("gone", run.gone),
        ] {
            let labels = [provider, mode, ("outcome", outcome)];
            self.add("stayzr_pms_records_total", &labels, count);
        }
        let labels = [provider, mode];
        self.add("stayzr_pms_unknown_values_total", &labels, run.unknown);
    }

    fn took_events(&self, provider: &str, batches: u64) {
        let provider = ("provider", provider);
        self.0.count("stayzr_pms_event_polls_total", &[provider], 1);
        self.0
            .count("stayzr_pms_event_batches_total", &[provider], batches);
    }
}

impl JobMetrics {
    /// Adds a run's count; a zero too, so that what never happened can be seen not to happen.
    fn add(&self, name: &'static str, labels: &[(&'static str, &str)], by: i64) {
        self.0.count(name, labels, by.unsigned_abs());
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
        // Tells when no sender uses a replaced secret any more, so that it can be removed.
        if let Some(index) = observation.secret_index {
            let index = index.to_string();
            let labels = [provider, ("secret_index", index.as_str())];
            self.0.count("stayzr_webhook_secrets_total", &labels, 1);
        }
        self.0.time(
            "stayzr_webhook_duration_seconds",
            &[provider],
            observation.elapsed,
        );
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use stayzr_core::model::RunMode;
    use uuid::Uuid;

    use super::*;

    fn run(mode: RunMode, status: RunStatus) -> SyncRun {
        SyncRun {
            id: Uuid::nil().into(),
            organization_id: Uuid::nil().into(),
            integration_id: Uuid::nil().into(),
            mode,
            status,
            read: 9,
            created: 0,
            updated: 1,
            unchanged: 5,
            parked: 2,
            conflicts: 1,
            unknown: 4,
            gone: 3,
            error: None,
            started_at: DateTime::UNIX_EPOCH,
            finished_at: None,
        }
    }

    #[test]
    fn runs_are_counted_with_what_became_of_their_records() {
        let metrics = Metrics::new();
        let observer = JobMetrics(metrics.clone());
        let stopped = run(RunMode::Reconcile, RunStatus::Stopped);
        RunObserver::ended(&observer, "mews", &stopped);
        let completed = run(RunMode::Incremental, RunStatus::Completed);
        RunObserver::ended(&observer, "cloudbeds", &completed);
        let text = metrics.render();
        for line in [
            r#"stayzr_pms_runs_total{provider="mews",mode="reconcile",status="stopped"} 1"#,
            r#"stayzr_pms_records_total{provider="cloudbeds",mode="incremental",outcome="parked"} 2"#,
            r#"stayzr_pms_records_total{provider="mews",mode="reconcile",outcome="gone"} 3"#,
            r#"stayzr_pms_unknown_values_total{provider="cloudbeds",mode="incremental"} 4"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
