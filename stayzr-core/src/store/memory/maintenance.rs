use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{idempotency, state::MemoryStore};
use crate::{Result, ids::JobId, port::setup::Maintenance, queue::JobStatus};

/// How long deliveries and runs are kept.
const KEEP: TimeDelta = TimeDelta::days(30);

#[async_trait]
impl Maintenance for MemoryStore {
    async fn migrate(&self) -> Result<()> {
        Ok(())
    }

    async fn pending_migrations(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn prove_isolation(&self) -> Result<()> {
        // Every read compares the organization itself; there is no setting that could be missing.
        Ok(())
    }

    async fn database_time(&self) -> Result<DateTime<Utc>> {
        Ok(self.clock.now())
    }

    async fn sweep(&self) -> Result<()> {
        let (mut state, now) = self.begin();
        state
            .jobs
            .drop_finished(JobStatus::Completed, now - TimeDelta::days(7));
        state
            .jobs
            .drop_finished(JobStatus::Failed, now - TimeDelta::days(90));
        let state = &mut *state;
        let jobs = &state.jobs;
        state.deliveries.retain(|id, delivery| {
            let unfinished = jobs.job(JobId::from(id.uuid())).is_some_and(|job| {
                matches!(job.status, JobStatus::Pending | JobStatus::Processing)
            });
            unfinished || delivery.received_at >= now - KEEP
        });
        state
            .runs
            .retain(|_, run| run.finished_at.is_none_or(|at| at >= now - KEEP));
        state
            .seen
            .retain(|_, request| request.begun_at >= now - idempotency::KEEP);
        Ok(())
    }
}
