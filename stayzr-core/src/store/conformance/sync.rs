//! What [`SyncStore`] promises.

use serde_json::{Value, json};

use super::{
    Report, ensure, ensure_eq, ensure_kind,
    fixture::{
        Hotel, change, claim_one, expire, field, guest, hotel, jobs_of, mapping, quiet, reservation,
    },
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::{IntegrationId, SyncRunId},
    model::{Contact, ContactChannel, RunMode, RunStatus, SyncRun},
    port::{
        PageRequest,
        directory::Directory,
        edit::Edits,
        entities::Entities,
        queue::JobQueue,
        setup::Setup,
        sync::{
            ContactWrite, Cursor, Mapping, PageWrite, ParkedRecord, RowWrite, RunCounts, SyncStore,
        },
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
    r.scenario("sync::writes_a_page", writes_a_page(store, clock))
        .await;
    r.scenario("sync::updates_rows", updates_rows(store, clock))
        .await;
    r.scenario(
        "sync::invariant_b_a_changed_row_refuses_the_page",
        a_changed_row_refuses_the_page(store, clock),
    )
    .await;
    r.scenario(
        "sync::invariant_b_a_replaced_mapping_refuses_the_page",
        a_replaced_mapping_refuses_the_page(store, clock),
    )
    .await;
    r.scenario(
        "sync::invariant_d_a_lost_lease_refuses_the_page",
        a_lost_lease_refuses_the_page(store, clock),
    )
    .await;
    r.scenario(
        "sync::mappings_are_unique_both_ways",
        mappings_are_unique(store, clock),
    )
    .await;
    r.scenario(
        "sync::addresses_follow_the_record",
        addresses_follow_the_record(store, clock),
    )
    .await;
    r.scenario(
        "sync::parked_records_are_shown_once",
        parked_records(store, clock),
    )
    .await;
    r.scenario(
        "sync::each_mode_has_its_cursor",
        each_mode_has_its_cursor(store, clock),
    )
    .await;
    r.scenario("sync::runs_count", runs_count(store, clock))
        .await;
    r.scenario(
        "sync::invariant_t_others_see_nothing",
        others_see_nothing(store, clock),
    )
    .await;
    report
}

fn page(hotel: &Hotel) -> PageWrite {
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

async fn read<S: Entities + ?Sized>(
    store: &S,
    hotel: &Hotel,
    row: &EntityRow,
) -> Result<Option<EntityRow>> {
    store.row(hotel.scope, row.kind, row.id).await
}

async fn mapped<S>(store: &S, hotel: &Hotel, external: &str) -> Result<Option<Mapping>>
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
        .changes(hotel.scope, kind, guest.id, &PageRequest::default())
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
        .changes(scope, EntityKind::Guest, guest.id, &PageRequest::default())
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

/// A record put aside is a FAILED job with its reason, shown once however often it comes.
pub async fn parked_records<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    for reason in [
        "arrival: not a time",
        "arrival: not a time",
        "departure: missing",
    ] {
        let mut page = page(&hotel);
        page.parked = vec![ParkedRecord {
            entity: EntityKind::Reservation,
            external_id: Some("r-1".to_owned()),
            reason: reason.to_owned(),
        }];
        store.apply_page(page).await?;
    }
    let jobs = jobs_of(store, &hotel, QUEUE).await?;
    ensure_eq(jobs.len(), 1, "shown once")?;
    ensure_eq(jobs[0].status, JobStatus::Failed, "as a FAILED job")?;
    let reason = jobs[0].last_error.as_deref();
    ensure_eq(reason, Some("departure: missing"), "with its last reason")?;
    let job = store.retry(hotel.scope, jobs[0].id).await?;
    ensure_eq(job.status, JobStatus::Pending, "that can be retried")
}

/// Each mode has its own cursor, which a page replaces.
pub async fn each_mode_has_its_cursor<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let cursor = |mode, position: Option<&str>| Cursor {
        integration_id: hotel.integration.id,
        entity: EntityKind::Room,
        mode,
        position: position.map(Value::from),
        watermark: Some(clock.now()),
    };
    let first = cursor(RunMode::Backfill, Some("p1"));
    let other = cursor(RunMode::Incremental, Some("p2"));
    let last = cursor(RunMode::Backfill, None);
    for cursor in [&first, &other, &last] {
        let mut page = page(&hotel);
        page.cursor = Some(cursor.clone());
        store.apply_page(page).await?;
    }
    let (scope, id) = (hotel.scope, hotel.integration.id);
    let read = |kind, mode| store.cursor(scope, id, kind, mode);
    let found = read(EntityKind::Room, RunMode::Backfill).await?;
    ensure_eq(found, Some(last), "replaced")?;
    let found = read(EntityKind::Room, RunMode::Incremental).await?;
    ensure_eq(found, Some(other), "of its own")?;
    let found = read(EntityKind::Guest, RunMode::Backfill).await?;
    ensure_eq(found, None, "none for another kind")
}

fn run_of(hotel: &Hotel, clock: &ManualClock) -> SyncRun {
    SyncRun {
        id: SyncRunId::generate(clock),
        organization_id: hotel.scope.organization_id,
        integration_id: hotel.integration.id,
        mode: RunMode::Backfill,
        status: RunStatus::Running,
        read: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        parked: 0,
        conflicts: 0,
        error: None,
        started_at: clock.now(),
        finished_at: None,
    }
}

/// A page adds to the counts of its run; a run ends with what it came to.
pub async fn runs_count<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + SyncStore + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let first = run_of(&hotel, clock);
    clock.advance(chrono::TimeDelta::seconds(1));
    let second = run_of(&hotel, clock);
    for run in [&first, &second] {
        store.begin_run(hotel.scope, run).await?;
    }
    let counts = RunCounts {
        read: 10,
        created: 4,
        updated: 3,
        unchanged: 2,
        parked: 1,
        conflicts: 1,
    };
    for _ in 0..2 {
        let mut page = page(&hotel);
        page.run = Some((first.id, counts));
        store.apply_page(page).await?;
    }
    let error = Some("vendor down".to_owned());
    store.end_run(hotel.scope, first.id, error.clone()).await?;
    store.end_run(hotel.scope, second.id, None).await?;
    let done = SyncRun {
        status: RunStatus::Failed,
        read: 20,
        created: 8,
        updated: 6,
        unchanged: 4,
        parked: 2,
        conflicts: 2,
        error,
        finished_at: Some(clock.now()),
        ..first
    };
    let page = PageRequest {
        limit: 1,
        cursor: None,
    };
    let id = hotel.integration.id;
    let newest = store.runs(hotel.scope, id, &page).await?;
    let status = newest.items.first().map(|run| (run.id, run.status));
    let expected = Some((second.id, RunStatus::Completed));
    ensure_eq(status, expected, "the newest first")?;
    let page = PageRequest {
        limit: 1,
        cursor: newest.next_cursor,
    };
    let oldest = store.runs(hotel.scope, id, &page).await?;
    ensure_eq(oldest.items, vec![done], "with what its pages added")?;
    ensure_eq(oldest.next_cursor, None, "and no more")
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
    let ended = store.end_run(theirs, run.id, None).await;
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
