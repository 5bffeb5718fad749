//! The durable queue: jobs that outlive a crash, claimed under a lease by one worker at a time.

#[cfg(feature = "worker")]
mod attempt;
mod backoff;
#[cfg(feature = "worker")]
mod handler;
mod job;
#[cfg(feature = "worker")]
mod wake;
#[cfg(feature = "worker")]
mod worker;

pub use backoff::Backoff;
#[cfg(feature = "worker")]
pub use handler::{AttemptEnd, AttemptObserver, Handler, HandlerResult};
pub use job::{Claimed, Job, JobFilter, JobOutcome, JobStatus, Lease, NewJob, Queue, QueueStats};
#[cfg(feature = "worker")]
pub use wake::Wakes;
#[cfg(feature = "worker")]
pub use worker::{Worker, WorkerConfig};
