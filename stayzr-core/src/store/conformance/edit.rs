//! What [`Edits`] promises.

use chrono::TimeDelta;
use uuid::Uuid;

use super::{
    Report, ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, change, field, hotel, jobs_of, reservation},
    sync::synced_guest,
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::PropertyId,
    model::{Contact, ContactChannel},
    port::{
        PageRequest,
        directory::Directory,
        edit::{ChangeFilter, EditWrite, Edits},
        entities::Entities,
        queue::JobQueue,
        setup::Setup,
        sync::{ContactWrite, PageWrite, RowWrite, SyncStore},
    },
    queue::Queue,
    tenant::TenantScope,
    transform::EntityKind,
};

const KIND: EntityKind = EntityKind::Guest;
const QUEUE: Queue = Queue::PmsSyncQueue;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "edit::sets_journals_and_enqueues",
        sets_journals_and_enqueues(store, clock),
    )
    .await;
    r.scenario(
        "edit::invariant_b_another_version_writes_nothing",
        another_version_writes_nothing(store, clock),
    )
    .await;
    r.scenario(
        "edit::invariant_t_not_found_elsewhere",
        not_found_elsewhere(store, clock),
    )
    .await;
    r.scenario(
        "edit::journal_newest_first",
        journal_newest_first(store, clock),
    )
    .await;
    report
}

fn edit(hotel: &Hotel, id: Uuid, version: i64, clock: &ManualClock) -> EditWrite {
    EditWrite {
        scope: hotel.scope,
        kind: KIND,
        id,
        expected_version: version,
        set: field("email", "staff@example.com"),
        contacts: vec![ContactWrite {
            guest_id: id.into(),
            channel: ContactChannel::Email,
            address: Some("staff@example.com".to_owned()),
        }],
        changes: vec![change(hotel, (KIND, id), "email", clock)],
        jobs: vec![hotel.job(QUEUE, "push")],
    }
}

fn address() -> [Contact; 1] {
    [Contact {
        channel: ContactChannel::Email,
        address: "staff@example.com".to_owned(),
    }]
}

/// Applies an edit and returns the row as it stands then, its version one higher.
pub async fn sets_journals_and_enqueues<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let before = synced_guest(store, &hotel, "g-1", clock).await?;
    clock.advance(TimeDelta::seconds(3));
    let edit = edit(&hotel, before.id, 1, clock);
    let changes = edit.changes.clone();
    let after = store.apply_edit(edit).await?;
    let mut expected = before;
    expected.fields.insert("email", "staff@example.com");
    expected.version = 2;
    expected.updated_at = clock.now();
    ensure_eq(&after, &expected, "the row as it stands then")?;
    let found = store.row(hotel.scope, KIND, after.id).await?;
    ensure_eq(found, Some(expected), "and as it is read")?;
    let journal = store
        .changes(
            hotel.scope,
            &ChangeFilter::of(KIND, after.id),
            &PageRequest::default(),
        )
        .await?;
    ensure_eq(journal.items, changes, "journalled")?;
    ensure_eq(
        jobs_of(store, &hotel, QUEUE).await?.len(),
        1,
        "with its job",
    )?;
    let guest = store.guest_by_contact(hotel.scope, &address()).await?;
    ensure_eq(guest, Some(after.id.into()), "and its address")
}

/// If the version is another, nothing is written.
pub async fn another_version_writes_nothing<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let before = synced_guest(store, &hotel, "g-1", clock).await?;
    for version in [0, 2] {
        let stale = edit(&hotel, before.id, version, clock);
        let refused = store.apply_edit(stale).await;
        ensure_kind(refused, ErrorKind::Conflict, "another version")?;
    }
    let found = store.row(hotel.scope, KIND, before.id).await?;
    ensure_eq(found.as_ref(), Some(&before), "the row stays")?;
    let journal = store
        .changes(
            hotel.scope,
            &ChangeFilter::of(KIND, before.id),
            &PageRequest::default(),
        )
        .await?;
    ensure(journal.items.is_empty(), "no line of the journal")?;
    ensure(jobs_of(store, &hotel, QUEUE).await?.is_empty(), "no job")?;
    let guest = store.guest_by_contact(hotel.scope, &address()).await?;
    ensure_eq(guest, None, "no address")
}

/// A row that is not in scope is not found.
pub async fn not_found_elsewhere<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let owner = hotel(store, clock).await?;
    let stranger = hotel(store, clock).await?;
    let guest = synced_guest(store, &owner, "g-1", clock).await?;
    let foreign = edit(&stranger, guest.id, 1, clock);
    let refused = store.apply_edit(foreign).await;
    ensure_kind(refused, ErrorKind::NotFound, "another organization's row")?;
    let unknown = store.apply_edit(edit(&owner, clock.uuid(), 1, clock)).await;
    ensure_kind(unknown, ErrorKind::NotFound, "a row nobody knows")?;
    let found = store.row(owner.scope, KIND, guest.id).await?;
    ensure_eq(found.as_ref(), Some(&guest), "the row stays")?;
    store.apply_edit(edit(&owner, guest.id, 1, clock)).await?;
    let page = PageRequest::default();
    let journal = store
        .changes(stranger.scope, &ChangeFilter::of(KIND, guest.id), &page)
        .await?;
    ensure(journal.items.is_empty(), "nor is its journal")?;

    // A reservation belongs to one property.
    let stay = reservation(&owner, None, clock)?;
    let mut page = PageWrite::new(owner.property_scope(), owner.integration.id);
    page.rows = vec![RowWrite::Insert(stay.clone())];
    store.apply_page(page).await?;
    let elsewhere = TenantScope::property(owner.scope.organization_id, PropertyId::generate(clock));
    let narrowed = EditWrite {
        scope: elsewhere,
        kind: EntityKind::Reservation,
        id: stay.id,
        expected_version: 1,
        set: field("purpose", "Leisure"),
        contacts: Vec::new(),
        changes: Vec::new(),
        jobs: Vec::new(),
    };
    let refused = store.apply_edit(narrowed.clone()).await;
    ensure_kind(refused, ErrorKind::NotFound, "another property's row")?;
    let own = EditWrite {
        scope: owner.property_scope(),
        ..narrowed
    };
    ensure_eq(store.apply_edit(own).await?.version, 2, "in its own it is")
}

/// The journal of a row, the newest line first, in pages.
pub async fn journal_newest_first<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let guest = synced_guest(store, &hotel, "g-1", clock).await?;
    let mut expected = Vec::new();
    for version in 1..=5 {
        clock.advance(TimeDelta::seconds(1));
        let edit = edit(&hotel, guest.id, version, clock);
        expected.extend(edit.changes.clone());
        store.apply_edit(edit).await?;
    }
    expected.reverse();
    let mut page = PageRequest {
        limit: 2,
        cursor: None,
    };
    let mut found = Vec::new();
    loop {
        let part = store
            .changes(hotel.scope, &ChangeFilter::of(KIND, guest.id), &page)
            .await?;
        found.extend(part.items);
        page.cursor = part.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    ensure_eq(found, expected, "newest first, each once")
}
