//! Conflicts: how [`SyncStore::apply_page`] opens and settles them, and how they are listed.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    Report, ensure, ensure_eq,
    fixture::{Hotel, field, hotel, sister},
    resolve,
    sync::{page, synced_guest},
};
use crate::{
    Result,
    clock::{Clock, ManualClock},
    ids::ConflictId,
    model::{Conflict, ConflictStatus, Resolution, ResolutionChoice},
    port::{
        PageRequest, Store,
        conflict::ConflictFilter,
        sync::{RowWrite, SettledConflict, SyncStore},
    },
    transform::{EntityKind, EntityRow},
};

const KIND: EntityKind = EntityKind::Guest;

/// Runs every scenario, those of [`resolve`] included.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = resolve::run(store, clock).await;
    let r = &mut report;
    r.scenario("conflict::a_page_opens_it", a_page_opens_it(store, clock))
        .await;
    r.scenario(
        "conflict::an_open_one_is_brought_up_to_date",
        an_open_one_is_brought_up_to_date(store, clock),
    )
    .await;
    r.scenario(
        "conflict::the_newest_is_listed_first",
        the_newest_is_listed_first(store, clock),
    )
    .await;
    r.scenario(
        "conflict::one_that_ended_by_itself_is_settled",
        one_that_ended_by_itself_is_settled(store, clock),
    )
    .await;
    r.scenario(
        "conflict::invariant_t_of_its_integration_alone",
        of_its_integration_alone(store, clock),
    )
    .await;
    r.scenario(
        "conflict::goes_with_its_integration",
        goes_with_its_integration(store, clock),
    )
    .await;
    report
}

/// A conflict about a guest's email that is not stored yet.
pub(super) fn conflict(hotel: &Hotel, row: &EntityRow, clock: &ManualClock) -> Conflict {
    let now = clock.now();
    let mut waiting = field("phone", "+351 912 345 678");
    waiting.insert("classifications", json!(["B", "é"]));
    Conflict {
        id: ConflictId::generate(clock),
        organization_id: hotel.scope.organization_id,
        integration_id: hotel.integration.id,
        entity: row.kind,
        entity_id: row.id,
        external_id: "g-1".to_owned(),
        base: field("email", "base@example.com"),
        local: field("email", "zoe@example.com"),
        remote: field("email", "theirs@example.com"),
        waiting,
        status: ConflictStatus::Open,
        resolution: None,
        revision: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Opens a conflict about a row.
pub(super) async fn opened<S: SyncStore + ?Sized>(
    store: &S,
    hotel: &Hotel,
    row: &EntityRow,
    clock: &ManualClock,
) -> Result<Conflict> {
    let conflict = conflict(hotel, row, clock);
    let mut page = page(hotel);
    page.conflicts = vec![conflict.clone()];
    store.apply_page(page).await?;
    Ok(conflict)
}

async fn listed<S: Store + ?Sized>(store: &S, hotel: &Hotel) -> Result<Vec<Conflict>> {
    let (filter, page) = (ConflictFilter::default(), PageRequest::default());
    Ok(store.conflicts(hotel.scope, &filter, &page).await?.items)
}

/// A conflict comes back as the page stored it.
pub async fn a_page_opens_it<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = synced_guest(store, &hotel, "g-1", clock).await?;
    let conflict = opened(store, &hotel, &row, clock).await?;
    let found = store.conflict(hotel.scope, conflict.id).await?;
    ensure_eq(found.as_ref(), Some(&conflict), "as it was stored")?;
    let unknown = store
        .conflict(hotel.scope, ConflictId::generate(clock))
        .await?;
    ensure_eq(unknown, None, "an id nobody knows")?;
    ensure_eq(listed(store, &hotel).await?, vec![conflict], "in the list")
}

/// One that is open for the same row keeps its id and its birth, takes the rest, and counts one
/// revision more.
pub async fn an_open_one_is_brought_up_to_date<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = synced_guest(store, &hotel, "g-1", clock).await?;
    let first = opened(store, &hotel, &row, clock).await?;
    clock.advance(TimeDelta::seconds(7));
    let mut newer = conflict(&hotel, &row, clock);
    newer.remote = field("email", "newer@example.com");
    newer.remote.insert("last_name", "Brien");
    newer.local.insert("last_name", "O'Brien 李");
    newer.base.insert("last_name", json!(null));
    newer.waiting = field("notes", json!(null));
    let mut page = page(&hotel);
    page.conflicts = vec![newer.clone()];
    store.apply_page(page).await?;
    let expected = Conflict {
        id: first.id,
        created_at: first.created_at,
        revision: 2,
        ..newer
    };
    let found = store.conflict(hotel.scope, first.id).await?;
    ensure_eq(found.as_ref(), Some(&expected), "brought up to date")?;
    ensure_eq(listed(store, &hotel).await?, vec![expected], "and no other")
}

/// Conflicts, the newest first, in pages, as narrow as the filter says.
pub async fn the_newest_is_listed_first<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let sister = sister(store, &hotel, clock).await?;
    let mut expected = Vec::new();
    let mut rows = Vec::new();
    for number in 0..5 {
        clock.advance(TimeDelta::seconds(1));
        let of = if number == 4 { &sister } else { &hotel };
        let row = synced_guest(store, of, &format!("g-{number}"), clock).await?;
        expected.insert(0, opened(store, of, &row, clock).await?.id);
        rows.push(row);
    }
    let all = ConflictFilter::default();
    let mut page = PageRequest {
        limit: 2,
        cursor: None,
    };
    let mut found = Vec::new();
    loop {
        let part = store.conflicts(hotel.scope, &all, &page).await?;
        found.extend(part.items.into_iter().map(|conflict| conflict.id));
        page.cursor = part.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    ensure_eq(&found, &expected, "newest first, each once")?;
    let page = PageRequest::default();
    let ids = async |filter: ConflictFilter| -> Result<Vec<ConflictId>> {
        let found = store.conflicts(hotel.scope, &filter, &page).await?;
        Ok(found.items.iter().map(|conflict| conflict.id).collect())
    };
    let of_row = ConflictFilter {
        entity: Some(KIND),
        entity_id: Some(rows[1].id),
        ..all.clone()
    };
    ensure_eq(ids(of_row).await?, vec![expected[3]], "of a row")?;
    let of_integration = ConflictFilter {
        integration_id: Some(sister.integration.id),
        ..all.clone()
    };
    let found = ids(of_integration).await?;
    ensure_eq(found, vec![expected[0]], "of an integration")?;
    let of_kind = ConflictFilter {
        entity: Some(EntityKind::Reservation),
        ..all.clone()
    };
    ensure(ids(of_kind).await?.is_empty(), "of another kind")?;
    let resolved = ConflictFilter {
        status: Some(ConflictStatus::Resolved),
        ..all.clone()
    };
    ensure(ids(resolved).await?.is_empty(), "none is decided")?;
    let open = ConflictFilter {
        status: Some(ConflictStatus::Open),
        ..all
    };
    ensure_eq(ids(open).await?, expected, "all are open")
}

/// A conflict that ended by itself is resolved by nobody, with the values of the row after the
/// page; where none is open nothing happens, and the next dispute is a conflict of its own.
pub async fn one_that_ended_by_itself_is_settled<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = synced_guest(store, &hotel, "g-1", clock).await?;
    let other = synced_guest(store, &hotel, "g-2", clock).await?;
    let kept = opened(store, &hotel, &other, clock).await?;
    let open = opened(store, &hotel, &row, clock).await?;
    let settled = SettledConflict {
        entity: KIND,
        entity_id: row.id,
    };
    let mut expected = open.clone();
    for round in 0..2 {
        clock.advance(TimeDelta::seconds(3));
        let mut page = page(&hotel);
        page.settled = vec![settled.clone()];
        if round == 0 {
            page.rows = vec![RowWrite::Update {
                kind: KIND,
                id: row.id,
                expected_version: 1,
                set: field("email", "agreed@example.com"),
            }];
            expected.status = ConflictStatus::Resolved;
            expected.revision = 2;
            expected.updated_at = clock.now();
            expected.resolution = Some(Resolution {
                choice: ResolutionChoice::Converged,
                fields: field("email", "agreed@example.com"),
                source: None,
                at: clock.now(),
            });
        }
        store.apply_page(page).await?;
        let found = store.conflict(hotel.scope, open.id).await?;
        ensure_eq(found.as_ref(), Some(&expected), "settled once")?;
    }
    let found = store.conflict(hotel.scope, kept.id).await?;
    ensure_eq(found, Some(kept), "another row's stays open")?;
    clock.advance(TimeDelta::seconds(1));
    let next = opened(store, &hotel, &row, clock).await?;
    let found = store.conflict(hotel.scope, next.id).await?;
    ensure_eq(found, Some(next), "the next is one of its own")?;
    let found = store.conflict(hotel.scope, open.id).await?;
    ensure_eq(found, Some(expected), "and the settled one stays")
}

/// Another organization does not find it, nor does a property whose integration it is not of.
pub async fn of_its_integration_alone<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let owner = hotel(store, clock).await?;
    let sister = sister(store, &owner, clock).await?;
    let stranger = hotel(store, clock).await?;
    let row = synced_guest(store, &owner, "g-1", clock).await?;
    let open = opened(store, &owner, &row, clock).await?;
    let (filter, page) = (ConflictFilter::default(), PageRequest::default());
    for scope in [
        stranger.scope,
        stranger.property_scope(),
        sister.property_scope(),
    ] {
        ensure_eq(store.conflict(scope, open.id).await?, None, "by its id")?;
        let found = store.conflicts(scope, &filter, &page).await?;
        ensure(found.items.is_empty(), "in a list")?;
    }
    // A page of another integration settles nothing here, though it names the row.
    let mut foreign = super::sync::page(&sister);
    foreign.settled = vec![SettledConflict {
        entity: KIND,
        entity_id: row.id,
    }];
    store.apply_page(foreign).await?;
    for scope in [owner.scope, owner.property_scope()] {
        let found = store.conflict(scope, open.id).await?;
        ensure_eq(found.as_ref(), Some(&open), "its own property does")?;
        let found = store.conflicts(scope, &filter, &page).await?;
        ensure_eq(found.items, vec![open.clone()], "and lists it")?;
    }
    Ok(())
}

/// A removed integration takes its conflicts with it.
pub async fn goes_with_its_integration<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = synced_guest(store, &hotel, "g-1", clock).await?;
    let open = opened(store, &hotel, &row, clock).await?;
    store
        .delete_integration(hotel.scope, hotel.integration.id)
        .await?;
    ensure_eq(
        store.conflict(hotel.scope, open.id).await?,
        None,
        "there is no other side",
    )
}
