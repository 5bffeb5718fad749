//! The durable queue: jobs that outlive a crash, claimed under a lease by one worker at a time.

mod backoff;
mod job;

pub use backoff::Backoff;
pub use job::{Claimed, Job, JobFilter, JobOutcome, JobStatus, Lease, NewJob, Queue, QueueStats};
