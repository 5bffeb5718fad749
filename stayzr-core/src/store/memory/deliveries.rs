use async_trait::async_trait;

use super::state::MemoryStore;
use crate::{
    Result,
    ids::{DeliveryId, JobId},
    port::inbox::{Deliveries, Delivery, DeliveryRecord, REFUSED_KEPT, RefusedDelivery},
    tenant::TenantScope,
};

fn owned(delivery: &Delivery, scope: Option<TenantScope>) -> bool {
    let owner = delivery.scope.map(|owner| owner.organization_id);
    scope.is_none_or(|scope| owner == Some(scope.organization_id))
}

#[async_trait]
impl Deliveries for MemoryStore {
    async fn deliveries(
        &self,
        scope: Option<TenantScope>,
        limit: u32,
    ) -> Result<Vec<DeliveryRecord>> {
        let (state, _) = self.begin();
        let mut found: Vec<_> = state
            .deliveries
            .values()
            .filter(|delivery| owned(delivery, scope))
            .collect();
        found.sort_by_key(|delivery| std::cmp::Reverse(delivery.id));
        let record = |delivery: &Delivery| {
            let job = state.jobs.job(JobId::from(delivery.id.uuid()));
            DeliveryRecord {
                id: delivery.id,
                endpoint: delivery.endpoint.clone(),
                organization_id: delivery.scope.map(|scope| scope.organization_id),
                dedupe_id: delivery.dedupe_id.clone(),
                body_bytes: delivery.body.len() as u64,
                sha256: delivery.sha256.clone(),
                received_at: delivery.received_at,
                status: job.map(|job| job.status),
                last_error: job.and_then(|job| job.last_error.clone()),
            }
        };
        let limit = limit.clamp(1, 1000) as usize;
        Ok(found.into_iter().take(limit).map(record).collect())
    }

    async fn stored_delivery(
        &self,
        scope: Option<TenantScope>,
        id: DeliveryId,
    ) -> Result<Option<Delivery>> {
        let (state, _) = self.begin();
        let found = state.deliveries.get(&id).cloned();
        Ok(found.filter(|delivery| owned(delivery, scope)))
    }

    async fn remember_refused(&self, refused: Vec<RefusedDelivery>) -> Result<()> {
        let (mut state, _) = self.begin();
        state.refused.extend(refused);
        let surplus = state.refused.len().saturating_sub(REFUSED_KEPT as usize);
        state.refused.drain(..surplus);
        Ok(())
    }

    async fn refused(&self, limit: u32) -> Result<Vec<RefusedDelivery>> {
        let (state, _) = self.begin();
        let newest = state.refused.iter().rev().take(limit.max(1) as usize);
        Ok(newest.cloned().collect())
    }
}
