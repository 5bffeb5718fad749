use std::time::Duration;

use async_trait::async_trait;

use crate::Result;

/// How urgent a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Writes, prices for a guest, and what a webhook asked to fetch: may take the burst.
    High,
    /// Backfill and sweeps: paced, and leaves the burst to others.
    Low,
}

/// Holds calls back so that a vendor's limit is kept.
#[async_trait]
pub trait Limiter: Send + Sync {
    /// Returns once a call for this key may be made, and counts it; make it at once. Dropping the
    /// future before that makes no call; at worst one that was counted is not used.
    ///
    /// An error means that the call must not be made: [`crate::ErrorKind::RateLimited`], with how
    /// long to wait, where that is longer than a worker should wait for;
    /// [`crate::ErrorKind::Unavailable`] where the state of the limit cannot be reached.
    async fn acquire(&self, key: &str, priority: Priority) -> Result<()>;

    /// The vendor asked for silence, as with `Retry-After`: no call for this key is let through
    /// before that time is over, at most [`super::LONGEST_HOLD`], nor a burst right after it.
    async fn hold(&self, key: &str, wait: Duration) -> Result<()>;
}
