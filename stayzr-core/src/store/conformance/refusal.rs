//! When [`SyncStore::apply_page`] refuses a page, nothing of it is there.

use super::{
    Report, ensure, ensure_eq, ensure_kind,
    fixture::{
        Hotel, change, claim_one, expire, field, guest, hotel, jobs_of, mapping, quiet, reservation,
    },
    sync::{mapped, page, read, synced_guest},
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    model::{Contact, ContactChannel, RunMode},
    port::{
        PageRequest,
        directory::Directory,
        edit::{ChangeFilter, Edits},
        entities::Entities,
        queue::JobQueue,
        setup::Setup,
        sync::{ContactWrite, Cursor, PageWrite, ParkedRecord, RowWrite, SyncStore},
    },
    queue::{JobStatus, Queue},
    transform::{EntityKind, EntityRow},
};

const QUEUE: Queue = Queue::PmsSyncQueue;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "refusal::invariant_b_a_changed_row_refuses_the_page",
        a_changed_row_refuses_the_page(store, clock),
    )
    .await;
    r.scenario(
        "refusal::invariant_b_a_replaced_mapping_refuses_the_page",
        a_replaced_mapping_refuses_the_page(store, clock),
    )
    .await;
    r.scenario(
        "refusal::invariant_d_a_lost_lease_refuses_the_page",
        a_lost_lease_refuses_the_page(store, clock),
    )
    .await;
    r.scenario(
        "refusal::mappings_are_unique_both_ways",
        mappings_are_unique(store, clock),
    )
    .await;
    report
}

/// A page with something of everything, on top of a guest that is there.
fn full_page(
    hotel: &Hotel,
    guest: &EntityRow,
    version: i64,
    clock: &ManualClock,
) -> Result<PageWrite> {
    let stay = reservation(hotel, Some(guest.id), clock)?;
    let mut page = page(hotel);
    page.mappings = vec![mapping(hotel, &stay, "r-9", clock)];
    page.rows = vec![
        RowWrite::Insert(stay),
        RowWrite::Update {
            kind: EntityKind::Guest,
            id: guest.id,
            expected_version: version,
            set: field("email", "stale@example.com"),
        },
    ];
    page.changes = vec![change(hotel, (EntityKind::Guest, guest.id), "email", clock)];
    page.jobs = vec![hotel.job(Queue::OutboundQueue, "push")];
    page.contacts = vec![ContactWrite {
        guest_id: guest.id.into(),
        channel: ContactChannel::Email,
        address: Some("stale@example.com".to_owned()),
    }];
    page.parked = vec![ParkedRecord {
        local_id: None,
        entity: EntityKind::Room,
        external_id: Some("x".to_owned()),
        reason: "no number".to_owned(),
    }];
    page.cursor = Some(Cursor {
        integration_id: hotel.integration.id,
        entity: EntityKind::Guest,
        mode: RunMode::Incremental,
        position: None,
        watermark: Some(clock.now()),
    });
    Ok(page)
}

/// Nothing of [`full_page`] is there.
async fn ensure_untouched<S>(store: &S, hotel: &Hotel, guest: &EntityRow) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let (id, scope) = (hotel.integration.id, hotel.scope);
    let found = read(store, hotel, guest).await?;
    let email = found.as_ref().and_then(|row| row.fields.text("email"));
    ensure(email != Some("stale@example.com"), "no row is changed")?;
    let stays = store
        .rows(
            scope,
            EntityKind::Reservation,
            &Default::default(),
            &PageRequest::default(),
        )
        .await?;
    ensure(stays.items.is_empty(), "no row is made")?;
    let external = ["r-9".to_owned()];
    let mappings = store
        .mappings(scope, id, EntityKind::Reservation, &external)
        .await?;
    ensure(mappings.is_empty(), "no mapping")?;
    let journal = store
        .changes(
            scope,
            &ChangeFilter::of(EntityKind::Guest, guest.id),
            &PageRequest::default(),
        )
        .await?;
    ensure(journal.items.is_empty(), "no line of the journal")?;
    let jobs = jobs_of(store, hotel, Queue::OutboundQueue).await?;
    ensure(jobs.is_empty(), "no job")?;
    let address = Contact {
        channel: ContactChannel::Email,
        address: "stale@example.com".to_owned(),
    };
    let found = store.guest_by_contact(scope, &[address]).await?;
    ensure_eq(found, None, "no address")?;
    let parked = jobs_of(store, hotel, QUEUE).await?;
    ensure(
        parked.iter().all(|job| job.status != JobStatus::Failed),
        "no record is put aside",
    )?;
    let cursor = store
        .cursor(scope, id, EntityKind::Guest, RunMode::Incremental)
        .await?;
    ensure_eq(cursor, None, "no cursor")
}

/// A row with another version than expected: nothing of the page is written.
pub async fn a_changed_row_refuses_the_page<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let guest = synced_guest(store, &hotel, "g-1", clock).await?;
    for version in [0, 2] {
        let stale = full_page(&hotel, &guest, version, clock)?;
        let refused = store.apply_page(stale).await;
        ensure_kind(
            refused,
            ErrorKind::Conflict,
            "another version than expected",
        )?;
        ensure_untouched(store, &hotel, &guest).await?;
    }
    store
        .apply_page(full_page(&hotel, &guest, 1, clock)?)
        .await?;
    let email = Contact {
        channel: ContactChannel::Email,
        address: "stale@example.com".to_owned(),
    };
    let found = store.guest_by_contact(hotel.scope, &[email]).await?;
    ensure_eq(
        found,
        Some(guest.id.into()),
        "with the right one it is written",
    )
}

/// A mapping that somebody replaced meanwhile: nothing of the page is written.
pub async fn a_replaced_mapping_refuses_the_page<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let guest = synced_guest(store, &hotel, "g-1", clock).await?;
    for revision in [1, 3] {
        let mut stale = full_page(&hotel, &guest, 1, clock)?;
        let mut mapping = mapping(&hotel, &guest, "g-1", clock);
        mapping.revision = revision;
        stale.mappings.push(mapping);
        let refused = store.apply_page(stale).await;
        ensure_kind(
            refused,
            ErrorKind::Conflict,
            "another revision than the next",
        )?;
        ensure_untouched(store, &hotel, &guest).await?;
    }
    let mut fresh = page(&hotel);
    let mut replaced = mapping(&hotel, &guest, "g-1", clock);
    replaced.revision = 2;
    replaced.hash = "newer".to_owned();
    fresh.mappings = vec![replaced.clone()];
    store.apply_page(fresh).await?;
    ensure_eq(
        mapped(store, &hotel, "g-1").await?,
        Some(replaced),
        "the next one replaces",
    )
}

/// A lease that was lost: nothing of the page is written.
pub async fn a_lost_lease_refuses_the_page<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let guest = synced_guest(store, &hotel, "g-1", clock).await?;
    store.enqueue(vec![hotel.job(QUEUE, "run")]).await?;
    let old = claim_one(store, QUEUE).await?;
    expire(clock);
    let new = claim_one(store, QUEUE).await?;
    let mut stale = full_page(&hotel, &guest, 1, clock)?;
    stale.lease = Some(old.lease);
    let refused = store.apply_page(stale).await;
    ensure_kind(refused, ErrorKind::Conflict, "the lease was lost")?;
    ensure_untouched(store, &hotel, &guest).await?;
    let mut good = full_page(&hotel, &guest, 1, clock)?;
    good.lease = Some(new.lease);
    store.apply_page(good).await
}

/// A mapping is unique both ways for (integration, kind).
pub async fn mappings_are_unique<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let row = synced_guest(store, &hotel, "g-1", clock).await?;
    let mut second = page(&hotel);
    second.mappings = vec![mapping(&hotel, &row, "g-2", clock)];
    let refused = store.apply_page(second).await;
    ensure_kind(refused, ErrorKind::Conflict, "a row under two external ids")?;
    ensure_eq(mapped(store, &hotel, "g-2").await?, None, "is not written")?;
    let other = guest(&hotel, clock)?;
    let mut twice = page(&hotel);
    twice.rows = vec![RowWrite::Insert(other.clone())];
    twice.mappings = ["g-3", "g-4"]
        .map(|external| mapping(&hotel, &other, external, clock))
        .to_vec();
    let refused = store.apply_page(twice).await;
    ensure_kind(refused, ErrorKind::Conflict, "nor in one page")?;
    ensure_eq(
        read(store, &hotel, &other).await?,
        None,
        "and its row is not made",
    )
}
