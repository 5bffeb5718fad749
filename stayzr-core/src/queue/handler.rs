use std::time::Duration;

use async_trait::async_trait;

use super::{Claimed, NewJob, Queue};
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
