//! Shows runs to whoever counts them.

use std::sync::Arc;

use stayzr_core::model::SyncRun;

use super::session::SyncEngine;

/// Sees every run when it ends, of whatever mode and however it ended; for metrics.
pub trait RunObserver: Send + Sync {
    /// A run at this provider ended: its status, its counts, how long it took.
    fn ended(&self, provider: &str, run: &SyncRun);

    /// A vendor was asked for events and gave so many batches.
    fn took_events(&self, provider: &str, batches: u64) {
        let _ = (provider, batches);
    }
}

impl SyncEngine {
    /// Shows runs to this observer.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn RunObserver>) -> Self {
        self.observer = Some(observer);
        self
    }
}
