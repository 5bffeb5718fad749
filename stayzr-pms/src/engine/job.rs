//! The jobs of the sync queue.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stayzr_core::{
    Error, Result,
    ids::IntegrationId,
    model::{PmsEvent, RunMode},
    port::directory::IntegrationOwner,
    queue::{NewJob, Queue},
    tenant::TenantScope,
    transform::{EntityKind, FieldMap},
};
use uuid::Uuid;

/// Up to so many records of one kind in a delivery become a job each, so that many deliveries
/// about the same few records leave one waiting job for each; more become batches.
const SINGLE_UP_TO: usize = 10;

/// At most so many records in one job.
const BATCH: usize = 500;

/// What a job of [`Queue::PmsSyncQueue`] does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SyncJob {
    /// Read everything, or what changed.
    Run {
        /// The integration.
        integration_id: IntegrationId,
        /// What to read.
        mode: RunMode,
        /// For a reconciliation: mark what is missing, however much it is.
        #[serde(default, skip_serializing_if = "is_false")]
        accept_missing: bool,
    },
    /// Read these records.
    Targeted {
        /// The integration.
        integration_id: IntegrationId,
        /// What kind of records.
        kind: EntityKind,
        /// Their ids at the vendor.
        ids: Vec<String>,
        /// The vendor did not know them a while ago: those it still does not know are gone.
        #[serde(default, skip_serializing_if = "is_false")]
        doubted: bool,
    },
    /// Tell the vendor what was changed here.
    Push {
        /// The integration.
        integration_id: IntegrationId,
        /// What kind of row.
        kind: EntityKind,
        /// Our id of the row.
        id: Uuid,
    },
    /// Ask what happened.
    Events {
        /// The integration.
        integration_id: IntegrationId,
    },
    /// Read these messages of threads.
    Messages {
        /// The integration.
        integration_id: IntegrationId,
        /// Their ids at the vendor.
        ids: Vec<String>,
    },
}

impl SyncJob {
    /// The job of a payload; [`stayzr_core::ErrorKind::Corrupt`] if it is not one.
    pub fn parse(payload: &serde_json::Value) -> Result<Self> {
        Self::deserialize(payload).map_err(|error| {
            Error::corrupt("sync.job", "the payload is not a job of this queue").with_source(error)
        })
    }

    /// A run. Runs of an integration take turns; one that waits already is not doubled.
    pub fn run(scope: TenantScope, integration_id: IntegrationId, mode: RunMode) -> NewJob {
        Self::run_with(scope, integration_id, mode, false)
    }

    /// A reconciliation that marks what is missing at the vendor, however much it is.
    pub fn reconcile_accepting(scope: TenantScope, integration_id: IntegrationId) -> NewJob {
        Self::run_with(scope, integration_id, RunMode::Reconcile, true)
    }

    fn run_with(
        scope: TenantScope,
        integration_id: IntegrationId,
        mode: RunMode,
        accept_missing: bool,
    ) -> NewJob {
        let name = match accept_missing {
            true => "accept-missing",
            false => mode.as_str(),
        };
        Self::Run {
            integration_id,
            mode,
            accept_missing,
        }
        .enqueue(scope)
        .key(format!("pms:{integration_id}:run"))
        .dedupe(format!("pms:{integration_id}:run:{name}"))
    }

    /// A push of a row. Pushes of one row go in order; one that waits already sends what the row
    /// holds when it runs, so it is not doubled.
    pub fn push(
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        id: Uuid,
    ) -> NewJob {
        Self::Push {
            integration_id,
            kind,
            id,
        }
        .enqueue(scope)
        .key(format!("pms:{integration_id}:push:{kind}:{id}"))
        .dedupe(format!("pms:{integration_id}:push:{kind}:{id}"))
        .priority(10)
    }

    /// A question what happened. Questions of an integration take turns; one that waits already is
    /// not doubled.
    pub fn events(scope: TenantScope, integration_id: IntegrationId) -> NewJob {
        let name = format!("pms:{integration_id}:events");
        Self::Events { integration_id }
            .enqueue(scope)
            .key(name.clone())
            .dedupe(name)
            .priority(5)
    }

    /// A read of messages, in the order in which they are stored.
    pub fn messages(scope: TenantScope, integration_id: IntegrationId, ids: Vec<String>) -> NewJob {
        let digest = digest(&ids);
        Self::Messages {
            integration_id,
            ids,
        }
        .enqueue(scope)
        .key(format!("pms:{integration_id}:messages"))
        .dedupe(format!("pms:{integration_id}:messages:{digest}"))
        .priority(10)
    }

    /// Reads of named records, however often each is named: one job a record for a few, batches
    /// for many.
    pub fn targeted(
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        ids: impl IntoIterator<Item = String>,
    ) -> Vec<NewJob> {
        let ids: Vec<String> = ids
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let size = if ids.len() <= SINGLE_UP_TO { 1 } else { BATCH };
        ids.chunks(size)
            .map(|ids| {
                let name = match ids {
                    [id] => format!("pms:{integration_id}:read:{kind}:{id}"),
                    ids => format!("pms:{integration_id}:reads:{kind}:{}", digest(ids)),
                };
                let job = Self::Targeted {
                    integration_id,
                    kind,
                    ids: ids.to_vec(),
                    doubted: false,
                }
                .enqueue(scope)
                .dedupe(name.clone())
                .priority(5);
                // Reads of one record take turns, so that an older state is not written after a
                // newer one for nothing. Batches need no turn: marks and revisions settle it.
                if ids.len() == 1 { job.key(name) } else { job }
            })
            .collect()
    }

    /// A read of one record at a later time. It has a name of its own, so that waiting it neither
    /// swallows nor delays a read that is due now.
    pub fn read_again(
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        id: &str,
        at: DateTime<Utc>,
    ) -> NewJob {
        Self::later(scope, integration_id, kind, id, at, false)
    }

    /// A second read of a mapped record that the vendor did not know: if it still does not, the
    /// record is gone.
    pub fn look_again(
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        id: &str,
        at: DateTime<Utc>,
    ) -> NewJob {
        Self::later(scope, integration_id, kind, id, at, true)
    }

    fn later(
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        id: &str,
        at: DateTime<Utc>,
        doubted: bool,
    ) -> NewJob {
        let name = if doubted { "doubted" } else { "again" };
        Self::Targeted {
            integration_id,
            kind,
            ids: vec![id.to_owned()],
            doubted,
        }
        .enqueue(scope)
        .dedupe(format!("pms:{integration_id}:{name}:{kind}:{id}"))
        .run_at(at)
    }

    fn enqueue(&self, scope: TenantScope) -> NewJob {
        let payload = serde_json::to_value(self).expect("a sync job is plain data");
        NewJob::new(Queue::PmsSyncQueue, scope, payload)
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(value: &bool) -> bool {
    !value
}

fn digest(ids: &[String]) -> String {
    let mut names = FieldMap::new();
    names.insert("ids", ids);
    names.hash()
}

/// The reads that events of an integration ask for: each record and message once, whatever happened to
/// it how often. Unknown events ask for nothing.
pub fn jobs_for_events(owner: &IntegrationOwner, events: &[PmsEvent]) -> Vec<NewJob> {
    let mut kinds: BTreeMap<EntityKind, BTreeSet<String>> = BTreeMap::new();
    let mut messages = BTreeSet::new();
    for event in events {
        match event {
            PmsEvent::Changed { record, .. } => {
                kinds
                    .entry(record.kind)
                    .or_default()
                    .insert(record.id.clone());
            }
            PmsEvent::Message { id, .. } => {
                messages.insert(id.clone());
            }
            PmsEvent::Unknown { .. } => {}
        }
    }
    let mut jobs: Vec<NewJob> = kinds
        .into_iter()
        .flat_map(|(kind, ids)| SyncJob::targeted(owner.scope, owner.id, kind, ids))
        .collect();
    if !messages.is_empty() {
        let ids = messages.into_iter().collect();
        jobs.push(SyncJob::messages(owner.scope, owner.id, ids));
    }
    jobs
}
