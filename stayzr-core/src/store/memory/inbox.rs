use async_trait::async_trait;

use super::state::{MemoryStore, not_found};
use crate::{
    Result,
    ids::{DeliveryId, JobId},
    port::inbox::{Acceptance, Delivery, Inbox},
    queue::Lease,
};

#[async_trait]
impl Inbox for MemoryStore {
    async fn accept_delivery(&self, delivery: Delivery) -> Result<Acceptance> {
        let (mut state, now) = self.begin();
        let seen = state.deliveries.contains_key(&delivery.id)
            || delivery.dedupe_id.is_some()
                && state.deliveries.values().any(|stored| {
                    stored.endpoint == delivery.endpoint && stored.dedupe_id == delivery.dedupe_id
                });
        if seen {
            return Ok(Acceptance::Duplicate);
        }
        let id = JobId::from(delivery.id.uuid());
        state.jobs.insert(id, delivery.job(), now);
        state.deliveries.insert(delivery.id, delivery);
        Ok(Acceptance::Stored)
    }

    async fn delivery(&self, lease: &Lease) -> Result<Delivery> {
        let (state, now) = self.begin();
        state.jobs.check(lease, now)?;
        state
            .deliveries
            .get(&DeliveryId::from(lease.job_id.uuid()))
            .cloned()
            .ok_or_else(|| not_found("memory.delivery", "delivery"))
    }
}
