//! Rows that are made here: [`crate::port::edit::Edits::create_row`].

use super::{
    Report,
    contact_owner::email,
    ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, change, field, guest, hotel, jobs_of, reservation, sister},
    note::note,
    sync::{page, read},
};
use crate::{
    ErrorKind, Result,
    clock::ManualClock,
    port::{
        PageRequest, Store,
        edit::{ChangeFilter, CreateWrite},
        sync::{ContactWrite, RowWrite},
    },
    queue::Queue,
    tenant::TenantScope,
    transform::EntityRow,
};

const QUEUE: Queue = Queue::PmsSyncQueue;

/// Runs every scenario.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "create::stores_journals_and_enqueues",
        stores_journals_and_enqueues(store, clock),
    )
    .await;
    r.scenario(
        "create::a_row_is_made_once",
        a_row_is_made_once(store, clock),
    )
    .await;
    r.scenario(
        "create::invariant_t_in_ones_own_scope",
        in_ones_own_scope(store, clock),
    )
    .await;
    report
}

fn create(hotel: &Hotel, scope: TenantScope, row: &EntityRow, clock: &ManualClock) -> CreateWrite {
    let mut line = change(hotel, (row.kind, row.id), "", clock);
    line.field = None;
    line.old = None;
    CreateWrite {
        scope,
        row: row.clone(),
        contacts: Vec::new(),
        changes: vec![line],
        jobs: vec![hotel.job(QUEUE, "push")],
    }
}

/// The row, its addresses, its line and its job are stored at once, and the row is returned.
pub async fn stores_journals_and_enqueues<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = guest(&hotel, clock)?;
    let mut write = create(&hotel, hotel.scope, &row, clock);
    write.contacts = vec![ContactWrite {
        guest_id: row.id.into(),
        channel: crate::model::ContactChannel::Email,
        address: Some("zoe@example.com".to_owned()),
    }];
    let changes = write.changes.clone();
    let made = store.create_row(write).await?;
    ensure_eq(&made, &row, "the row")?;
    let found = read(store, &hotel, &row).await?;
    ensure_eq(found.as_ref(), Some(&row), "as it is read")?;
    let address = email("zoe@example.com");
    let leads = store.guest_by_contact(hotel.scope, &[address]).await?;
    ensure_eq(leads, Some(row.id.into()), "its address")?;
    let (filter, page) = (ChangeFilter::of(row.kind, row.id), PageRequest::default());
    let journal = store.changes(hotel.scope, &filter, &page).await?;
    ensure_eq(journal.items, changes, "its line")?;
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    ensure_eq(jobs.len(), 1, "its job")?;

    let stay = reservation(&hotel, Some(row.id), clock)?;
    let mut synced = super::sync::page(&hotel);
    synced.rows = vec![RowWrite::Insert(stay.clone())];
    store.apply_page(synced).await?;
    let note = note(&hotel, Some(stay.id), None, clock)?;
    let write = create(&hotel, hotel.property_scope(), &note, clock);
    store.create_row(write).await?;
    let found = read(store, &hotel, &note).await?;
    ensure_eq(found, Some(note), "a note of one property")
}

/// A row whose id is there is a conflict, and nothing is written.
pub async fn a_row_is_made_once<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = guest(&hotel, clock)?;
    let write = create(&hotel, hotel.scope, &row, clock);
    store.create_row(write).await?;
    let mut twin = row.clone();
    twin.fields.extend(&field("last_name", "Twin"));
    let again = create(&hotel, hotel.scope, &twin, clock);
    let refused = store.create_row(again).await;
    ensure_kind(refused, ErrorKind::Conflict, "it is there already")?;
    let found = read(store, &hotel, &row).await?;
    ensure_eq(found, Some(row.clone()), "the first stays")?;
    let (filter, page) = (ChangeFilter::of(row.kind, row.id), PageRequest::default());
    let journal = store.changes(hotel.scope, &filter, &page).await?;
    ensure_eq(journal.items.len(), 1, "no second line")?;
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    ensure_eq(jobs.len(), 1, "no second job")
}

/// A row of another organization or another property is not made.
pub async fn in_ones_own_scope<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Result<()> {
    let owner = hotel(store, clock).await?;
    let sister = sister(store, &owner, clock).await?;
    let stranger = hotel(store, clock).await?;
    let known = guest(&owner, clock)?;
    let mut synced = page(&owner);
    synced.rows = vec![RowWrite::Insert(known.clone())];
    store.apply_page(synced).await?;
    let rows = [
        guest(&owner, clock)?,
        note(&owner, None, Some(known.id), clock)?,
    ];
    for row in &rows {
        for scope in [stranger.scope, stranger.property_scope()] {
            let foreign = create(&owner, scope, row, clock);
            let refused = store.create_row(foreign).await;
            ensure_kind(refused, ErrorKind::NotFound, "another organization's")?;
        }
    }
    let foreign = create(&owner, sister.property_scope(), &rows[1], clock);
    let refused = store.create_row(foreign).await;
    ensure_kind(refused, ErrorKind::NotFound, "another property's")?;
    for row in &rows {
        ensure_eq(read(store, &owner, row).await?, None, "it is not there")?;
    }
    for hotel in [&owner, &stranger] {
        let jobs = jobs_of(store, hotel, QUEUE).await?;
        ensure(jobs.is_empty(), "nor a job")?;
    }
    for row in &rows {
        let own = create(&owner, owner.property_scope(), row, clock);
        store.create_row(own).await?;
    }
    Ok(())
}
