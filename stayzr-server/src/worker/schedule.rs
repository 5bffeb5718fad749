use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use stayzr_core::{
    Result,
    clock::Clock,
    ids::IntegrationId,
    model::{Integration, IntegrationStatus, RunMode},
    port::{PageRequest, Store},
    queue::{Queue, Wakes},
    tenant::TenantScope,
};
use stayzr_pms::engine::SyncJob;
use tokio_util::sync::CancellationToken;

use crate::providers::provider_config;

/// How often the scheduler looks whether something is due.
const LOOK: Duration = Duration::from_secs(10);

/// How often finished jobs are rotated out.
const SWEEP: Duration = Duration::from_secs(60);

/// Asks for incremental runs when they are due, and sweeps the store.
///
/// Several processes may schedule at once: a run that waits already is not doubled.
pub struct Scheduler {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Wakes the sync worker.
    pub wakes: Wakes,
}

/// Schedules until `stop`.
pub async fn schedule(scheduler: Scheduler, stop: CancellationToken) {
    let mut asked = HashMap::new();
    let mut swept = tokio::time::Instant::now();
    loop {
        if let Err(error) = scheduler.ask(&mut asked).await {
            tracing::warn!(%error, "runs could not be scheduled");
        }
        if swept.elapsed() >= SWEEP {
            swept = tokio::time::Instant::now();
            if let Err(error) = scheduler.store.sweep().await {
                tracing::warn!(%error, "the store could not be swept");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

impl Scheduler {
    async fn ask(&self, asked: &mut HashMap<IntegrationId, DateTime<Utc>>) -> Result<()> {
        let now = self.clock.now();
        let mut jobs = Vec::new();
        for organization in self.store.organizations().await? {
            let scope = TenantScope::organization(organization.id);
            for integration in self.store.integrations(scope).await? {
                if self.is_due(&integration, asked, now).await? {
                    asked.insert(integration.id, now);
                    let scope = TenantScope::property(organization.id, integration.property_id);
                    jobs.push(SyncJob::run(scope, integration.id, RunMode::Incremental));
                }
            }
        }
        if !jobs.is_empty() {
            self.store.enqueue(jobs).await?;
            self.wakes.wake(Queue::PmsSyncQueue);
        }
        Ok(())
    }

    async fn is_due(
        &self,
        integration: &Integration,
        asked: &mut HashMap<IntegrationId, DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        // One whose credentials are refused is tried on: the hotel may let us in again.
        if integration.status == IntegrationStatus::Disabled {
            return Ok(false);
        }
        let seconds = provider_config(&integration.settings)?.sync_interval_seconds;
        let interval = TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000));
        let last = match asked.get(&integration.id) {
            Some(last) => Some(*last),
            None => self.last_run(integration).await?,
        };
        if let Some(last) = last {
            asked.insert(integration.id, last);
        }
        Ok(last.is_none_or(|last| now - last >= interval))
    }

    /// When the last run began, in whichever process.
    async fn last_run(&self, integration: &Integration) -> Result<Option<DateTime<Utc>>> {
        let scope = TenantScope::property(integration.organization_id, integration.property_id);
        let newest = PageRequest {
            limit: 1,
            cursor: None,
        };
        let runs = self.store.runs(scope, integration.id, &newest).await?;
        Ok(runs.items.first().map(|run| run.started_at))
    }
}
