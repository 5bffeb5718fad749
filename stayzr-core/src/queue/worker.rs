use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    AttemptObserver, Backoff, Claimed, Handler, Queue, Wakes,
    attempt::{Attempt, Tools},
};
use crate::{
    ids::OrganizationId,
    port::{directory::Directory, queue::JobQueue},
};

/// How a [`Worker`] works.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// The queue.
    pub queue: Queue,
    /// Names the worker in leases; unique among all workers of all processes.
    pub name: String,
    /// Jobs worked on at a time, or batches of jobs, at least 1.
    pub concurrency: usize,
    /// As soon as one of the claimed jobs may be worked on together with others
    /// ([`Handler::batch_key`]), so many are claimed at once. What finds no slot within a third of
    /// the lease is released. 1 works on every job alone.
    pub batch: usize,
    /// How long to wait after a wake, so that what one burst brings is claimed together.
    pub linger: Duration,
    /// How often to look for jobs when nobody wakes the worker.
    pub poll: Duration,
    /// How long a lease holds; it is renewed at a third of that.
    pub lease: Duration,
    /// Waits between attempts.
    pub backoff: Backoff,
    /// How long running jobs may take to end once the worker is told to stop; then they are
    /// stopped and released.
    pub grace: Duration,
}

impl WorkerConfig {
    /// Eight jobs at a time, each alone, a look each second, leases of one minute, 20 s to drain.
    pub fn new(queue: Queue, name: impl Into<String>) -> Self {
        Self {
            queue,
            name: name.into(),
            concurrency: 8,
            batch: 1,
            linger: Duration::ZERO,
            poll: Duration::from_secs(1),
            lease: Duration::from_secs(60),
            backoff: Backoff::default(),
            grace: Duration::from_secs(20),
        }
    }
}

/// Claims the jobs of a queue and hands them to a [`Handler`].
pub struct Worker {
    directory: Arc<dyn Directory>,
    tools: Arc<Tools>,
    config: WorkerConfig,
    wakes: Wakes,
}

impl Worker {
    /// A worker for one queue. It does nothing before [`Worker::run`].
    pub fn new(
        directory: Arc<dyn Directory>,
        jobs: Arc<dyn JobQueue>,
        handler: Arc<dyn Handler>,
        wakes: Wakes,
        config: WorkerConfig,
    ) -> Self {
        let tools = Tools {
            jobs,
            handler,
            observer: None,
            wakes: wakes.clone(),
            lease: config.lease,
            backoff: config.backoff,
            slots: Arc::new(Semaphore::new(config.concurrency.max(1))),
        };
        Self {
            directory,
            tools: Arc::new(tools),
            config,
            wakes,
        }
    }

    /// The same worker, whose attempts are counted.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn AttemptObserver>) -> Self {
        self.tools = Arc::new(Tools {
            observer: Some(observer),
            ..Tools::clone(&self.tools)
        });
        self
    }

    /// Works until `shutdown` is cancelled, then lets running jobs end within the grace, releases
    /// the others, and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let halt = CancellationToken::new();
        let mut running = JoinSet::new();
        let mut ticker = interval(self.config.poll.max(Duration::from_millis(1)));
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        let mut due = true;
        while !shutdown.is_cancelled() {
            while running.try_join_next().is_some() {}
            let free = self.config.concurrency.max(1).saturating_sub(running.len());
            if due && free > 0 {
                let (groups, full) = self.next(free, &mut failing).await;
                // A full claim means that there may be more.
                due = full;
                for group in groups {
                    running.spawn(self.attempt(group, &shutdown, &halt));
                }
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = ticker.tick() => due = true,
                () = self.woken() => due = true,
                // A job that ended may let the next one with its key through.
                Some(_) = running.join_next() => due = true,
            }
        }
        let drained = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(self.config.grace, drained)
            .await
            .is_err()
        {
            halt.cancel();
            while running.join_next().await.is_some() {}
        }
    }

    async fn woken(&self) {
        self.wakes.woken(self.config.queue).await;
        tokio::time::sleep(self.config.linger).await;
    }

    /// Claims what is next, what may be worked on together in one group; and whether there may be
    /// more.
    async fn next(&self, free: usize, failing: &mut bool) -> (Vec<Vec<Claimed>>, bool) {
        let mut claimed = self.claim(free, failing).await;
        let mut full = claimed.len() == free;
        let more = self.config.batch.saturating_sub(claimed.len());
        if full && more > 0 && claimed.iter().any(|claimed| self.key(claimed).is_some()) {
            let others = self.claim(more, failing).await;
            full = others.len() == more;
            claimed.extend(others);
        }
        let mut groups: Vec<Vec<Claimed>> = Vec::new();
        let mut at: HashMap<(Option<OrganizationId>, String), usize> = HashMap::new();
        for claimed in claimed {
            let key = self.key(&claimed);
            match key.as_ref().and_then(|key| at.get(key)) {
                Some(&at) => groups[at].push(claimed),
                None => {
                    if let Some(key) = key {
                        at.insert(key, groups.len());
                    }
                    groups.push(vec![claimed]);
                }
            }
        }
        (groups, full)
    }

    fn key(&self, claimed: &Claimed) -> Option<(Option<OrganizationId>, String)> {
        let job = &claimed.job;
        if self.config.batch <= 1 || job.attempts * 2 > job.max_attempts {
            return None;
        }
        let key = self.tools.handler.batch_key(job)?;
        Some((job.organization_id, key))
    }

    async fn claim(&self, free: usize, failing: &mut bool) -> Vec<Claimed> {
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        let WorkerConfig {
            queue, name, lease, ..
        } = &self.config;
        match self.directory.claim(*queue, name, limit, *lease).await {
            Ok(claimed) => {
                if std::mem::take(failing) {
                    tracing::info!(%queue, "claims jobs again");
                }
                claimed
            }
            Err(error) => {
                // Said once; the ticker goes on trying.
                if !std::mem::replace(failing, true) {
                    tracing::error!(%queue, %error, "cannot claim jobs");
                }
                Vec::new()
            }
        }
    }

    fn attempt(
        &self,
        claimed: Vec<Claimed>,
        stop: &CancellationToken,
        halt: &CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'static {
        let job = claimed.first().map(|claimed| &claimed.job);
        let span = tracing::info_span!(
            "job",
            queue = %self.config.queue,
            job_id = job.map(|job| tracing::field::display(job.id)),
            jobs = claimed.len(),
            attempt = job.map(|job| job.attempts),
            organization_id = job
                .and_then(|job| job.organization_id)
                .map(tracing::field::display),
            traceparent = job.and_then(|job| job.traceparent.clone()),
        );
        let tools = Arc::clone(&self.tools);
        let attempt = Attempt::new(tools, claimed, stop.clone(), halt.clone());
        attempt.run().instrument(span)
    }
}
