//! What [`crate::port::conflict::Conflicts::resolve_conflict`] promises.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    Report,
    conflict::opened,
    ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, change, field, hotel, jobs_of, mapping, sister},
    sync::{mapped, read, synced_guest},
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::ConflictId,
    model::{
        ChangeSource, Conflict, ConflictStatus, Contact, ContactChannel, Resolution,
        ResolutionChoice,
    },
    port::{
        PageRequest, Store,
        conflict::ResolveWrite,
        edit::{ChangeFilter, EditWrite},
        sync::{ContactWrite, Mapping},
    },
    queue::Queue,
    transform::{EntityKind, EntityRow, FieldMap},
};

const KIND: EntityKind = EntityKind::Guest;
const QUEUE: Queue = Queue::PmsSyncQueue;

/// Runs every scenario.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "resolve::everything_that_follows_is_written",
        everything_that_follows_is_written(store, clock),
    )
    .await;
    r.scenario(
        "resolve::nothing_to_set_leaves_the_row",
        nothing_to_set_leaves_the_row(store, clock),
    )
    .await;
    r.scenario(
        "resolve::invariant_b_what_changed_meanwhile_refuses_it",
        what_changed_meanwhile_refuses_it(store, clock),
    )
    .await;
    r.scenario(
        "resolve::it_is_decided_once",
        it_is_decided_once(store, clock),
    )
    .await;
    r.scenario(
        "resolve::invariant_t_not_found_elsewhere",
        not_found_elsewhere(store, clock),
    )
    .await;
    report
}

fn rebased(hotel: &Hotel, row: &EntityRow, clock: &ManualClock) -> Mapping {
    let mut mapping = mapping(hotel, row, "g-1", clock);
    mapping.base.insert("email", "theirs@example.com");
    mapping.extra = json!({ "_note": "kept" });
    mapping.revision = 2;
    mapping
}

fn decision(
    hotel: &Hotel,
    row: &EntityRow,
    conflict: &Conflict,
    clock: &ManualClock,
) -> ResolveWrite {
    ResolveWrite {
        scope: hotel.property_scope(),
        id: conflict.id,
        expected_revision: 1,
        resolution: Resolution {
            choice: ResolutionChoice::Fields,
            fields: field("email", "both@example.com"),
            source: Some(ChangeSource::Staff {
                actor: "front desk".to_owned(),
            }),
            at: clock.now(),
        },
        expected_version: 1,
        set: field("email", "both@example.com"),
        mapping: rebased(hotel, row, clock),
        contacts: vec![ContactWrite {
            guest_id: row.id.into(),
            channel: ContactChannel::Email,
            address: Some("both@example.com".to_owned()),
        }],
        changes: vec![change(hotel, (KIND, row.id), "email", clock)],
        jobs: vec![hotel.job(QUEUE, "push")],
    }
}

/// A decision ends the conflict with everything that follows from it, and returns it as it stands
/// then.
pub async fn everything_that_follows_is_written<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = synced_guest(store, &hotel, "g-1", clock).await?;
    let open = opened(store, &hotel, &row, clock).await?;
    clock.advance(TimeDelta::seconds(9));
    let decision = decision(&hotel, &row, &open, clock);
    let resolved = store.resolve_conflict(decision.clone()).await?;
    let expected = Conflict {
        status: ConflictStatus::Resolved,
        resolution: Some(decision.resolution),
        revision: 2,
        updated_at: clock.now(),
        ..open
    };
    ensure_eq(&resolved, &expected, "the conflict as it stands then")?;
    let found = store.conflict(hotel.scope, resolved.id).await?;
    ensure_eq(found, Some(expected), "and as it is read")?;
    let mut after = row.clone();
    after.fields.extend(&decision.set);
    after.version = 2;
    after.updated_at = clock.now();
    let found = read(store, &hotel, &row).await?;
    ensure_eq(found, Some(after), "the row")?;
    let found = mapped(store, &hotel, "g-1").await?;
    ensure_eq(found, Some(decision.mapping), "the mapping")?;
    let email = Contact {
        channel: ContactChannel::Email,
        address: "both@example.com".to_owned(),
    };
    let guest = store.guest_by_contact(hotel.scope, &[email]).await?;
    ensure_eq(guest, Some(row.id.into()), "the address")?;
    let (filter, page) = (ChangeFilter::of(KIND, row.id), PageRequest::default());
    let journal = store.changes(hotel.scope, &filter, &page).await?;
    ensure_eq(journal.items, decision.changes, "the journal")?;
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    ensure_eq(jobs.len(), 1, "the push")
}

/// Without fields to set, the row and its version stay as they are.
pub async fn nothing_to_set_leaves_the_row<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = synced_guest(store, &hotel, "g-1", clock).await?;
    let open = opened(store, &hotel, &row, clock).await?;
    clock.advance(TimeDelta::seconds(9));
    let mut decision = decision(&hotel, &row, &open, clock);
    decision.set = FieldMap::new();
    decision.contacts.clear();
    let resolved = store.resolve_conflict(decision).await?;
    ensure_eq(resolved.status, ConflictStatus::Resolved, "it is decided")?;
    let found = read(store, &hotel, &row).await?;
    ensure_eq(found, Some(row), "the row stays")
}

async fn ensure_open<S: Store + ?Sized>(
    store: &S,
    hotel: &Hotel,
    row: &EntityRow,
    open: &Conflict,
) -> Result<()> {
    let found = store.conflict(hotel.scope, open.id).await?;
    ensure_eq(found.as_ref(), Some(open), "the conflict stays")?;
    let found = read(store, hotel, row).await?;
    ensure_eq(found.as_ref(), Some(row), "the row stays")?;
    let revision = mapped(store, hotel, "g-1").await?.map(|one| one.revision);
    ensure_eq(revision, Some(1), "the mapping stays")?;
    let (filter, page) = (ChangeFilter::of(KIND, row.id), PageRequest::default());
    let journal = store.changes(hotel.scope, &filter, &page).await?;
    ensure(journal.items.is_empty(), "no line of the journal")?;
    ensure(jobs_of(store, hotel, QUEUE).await?.is_empty(), "no job")
}

/// If the conflict, its row or its mapping has changed since it was read, nothing is written.
pub async fn what_changed_meanwhile_refuses_it<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = synced_guest(store, &hotel, "g-1", clock).await?;
    let open = opened(store, &hotel, &row, clock).await?;
    let good = decision(&hotel, &row, &open, clock);
    for off in [-1, 1] {
        let mut revision = good.clone();
        revision.expected_revision += off;
        let mut version = good.clone();
        version.expected_version += off;
        let mut mapping = good.clone();
        mapping.mapping.revision += off;
        for stale in [revision, version, mapping] {
            let refused = store.resolve_conflict(stale).await;
            ensure_kind(refused, ErrorKind::Conflict, "changed meanwhile")?;
            ensure_open(store, &hotel, &row, &open).await?;
        }
    }
    // An edit while it is open counts the row's version.
    let edit = EditWrite {
        scope: hotel.scope,
        kind: KIND,
        id: row.id,
        expected_version: 1,
        set: field("notes", "edited while it is open"),
        contacts: Vec::new(),
        changes: Vec::new(),
        jobs: Vec::new(),
    };
    let row = store.apply_edit(edit).await?;
    let refused = store.resolve_conflict(good.clone()).await;
    ensure_kind(refused, ErrorKind::Conflict, "the row was edited")?;
    ensure_open(store, &hotel, &row, &open).await?;
    let mut again = good;
    again.expected_version = 2;
    store.resolve_conflict(again).await.map(|_| ())
}

/// A conflict that is not open any more is a conflict, and nothing is written.
pub async fn it_is_decided_once<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = synced_guest(store, &hotel, "g-1", clock).await?;
    let open = opened(store, &hotel, &row, clock).await?;
    let decision = decision(&hotel, &row, &open, clock);
    let resolved = store.resolve_conflict(decision.clone()).await?;
    let mut again = decision;
    again.expected_revision = resolved.revision;
    again.expected_version = 2;
    again.mapping.revision = 3;
    again.changes = vec![change(&hotel, (KIND, row.id), "email", clock)];
    let refused = store.resolve_conflict(again).await;
    ensure_kind(refused, ErrorKind::Conflict, "it is not open any more")?;
    let found = store.conflict(hotel.scope, open.id).await?;
    ensure_eq(found, Some(resolved), "as it was decided")?;
    let version = read(store, &hotel, &row).await?.map(|row| row.version);
    ensure_eq(version, Some(2), "the row stays")?;
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    ensure_eq(jobs.len(), 1, "no second job")
}

/// A conflict that is not in scope is not found.
pub async fn not_found_elsewhere<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Result<()> {
    let owner = hotel(store, clock).await?;
    let sister = sister(store, &owner, clock).await?;
    let stranger = hotel(store, clock).await?;
    let row = synced_guest(store, &owner, "g-1", clock).await?;
    let open = opened(store, &owner, &row, clock).await?;
    let good = decision(&owner, &row, &open, clock);
    for scope in [
        stranger.scope,
        stranger.property_scope(),
        sister.property_scope(),
    ] {
        let foreign = ResolveWrite {
            scope,
            ..good.clone()
        };
        let refused = store.resolve_conflict(foreign).await;
        ensure_kind(refused, ErrorKind::NotFound, "somebody else's")?;
        ensure_open(store, &owner, &row, &open).await?;
    }
    let unknown = ResolveWrite {
        id: ConflictId::generate(clock),
        ..good.clone()
    };
    let refused = store.resolve_conflict(unknown).await;
    ensure_kind(refused, ErrorKind::NotFound, "an id nobody knows")?;
    store.resolve_conflict(good).await.map(|_| ())
}
