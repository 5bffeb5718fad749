use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use stayzr_core::{
    ErrorKind, Result,
    clock::Clock,
    ids::IntegrationId,
    model::{ConflictStatus, Integration, IntegrationStatus, RunMode},
    port::{PageRequest, Store, conflict::ConflictFilter},
    queue::{Queue, Wakes},
    tenant::TenantScope,
    transform::EntityKind,
};
use stayzr_pms::{
    config::{ProviderConfig, WebhookMode},
    engine::SyncJob,
};
use tokio_util::sync::CancellationToken;

use crate::{document::connection_config, http::Metrics};

/// How often the scheduler looks whether something is due.
const LOOK: Duration = Duration::from_secs(10);

/// How often finished jobs are rotated out and open conflicts are counted.
const SWEEP: Duration = Duration::from_secs(60);

/// Asks for incremental runs and reconciliations when they are due, sweeps the store, and counts what
/// waits for a person.
///
/// Several processes may schedule at once: a run that waits already, or that another process asked
/// for, is not doubled.
pub struct Scheduler {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Wakes the sync worker.
    pub wakes: Wakes,
    /// Shows what waits for a person.
    pub metrics: Metrics,
}

/// Schedules until `stop`.
pub async fn schedule(scheduler: Scheduler, stop: CancellationToken) {
    let mut asked = Asked::new();
    let mut swept = tokio::time::Instant::now();
    let mut counted: Option<tokio::time::Instant> = None;
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
        if counted.is_none_or(|counted| counted.elapsed() >= SWEEP) {
            counted = Some(tokio::time::Instant::now());
            if let Err(error) = scheduler.count_conflicts().await {
                tracing::warn!(%error, "open conflicts could not be counted");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// When a run of each mode was last asked for. Targeted stands for the question what happened, which
/// leads to targeted runs.
type Asked = HashMap<(IntegrationId, RunMode), DateTime<Utc>>;

impl Scheduler {
    async fn ask(&self, asked: &mut Asked) -> Result<()> {
        let now = self.clock.now();
        let mut jobs = Vec::new();
        for organization in self.store.organizations().await? {
            let scope = TenantScope::organization(organization.id);
            for integration in self.store.integrations(scope).await? {
                // One whose credentials are refused is tried on: the hotel may let us in again.
                if integration.status == IntegrationStatus::Disabled {
                    continue;
                }
                // What cannot be read fails the run, where it is seen, and nobody else's.
                let config = match connection_config(&*self.store, scope, &integration).await {
                    Err(error) if error.kind() == ErrorKind::Invalid => ProviderConfig::default(),
                    config => config?,
                };
                let mut due = vec![
                    (RunMode::Incremental, config.sync_interval_seconds),
                    (RunMode::Reconcile, config.reconcile.interval_seconds),
                ];
                if config.webhook == WebhookMode::Poll {
                    due.push((RunMode::Targeted, config.events_interval_seconds));
                }
                for (mode, seconds) in due {
                    if self.is_due(&integration, mode, seconds, asked, now).await? {
                        asked.insert((integration.id, mode), now);
                        let scope = TenantScope::property(organization.id, integration.property_id);
                        jobs.push(match mode {
                            RunMode::Targeted => SyncJob::events(scope, integration.id),
                            _ => SyncJob::run(scope, integration.id, mode),
                        });
                    }
                }
            }
        }
        if !jobs.is_empty() {
            self.store.enqueue(jobs).await?;
            self.wakes.wake(Queue::PmsSyncQueue);
        }
        Ok(())
    }

    /// Shows how many conflicts wait for a person, by kind of row.
    async fn count_conflicts(&self) -> Result<()> {
        let mut open: BTreeMap<EntityKind, u64> =
            EntityKind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        let filter = ConflictFilter {
            status: Some(ConflictStatus::Open),
            ..ConflictFilter::default()
        };
        for organization in self.store.organizations().await? {
            let scope = TenantScope::organization(organization.id);
            let mut page = PageRequest {
                limit: 1000,
                cursor: None,
            };
            loop {
                let found = self.store.conflicts(scope, &filter, &page).await?;
                for conflict in found.items {
                    *open.entry(conflict.entity).or_default() += 1;
                }
                match found.next_cursor {
                    Some(cursor) => page.cursor = Some(cursor),
                    None => break,
                }
            }
        }
        for (kind, count) in open {
            #[allow(clippy::cast_precision_loss, reason = "a gauge is a float")]
            let count = count as f64;
            let labels = [("kind", kind.as_str())];
            self.metrics
                .gauge("stayzr_pms_conflicts_open", &labels, count);
        }
        Ok(())
    }

    async fn is_due(
        &self,
        integration: &Integration,
        mode: RunMode,
        seconds: u64,
        asked: &mut Asked,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let interval = TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000));
        let name = (integration.id, mode);
        let is_over = |last: DateTime<Utc>| now - last >= interval;
        if asked.get(&name).is_some_and(|last| !is_over(*last)) {
            return Ok(false);
        }
        // Not in this process; another may have asked.
        let last = match mode {
            RunMode::Reconcile => Some(self.last_sweep(integration).await?),
            RunMode::Targeted => self.last_question(integration).await?,
            _ => self.last_run(integration).await?,
        };
        if let Some(last) = last {
            asked.insert(name, last);
        }
        Ok(last.is_none_or(is_over))
    }

    /// When the last reconciliation ended, in whichever process; the first one is due an interval
    /// after the integration was made, since its first run reads everything anyway.
    async fn last_sweep(&self, integration: &Integration) -> Result<DateTime<Utc>> {
        let scope = TenantScope::property(integration.organization_id, integration.property_id);
        let mut last = integration.created_at;
        for kind in EntityKind::ALL {
            let cursor = self
                .store
                .cursor(scope, integration.id, kind, RunMode::Reconcile)
                .await?;
            last = last.max(cursor.and_then(|cursor| cursor.watermark).unwrap_or(last));
        }
        Ok(last)
    }

    /// When the vendor was last asked what happened, in whichever process.
    async fn last_question(&self, integration: &Integration) -> Result<Option<DateTime<Utc>>> {
        let scope = TenantScope::property(integration.organization_id, integration.property_id);
        let (kind, mode) = (EntityKind::Property, RunMode::Targeted);
        let cursor = self.store.cursor(scope, integration.id, kind, mode).await?;
        Ok(cursor.and_then(|cursor| cursor.watermark))
    }

    /// When the last run began that read what changed, in whichever process, if it is among the
    /// newest.
    async fn last_run(&self, integration: &Integration) -> Result<Option<DateTime<Utc>>> {
        let scope = TenantScope::property(integration.organization_id, integration.property_id);
        let newest = PageRequest::default();
        let runs = self.store.runs(scope, integration.id, &newest).await?;
        let mut read = runs
            .items
            .iter()
            .filter(|run| run.mode != RunMode::Targeted);
        Ok(read.next().map(|run| run.started_at))
    }
}
