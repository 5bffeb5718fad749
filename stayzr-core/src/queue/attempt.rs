use std::{any::Any, sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
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
    /// As many attempts as may run at a time.
    pub(super) slots: Arc<Semaphore>,
}

impl Tools {
    fn beat(&self) -> Duration {
        (self.lease / 3).max(Duration::from_millis(1))
    }
}

/// One attempt on one job, or on several of one batch key: the handler runs in a task of its own,
/// so that a handler that keeps a thread busy or panics does not stop the heartbeat.
pub(super) struct Attempt {
    tools: Arc<Tools>,
    claimed: Vec<Claimed>,
    /// Nothing new begins.
    stop: CancellationToken,
    /// What runs is stopped.
    halt: CancellationToken,
}

/// Why the handler is no longer waited for, for one job.
enum Verdict {
    Returned(Result<HandlerResult>),
    LeaseLost,
    /// Not begun, or stopped.
    Halted,
}

impl Attempt {
    pub(super) fn new(
        tools: Arc<Tools>,
        claimed: Vec<Claimed>,
        stop: CancellationToken,
        halt: CancellationToken,
    ) -> Self {
        Self {
            tools,
            claimed,
            stop,
            halt,
        }
    }

    pub(super) async fn run(self) {
        let turn = self.turn().await;
        let started = Instant::now();
        let verdicts = match turn {
            Some(_) => self.wait().await,
            None => self.claimed.iter().map(|_| Verdict::Halted).collect(),
        };
        for (claimed, verdict) in self.claimed.iter().zip(verdicts) {
            let one = One {
                tools: &self.tools,
                claimed,
            };
            let end = one.end(verdict).await;
            if let Some(observer) = &self.tools.observer {
                observer.ended(claimed.lease.queue, end, started.elapsed());
            }
        }
    }

    /// A free slot. None where there is none by the time of a heartbeat, or the worker stops:
    /// somebody else may have the jobs sooner.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            permit = Arc::clone(&self.tools.slots).acquire_owned() => permit.ok(),
            () = self.stop.cancelled() => None,
            () = tokio::time::sleep(self.tools.beat()) => None,
        }
    }

    /// Runs the handler under leases that are kept alive.
    async fn wait(&self) -> Vec<Verdict> {
        let handler = Arc::clone(&self.tools.handler);
        let claimed = self.claimed.clone();
        let mut task: JoinHandle<Vec<Result<HandlerResult>>> = tokio::spawn(
            async move {
                match <[Claimed; 1]>::try_from(claimed) {
                    Ok([one]) => vec![handler.handle(one).await],
                    Err(several) => handler.handle_batch(several).await,
                }
            }
            .in_current_span(),
        );
        let stop = StopOnDrop(task.abort_handle());
        let beat = self.tools.beat();
        let mut heartbeat = interval_at(Instant::now() + beat, beat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut held: Vec<Option<Instant>> = vec![Some(Instant::now()); self.claimed.len()];
        let halted = loop {
            tokio::select! {
                returned = &mut task => return verdicts(&held, returned),
                () = self.halt.cancelled() => break true,
                _ = heartbeat.tick() => {
                    let renewed = self.claimed.iter().zip(&held).map(|(claimed, held)| {
                        self.renew(&claimed.lease, *held)
                    });
                    held = join_all(renewed).await;
                    if held.iter().all(Option::is_none) {
                        break false;
                    }
                }
            }
        };
        drop(stop);
        // Not before the handler has stopped may another worker begin.
        match task.await {
            // It ended just before it was stopped.
            Ok(results) if halted => verdicts(&held, Ok(results)),
            _ => held
                .iter()
                .map(|held| match held {
                    Some(_) => Verdict::Halted,
                    None => Verdict::LeaseLost,
                })
                .collect(),
        }
    }

    /// Holds a lease longer and returns when it was last granted; none once it is lost.
    async fn renew(&self, lease: &Lease, granted: Option<Instant>) -> Option<Instant> {
        let granted = granted?;
        let asked = Instant::now();
        match self.tools.jobs.heartbeat(lease, self.tools.lease).await {
            Ok(_) => Some(asked),
            Err(error) if error.kind() == ErrorKind::Conflict => None,
            // Without an answer the lease holds as long as it was last granted for.
            Err(_) if granted.elapsed() + self.tools.beat() >= self.tools.lease => None,
            Err(_) => Some(granted),
        }
    }
}

/// What became of each job whose lease is held.
fn verdicts(
    held: &[Option<Instant>],
    returned: Result<Vec<Result<HandlerResult>>, JoinError>,
) -> Vec<Verdict> {
    let (results, silence) = match returned {
        Ok(results) => (
            results,
            "the handler did not say what became of the job".to_owned(),
        ),
        Err(error) => (Vec::new(), panic_message(error)),
    };
    let mut results = results.into_iter();
    held.iter()
        .map(|held| {
            let result = results.next();
            match held {
                Some(_) => Verdict::Returned(
                    result
                        .unwrap_or_else(|| Err(Error::internal("worker.handle", silence.clone()))),
                ),
                None => Verdict::LeaseLost,
            }
        })
        .collect()
}

/// The end of an attempt on one job.
struct One<'a> {
    tools: &'a Tools,
    claimed: &'a Claimed,
}

impl One<'_> {
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
            Verdict::Returned(Err(error)) => (self.failed(&error), Vec::new()),
            Verdict::LeaseLost => {
                tracing::warn!(job_id = %self.lease().job_id, "the lease was lost; the attempt was stopped");
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
