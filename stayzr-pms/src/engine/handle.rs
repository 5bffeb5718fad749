//! Works on the jobs of the sync queue.

use std::collections::HashSet;

use async_trait::async_trait;
use stayzr_core::{
    Error, ErrorKind, Result,
    ids::IntegrationId,
    model::{RunStatus, SyncRun},
    queue::{Claimed, Handler, HandlerResult, Job, NewJob},
    tenant::TenantScope,
    transform::EntityKind,
};

use super::{job::SyncJob, session::SyncEngine, targeted::Named};

/// The worker of [`stayzr_core::queue::Queue::PmsSyncQueue`] runs this.
///
/// Reads of named records of one kind are worked on together: a thousand events about ten
/// reservations are one call to a vendor that takes ten ids. They are written under the lease of
/// the first job. A worker that lost another's lease may merge its record too: whoever took the
/// lease reads it again, and marks and revisions settle who is right, as they do for any two reads.
#[async_trait]
impl Handler for SyncEngine {
    async fn handle(&self, claimed: Claimed) -> Result<HandlerResult> {
        let scope = scope_of(&claimed.job)?;
        let lease = Some(&claimed.lease);
        match SyncJob::parse(&claimed.job.payload)? {
            SyncJob::Run {
                integration_id,
                mode,
                accept_missing,
            } => {
                let run = self
                    .start(scope, integration_id, mode, accept_missing, lease)
                    .await?;
                say(&run);
            }
            SyncJob::Targeted { .. } => {
                let mut read = self.read_together(&[&claimed]).await?;
                return Ok(HandlerResult::Complete(read.pop().unwrap_or_default()));
            }
            SyncJob::Push {
                integration_id,
                kind,
                id,
            } => {
                self.push(scope, integration_id, kind, id, lease).await?;
            }
            SyncJob::Events { integration_id } => {
                let jobs = self.take_events(scope, integration_id, lease).await?;
                return Ok(HandlerResult::Complete(jobs));
            }
            SyncJob::Messages {
                integration_id,
                ids,
            } => {
                let new = self.read_messages(scope, integration_id, ids).await?;
                tracing::debug!(%integration_id, new, "messages read");
            }
        }
        Ok(HandlerResult::Complete(Vec::new()))
    }

    fn batch_key(&self, job: &Job) -> Option<String> {
        match SyncJob::parse(&job.payload).ok()? {
            SyncJob::Targeted {
                integration_id,
                kind,
                ..
            } => Some(format!("{integration_id}:{kind}")),
            _ => None,
        }
    }

    async fn handle_batch(&self, claimed: Vec<Claimed>) -> Vec<Result<HandlerResult>> {
        let all: Vec<&Claimed> = claimed.iter().collect();
        match self.read_together(&all).await {
            Ok(follow_ups) => follow_ups
                .into_iter()
                .map(|jobs| Ok(HandlerResult::Complete(jobs)))
                .collect(),
            // The vendor cannot be reached now: no job would fare better alone.
            Err(error) if is_for_all(error.kind()) => {
                claimed.iter().map(|_| Err(repeat(&error))).collect()
            }
            Err(error) => {
                tracing::warn!(%error, jobs = claimed.len(), "reads are tried one by one");
                let mut results = Vec::with_capacity(claimed.len());
                for claimed in claimed {
                    results.push(self.handle(claimed).await);
                }
                results
            }
        }
    }
}

impl SyncEngine {
    /// Reads what these jobs ask for, all of one integration and kind, and returns what follows
    /// from each.
    async fn read_together(&self, claimed: &[&Claimed]) -> Result<Vec<Vec<NewJob>>> {
        let mut wanted: Vec<Vec<String>> = Vec::with_capacity(claimed.len());
        let mut second = HashSet::new();
        let mut of: Option<(TenantScope, IntegrationId, EntityKind)> = None;
        for claimed in claimed {
            let SyncJob::Targeted {
                integration_id,
                kind,
                ids,
                doubted,
            } = SyncJob::parse(&claimed.job.payload)?
            else {
                return Err(Error::internal("sync.job", "not a read of named records"));
            };
            let this = (scope_of(&claimed.job)?, integration_id, kind);
            let (_, first_integration, first_kind) = *of.get_or_insert(this);
            if (first_integration, first_kind) != (integration_id, kind) {
                return Err(Error::internal("sync.job", "reads of different kinds"));
            }
            if doubted {
                second.extend(ids.iter().cloned());
            }
            wanted.push(ids);
        }
        let Some((scope, integration_id, kind)) = of else {
            return Ok(Vec::new());
        };
        let ids: Vec<String> = wanted.iter().flatten().cloned().collect();
        let named = Named {
            kind,
            ids: &ids,
            doubted: &second,
        };
        let lease = claimed.first().map(|claimed| &claimed.lease);
        let read = self.named(scope, integration_id, &named, lease).await?;
        let at = self.clock.now() + self.options.late_read;
        let mut doubted: HashSet<String> = read.doubted.into_iter().collect();
        Ok(wanted
            .iter()
            .map(|ids| {
                ids.iter()
                    .filter(|id| doubted.remove(*id))
                    .map(|id| SyncJob::look_again(scope, integration_id, kind, id, at))
                    .collect()
            })
            .collect())
    }
}

fn scope_of(job: &Job) -> Result<TenantScope> {
    job.scope().ok_or_else(|| {
        Error::new(ErrorKind::Corrupt, "sync.job", "the job names no tenant").with("id", job.id)
    })
}

fn say(run: &SyncRun) {
    let integration_id = run.integration_id;
    if run.status == RunStatus::Stopped {
        let reason = run.error.as_deref().unwrap_or_default();
        tracing::warn!(%integration_id, reason, "the run waits for a person");
    }
    tracing::info!(
        %integration_id,
        mode = run.mode.as_str(),
        read = run.read,
        created = run.created,
        updated = run.updated,
        parked = run.parked,
        conflicts = run.conflicts,
        gone = run.gone,
        "synchronised"
    );
}

/// Whether an error is about the vendor or the store as a whole rather than about one of many
/// records.
const fn is_for_all(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unauthorized
            | ErrorKind::RateLimited
            | ErrorKind::Unavailable
            | ErrorKind::Timeout
    )
}

/// The same error for another job.
fn repeat(error: &Error) -> Error {
    let mut again = Error::new(
        error.kind(),
        error.operation().to_owned(),
        error.message().to_owned(),
    );
    for (key, value) in error.context() {
        again = again.with(key, value);
    }
    match error.retry_after() {
        Some(wait) => again.with_retry_after(wait),
        None => again,
    }
}
