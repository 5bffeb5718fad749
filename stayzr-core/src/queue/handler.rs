use std::time::Duration;

use async_trait::async_trait;

use super::{Claimed, Job, NewJob, Queue};
use crate::Result;

/// What a handler did with a job.
#[derive(Debug, Clone, PartialEq)]
pub enum HandlerResult {
    /// The handler ended the job itself, in a command such as `commit_turn` or `finish_send`.
    Finished,
    /// The job is done; these follow from it, stored with its completion.
    Complete(Vec<NewJob>),
    /// Not tried after all: back in the queue, the attempt does not count.
    Release,
}

/// Does the work of a queue.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Works on one job. The lease is kept alive meanwhile; if it is lost, the future is dropped at
    /// its next await.
    ///
    /// An error is tried again after a wait, at least as long as its `retry_after`, until the job
    /// has had its attempts. One that trying again cannot help ([`crate::ErrorKind::Invalid`],
    /// `NotFound`, `Forbidden`, `Unsupported`, `Corrupt`) fails the job at once. A panic counts as
    /// an error that is tried again.
    async fn handle(&self, claimed: Claimed) -> Result<HandlerResult>;

    /// Jobs of one organization with the same batch key may be worked on together by
    /// [`Handler::handle_batch`], as many as one claim brings ([`super::WorkerConfig::batch`]). None
    /// where a job is worked on alone. A job in the second half of its attempts is not asked about:
    /// it goes alone, so that it does not fail others again and again.
    fn batch_key(&self, job: &Job) -> Option<String> {
        let _ = job;
        None
    }

    /// Works on jobs of one batch key, at least two, and says of each, in their order, what became
    /// of it, as [`Handler::handle`] would; what is not said counts as an error that is tried again.
    ///
    /// Every lease is kept alive. While one of them holds the batch goes on: a job whose lease was
    /// lost is only not ended by this worker. So what is written under one job's lease must be safe
    /// to be done again by another worker for the others.
    async fn handle_batch(&self, claimed: Vec<Claimed>) -> Vec<Result<HandlerResult>> {
        let mut results = Vec::with_capacity(claimed.len());
        for claimed in claimed {
            results.push(self.handle(claimed).await);
        }
        results
    }
}

/// How an attempt ended, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptEnd {
    /// The job is done.
    Completed,
    /// It is tried again.
    Retried,
    /// It is given up.
    Failed,
    /// It went back in the queue untried.
    Released,
    /// Somebody else holds it now, and nothing was stored.
    LeaseLost,
}

impl AttemptEnd {
    /// A stable name in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Retried => "retried",
            Self::Failed => "failed",
            Self::Released => "released",
            Self::LeaseLost => "lease_lost",
        }
    }
}

/// Counts attempts.
pub trait AttemptObserver: Send + Sync + 'static {
    /// An attempt on a job of `queue` ended so, after so long.
    fn ended(&self, queue: Queue, end: AttemptEnd, took: Duration);
}
