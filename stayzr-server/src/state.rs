//! What a request can reach.

use std::{fmt, sync::Arc};

use stayzr_agents::knowledge::KnowledgeBase;
use stayzr_core::{
    clock::Clock,
    flow::PushPolicy,
    port::{Store, concierge::Concierge},
    queue::Wakes,
};
use stayzr_pms::engine::SyncEngine;
use stayzr_webhooks::receiver::Receiver;

use crate::{http::Metrics, probe::Probe, providers::Providers};

/// What a request can reach: put together once, in `compose`.
pub struct ServerState {
    /// The store.
    pub store: Arc<dyn Store>,
    /// What everything depends on, to be asked whether it answers.
    pub probes: Vec<Arc<dyn Probe>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Tells workers that a queue has something to do.
    pub wakes: Wakes,
    /// What may be pushed to a PMS.
    pub push_policy: Arc<dyn PushPolicy>,
    /// PMS providers.
    pub providers: Arc<Providers>,
    /// Keeps a PMS and us equal.
    pub engine: SyncEngine,
    /// Takes webhooks.
    pub receiver: Receiver,
    /// What the concierge knows.
    pub knowledge: Arc<KnowledgeBase>,
    /// Answers guests.
    pub concierge: Arc<dyn Concierge>,
    /// Metrics.
    pub metrics: Metrics,
    /// The longest body of an API request, in bytes.
    pub max_body_bytes: usize,
    /// Under which address vendors reach this server, without a slash at its end.
    pub public_url: String,
}

impl fmt::Debug for ServerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerState").finish_non_exhaustive()
    }
}
