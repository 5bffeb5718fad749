//! Two processes that work, whose turn it is, and what becomes of a job.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use chrono::TimeDelta;
use rand::{Rng, SeedableRng, rngs::StdRng};
use stayzr_core::{
    Error, ErrorKind, Result,
    model::RunMode,
    port::{directory::Directory, queue::JobQueue},
    queue::{Backoff, Claimed, Handler, HandlerResult, Job, JobOutcome, JobStatus, NewJob, Queue},
    store::memory::MemoryStore,
};
use stayzr_pms::engine::{SyncEngine, SyncJob};

use super::World;
use crate::pause::pause;

const LEASE: Duration = Duration::from_secs(60);

pub(super) type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Task {
    pub(super) process: usize,
    pub(super) future: Turn,
}

impl World {
    pub(super) fn spawn(
        &mut self,
        process: usize,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let future: Turn = Box::pin(future);
        self.tasks.push(Task { process, future });
    }

    /// Gives every idle process a round of work.
    pub(super) fn work(&mut self) {
        for process in 0..2 {
            if !self.tasks.iter().any(|task| task.process == process) {
                let round = round(
                    self.store.clone(),
                    self.engine.clone(),
                    format!("process {process}"),
                );
                self.spawn(process, round);
            }
        }
    }

    /// One turn of somebody. False if there is nobody.
    pub(super) fn turn(&mut self, rng: &mut StdRng) -> bool {
        if self.tasks.is_empty() {
            return false;
        }
        let at = rng.random_range(0..self.tasks.len());
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(()) = self.tasks[at].future.as_mut().poll(&mut context) {
            drop(self.tasks.swap_remove(at));
        }
        true
    }

    /// Lets everybody finish what they do.
    pub(super) fn finish(&mut self) -> std::result::Result<(), String> {
        let mut rng = StdRng::seed_from_u64(7);
        for _ in 0..200_000 {
            if !self.turn(&mut rng) {
                return Ok(());
            }
        }
        Err("somebody never ends".to_owned())
    }

    pub(super) fn unfinished(&self) -> Vec<Job> {
        let mut jobs = self.jobs(JobStatus::Pending);
        jobs.extend(self.jobs(JobStatus::Processing));
        jobs
    }

    /// Works until nothing waits.
    pub fn drain(&mut self) -> std::result::Result<(), String> {
        for _ in 0..300 {
            self.work();
            self.finish()?;
            if self.unfinished().is_empty() {
                return Ok(());
            }
            self.clock.advance(TimeDelta::seconds(31));
        }
        let jobs: Vec<String> = self
            .unfinished()
            .iter()
            .map(|job| format!("{} {:?} {:?}", job.payload, job.status, job.last_error))
            .collect();
        Err(format!("never quiet: {}", jobs.join("; ")))
    }

    /// Asks for a run and works until nothing waits.
    pub fn run(&mut self, mode: RunMode) -> std::result::Result<(), String> {
        let job = match mode {
            RunMode::Reconcile => SyncJob::reconcile_accepting(self.scope, self.integration_id),
            mode => SyncJob::run(self.scope, self.integration_id, mode),
        };
        self.enqueue(vec![job]);
        self.drain()
    }
}

/// What a worker does with one claim: jobs of one batch key together, each ended under its lease.
async fn round(store: Arc<MemoryStore>, engine: SyncEngine, name: String) {
    pause().await;
    let Ok(claimed) = store.claim(Queue::PmsSyncQueue, &name, 6, LEASE).await else {
        return;
    };
    pause().await;
    let mut batches: BTreeMap<String, Vec<Claimed>> = BTreeMap::new();
    for claimed in claimed {
        let key = engine
            .batch_key(&claimed.job)
            .unwrap_or_else(|| claimed.job.id.to_string());
        batches.entry(key).or_default().push(claimed);
    }
    for batch in batches.into_values() {
        let held: Vec<Claimed> = batch.clone();
        let results = match batch.len() {
            1 => {
                let mut results = Vec::new();
                for claimed in batch {
                    results.push(engine.handle(claimed).await);
                }
                results
            }
            _ => engine.handle_batch(batch).await,
        };
        for (claimed, result) in held.into_iter().zip(results) {
            pause().await;
            let (outcome, follow_ups) = outcome(&claimed.job, result);
            // A lease that was lost ends nothing.
            drop(store.finish(&claimed.lease, outcome, follow_ups).await);
        }
    }
}

fn outcome(job: &Job, result: Result<HandlerResult>) -> (JobOutcome, Vec<NewJob>) {
    match result {
        Ok(HandlerResult::Complete(follow_ups)) => (JobOutcome::Completed, follow_ups),
        Ok(_) => (JobOutcome::Released, Vec::new()),
        Err(error) => (failed(job, &error), Vec::new()),
    }
}

fn failed(job: &Job, error: &Error) -> JobOutcome {
    let text = error.to_string();
    let hopeless = matches!(
        error.kind(),
        ErrorKind::Invalid
            | ErrorKind::NotFound
            | ErrorKind::Forbidden
            | ErrorKind::Unsupported
            | ErrorKind::Corrupt
    );
    if hopeless {
        return JobOutcome::Failed { error: text };
    }
    let attempt = u32::try_from(job.attempts).unwrap_or(1);
    let wait = Backoff::default().ceiling(attempt);
    JobOutcome::Retry {
        error: text,
        after: wait.max(error.retry_after().unwrap_or_default()),
    }
}
