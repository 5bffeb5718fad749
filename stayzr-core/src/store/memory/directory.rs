use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::state::MemoryStore;
use crate::{
    Result,
    model::Channel,
    port::directory::{ChannelOwner, Directory, IntegrationOwner, IntegrationQuery},
    queue::{Claimed, Queue},
    tenant::{Principal, TenantScope},
};

#[async_trait]
impl Directory for MemoryStore {
    async fn principal(&self, hash: &str) -> Result<Option<Principal>> {
        let state = self.lock();
        let entry = state
            .tokens
            .values()
            .find(|entry| !entry.revoked && entry.token.hash == hash);
        Ok(entry.map(|entry| entry.token.principal.clone()))
    }

    async fn channel_owner(&self, channel: Channel, address: &str) -> Result<Option<ChannelOwner>> {
        let state = self.lock();
        let account = state
            .accounts
            .values()
            .find(|account| account.channel == channel && account.address == address);
        Ok(account.map(|account| ChannelOwner {
            id: account.id,
            scope: TenantScope::property(account.organization_id, account.property_id),
        }))
    }

    async fn integration_owner(
        &self,
        query: &IntegrationQuery,
    ) -> Result<Option<IntegrationOwner>> {
        let state = self.lock();
        let integration = state.integrations.values().find(|found| match query {
            IntegrationQuery::Id(id) => found.id == *id,
            IntegrationQuery::Remote {
                provider,
                account,
                remote_property_id,
            } => {
                found.provider == *provider
                    && found.account == *account
                    && found.remote_property_id == *remote_property_id
            }
        });
        Ok(integration.map(|found| IntegrationOwner {
            id: found.id,
            scope: TenantScope::property(found.organization_id, found.property_id),
            provider: found.provider.clone(),
            account: found.account.clone(),
        }))
    }

    async fn claim(
        &self,
        queue: Queue,
        worker: &str,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<Claimed>> {
        let (mut state, now) = self.begin();
        let until = now + TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX);
        let (claimed, failed) = state.jobs.claim(queue, worker, limit, until, now);
        for id in failed {
            state.job_failed(id, now);
        }
        Ok(claimed)
    }

    async fn oldest_due(&self, queue: Queue) -> Result<Option<DateTime<Utc>>> {
        let (state, now) = self.begin();
        Ok(state.jobs.oldest_due(now, |job| job.queue == queue))
    }
}
