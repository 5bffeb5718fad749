//! Requests that may be sent twice and must happen once.

use async_trait::async_trait;

use crate::{Result, tenant::TenantScope};

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: String,
}

/// What to do with a request that carries an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyCheck {
    /// First seen: do it, then [`Idempotency::complete`].
    Proceed,
    /// Answered before: give the same answer again.
    Replay(StoredResponse),
    /// The same key came with another request.
    Mismatch,
    /// The first one is still running.
    Running,
}

/// Remembers requests by (organization, route, key) for 24 hours.
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Claims a key for a request with this fingerprint. One that ran for over a minute without an
    /// answer is taken for dead and may proceed again.
    async fn begin(
        &self,
        scope: TenantScope,
        route: &str,
        key: &str,
        fingerprint: &str,
    ) -> Result<IdempotencyCheck>;

    /// Stores the answer; none gives the key free, as after an error of ours.
    async fn complete(
        &self,
        scope: TenantScope,
        route: &str,
        key: &str,
        response: Option<StoredResponse>,
    ) -> Result<()>;
}
