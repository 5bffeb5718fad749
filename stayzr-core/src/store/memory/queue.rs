use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;

use super::{
    jobs::Jobs,
    page,
    state::{MemoryStore, State, not_found},
};
use crate::{
    Result,
    ids::JobId,
    port::{Page, PageRequest, queue::JobQueue},
    queue::{Job, JobFilter, JobOutcome, JobStatus, Lease, NewJob, Queue, QueueStats},
    tenant::TenantScope,
};

#[async_trait]
impl JobQueue for MemoryStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<JobId>> {
        Jobs::check_new(&jobs)?;
        let mut state = self.lock();
        Ok(jobs
            .into_iter()
            .map(|job| state.jobs.enqueue(job, &*self.clock))
            .collect())
    }

    async fn heartbeat(&self, lease: &Lease, extend: Duration) -> Result<Lease> {
        let (mut state, now) = self.begin();
        let until = now + TimeDelta::from_std(extend).unwrap_or(TimeDelta::MAX);
        state.jobs.extend(lease, until, now)
    }

    async fn finish(
        &self,
        lease: &Lease,
        outcome: JobOutcome,
        follow_ups: Vec<NewJob>,
    ) -> Result<()> {
        Jobs::check_new(&follow_ups)?;
        let (mut state, now) = self.begin();
        if state.jobs.finish(lease, outcome, now)? {
            state.job_failed(lease.job_id, now);
        }
        for job in follow_ups {
            state.jobs.enqueue(job, &*self.clock);
        }
        Ok(())
    }

    async fn job(&self, scope: TenantScope, id: JobId) -> Result<Option<Job>> {
        Ok(self.lock().job_in(scope, id).cloned())
    }

    async fn jobs(
        &self,
        scope: TenantScope,
        filter: &JobFilter,
        page: &PageRequest,
    ) -> Result<Page<Job>> {
        let before: Option<JobId> = page::after(page)?;
        let state = self.lock();
        let jobs = state
            .jobs
            .newest()
            .filter(|job| in_scope(job, scope))
            .filter(|job| filter.queue.is_none_or(|queue| job.queue == queue))
            .filter(|job| filter.status.is_none_or(|status| job.status == status))
            .filter(|job| before.is_none_or(|before| job.id < before))
            .map(|job| (job.id, job.clone()));
        Ok(page::cut(jobs, page))
    }

    async fn retry(&self, scope: TenantScope, id: JobId) -> Result<Job> {
        let (mut state, now) = self.begin();
        state
            .job_in(scope, id)
            .ok_or_else(|| not_found("memory.retry", "job"))?;
        let job = state.jobs.retry(id, now)?;
        state.job_retried(id, now);
        Ok(job)
    }

    async fn cancel(&self, scope: TenantScope, id: JobId) -> Result<Job> {
        let (mut state, now) = self.begin();
        state
            .job_in(scope, id)
            .ok_or_else(|| not_found("memory.cancel", "job"))?;
        let job = state.jobs.cancel(id, now)?;
        state.job_failed(id, now);
        Ok(job)
    }

    async fn stats(&self, scope: TenantScope) -> Result<Vec<QueueStats>> {
        let (state, now) = self.begin();
        Ok(Queue::ALL
            .into_iter()
            .map(|queue| {
                let of = |job: &Job| job.queue == queue && in_scope(job, scope);
                let count = |status| {
                    let jobs = state.jobs.newest();
                    jobs.filter(|job| of(job) && job.status == status).count()
                };
                let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
                let oldest = state.jobs.oldest_due(now, of);
                QueueStats {
                    queue,
                    pending: number(count(JobStatus::Pending)),
                    processing: number(count(JobStatus::Processing)),
                    failed: number(count(JobStatus::Failed)),
                    oldest_seconds: oldest.map(|at| (now - at).as_seconds_f64()),
                }
            })
            .collect())
    }
}

impl State {
    fn job_in(&self, scope: TenantScope, id: JobId) -> Option<&Job> {
        self.jobs.job(id).filter(|job| in_scope(job, scope))
    }
}

fn in_scope(job: &Job, scope: TenantScope) -> bool {
    job.organization_id == Some(scope.organization_id) && scope.sees(job.property_id)
}
