//! What a sweep reads and writes: mappings in order, those that are gone, how its run ended.

use super::{
    Report, ensure, ensure_eq,
    fixture::{Hotel, guest, hotel, mapping, sister},
    progress::run_of,
    sync::{mapped, page, synced_guest},
};
use crate::{
    Result,
    clock::{Clock, ManualClock},
    model::{RunMode, RunStatus, SyncRun},
    port::{
        PageRequest, Store,
        sync::{MappedRecord, RowWrite, RunCounts, RunEnd, SyncStore},
    },
    tenant::TenantScope,
    transform::EntityKind,
};

const KIND: EntityKind = EntityKind::Guest;

/// Runs every scenario.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "sweep::goes_through_every_mapping_once",
        goes_through_every_mapping_once(store, clock),
    )
    .await;
    r.scenario(
        "sweep::leaves_out_what_is_gone",
        leaves_out_what_is_gone(store, clock),
    )
    .await;
    r.scenario(
        "sweep::invariant_t_of_ones_own_integration",
        of_ones_own_integration(store, clock),
    )
    .await;
    r.scenario(
        "sweep::a_run_that_its_brake_stopped_says_why",
        a_run_that_its_brake_stopped_says_why(store, clock),
    )
    .await;
    report
}

async fn all<S: SyncStore + ?Sized>(
    store: &S,
    scope: TenantScope,
    hotel: &Hotel,
    limit: u32,
) -> Result<Vec<MappedRecord>> {
    let id = hotel.integration.id;
    let mut found: Vec<MappedRecord> = Vec::new();
    loop {
        let after = found.last().map(|last| last.external_id.clone());
        let part = store
            .mapped(scope, id, KIND, after.as_deref(), limit)
            .await?;
        ensure(part.len() <= limit as usize, "at most the limit")?;
        if part.is_empty() {
            return Ok(found);
        }
        found.extend(part);
    }
}

/// In pages of any size every mapping comes once, in order of the vendor's ids.
pub async fn goes_through_every_mapping_once<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let (scope, id) = (hotel.scope, hotel.integration.id);
    let mut expected = Vec::new();
    let mut write = page(&hotel);
    for external in ["b-2", "a-1", "Z 3", "é", "_", "10", "9", "B-2"] {
        let row = guest(&hotel, clock)?;
        expected.push(MappedRecord {
            external_id: external.to_owned(),
            local_id: row.id,
        });
        write.mappings.push(mapping(&hotel, &row, external, clock));
        write.rows.push(RowWrite::Insert(row));
    }
    store.apply_page(write).await?;
    let whole = all(store, scope, &hotel, 100).await?;
    let mut found = whole.clone();
    for list in [&mut found, &mut expected] {
        list.sort_by(|one, other| one.external_id.cmp(&other.external_id));
    }
    ensure_eq(found, expected, "every mapping")?;
    for limit in [1, 3, 8] {
        let found = all(store, scope, &hotel, limit).await?;
        ensure_eq(&found, &whole, "the same in pages")?;
    }
    let count = store.mapped_count(scope, id, KIND).await?;
    ensure_eq(count, whole.len() as u64, "so many")?;
    let other = EntityKind::Room;
    let found = store.mapped(scope, id, other, None, 10).await?;
    ensure(found.is_empty(), "none of another kind")?;
    let count = store.mapped_count(scope, id, other).await?;
    ensure_eq(count, 0, "none of another kind is counted")
}

/// A record that the vendor has no more is not asked about, one that was merged is asked about and
/// not counted; when a record is gone is kept with its mapping, until it is there again.
pub async fn leaves_out_what_is_gone<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let rows = [
        synced_guest(store, &hotel, "g-1", clock).await?,
        synced_guest(store, &hotel, "g-2", clock).await?,
        synced_guest(store, &hotel, "g-3", clock).await?,
    ];
    let mut merged = mapping(&hotel, &rows[0], "g-1", clock);
    merged.revision = 2;
    merged.merged_into = Some("g-3".to_owned());
    let mut gone = mapping(&hotel, &rows[1], "g-2", clock);
    gone.revision = 2;
    gone.gone_at = Some(clock.now());
    let mut write = page(&hotel);
    write.mappings = vec![merged, gone.clone()];
    store.apply_page(write).await?;
    let found = mapped(store, &hotel, "g-2").await?;
    ensure_eq(found.as_ref(), Some(&gone), "gone since then")?;
    let ids = async || -> Result<Vec<String>> {
        let found = all(store, hotel.property_scope(), &hotel, 2).await?;
        let count = store.mapped_count(hotel.property_scope(), hotel.integration.id, KIND);
        ensure_eq(count.await? + 1, found.len() as u64, "all but the merged")?;
        Ok(found.into_iter().map(|record| record.external_id).collect())
    };
    let left = vec!["g-1".to_owned(), "g-3".to_owned()];
    ensure_eq(ids().await?, left, "what is left")?;
    gone.revision = 3;
    gone.gone_at = None;
    let mut write = page(&hotel);
    write.mappings = vec![gone];
    store.apply_page(write).await?;
    let left = ["g-1", "g-2", "g-3"].map(str::to_owned).to_vec();
    ensure_eq(ids().await?, left, "one that is there again")
}

/// Another organization's mappings, or another property's, are neither listed nor counted.
pub async fn of_ones_own_integration<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let owner = hotel(store, clock).await?;
    let sister = sister(store, &owner, clock).await?;
    let stranger = hotel(store, clock).await?;
    synced_guest(store, &owner, "g-1", clock).await?;
    let id = owner.integration.id;
    for scope in [
        stranger.scope,
        stranger.property_scope(),
        sister.property_scope(),
    ] {
        let found = store.mapped(scope, id, KIND, None, 10).await?;
        ensure(found.is_empty(), "not listed")?;
        let count = store.mapped_count(scope, id, KIND).await?;
        ensure_eq(count, 0, "not counted")?;
    }
    let none = all(store, owner.scope, &sister, 10).await?;
    ensure(none.is_empty(), "none of another integration")?;
    let found = all(store, owner.property_scope(), &owner, 10).await?;
    ensure_eq(found.len(), 1, "its own is")
}

/// A run that its brake stopped is kept with what a person is asked, and with its counts.
pub async fn a_run_that_its_brake_stopped_says_why<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let mut run = run_of(&hotel, clock);
    run.mode = RunMode::Reconcile;
    store.begin_run(hotel.scope, &run).await?;
    let mut write = page(&hotel);
    write.run = Some((
        run.id,
        RunCounts {
            unknown: 3,
            gone: 2,
            ..RunCounts::default()
        },
    ));
    store.apply_page(write).await?;
    let why = "40 of 50 guests are gone at the vendor: is that right?";
    let end = RunEnd::Stopped(why.to_owned());
    store.end_run(hotel.property_scope(), run.id, end).await?;
    let expected = SyncRun {
        status: RunStatus::Stopped,
        unknown: 3,
        gone: 2,
        error: Some(why.to_owned()),
        finished_at: Some(clock.now()),
        ..run
    };
    let page = PageRequest::default();
    let id = hotel.integration.id;
    let found = store.runs(hotel.scope, id, &page).await?;
    ensure_eq(found.items, vec![expected], "as it ended")
}
