//! The worker over the store in memory, on paused time: the store's clock follows tokio's.

#![cfg(all(feature = "worker", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;
use stayzr_core::{
    Error, ErrorKind, Result,
    chrono::{DateTime, TimeDelta, Utc},
    clock::Clock,
    ids::{JobId, OrganizationId},
    port::{directory::Directory, queue::JobQueue},
    queue::{
        AttemptEnd, AttemptObserver, Claimed, Handler, HandlerResult, Job, JobOutcome, JobStatus,
        Lease, NewJob, Queue, Wakes, Worker, WorkerConfig,
    },
    store::memory::MemoryStore,
    tenant::TenantScope,
    uuid::Uuid,
};
use tokio::{sync::Notify, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

/// The time of tokio, so that advancing one advances the other.
struct TokioClock {
    start: Instant,
    epoch: DateTime<Utc>,
}

impl Clock for TokioClock {
    fn now(&self) -> DateTime<Utc> {
        self.epoch + TimeDelta::from_std(self.start.elapsed()).unwrap()
    }

    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }
}

type Work =
    dyn Fn(Claimed) -> futures::future::BoxFuture<'static, Result<HandlerResult>> + Send + Sync;

struct Closure(Box<Work>);

#[async_trait]
impl Handler for Closure {
    async fn handle(&self, claimed: Claimed) -> Result<HandlerResult> {
        (self.0)(claimed).await
    }
}

fn handler<F, Fut>(work: F) -> Arc<dyn Handler>
where
    F: Fn(Claimed) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<HandlerResult>> + Send + 'static,
{
    Arc::new(Closure(Box::new(move |claimed| Box::pin(work(claimed)))))
}

#[derive(Default)]
struct Ends(Mutex<HashMap<AttemptEnd, usize>>);

impl Ends {
    fn of(&self, end: AttemptEnd) -> usize {
        self.0.lock().unwrap().get(&end).copied().unwrap_or(0)
    }
}

impl AttemptObserver for Ends {
    fn ended(&self, _: Queue, end: AttemptEnd, _: Duration) {
        *self.0.lock().unwrap().entry(end).or_default() += 1;
    }
}

struct Bench {
    store: MemoryStore,
    scope: TenantScope,
    wakes: Wakes,
    ends: Arc<Ends>,
    shutdown: CancellationToken,
}

impl Bench {
    fn new() -> Self {
        let clock = TokioClock {
            start: Instant::now(),
            epoch: "2026-03-01T12:00:00Z".parse().unwrap(),
        };
        Self {
            store: MemoryStore::new(Arc::new(clock)),
            scope: TenantScope::organization(OrganizationId::from(Uuid::now_v7())),
            wakes: Wakes::new(),
            ends: Arc::default(),
            shutdown: CancellationToken::new(),
        }
    }

    fn job(&self) -> NewJob {
        NewJob::new(Queue::PmsSyncQueue, self.scope, json!({}))
    }

    async fn enqueue(&self, job: NewJob) -> JobId {
        self.store.enqueue(vec![job]).await.unwrap()[0]
    }

    async fn look(&self, id: JobId) -> Job {
        self.store.job(self.scope, id).await.unwrap().unwrap()
    }

    async fn until(&self, id: JobId, status: JobStatus) -> Job {
        let found = async {
            loop {
                let job = self.look(id).await;
                if job.status == status {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(7200), found)
            .await
            .unwrap_or_else(|_| panic!("the job never became {status:?}"))
    }

    fn start(&self, handler: Arc<dyn Handler>) -> JoinHandle<()> {
        self.start_on(Arc::new(self.store.clone()), handler)
    }

    fn start_on(&self, jobs: Arc<dyn JobQueue>, handler: Arc<dyn Handler>) -> JoinHandle<()> {
        let worker = Worker::new(
            Arc::new(self.store.clone()),
            jobs,
            handler,
            self.wakes.clone(),
            WorkerConfig {
                poll: Duration::from_secs(5),
                ..WorkerConfig::new(Queue::PmsSyncQueue, "worker-1")
            },
        );
        let worker = worker.observed_by(Arc::<Ends>::clone(&self.ends));
        tokio::spawn(worker.run(self.shutdown.clone()))
    }
}

#[tokio::test(start_paused = true)]
async fn completes_a_job_and_stores_what_follows() {
    let bench = Bench::new();
    let follow_up = bench.job().priority(3);
    let worker = bench.start(handler(move |claimed| {
        let follow_up = follow_up.clone();
        async move {
            let first = claimed.job.priority == 0;
            Ok(HandlerResult::Complete(if first {
                vec![follow_up]
            } else {
                Vec::new()
            }))
        }
    }));
    let id = bench.enqueue(bench.job()).await;
    bench.until(id, JobStatus::Completed).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.ends.of(AttemptEnd::Completed), 2);
    bench.shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wake_is_heard_before_the_ticker() {
    let bench = Bench::new();
    let begun = Arc::new(Notify::new());
    let heard = Arc::clone(&begun);
    bench.start(handler(move |_| {
        heard.notify_one();
        async { Ok(HandlerResult::Complete(Vec::new())) }
    }));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let asked = Instant::now();
    bench.enqueue(bench.job()).await;
    bench.wakes.wake(Queue::PmsSyncQueue);
    begun.notified().await;
    assert_eq!(asked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_ticker_finds_a_job_that_nobody_announced() {
    let bench = Bench::new();
    bench.start(handler(|_| async {
        Ok(HandlerResult::Complete(Vec::new()))
    }));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let id = bench.enqueue(bench.job()).await;
    bench.until(id, JobStatus::Completed).await;
}

#[tokio::test(start_paused = true)]
async fn works_on_as_many_jobs_at_a_time_as_it_may() {
    let bench = Bench::new();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, peak) = (Arc::clone(&running), Arc::clone(&most));
    for _ in 0..40 {
        bench.enqueue(bench.job()).await;
    }
    bench.start(handler(move |_| {
        let (running, most) = (Arc::clone(&counted), Arc::clone(&peak));
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(HandlerResult::Complete(Vec::new()))
        }
    }));
    let started = Instant::now();
    while bench.ends.of(AttemptEnd::Completed) < 40 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(started.elapsed() < Duration::from_secs(60), "it stalled");
    }
    assert_eq!(most.load(Ordering::SeqCst), 8);
    // Five rounds of eight, without waiting for the ticker between them.
    assert!(
        started.elapsed() < Duration::from_secs(6),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn invariant_d_a_long_job_keeps_its_lease() {
    let bench = Bench::new();
    let id = bench.enqueue(bench.job()).await;
    bench.start(handler(|_| async {
        tokio::time::sleep(Duration::from_secs(600)).await;
        Ok(HandlerResult::Complete(Vec::new()))
    }));
    for _ in 0..9 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let queue = Queue::PmsSyncQueue;
        let lease = Duration::from_secs(60);
        let stolen = bench.store.claim(queue, "thief", 10, lease).await.unwrap();
        assert!(stolen.is_empty(), "the lease ran out under the handler");
    }
    let job = bench.until(id, JobStatus::Completed).await;
    assert_eq!(job.attempts, 1);
}

/// A queue whose heartbeats never get through.
struct NoHeartbeat(MemoryStore);

#[async_trait]
impl JobQueue for NoHeartbeat {
    async fn heartbeat(&self, _: &Lease, _: Duration) -> Result<Lease> {
        Err(Error::unavailable("test.heartbeat", "cut off"))
    }

    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<JobId>> {
        self.0.enqueue(jobs).await
    }

    async fn finish(
        &self,
        lease: &Lease,
        outcome: JobOutcome,
        follow_ups: Vec<NewJob>,
    ) -> Result<()> {
        self.0.finish(lease, outcome, follow_ups).await
    }

    async fn job(&self, scope: TenantScope, id: JobId) -> Result<Option<Job>> {
        self.0.job(scope, id).await
    }

    async fn jobs(
        &self,
        scope: TenantScope,
        filter: &stayzr_core::queue::JobFilter,
        page: &stayzr_core::port::PageRequest,
    ) -> Result<stayzr_core::port::Page<Job>> {
        self.0.jobs(scope, filter, page).await
    }

    async fn retry(&self, scope: TenantScope, id: JobId) -> Result<Job> {
        self.0.retry(scope, id).await
    }

    async fn cancel(&self, scope: TenantScope, id: JobId) -> Result<Job> {
        self.0.cancel(scope, id).await
    }

    async fn stats(&self, scope: TenantScope) -> Result<Vec<stayzr_core::queue::QueueStats>> {
        self.0.stats(scope).await
    }
}

struct Stopped(Arc<Notify>);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test(start_paused = true)]
async fn invariant_d_a_worker_without_heartbeats_stops_before_its_lease_ends() {
    let bench = Bench::new();
    let id = bench.enqueue(bench.job()).await;
    let stopped = Arc::new(Notify::new());
    let dropped = Arc::clone(&stopped);
    let jobs = Arc::new(NoHeartbeat(bench.store.clone()));
    let started = Instant::now();
    bench.start_on(
        jobs,
        handler(move |_| {
            let guard = Stopped(Arc::clone(&dropped));
            async move {
                let _guard = guard;
                std::future::pending().await
            }
        }),
    );
    stopped.notified().await;
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!(bench.look(id).await.status, JobStatus::Processing);
}

#[tokio::test(start_paused = true)]
async fn invariant_d_a_handler_whose_lease_was_taken_is_stopped_and_stores_nothing() {
    let bench = Bench::new();
    let id = bench.enqueue(bench.job()).await;
    let stopped = Arc::new(Notify::new());
    let dropped = Arc::clone(&stopped);
    let first = Arc::new(AtomicUsize::new(0));
    bench.start(handler(move |claimed| {
        let guard = Stopped(Arc::clone(&dropped));
        let first = Arc::clone(&first);
        async move {
            let _guard = guard;
            if first.fetch_add(1, Ordering::SeqCst) > 0 {
                return Ok(HandlerResult::Complete(Vec::new()));
            }
            assert_eq!(claimed.job.attempts, 1);
            std::future::pending().await
        }
    }));
    bench.until(id, JobStatus::Processing).await;
    // Somebody ends the attempt from outside, as a thief with the right lease would.
    let job = bench.look(id).await;
    let lease = Lease {
        job_id: id,
        queue: job.queue,
        worker: job.locked_by.unwrap(),
        attempt: job.attempts,
        scope: Some(bench.scope),
        until: job.locked_until.unwrap(),
    };
    let retry = JobOutcome::Retry {
        error: "taken".to_owned(),
        after: Duration::from_secs(300),
    };
    bench.store.finish(&lease, retry, Vec::new()).await.unwrap();
    stopped.notified().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.ends.of(AttemptEnd::LeaseLost), 1);
    let job = bench.look(id).await;
    assert_eq!(job.last_error.as_deref(), Some("taken"));
}

#[tokio::test(start_paused = true)]
async fn an_error_is_tried_again_and_the_last_one_fails_the_job() {
    let bench = Bench::new();
    let id = bench.enqueue(bench.job()).await;
    bench.start(handler(|_| async {
        Err(Error::unavailable("vendor.call", "connection refused"))
    }));
    let job = bench.until(id, JobStatus::Failed).await;
    assert_eq!(job.attempts, 5);
    let error = job.last_error.unwrap();
    assert!(error.contains("connection refused"), "{error}");
    assert_eq!(bench.ends.of(AttemptEnd::Retried), 4);
    assert_eq!(bench.ends.of(AttemptEnd::Failed), 1);
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_the_vendor_asked() {
    let bench = Bench::new();
    let id = bench.enqueue(bench.job()).await;
    let started = Instant::now();
    bench.start(handler(|claimed| async move {
        if claimed.job.attempts == 1 {
            let limited = Error::new(ErrorKind::RateLimited, "vendor.call", "too many");
            return Err(limited.with_retry_after(Duration::from_secs(90)));
        }
        Ok(HandlerResult::Complete(Vec::new()))
    }));
    bench.until(id, JobStatus::Completed).await;
    assert!(started.elapsed() >= Duration::from_secs(90));
}

#[tokio::test(start_paused = true)]
async fn what_trying_again_cannot_help_fails_at_once() {
    let bench = Bench::new();
    let id = bench.enqueue(bench.job()).await;
    bench.start(handler(|_| async {
        Err(Error::invalid("job.parse", "no such type"))
    }));
    assert_eq!(bench.until(id, JobStatus::Failed).await.attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_tried_again_and_the_worker_lives_on() {
    let bench = Bench::new();
    let id = bench.enqueue(bench.job()).await;
    bench.start(handler(|claimed| async move {
        assert!(claimed.job.attempts > 1, "the first attempt panics");
        Ok(HandlerResult::Complete(Vec::new()))
    }));
    let job = bench.until(id, JobStatus::Completed).await;
    assert_eq!(job.attempts, 2);
    assert_eq!(bench.ends.of(AttemptEnd::Retried), 1);
}

#[tokio::test(start_paused = true)]
async fn a_card_number_in_an_error_is_masked() {
    let bench = Bench::new();
    let id = bench.enqueue(bench.job()).await;
    bench.start(handler(|_| async {
        Err(Error::invalid("x", "bad").with("value", "4111 1111 1111 1111"))
    }));
    let job = bench.until(id, JobStatus::Failed).await;
    assert!(!job.last_error.unwrap().contains("4111 1111"));
}

#[tokio::test(start_paused = true)]
async fn a_released_job_has_not_used_an_attempt() {
    let bench = Bench::new();
    let id = bench.enqueue(bench.job()).await;
    let calls = Arc::new(AtomicUsize::new(0));
    bench.start(handler(move |claimed| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        async move {
            assert_eq!(claimed.job.attempts, 1);
            Ok(if call == 0 {
                HandlerResult::Release
            } else {
                HandlerResult::Complete(Vec::new())
            })
        }
    }));
    assert_eq!(bench.until(id, JobStatus::Completed).await.attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn drains_what_ends_in_time_and_releases_the_rest() {
    let bench = Bench::new();
    let quick = bench.enqueue(bench.job().priority(1)).await;
    let slow = bench.enqueue(bench.job()).await;
    let worker = bench.start(handler(|claimed| async move {
        let seconds = if claimed.job.priority == 1 { 10 } else { 1000 };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(HandlerResult::Complete(Vec::new()))
    }));
    bench.until(slow, JobStatus::Processing).await;
    let told = Instant::now();
    bench.shutdown.cancel();
    let late = bench.enqueue(bench.job()).await;
    worker.await.unwrap();
    assert!(
        told.elapsed() < Duration::from_secs(25),
        "{:?}",
        told.elapsed()
    );
    assert_eq!(bench.look(quick).await.status, JobStatus::Completed);
    let slow = bench.look(slow).await;
    assert_eq!((slow.status, slow.attempts), (JobStatus::Pending, 0));
    assert_eq!(bench.look(late).await.attempts, 0, "nothing new is begun");
}

#[tokio::test(start_paused = true)]
async fn invariant_e_jobs_of_a_key_never_overlap_and_keep_their_order() {
    let bench = Bench::new();
    let mut expected = Vec::new();
    for _ in 0..12 {
        expected.push(bench.enqueue(bench.job().key("reservation:1")).await);
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let (seen, busy) = (Arc::clone(&log), Arc::new(AtomicUsize::new(0)));
    bench.start(handler(move |claimed| {
        let (seen, busy) = (Arc::clone(&seen), Arc::clone(&busy));
        async move {
            assert_eq!(busy.fetch_add(1, Ordering::SeqCst), 0, "two at a time");
            tokio::time::sleep(Duration::from_millis(300)).await;
            seen.lock().unwrap().push(claimed.job.id);
            busy.fetch_sub(1, Ordering::SeqCst);
            Ok(HandlerResult::Complete(Vec::new()))
        }
    }));
    let started = Instant::now();
    bench.until(expected[11], JobStatus::Completed).await;
    assert_eq!(*log.lock().unwrap(), expected);
    // The end of one lets the next through; nobody waits for the ticker.
    assert!(started.elapsed() < Duration::from_secs(5));
}

type Batch = (Vec<JobId>, Vec<String>);

/// Works on jobs whose key begins with `read` together, and notes who was worked on with whom.
#[derive(Default)]
struct Together {
    calls: Mutex<Vec<Batch>>,
    takes: Duration,
}

impl Together {
    fn taking(seconds: u64) -> Arc<Self> {
        Arc::new(Self {
            takes: Duration::from_secs(seconds),
            ..Self::default()
        })
    }

    async fn note(&self, claimed: &[Claimed]) {
        let ids = claimed.iter().map(|claimed| claimed.job.id).collect();
        let names = claimed
            .iter()
            .map(|claimed| claimed.job.payload["name"].as_str().unwrap().to_owned())
            .collect();
        self.calls.lock().unwrap().push((ids, names));
        tokio::time::sleep(self.takes).await;
    }

    fn sizes(&self) -> Vec<usize> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(ids, _)| ids.len()).collect()
    }
}

#[async_trait]
impl Handler for Together {
    async fn handle(&self, claimed: Claimed) -> Result<HandlerResult> {
        let fails = claimed.job.payload["name"] == "bad";
        self.note(&[claimed]).await;
        match fails {
            true => Err(Error::unavailable("test.handle", "bad")),
            false => Ok(HandlerResult::Complete(Vec::new())),
        }
    }

    fn batch_key(&self, job: &Job) -> Option<String> {
        job.payload["batch"].as_str().map(str::to_owned)
    }

    async fn handle_batch(&self, claimed: Vec<Claimed>) -> Vec<Result<HandlerResult>> {
        self.note(&claimed).await;
        claimed
            .iter()
            .map(|claimed| match claimed.job.payload["name"].as_str() {
                Some("bad") => Err(Error::unavailable("test.batch", "bad")),
                _ => Ok(HandlerResult::Complete(Vec::new())),
            })
            .collect()
    }
}

impl Bench {
    fn named(&self, name: &str, batch: Option<&str>) -> NewJob {
        let payload = json!({"name": name, "batch": batch});
        NewJob::new(Queue::PmsSyncQueue, self.scope, payload)
    }

    fn start_batches(&self, batch: usize, concurrency: usize, handler: Arc<dyn Handler>) {
        let worker = Worker::new(
            Arc::new(self.store.clone()),
            Arc::new(self.store.clone()),
            handler,
            self.wakes.clone(),
            WorkerConfig {
                poll: Duration::from_secs(5),
                batch,
                concurrency,
                linger: Duration::from_millis(200),
                ..WorkerConfig::new(Queue::PmsSyncQueue, "worker-1")
            },
        );
        let worker = worker.observed_by(Arc::<Ends>::clone(&self.ends));
        tokio::spawn(worker.run(self.shutdown.clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_of_one_batch_key_are_worked_on_together_and_end_each_by_itself() {
    let bench = Bench::new();
    let mut ids = Vec::new();
    for n in 0..60 {
        let name = if n == 7 { "bad" } else { "good" };
        ids.push(bench.enqueue(bench.named(name, Some("read"))).await);
    }
    let alone = bench.enqueue(bench.named("push", None)).await;
    let handler = Together::taking(1);
    bench.start_batches(100, 8, handler.clone());

    for (n, id) in ids.iter().enumerate().filter(|(n, _)| *n != 7) {
        let job = bench.until(*id, JobStatus::Completed).await;
        assert_eq!(job.attempts, 1, "job {n}");
    }
    bench.until(alone, JobStatus::Completed).await;
    let mut sizes = handler.sizes();
    sizes.truncate(2);
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 60]);
    let failed = bench.until(ids[7], JobStatus::Failed).await;
    assert!(failed.last_error.unwrap().contains("bad"));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_batch_works_on_every_job_alone() {
    let bench = Bench::new();
    let mut last = None;
    for _ in 0..20 {
        last = Some(bench.enqueue(bench.named("good", Some("read"))).await);
    }
    let handler = Together::taking(1);
    bench.start_batches(1, 4, handler.clone());
    bench.until(last.unwrap(), JobStatus::Completed).await;
    assert_eq!(handler.sizes(), vec![1; 20]);
}

#[tokio::test(start_paused = true)]
async fn no_more_batches_run_at_a_time_than_jobs_would() {
    let bench = Bench::new();
    let mut ids = Vec::new();
    for n in 0..30 {
        let key = format!("read-{}", n % 5);
        ids.push(bench.enqueue(bench.named("good", Some(&key))).await);
    }
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    struct Counting(Arc<AtomicUsize>, Arc<AtomicUsize>);
    #[async_trait]
    impl Handler for Counting {
        async fn handle(&self, claimed: Claimed) -> Result<HandlerResult> {
            self.handle_batch(vec![claimed]).await.remove(0)
        }
        fn batch_key(&self, job: &Job) -> Option<String> {
            job.payload["batch"].as_str().map(str::to_owned)
        }
        async fn handle_batch(&self, claimed: Vec<Claimed>) -> Vec<Result<HandlerResult>> {
            let running = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            self.1.fetch_max(running, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(3)).await;
            self.0.fetch_sub(1, Ordering::SeqCst);
            let done = || Ok(HandlerResult::Complete(Vec::new()));
            claimed.iter().map(|_| done()).collect()
        }
    }
    bench.start_batches(100, 2, Arc::new(Counting(running, most.clone())));
    for id in ids {
        assert_eq!(bench.until(id, JobStatus::Completed).await.attempts, 1);
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_finds_no_slot_goes_back_in_the_queue() {
    let bench = Bench::new();
    let slow = bench.enqueue(bench.named("slow", Some("slow"))).await;
    let waiting = bench.enqueue(bench.named("good", Some("read"))).await;
    let handler = Together::taking(600);
    bench.start_batches(100, 1, handler.clone());
    bench.until(slow, JobStatus::Processing).await;
    tokio::time::sleep(Duration::from_secs(30)).await;

    let job = bench.look(waiting).await;
    assert_eq!((job.status, job.attempts), (JobStatus::Pending, 0));
    let lease = Duration::from_secs(60);
    let queue = Queue::PmsSyncQueue;
    let other = bench.store.claim(queue, "other", 10, lease).await.unwrap();
    assert_eq!(other[0].job.id, waiting);
}

#[tokio::test(start_paused = true)]
async fn invariant_d_a_lease_lost_in_a_batch_ends_only_that_job() {
    let bench = Bench::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(bench.enqueue(bench.named("good", Some("read"))).await);
    }
    let handler = Together::taking(100);
    bench.start_batches(100, 8, handler.clone());
    let job = bench.until(ids[1], JobStatus::Processing).await;
    let lease = Lease {
        job_id: job.id,
        queue: job.queue,
        worker: job.locked_by.unwrap(),
        attempt: job.attempts,
        scope: Some(bench.scope),
        until: job.locked_until.unwrap(),
    };
    let retry = JobOutcome::Retry {
        error: "taken".to_owned(),
        after: Duration::from_secs(3600),
    };
    bench.store.finish(&lease, retry, Vec::new()).await.unwrap();

    for id in [ids[0], ids[2]] {
        bench.until(id, JobStatus::Completed).await;
    }
    assert_eq!(bench.ends.of(AttemptEnd::LeaseLost), 1);
    let taken = bench.look(ids[1]).await;
    assert_eq!(taken.status, JobStatus::Pending);
    assert_eq!(taken.last_error.as_deref(), Some("taken"));
    assert_eq!(handler.sizes(), [3], "nobody was interrupted");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_failed_often_no_longer_goes_with_others() {
    let bench = Bench::new();
    let bad = bench.enqueue(bench.named("bad", Some("read"))).await;
    bench.enqueue(bench.named("good", Some("read"))).await;
    let handler = Together::taking(1);
    bench.start_batches(100, 8, handler.clone());
    let followed = async {
        loop {
            bench.enqueue(bench.named("good", Some("read"))).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        _ = bench.until(bad, JobStatus::Failed) => {}
        () = followed => {}
    }
    let calls = handler.calls.lock().unwrap();
    let with: Vec<usize> = calls
        .iter()
        .filter(|(ids, _)| ids.contains(&bad))
        .map(|(ids, _)| ids.len())
        .collect();
    assert_eq!(with.len(), 5);
    assert_eq!(with[2..], [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn invariant_e_jobs_of_a_key_never_stand_in_one_batch() {
    let bench = Bench::new();
    let mut ids = Vec::new();
    for n in 0..12 {
        let key = format!("reservation:{}", n % 3);
        ids.push(
            bench
                .enqueue(bench.named(&key, Some("read")).key(key.clone()))
                .await,
        );
    }
    let handler = Together::taking(1);
    bench.start_batches(100, 8, handler.clone());
    for id in &ids {
        bench.until(*id, JobStatus::Completed).await;
    }
    let calls = handler.calls.lock().unwrap();
    assert!(calls.iter().all(|(_, names)| {
        let mut unique = names.clone();
        unique.sort();
        unique.dedup();
        unique.len() == names.len()
    }));
    for remainder in 0..3 {
        let wanted: Vec<JobId> = ids.iter().copied().skip(remainder).step_by(3).collect();
        let done: Vec<JobId> = calls
            .iter()
            .flat_map(|(ids, _)| ids.clone())
            .filter(|id| wanted.contains(id))
            .collect();
        assert_eq!(done, wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_burst_brings_is_claimed_together() {
    let bench = Bench::new();
    let handler = Together::taking(0);
    bench.start_batches(100, 8, handler.clone());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(bench.enqueue(bench.named("good", Some("read"))).await);
        bench.wakes.wake(Queue::PmsSyncQueue);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for id in ids {
        bench.until(id, JobStatus::Completed).await;
    }
    assert_eq!(handler.sizes(), [10]);
}
