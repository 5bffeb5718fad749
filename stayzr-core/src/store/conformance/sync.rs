//! What [`SyncStore`] promises.

use serde_json::{Value, json};

use super::{
    Report, ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, change, field, guest, hotel, jobs_of, mapping, quiet, reservation},
    progress::{self, run_of},
    refusal,
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::IntegrationId,
    model::{Contact, ContactChannel, RunMode},
    port::{
        PageRequest,
        directory::Directory,
        edit::{ChangeFilter, Edits},
        entities::Entities,
        queue::JobQueue,
        setup::Setup,
        sync::{ContactWrite, Cursor, Mapping, PageWrite, RowWrite, RunEnd, SyncStore},
    },
    queue::Queue,
    transform::{EntityKind, EntityRow},
};

const QUEUE: Queue = Queue::PmsSyncQueue;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let mut report = Report::new();
    report.join(refusal::run(store, clock).await);
    report.join(progress::run(store, clock).await);
    let r = &mut report;
    r.scenario("sync::writes_a_page", writes_a_page(store, clock))
        .await;
    r.scenario("sync::updates_rows", updates_rows(store, clock))
        .await;
    r.scenario(
        "sync::addresses_follow_the_record",
        addresses_follow_the_record(store, clock),
    )
    .await;
    r.scenario(
        "sync::invariant_t_others_see_nothing",
        others_see_nothing(store, clock),
    )
    .await;
    report
}

pub(super) fn page(hotel: &Hotel) -> PageWrite {
    PageWrite::new(hotel.property_scope(), hotel.integration.id)
}

/// Stores a guest that the vendor calls `external`, and returns its row.
pub async fn synced_guest<S>(
    store: &S,
    hotel: &Hotel,
    external: &str,
    clock: &ManualClock,
) -> Result<EntityRow>
where
    S: SyncStore + ?Sized,
{
    let row = guest(hotel, clock)?;
    let mut page = page(hotel);
    page.mappings = vec![mapping(hotel, &row, external, clock)];
    page.rows = vec![RowWrite::Insert(row.clone())];
    store.apply_page(page).await?;
    Ok(row)
}

pub(super) async fn read<S: Entities + ?Sized>(
    store: &S,
    hotel: &Hotel,
    row: &EntityRow,
) -> Result<Option<EntityRow>> {
    store.row(hotel.scope, row.kind, row.id).await
}

pub(super) async fn mapped<S>(store: &S, hotel: &Hotel, external: &str) -> Result<Option<Mapping>>
where
    S: SyncStore + ?Sized,
{
    let ids = [external.to_owned()];
    let kind = EntityKind::Guest;
    let found = store
        .mappings(hotel.scope, hotel.integration.id, kind, &ids)
        .await?;
    Ok(found.into_iter().next())
}

/// Rows, mappings, journal, jobs and cursor of a page are written at once and read as written.
pub async fn writes_a_page<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let guest = guest(&hotel, clock)?;
    let stay = reservation(&hotel, Some(guest.id), clock)?;
    let cursor = Cursor {
        integration_id: hotel.integration.id,
        entity: EntityKind::Guest,
        mode: RunMode::Backfill,
        position: Some(json!({ "Cursor": "é", "n": 9_007_199_254_740_993_i64 })),
        watermark: Some(clock.now()),
    };
    let mut page = page(&hotel);
    page.rows = [&stay, &guest]
        .map(|row| RowWrite::Insert(row.clone()))
        .to_vec();
    page.mappings = vec![
        mapping(&hotel, &guest, "g-1", clock),
        mapping(&hotel, &stay, "r-1", clock),
    ];
    let of = (EntityKind::Guest, guest.id);
    page.changes = vec![change(&hotel, of, "email", clock)];
    page.jobs = vec![hotel.job(QUEUE, "push")];
    page.cursor = Some(cursor.clone());
    let (changes, mappings) = (page.changes.clone(), page.mappings.clone());
    store.apply_page(page).await?;

    ensure_eq(
        read(store, &hotel, &guest).await?,
        Some(guest.clone()),
        "the guest",
    )?;
    ensure_eq(
        read(store, &hotel, &stay).await?,
        Some(stay),
        "the reservation",
    )?;
    let found = mapped(store, &hotel, "g-1").await?;
    ensure_eq(found.as_ref(), Some(&mappings[0]), "the mapping")?;
    let missing = ["g-1", "g-2", "g-1"].map(str::to_owned);
    let (id, kind) = (hotel.integration.id, EntityKind::Guest);
    let found = store.mappings(hotel.scope, id, kind, &missing).await?;
    ensure_eq(found.len(), 1, "only those that exist, each once")?;
    let locals = [guest.id, clock.uuid()];
    let found = store.mappings_of(hotel.scope, id, kind, &locals).await?;
    ensure_eq(found, mappings[..1].to_vec(), "by our id")?;
    let journal = store
        .changes(
            hotel.scope,
            &ChangeFilter::of(kind, guest.id),
            &PageRequest::default(),
        )
        .await?;
    ensure_eq(journal.items, changes, "the journal")?;
    ensure_eq(jobs_of(store, &hotel, QUEUE).await?.len(), 1, "the job")?;
    let found = store
        .cursor(hotel.scope, id, kind, RunMode::Backfill)
        .await?;
    ensure_eq(found, Some(cursor), "the cursor")
}

/// An update sets its fields, leaves the others, and counts the row's version.
pub async fn updates_rows<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let before = synced_guest(store, &hotel, "g-1", clock).await?;
    clock.advance(chrono::TimeDelta::seconds(5));
    let mut set = field("email", "new@example.com");
    set.insert("notes", Value::Null);
    set.insert("classifications", json!(["B", "A"]));
    let mut page = page(&hotel);
    page.rows = vec![RowWrite::Update {
        kind: EntityKind::Guest,
        id: before.id,
        expected_version: 1,
        set: set.clone(),
    }];
    store.apply_page(page).await?;
    let mut expected = before.clone();
    expected.fields.extend(&set);
    expected.version = 2;
    expected.updated_at = clock.now();
    ensure_eq(
        read(store, &hotel, &before).await?,
        Some(expected),
        "as it stands then",
    )
}

/// A guest's addresses of a kind from the record are replaced; one that leads to another guest
/// stays with that guest.
pub async fn addresses_follow_the_record<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let one = synced_guest(store, &hotel, "g-1", clock).await?;
    let two = synced_guest(store, &hotel, "g-2", clock).await?;
    let write = |row: &EntityRow, channel, address: Option<&str>| {
        let mut page = page(&hotel);
        page.contacts = vec![ContactWrite {
            guest_id: row.id.into(),
            channel,
            address: address.map(str::to_owned),
        }];
        page
    };
    let (email, phone) = (ContactChannel::Email, ContactChannel::Phone);
    store
        .apply_page(write(&one, email, Some("a@example.com")))
        .await?;
    store
        .apply_page(write(&one, phone, Some("+351912345678")))
        .await?;
    store
        .apply_page(write(&two, email, Some("a@example.com")))
        .await?;
    let leads = |channel, address: &str| {
        let contact = Contact {
            channel,
            address: address.to_owned(),
        };
        async move { store.guest_by_contact(hotel.scope, &[contact]).await }
    };
    let owner = leads(email, "a@example.com").await?;
    ensure_eq(
        owner,
        Some(one.id.into()),
        "it stays with the guest it led to",
    )?;
    store
        .apply_page(write(&one, email, Some("b@example.com")))
        .await?;
    ensure_eq(
        leads(email, "a@example.com").await?,
        None,
        "the old one goes",
    )?;
    let owner = leads(email, "b@example.com").await?;
    ensure_eq(owner, Some(one.id.into()), "the new one leads here")?;
    let owner = leads(phone, "+351912345678").await?;
    ensure_eq(owner, Some(one.id.into()), "another kind stays")?;
    store.apply_page(write(&one, email, None)).await?;
    ensure_eq(
        leads(email, "b@example.com").await?,
        None,
        "none takes it away",
    )?;
    let both = [
        Contact {
            channel: email,
            address: "nobody@example.com".to_owned(),
        },
        Contact {
            channel: phone,
            address: "+351912345678".to_owned(),
        },
    ];
    let found = store.guest_by_contact(hotel.scope, &both).await?;
    ensure_eq(
        found,
        Some(one.id.into()),
        "the first that leads to a guest",
    )
}

/// Another organization sees none of it and writes none of it.
pub async fn others_see_nothing<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let owner = hotel(store, clock).await?;
    let stranger = hotel(store, clock).await?;
    let guest = synced_guest(store, &owner, "g-1", clock).await?;
    let run = run_of(&owner, clock);
    store.begin_run(owner.scope, &run).await?;
    let (id, theirs, kind) = (owner.integration.id, stranger.scope, EntityKind::Guest);
    ensure_eq(
        store.integration(theirs, id).await?,
        None,
        "the integration",
    )?;
    let listed = store.integrations(theirs).await?;
    ensure(listed.iter().all(|found| found.id != id), "integrations")?;
    let external = ["g-1".to_owned()];
    let found = store.mappings(theirs, id, kind, &external).await?;
    ensure(found.is_empty(), "mappings")?;
    let found = store.mappings_of(theirs, id, kind, &[guest.id]).await?;
    ensure(found.is_empty(), "mappings by our ids")?;
    let runs = store.runs(theirs, id, &PageRequest::default()).await?;
    ensure(runs.items.is_empty(), "runs")?;
    let ended = store.end_run(theirs, run.id, RunEnd::Completed).await;
    ensure_kind(ended, ErrorKind::NotFound, "nor ends a run")?;
    let mut foreign = PageWrite::new(stranger.property_scope(), stranger.integration.id);
    foreign.rows = vec![RowWrite::Update {
        kind,
        id: guest.id,
        expected_version: 1,
        set: field("email", "thief@example.com"),
    }];
    ensure(
        store.apply_page(foreign).await.is_err(),
        "nor changes a row",
    )?;
    ensure_eq(
        read(store, &owner, &guest).await?,
        Some(guest),
        "which stays",
    )?;
    let own = store.integration(owner.scope, id).await?;
    ensure_eq(own, Some(owner.integration.clone()), "the owner does")?;
    let unknown = store
        .integration(owner.scope, IntegrationId::generate(clock))
        .await?;
    ensure_eq(unknown, None, "an id nobody knows")
}
