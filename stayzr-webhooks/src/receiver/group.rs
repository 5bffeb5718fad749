use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use stayzr_core::{
    Error, Result,
    port::inbox::{Acceptance, Delivery, Inbox},
};
use tokio::sync::oneshot;

/// Deliveries in one commit, at most.
const DELIVERIES: usize = 128;

/// Bytes of bodies after which a commit takes no further delivery.
const BYTES: usize = 4 << 20;

/// Lets requests that wait at the same time share a commit.
///
/// One commit runs at a time; whatever arrives meanwhile is the next one's. So nobody waits for
/// company, a lone delivery is committed at once, and none waits longer than for the commit before
/// its own. What a disk can sync is the number of commits, not of deliveries.
pub(super) struct GroupCommit {
    inbox: Arc<dyn Inbox>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    committing: bool,
}

struct Waiting {
    delivery: Delivery,
    answer: oneshot::Sender<Result<Acceptance>>,
}

impl GroupCommit {
    pub(super) fn new(inbox: Arc<dyn Inbox>) -> Arc<Self> {
        Arc::new(Self {
            inbox,
            state: Mutex::default(),
        })
    }

    /// Stores a delivery, durably, before it returns. A caller that gives up does not undo it.
    pub(super) async fn accept(self: &Arc<Self>, delivery: Delivery) -> Result<Acceptance> {
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut state = self.lock();
            state.waiting.push_back(Waiting { delivery, answer });
            !std::mem::replace(&mut state.committing, true)
        };
        if begins {
            // A task of its own, so that a connection that breaks does not break the others' commit.
            tokio::spawn(
                Committing {
                    group: self.clone(),
                    done: false,
                }
                .run(),
            );
        }
        answered.await.unwrap_or_else(|_| {
            Err(Error::unavailable(
                "inbox.accept",
                "the commit was cut off; nothing was acknowledged",
            ))
        })
    }

    /// What the next commit takes; none ends the work.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut state = self.lock();
        let (mut count, mut bytes) = (0, 0);
        for waiting in state.waiting.iter().take(DELIVERIES) {
            bytes += waiting.delivery.body.len();
            if count > 0 && bytes > BYTES {
                break;
            }
            count += 1;
        }
        if count == 0 {
            state.committing = false;
            return None;
        }
        Some(state.waiting.drain(..count).collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The work of committing. Cut off in the middle, it lets those who wait know, and the next one to
/// come begins anew.
struct Committing {
    group: Arc<GroupCommit>,
    done: bool,
}

impl Committing {
    async fn run(mut self) {
        while let Some(group) = self.group.next() {
            let (deliveries, answers): (Vec<_>, Vec<_>) = group
                .into_iter()
                .map(|waiting| (waiting.delivery, waiting.answer))
                .unzip();
            let results = self.group.inbox.accept_deliveries(deliveries).await;
            for (answer, result) in answers.into_iter().zip(results) {
                // Who hung up is not told.
                let _ = answer.send(result);
            }
        }
        self.done = true;
    }
}

impl Drop for Committing {
    fn drop(&mut self) {
        if !self.done {
            let mut state = self.group.lock();
            state.waiting.clear();
            state.committing = false;
        }
    }
}
