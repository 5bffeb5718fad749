//! The five questions that come before a tenant is known.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result,
    ids::{ChannelAccountId, IntegrationId},
    model::Channel,
    queue::{Claimed, Queue},
    tenant::{Principal, TenantScope},
};

/// Which integration is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntegrationQuery {
    /// By its id.
    Id(IntegrationId),
    /// By the vendor account and the property's id there.
    Remote {
        /// The provider.
        provider: String,
        /// The vendor account.
        account: String,
        /// The property's id at the vendor.
        remote_property_id: String,
    },
}

/// Whose an integration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationOwner {
    /// The integration.
    pub id: IntegrationId,
    /// Its organization and property.
    pub scope: TenantScope,
    /// Its provider.
    pub provider: String,
    /// Its vendor account.
    pub account: String,
}

/// Whose a channel account is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelOwner {
    /// The account.
    pub id: ChannelAccountId,
    /// Its organization and property.
    pub scope: TenantScope,
}

/// Answers with scopes and leases, never with rows of a tenant.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Who is this token? `hash` is the SHA-256 of the token in hexadecimal. A revoked token is
    /// nobody.
    async fn principal(&self, hash: &str) -> Result<Option<Principal>>;

    /// Whose is the account with this address?
    async fn channel_owner(&self, channel: Channel, address: &str) -> Result<Option<ChannelOwner>>;

    /// Whose is this integration? A disabled one is still somebody's.
    async fn integration_owner(&self, query: &IntegrationQuery)
    -> Result<Option<IntegrationOwner>>;

    /// Which jobs are next? Claims up to `limit` due jobs of `queue` for `worker` until
    /// `now + lease`, and counts an attempt for each.
    ///
    /// Jobs of one lane (queue and organization) come in order of priority, then age; lanes take
    /// turns. A job waits while an older one with its key is unfinished. Jobs whose lease ran out
    /// are due again; one that ran out on its last attempt is FAILED instead. Finished jobs are
    /// not scanned: a claim reads forward from a position kept for each lane.
    async fn claim(
        &self,
        queue: Queue,
        worker: &str,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<Claimed>>;

    /// How old is the oldest job of `queue` that is due and unclaimed? None if there is none.
    async fn oldest_due(&self, queue: Queue) -> Result<Option<DateTime<Utc>>>;
}
