//! Records that a page puts aside: their jobs, and their lines of the journal.

use chrono::TimeDelta;
use uuid::Uuid;

use super::{
    Report, ensure, ensure_eq,
    fixture::{Hotel, claim_one, guest, hotel, jobs_of, mapping, quiet, sister},
    sync::{page, synced_guest},
};
use crate::{
    Result,
    clock::{Clock, ManualClock},
    ids::ChangeId,
    model::{Change, ChangeOutcome, ChangeSource, ExternalRef},
    port::{
        PageRequest, Store,
        edit::ChangeFilter,
        sync::{ParkedRecord, RowWrite, SyncStore},
    },
    queue::{JobStatus, Queue},
    transform::EntityKind,
};

const KIND: EntityKind = EntityKind::Guest;
const QUEUE: Queue = Queue::PmsSyncQueue;

/// Runs every scenario.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "parked::is_journalled_when_new_or_for_another_reason",
        is_journalled_when_new_or_for_another_reason(store, clock),
    )
    .await;
    r.scenario(
        "parked::names_the_row_it_belongs_to",
        names_the_row_it_belongs_to(store, clock),
    )
    .await;
    r.scenario(
        "parked::its_job_is_of_the_pages_scope",
        its_job_is_of_the_pages_scope(store, clock),
    )
    .await;
    r.scenario(
        "parked::one_that_fails_again_after_a_retry_is_news",
        one_that_fails_again_after_a_retry_is_news(store, clock),
    )
    .await;
    r.scenario(
        "parked::one_that_is_read_again_is_done",
        one_that_is_read_again_is_done(store, clock),
    )
    .await;
    r.scenario(
        "parked::one_that_comes_back_as_it_was_is_done",
        one_that_comes_back_as_it_was_is_done(store, clock),
    )
    .await;
    report
}

fn record(external: &str, reason: &str) -> ParkedRecord {
    ParkedRecord {
        entity: KIND,
        external_id: Some(external.to_owned()),
        local_id: None,
        reason: reason.to_owned(),
    }
}

async fn park<S: SyncStore + ?Sized>(
    store: &S,
    hotel: &Hotel,
    records: Vec<ParkedRecord>,
) -> Result<()> {
    let mut page = page(hotel);
    page.parked = records;
    store.apply_page(page).await
}

async fn journal<S: Store + ?Sized>(
    store: &S,
    hotel: &Hotel,
    external: &str,
) -> Result<Vec<Change>> {
    let filter = ChangeFilter {
        external_id: Some(external.to_owned()),
        ..ChangeFilter::default()
    };
    let page = PageRequest::default();
    Ok(store.changes(hotel.scope, &filter, &page).await?.items)
}

fn reasons(lines: &[Change]) -> Vec<&str> {
    let lines = lines.iter().filter_map(|line| line.reason.as_deref());
    lines.collect()
}

/// A line of the journal comes with a new record and with another reason, and with nothing else.
pub async fn is_journalled_when_new_or_for_another_reason<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let first = "Email: too long";
    park(
        store,
        &hotel,
        vec![record("g-1", first), record("g-2", first)],
    )
    .await?;
    let lines = journal(store, &hotel, "g-1").await?;
    let line = Change {
        id: lines
            .first()
            .map(|line| line.id)
            .unwrap_or_else(|| ChangeId::from(Uuid::nil())),
        organization_id: hotel.scope.organization_id,
        entity: KIND,
        entity_id: Uuid::nil(),
        external_id: Some("g-1".to_owned()),
        field: None,
        base: None,
        old: None,
        new: None,
        source: ChangeSource::Vendor {
            integration_id: hotel.integration.id,
            event: "read".to_owned(),
        },
        outcome: ChangeOutcome::Refused,
        reason: Some(first.to_owned()),
        created_at: clock.now(),
    };
    ensure_eq(lines, vec![line], "the line of a new one")?;
    let second = "BirthDate: not a day";
    for (seconds, reason, expected) in [
        (1, first, vec![first]),
        (1, second, vec![second, first]),
        (1, second, vec![second, first]),
    ] {
        clock.advance(TimeDelta::seconds(seconds));
        park(store, &hotel, vec![record("g-1", reason)]).await?;
        let lines = journal(store, &hotel, "g-1").await?;
        ensure_eq(reasons(&lines), expected, "only what is news")?;
    }
    let lines = journal(store, &hotel, "g-2").await?;
    ensure_eq(reasons(&lines), vec![first], "each record for itself")
}

/// A record whose row is known is journalled with the row.
pub async fn names_the_row_it_belongs_to<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = synced_guest(store, &hotel, "g-1", clock).await?;
    let mut parked = record("g-1", "Email: too long");
    parked.local_id = Some(row.id);
    park(store, &hotel, vec![parked]).await?;
    let (filter, page) = (ChangeFilter::of(KIND, row.id), PageRequest::default());
    let found = store.changes(hotel.scope, &filter, &page).await?;
    ensure_eq(reasons(&found.items), vec!["Email: too long"], "its line")
}

/// The job is of the page's property.
pub async fn its_job_is_of_the_pages_scope<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let sister = sister(store, &hotel, clock).await?;
    park(store, &hotel, vec![record("g-1", "why")]).await?;
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    let scopes: Vec<_> = jobs.iter().map(|job| job.property_id).collect();
    ensure_eq(scopes, vec![Some(hotel.property_id)], "of its property")?;
    let filter = crate::queue::JobFilter {
        queue: Some(QUEUE),
        status: None,
    };
    let page = PageRequest::default();
    let seen = store.jobs(hotel.property_scope(), &filter, &page).await?;
    ensure_eq(seen.items.len(), 1, "which sees it")?;
    let seen = store.jobs(sister.property_scope(), &filter, &page).await?;
    ensure(seen.items.is_empty(), "as no other does")
}

/// A record that is put aside again, while the job that was to read it runs, is news.
pub async fn one_that_fails_again_after_a_retry_is_news<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    park(store, &hotel, vec![record("g-1", "why")]).await?;
    let parked = jobs_of(store, &hotel, QUEUE).await?;
    store.retry(hotel.scope, parked[0].id).await?;
    let claimed = claim_one(store, QUEUE).await?;
    clock.advance(TimeDelta::seconds(1));
    park(store, &hotel, vec![record("g-1", "why")]).await?;
    super::fixture::complete(store, &claimed).await?;
    let lines = journal(store, &hotel, "g-1").await?;
    ensure_eq(lines.len(), 2, "a line for each time")?;
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    let failed = jobs.iter().filter(|job| job.status == JobStatus::Failed);
    ensure_eq(failed.count(), 1, "and it stands FAILED")
}

/// A record that is as it was before it was put aside is done once it is read, though nothing of it is
/// written.
pub async fn one_that_comes_back_as_it_was_is_done<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    synced_guest(store, &hotel, "g-1", clock).await?;
    let both = vec![record("g-1", "why"), record("g-2", "why")];
    park(store, &hotel, both).await?;
    let named = |id: &str| ExternalRef {
        kind: KIND,
        id: id.to_owned(),
    };
    let mut again = page(&hotel);
    again.read = vec![named("g-1"), named("g-2"), named("g-3")];
    again.parked = vec![record("g-2", "why")];
    store.apply_page(again).await?;
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    let failed: Vec<_> = jobs
        .iter()
        .filter(|job| job.status == JobStatus::Failed)
        .filter_map(|job| job.dedupe_key.as_deref())
        .collect();
    let stands = ParkedRecord::dedupe_key(hotel.integration.id, KIND, "g-2");
    ensure_eq(failed, vec![stands.as_str()], "what still cannot be read")
}

/// A record that was put aside is done once its mapping is written, unless the page puts it aside
/// again; after that it is news again.
pub async fn one_that_is_read_again_is_done<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let sister = sister(store, &hotel, clock).await?;
    let both = vec![record("g-1", "why"), record("g-2", "why")];
    park(store, &hotel, both).await?;
    park(store, &sister, vec![record("g-1", "why")]).await?;
    let row = guest(&hotel, clock)?;
    let mut again = page(&hotel);
    again.mappings = vec![mapping(&hotel, &row, "g-1", clock)];
    again.rows = vec![RowWrite::Insert(row.clone())];
    again.parked = vec![record("g-1", "why")];
    store.apply_page(again).await?;
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    let failed = |job: &&crate::queue::Job| job.status == JobStatus::Failed;
    ensure_eq(jobs.iter().filter(failed).count(), 3, "all stand")?;
    clock.advance(TimeDelta::seconds(1));
    let mut read = page(&hotel);
    let mut newer = mapping(&hotel, &row, "g-1", clock);
    newer.revision = 2;
    read.mappings = vec![newer];
    store.apply_page(read).await?;
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    let done: Vec<_> = jobs.iter().filter(|job| !failed(job)).collect();
    ensure_eq(done.len(), 1, "one record was read")?;
    ensure_eq(done[0].status, JobStatus::Completed, "its job is done")?;
    ensure_eq(done[0].updated_at, clock.now(), "since then")?;
    ensure_eq(done[0].property_id, Some(hotel.property_id), "its own")?;
    park(store, &hotel, vec![record("g-1", "why")]).await?;
    let lines = journal(store, &hotel, "g-1").await?;
    // One of each integration, and the new one.
    ensure_eq(lines.len(), 3, "after that it is news")
}
