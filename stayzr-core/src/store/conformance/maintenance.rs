//! [`crate::port::setup::Maintenance`].

use chrono::TimeDelta;

use super::{Report, sample};
use crate::{
    Result,
    clock::ManualClock,
    port::{
        PageRequest,
        directory::Directory,
        queue::JobQueue,
        setup::{Maintenance, Setup},
    },
    queue::{JobFilter, JobOutcome, JobStatus, NewJob, Queue},
};

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Maintenance + Setup + Directory + JobQueue + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "maintenance::migrating_twice_does_nothing",
        migrating_twice_does_nothing(store, clock),
    )
    .await;
    r.scenario(
        "maintenance::a_sweep_drops_what_is_past_its_keep",
        a_sweep_drops_what_is_past_its_keep(store, clock),
    )
    .await;
    report
}

/// A second migration does nothing; nothing is pending then, and the store answers.
pub async fn migrating_twice_does_nothing<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Maintenance + Setup + ?Sized,
{
    store.migrate().await?;
    let scope = sample::tenant(store, clock).await;
    store.migrate().await?;
    assert!(store.pending_migrations().await?.is_empty());
    store.ping().await?;
    store.prove_isolation().await?;
    store.database_time().await?;
    let left = store.organizations().await?;
    assert!(left.iter().any(|one| one.id == scope.organization_id));
    Ok(())
}

/// Completed jobs are dropped after their keep; failed ones are kept longer, unfinished ones for
/// ever.
pub async fn a_sweep_drops_what_is_past_its_keep<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Maintenance + Setup + Directory + JobQueue + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let job = || NewJob::new(Queue::PmsSyncQueue, scope, serde_json::json!({}));
    store.enqueue(vec![job(), job(), job()]).await?;
    let minute = std::time::Duration::from_secs(60);
    let mut claimed = store
        .claim(Queue::PmsSyncQueue, "worker", 2, minute)
        .await?;
    let failed = claimed.pop().expect("the second");
    let completed = claimed.pop().expect("the first");
    let failure = JobOutcome::Failed {
        error: "broken".to_owned(),
    };
    store
        .finish(&completed.lease, JobOutcome::Completed, Vec::new())
        .await?;
    store.finish(&failed.lease, failure, Vec::new()).await?;
    for (days, left) in [
        (
            6,
            vec![JobStatus::Pending, JobStatus::Failed, JobStatus::Completed],
        ),
        (2, vec![JobStatus::Pending, JobStatus::Failed]),
        (90, vec![JobStatus::Pending]),
    ] {
        clock.advance(TimeDelta::days(days));
        store.sweep().await?;
        let jobs = store
            .jobs(scope, &JobFilter::default(), &PageRequest::default())
            .await?;
        let statuses: Vec<JobStatus> = jobs.items.iter().map(|job| job.status).collect();
        assert_eq!(statuses, left);
    }
    Ok(())
}
