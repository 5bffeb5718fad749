use std::{any::Any, sync::Arc, time::Duration};

use tokio::{
    task::{JoinError, JoinHandle},
    time::{Instant, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    AttemptEnd, AttemptObserver, Backoff, Claimed, Handler, HandlerResult, JobOutcome, Lease,
    NewJob, Queue, Wakes,
};
use crate::{
    Error, ErrorKind, Result, mask::mask_cards_in_text, port::queue::JobQueue, retry::RetryPolicy,
};

/// Longer errors are cut before they are stored.
const LONGEST_ERROR: usize = 2000;

/// What every attempt of a worker shares.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) jobs: Arc<dyn JobQueue>,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) observer: Option<Arc<dyn AttemptObserver>>,
    pub(super) wakes: Wakes,
    pub(super) lease: Duration,
    pub(super) backoff: Backoff,
}

/// One attempt on one job: the handler runs in a task of its own, so that a handler that keeps a
/// thread busy or panics does not stop the heartbeat.
pub(super) struct Attempt {
    tools: Arc<Tools>,
    claimed: Claimed,
    halt: CancellationToken,
}

/// Why the handler is no longer waited for.
enum Verdict {
    Returned(Result<HandlerResult, JoinError>),
    Failed(Error),
    LeaseLost,
    Halted,
}

impl Attempt {
    pub(super) fn new(tools: Arc<Tools>, claimed: Claimed, halt: CancellationToken) -> Self {
        Self {
            tools,
            claimed,
            halt,
        }
    }

    pub(super) async fn run(self) {
        let started = Instant::now();
        let queue = self.claimed.lease.queue;
        let verdict = self.wait().await;
        let end = self.end(verdict).await;
        if let Some(observer) = &self.tools.observer {
            observer.ended(queue, end, started.elapsed());
        }
    }

    /// Runs the handler under a lease that is kept alive.
    async fn wait(&self) -> Verdict {
        let handler = Arc::clone(&self.tools.handler);
        let claimed = self.claimed.clone();
        let mut task: JoinHandle<Result<HandlerResult>> =
            tokio::spawn(async move { handler.handle(claimed).await }.in_current_span());
        let stop = StopOnDrop(task.abort_handle());
        let beat = (self.tools.lease / 3).max(Duration::from_millis(1));
        let mut heartbeat = interval_at(Instant::now() + beat, beat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        let verdict = loop {
            tokio::select! {
                returned = &mut task => {
                    return match returned {
                        Ok(Ok(result)) => Verdict::Returned(Ok(result)),
                        Ok(Err(error)) => Verdict::Failed(error),
                        Err(error) => Verdict::Returned(Err(error)),
                    };
                }
                () = self.halt.cancelled() => break Verdict::Halted,
                _ = heartbeat.tick() => {
                    let asked = Instant::now();
                    match self.tools.jobs.heartbeat(self.lease(), self.tools.lease).await {
                        Ok(_) => renewed = asked,
                        Err(error) if error.kind() == ErrorKind::Conflict => {
                            break Verdict::LeaseLost;
                        }
                        // Without an answer the lease holds as long as it was last granted for.
                        Err(_) if renewed.elapsed() + beat >= self.tools.lease => {
                            break Verdict::LeaseLost;
                        }
                        Err(_) => {}
                    }
                }
            }
        };
        drop(stop);
        // Not before the handler has stopped may another worker begin.
        match (verdict, task.await) {
            // It ended just before it was stopped.
            (Verdict::Halted, Ok(Ok(result))) => Verdict::Returned(Ok(result)),
            (Verdict::Halted, Ok(Err(error))) => Verdict::Failed(error),
            (verdict, _) => verdict,
        }
    }

    /// Stores how the attempt ended.
    async fn end(&self, verdict: Verdict) -> AttemptEnd {
        let (outcome, follow_ups) = match verdict {
            Verdict::Returned(Ok(HandlerResult::Finished)) => {
                // What follows was stored by the handler's own command.
                self.tools.wakes.wake_all();
                return AttemptEnd::Completed;
            }
            Verdict::Returned(Ok(HandlerResult::Complete(follow_ups))) => {
                (JobOutcome::Completed, follow_ups)
            }
            Verdict::Returned(Ok(HandlerResult::Release)) | Verdict::Halted => {
                (JobOutcome::Released, Vec::new())
            }
            Verdict::Returned(Err(error)) => {
                let error = Error::internal("worker.handle", panic_message(error));
                (self.failed(&error), Vec::new())
            }
            Verdict::Failed(error) => (self.failed(&error), Vec::new()),
            Verdict::LeaseLost => {
                tracing::warn!("the lease was lost; the attempt was stopped");
                return AttemptEnd::LeaseLost;
            }
        };
        let end = match &outcome {
            JobOutcome::Completed => AttemptEnd::Completed,
            JobOutcome::Retry { .. } if self.is_last() => AttemptEnd::Failed,
            JobOutcome::Retry { .. } => AttemptEnd::Retried,
            JobOutcome::Failed { .. } => AttemptEnd::Failed,
            JobOutcome::Released => AttemptEnd::Released,
        };
        match self.finish(outcome, follow_ups).await {
            Ok(()) => end,
            Err(error) if error.kind() == ErrorKind::Conflict => {
                tracing::warn!("the lease was lost before the attempt ended");
                AttemptEnd::LeaseLost
            }
            Err(error) => {
                tracing::error!(%error, "the end of an attempt could not be stored");
                AttemptEnd::LeaseLost
            }
        }
    }

    /// What follows from an error, which is logged here and nowhere else.
    fn failed(&self, error: &Error) -> JobOutcome {
        let text = stored_error(error);
        if is_final(error.kind()) || self.is_last() {
            tracing::error!(error = text, "the job failed");
        } else {
            tracing::warn!(error = text, "the attempt failed");
        }
        if is_final(error.kind()) {
            return JobOutcome::Failed { error: text };
        }
        let attempt = u32::try_from(self.claimed.job.attempts).unwrap_or(1);
        let wait = self.tools.backoff.wait(attempt, &mut rand::rng());
        JobOutcome::Retry {
            error: text,
            after: wait.max(error.retry_after().unwrap_or_default()),
        }
    }

    /// Stores the outcome, patiently: the work is done, and only its record is missing.
    async fn finish(&self, outcome: JobOutcome, follow_ups: Vec<NewJob>) -> Result<()> {
        let queues: Vec<Queue> = follow_ups.iter().map(|job| job.queue).collect();
        let policy = RetryPolicy::default();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (outcome, follow_ups) = (outcome.clone(), follow_ups.clone());
            match self
                .tools
                .jobs
                .finish(self.lease(), outcome, follow_ups)
                .await
            {
                Ok(()) => break,
                Err(error) => {
                    let Some(wait) = policy.next(attempt, &error, &mut rand::rng()) else {
                        return Err(error);
                    };
                    tokio::time::sleep(wait).await;
                }
            }
        }
        for queue in queues {
            self.tools.wakes.wake(queue);
        }
        Ok(())
    }

    fn lease(&self) -> &Lease {
        &self.claimed.lease
    }

    fn is_last(&self) -> bool {
        self.claimed.job.attempts >= self.claimed.job.max_attempts
    }
}

/// Stops a handler that nobody waits for any more, also when the worker itself is dropped.
struct StopOnDrop(tokio::task::AbortHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whether trying again cannot help.
const fn is_final(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Invalid
            | ErrorKind::NotFound
            | ErrorKind::Forbidden
            | ErrorKind::Unsupported
            | ErrorKind::Corrupt
    )
}

fn stored_error(error: &Error) -> String {
    let text = error.to_string();
    mask_cards_in_text(&text)
        .chars()
        .take(LONGEST_ERROR)
        .collect()
}

fn panic_message(error: JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else {
        return "the handler was stopped".to_owned();
    };
    format!("the handler panicked: {}", panic_text(payload.as_ref()))
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
