use std::sync::Arc;

use tokio::sync::Notify;

use super::Queue;

/// Tells the workers of this process that a queue has something to do, so that they need not wait
/// for their ticker. A wake is a hint: none that is missed loses a job. Cloned, it is the same.
#[derive(Debug, Clone, Default)]
pub struct Wakes {
    queues: Arc<[Notify; Queue::ALL.len()]>,
}

impl Wakes {
    /// Wakes nobody waits for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A queue has something to do.
    pub fn wake(&self, queue: Queue) {
        self.notify(queue).notify_one();
    }

    /// Every queue may have something to do.
    pub fn wake_all(&self) {
        for queue in Queue::ALL {
            self.wake(queue);
        }
    }

    pub(super) async fn woken(&self, queue: Queue) {
        self.notify(queue).notified().await;
    }

    fn notify(&self, queue: Queue) -> &Notify {
        match queue {
            Queue::WebhookInbox => &self.queues[0],
            Queue::PmsSyncQueue => &self.queues[1],
            Queue::AgentTurnQueue => &self.queues[2],
            Queue::OutboundQueue => &self.queues[3],
        }
    }
}
