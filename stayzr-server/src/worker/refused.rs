use std::{sync::Arc, time::Duration};

use stayzr_core::{
    clock::Clock,
    ids::DeliveryId,
    port::{Store, inbox::RefusedDelivery},
};
use stayzr_webhooks::receiver::{Observation, ReceiverObserver, Verdict};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// So many refusals are remembered in a second, so that strangers cannot keep the store busy.
const EACH_SECOND: usize = 100;

/// Takes note of webhooks that are refused, for `stayzr webhook list`.
pub struct RefusedNotes {
    notes: mpsc::Sender<RefusedDelivery>,
    clock: Arc<dyn Clock>,
}

/// Notes that were taken and are not stored yet.
pub struct RefusedLog {
    notes: mpsc::Receiver<RefusedDelivery>,
    store: Arc<dyn Store>,
}

/// Where refusals are noted, and the work of storing them.
pub fn refused_notes(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> (RefusedNotes, RefusedLog) {
    let (sender, notes) = mpsc::channel(EACH_SECOND);
    let taking = RefusedNotes {
        notes: sender,
        clock,
    };
    (taking, RefusedLog { notes, store })
}

impl ReceiverObserver for RefusedNotes {
    fn observe(&self, observation: &Observation<'_>) {
        if observation.verdict == Verdict::Accept {
            return;
        }
        // Where there are more than are remembered, this one is not.
        let _ = self.notes.try_send(RefusedDelivery {
            id: DeliveryId::generate(&*self.clock),
            source: observation.provider.to_owned(),
            verdict: observation.verdict.as_str().to_owned(),
            reason: observation.reason.to_owned(),
            status: observation.status.as_u16(),
            body_bytes: observation.body_bytes as u64,
            at: self.clock.now(),
        });
    }
}

impl RefusedLog {
    /// Stores notes once a second until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let stopped = stop
                .run_until_cancelled(tokio::time::sleep(Duration::from_secs(1)))
                .await
                .is_none();
            let mut notes = Vec::new();
            while let Ok(note) = self.notes.try_recv() {
                notes.push(note);
            }
            if !notes.is_empty()
                && let Err(error) = self.store.remember_refused(notes).await
            {
                tracing::warn!(%error, "refused webhooks could not be noted");
            }
            if stopped {
                return;
            }
        }
    }
}
