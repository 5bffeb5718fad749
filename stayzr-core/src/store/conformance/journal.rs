//! The journal: which of its lines [`Edits`] shows to whom.

use chrono::TimeDelta;
use uuid::Uuid;

use super::{
    Report, ensure_eq,
    fixture::{Hotel, change, guest, hotel, mapping, reservation, sister},
    sync::page,
};
use crate::{
    Result,
    clock::ManualClock,
    ids::ChangeId,
    model::{Change, ChangeOutcome, ChangeSource},
    port::{
        PageRequest, Store,
        edit::{ChangeFilter, Edits},
        sync::RowWrite,
    },
    tenant::TenantScope,
    transform::{EntityKind, EntityRow},
};

/// Runs every scenario.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "journal::a_line_comes_back_as_it_was_written",
        a_line_comes_back_as_it_was_written(store, clock),
    )
    .await;
    r.scenario(
        "journal::is_as_narrow_as_the_filter",
        is_as_narrow_as_the_filter(store, clock),
    )
    .await;
    r.scenario(
        "journal::invariant_t_a_property_sees_lines_about_its_rows",
        a_property_sees_lines_about_its_rows(store, clock),
    )
    .await;
    report
}

/// A guest with a reservation at the hotel, each with one line, and a line about a record that
/// never became a row; the oldest first.
async fn written<S: Store + ?Sized>(
    store: &S,
    hotel: &Hotel,
    clock: &ManualClock,
) -> Result<(EntityRow, EntityRow, [Change; 3])> {
    let guest = guest(hotel, clock)?;
    let stay = reservation(hotel, Some(guest.id), clock)?;
    let mut lines = Vec::new();
    for (kind, id, field, external) in [
        (guest.kind, guest.id, Some("email"), None),
        (stay.kind, stay.id, Some("arrival"), Some("r-1")),
        (EntityKind::Reservation, Uuid::nil(), None, Some("r-broken")),
    ] {
        clock.advance(TimeDelta::seconds(1));
        let mut line = change(hotel, (kind, id), "", clock);
        line.field = field.map(str::to_owned);
        line.external_id = external.map(str::to_owned);
        if line.field.is_none() {
            line.old = None;
            line.new = None;
            line.outcome = ChangeOutcome::Refused;
            line.reason = Some("arrival: not a time".to_owned());
            line.source = ChangeSource::Vendor {
                integration_id: hotel.integration.id,
                event: "read".to_owned(),
            };
        }
        lines.push(line);
    }
    let mut page = page(hotel);
    page.rows = vec![
        RowWrite::Insert(guest.clone()),
        RowWrite::Insert(stay.clone()),
    ];
    page.mappings = vec![
        mapping(hotel, &guest, "g-1", clock),
        mapping(hotel, &stay, "r-1", clock),
    ];
    page.changes = lines.clone();
    store.apply_page(page).await?;
    let lines = [lines[0].clone(), lines[1].clone(), lines[2].clone()];
    Ok((guest, stay, lines))
}

async fn listed<S: Edits + ?Sized>(
    store: &S,
    scope: TenantScope,
    filter: ChangeFilter,
) -> Result<Vec<Change>> {
    let page = PageRequest::default();
    Ok(store.changes(scope, &filter, &page).await?.items)
}

/// One line is found by its id, whole.
pub async fn a_line_comes_back_as_it_was_written<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let (_, _, lines) = written(store, &hotel, clock).await?;
    for line in lines {
        let found = store.change(hotel.scope, line.id).await?;
        ensure_eq(found, Some(line), "the line")?;
    }
    let unknown = store.change(hotel.scope, ChangeId::generate(clock)).await?;
    ensure_eq(unknown, None, "an id nobody knows")
}

/// Without a filter the whole journal, the newest line first and in pages; what is set narrows.
pub async fn is_as_narrow_as_the_filter<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let (guest, stay, [of_guest, of_stay, broken]) = written(store, &hotel, clock).await?;
    let all = ChangeFilter::default;
    let cases = [
        (all(), vec![&broken, &of_stay, &of_guest]),
        (ChangeFilter::of(guest.kind, guest.id), vec![&of_guest]),
        (
            ChangeFilter {
                entity: Some(stay.kind),
                ..all()
            },
            vec![&broken, &of_stay],
        ),
        (
            ChangeFilter {
                entity_id: Some(stay.id),
                ..all()
            },
            vec![&of_stay],
        ),
        (
            ChangeFilter {
                external_id: Some("r-broken".to_owned()),
                ..all()
            },
            vec![&broken],
        ),
        (
            ChangeFilter {
                outcome: Some(ChangeOutcome::Applied),
                ..all()
            },
            vec![&of_stay, &of_guest],
        ),
        (
            ChangeFilter {
                entity: Some(guest.kind),
                external_id: Some("r-1".to_owned()),
                ..all()
            },
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        let found = listed(store, hotel.scope, filter).await?;
        let expected: Vec<Change> = expected.into_iter().cloned().collect();
        ensure_eq(found, expected, "the lines of the filter")?;
    }
    let mut page = PageRequest {
        limit: 1,
        cursor: None,
    };
    for (line, last) in [(broken, false), (of_stay, false), (of_guest, true)] {
        let part = store.changes(hotel.scope, &all(), &page).await?;
        ensure_eq(part.items, vec![line], "line by line")?;
        ensure_eq(part.next_cursor.is_none(), last, "up to the last")?;
        page.cursor = part.next_cursor;
    }
    Ok(())
}

/// With a property in the scope, lines about rows that are seen there; another organization sees
/// none.
pub async fn a_property_sees_lines_about_its_rows<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let owner = hotel(store, clock).await?;
    let sister = sister(store, &owner, clock).await?;
    let stranger = hotel(store, clock).await?;
    let (_, _, [of_guest, of_stay, broken]) = written(store, &owner, clock).await?;
    let all = [&broken, &of_stay, &of_guest];
    for (scope, expected) in [
        (owner.scope, all.to_vec()),
        (owner.property_scope(), vec![&of_stay, &of_guest]),
        (sister.property_scope(), vec![]),
        (stranger.scope, vec![]),
        (stranger.property_scope(), vec![]),
    ] {
        let found = listed(store, scope, ChangeFilter::default()).await?;
        let seen: Vec<Change> = expected.iter().map(|line| (*line).clone()).collect();
        ensure_eq(found, seen, "in the list")?;
        for line in all {
            let found = store.change(scope, line.id).await?;
            let seen = expected.contains(&line);
            ensure_eq(found.is_some(), seen, "by its id")?;
            let filter = ChangeFilter::of(line.entity, line.entity_id);
            let found = listed(store, scope, filter).await?;
            ensure_eq(!found.is_empty(), seen, "by its row")?;
        }
    }
    Ok(())
}
