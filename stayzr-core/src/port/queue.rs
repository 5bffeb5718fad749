//! Jobs: storing, holding, finishing and looking at them.

use std::time::Duration;

use async_trait::async_trait;

use super::{Page, PageRequest};
use crate::{
    Result,
    ids::JobId,
    queue::{Job, JobFilter, JobOutcome, Lease, NewJob, QueueStats},
    tenant::TenantScope,
};

/// The durable queue. Claiming is [`super::directory::Directory::claim`].
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Stores jobs, all or none. Returns an id for each; for one that was dropped because of its
    /// dedupe key, the id of the job that waits already.
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<JobId>>;

    /// Holds a job longer: until `now + lease`. [`crate::ErrorKind::Conflict`] if the lease was
    /// lost.
    async fn heartbeat(&self, lease: &Lease, extend: Duration) -> Result<Lease>;

    /// Ends an attempt and stores what follows from it, at once. [`crate::ErrorKind::Conflict`],
    /// and nothing stored, if the lease was lost.
    async fn finish(
        &self,
        lease: &Lease,
        outcome: JobOutcome,
        follow_ups: Vec<NewJob>,
    ) -> Result<()>;

    /// One job, finished ones too.
    async fn job(&self, scope: TenantScope, id: JobId) -> Result<Option<Job>>;

    /// Jobs, the newest first, finished ones too.
    async fn jobs(
        &self,
        scope: TenantScope,
        filter: &JobFilter,
        page: &PageRequest,
    ) -> Result<Page<Job>>;

    /// Puts a FAILED job back, with its attempts counted from zero.
    /// [`crate::ErrorKind::Conflict`] if it is not FAILED.
    async fn retry(&self, scope: TenantScope, id: JobId) -> Result<Job>;

    /// Ends a PENDING job as FAILED with the error `cancelled`. [`crate::ErrorKind::Conflict`] if
    /// it is not PENDING.
    async fn cancel(&self, scope: TenantScope, id: JobId) -> Result<Job>;

    /// Every queue of an organization in figures.
    async fn stats(&self, scope: TenantScope) -> Result<Vec<QueueStats>>;
}
