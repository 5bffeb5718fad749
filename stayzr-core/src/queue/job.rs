use std::{fmt, str::FromStr, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, Result,
    ids::{JobId, OrganizationId, PropertyId},
    tenant::TenantScope,
};

/// The queues. Each is a view of that name in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// Stored webhook deliveries; the only queue whose jobs may have no organization yet.
    WebhookInbox,
    /// Reads from and writes to a PMS.
    PmsSyncQueue,
    /// Turns of the concierge.
    AgentTurnQueue,
    /// Messages to guests.
    OutboundQueue,
}

impl Queue {
    /// All queues.
    pub const ALL: [Self; 4] = [
        Self::WebhookInbox,
        Self::PmsSyncQueue,
        Self::AgentTurnQueue,
        Self::OutboundQueue,
    ];

    /// The stored name, and the name of the view.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebhookInbox => "webhook_inbox",
            Self::PmsSyncQueue => "pms_sync_queue",
            Self::AgentTurnQueue => "agent_turn_queue",
            Self::OutboundQueue => "outbound_queue",
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Queue {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|queue| queue.as_str() == name)
            .ok_or_else(|| Error::invalid("queue.parse", "not a queue").with("name", name))
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// Waits for its turn or its time.
    Pending,
    /// A worker holds its lease.
    Processing,
    /// Done.
    Completed,
    /// Gave up after its last attempt, or was told to.
    Failed,
}

impl JobStatus {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

impl FromStr for JobStatus {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        [
            Self::Pending,
            Self::Processing,
            Self::Completed,
            Self::Failed,
        ]
        .into_iter()
        .find(|status| status.as_str().eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            Error::invalid(
                "job_status.parse",
                "not a status of a job: PENDING, PROCESSING, COMPLETED or FAILED",
            )
            .with("status", name)
        })
    }
}

/// A job to be stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewJob {
    /// The queue.
    pub queue: Queue,
    /// Whose work it is; none only in the inbox.
    pub scope: Option<TenantScope>,
    /// What to do.
    pub payload: Value,
    /// Jobs of one organization and queue with the same key run one at a time, in order.
    pub key: Option<String>,
    /// While a job with the same dedupe key waits unclaimed in the queue, this one is dropped.
    pub dedupe_key: Option<String>,
    /// Higher goes first among jobs that wait in one lane; 0 is usual.
    pub priority: i16,
    /// After so many attempts it is FAILED.
    pub max_attempts: i32,
    /// Not before; none means now.
    pub run_at: Option<DateTime<Utc>>,
    /// W3C trace context of what caused it.
    pub traceparent: Option<String>,
}

impl NewJob {
    /// A job to run now, with five attempts.
    pub fn new(queue: Queue, scope: TenantScope, payload: Value) -> Self {
        Self {
            queue,
            scope: Some(scope),
            payload,
            key: None,
            dedupe_key: None,
            priority: 0,
            max_attempts: 5,
            run_at: None,
            traceparent: None,
        }
    }

    /// Sets the key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the dedupe key.
    #[must_use]
    pub fn dedupe(mut self, key: impl Into<String>) -> Self {
        self.dedupe_key = Some(key.into());
        self
    }

    /// Sets the priority.
    #[must_use]
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// Sets when it may run.
    #[must_use]
    pub fn run_at(mut self, at: DateTime<Utc>) -> Self {
        self.run_at = Some(at);
        self
    }
}

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its queue.
    pub queue: Queue,
    /// Its organization.
    pub organization_id: Option<OrganizationId>,
    /// Its property.
    pub property_id: Option<PropertyId>,
    /// Where it stands.
    pub status: JobStatus,
    /// How often it was claimed.
    pub attempts: i32,
    /// After so many it is FAILED.
    pub max_attempts: i32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it is tried again.
    pub next_retry_at: Option<DateTime<Utc>>,
    /// The worker that holds it.
    pub locked_by: Option<String>,
    /// Until when.
    pub locked_until: Option<DateTime<Utc>>,
    /// What to do.
    pub payload: Value,
    /// Its key.
    pub key: Option<String>,
    /// Its dedupe key.
    pub dedupe_key: Option<String>,
    /// Its priority.
    pub priority: i16,
    /// W3C trace context of what caused it.
    pub traceparent: Option<String>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Job {
    /// The job's scope, once it has an organization.
    pub fn scope(&self) -> Option<TenantScope> {
        self.organization_id.map(|organization_id| TenantScope {
            organization_id,
            property_id: self.property_id,
        })
    }
}

/// The right to work on a job until a time. A write under a lease that was lost is refused with
/// [`crate::ErrorKind::Conflict`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The job.
    pub job_id: JobId,
    /// Its queue.
    pub queue: Queue,
    /// The worker that holds it.
    pub worker: String,
    /// Which attempt; a later claim has a higher number, so an old lease never matches.
    pub attempt: i32,
    /// Whose work it is.
    pub scope: Option<TenantScope>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// A job and the right to work on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claimed {
    /// The job, as it stands after the claim.
    pub job: Job,
    /// The right.
    pub lease: Lease,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum JobOutcome {
    /// Done.
    Completed,
    /// Try again after a wait; FAILED if that was the last attempt.
    Retry {
        /// Why.
        error: String,
        /// How long to wait.
        after: Duration,
    },
    /// Never try again.
    Failed {
        /// Why.
        error: String,
    },
    /// Not tried after all, such as when the server stops: back in the queue, the attempt does not
    /// count.
    Released,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only of this queue.
    pub queue: Option<Queue>,
    /// Only of this status.
    pub status: Option<JobStatus>,
}

/// A queue in figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueStats {
    /// The queue.
    pub queue: Queue,
    /// Waiting.
    pub pending: i64,
    /// Being worked on.
    pub processing: i64,
    /// Given up.
    pub failed: i64,
    /// Seconds that the oldest waiting job which is due has waited.
    pub oldest_seconds: Option<f64>,
}
