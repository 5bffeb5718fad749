//! Lists of [`crate::port::entities::Entities`]: pages, filters, search.

use chrono::TimeDelta;

use super::{Report, sample};
use crate::{
    Result,
    clock::{Clock, ManualClock},
    ids::RoomId,
    model::{Guest, Reservation, ReservationStatus},
    port::{
        PageRequest,
        entities::{Entities, EntitiesExt, EntityFilter},
        setup::Setup,
        sync::SyncStore,
    },
    transform::EntityKind,
};

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "listing::pages_never_skip_or_repeat",
        pages_never_skip_or_repeat(store, clock),
    )
    .await;
    r.scenario(
        "listing::reservations_are_filtered",
        reservations_are_filtered(store, clock),
    )
    .await;
    r.scenario(
        "listing::a_search_ignores_case",
        a_search_ignores_case(store, clock),
    )
    .await;
    report
}

/// Pages of any size give every row once, in order of ids.
pub async fn pages_never_skip_or_repeat<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let rows: Vec<_> = (0..25)
        .map(|number| sample::row(&sample::room(clock, scope, &number.to_string())))
        .collect();
    let mut ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    ids.sort();
    sample::store_rows(store, clock, scope, rows).await;
    for limit in [1, 7, 25, 1000] {
        let mut page = PageRequest {
            limit,
            cursor: None,
        };
        let mut read = Vec::new();
        loop {
            let next = store
                .rows(scope, EntityKind::Room, &EntityFilter::default(), &page)
                .await?;
            assert!(next.items.len() <= limit as usize);
            read.extend(next.items.iter().map(|row| row.id));
            match next.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => break,
            }
        }
        assert_eq!(read, ids, "in pages of {limit}");
    }
    let bad = PageRequest {
        limit: 10,
        cursor: Some("not a cursor".to_owned()),
    };
    let error = store
        .rows(scope, EntityKind::Room, &EntityFilter::default(), &bad)
        .await
        .expect_err("the cursor is none");
    assert_eq!(error.kind(), crate::ErrorKind::Invalid);
    Ok(())
}

/// Each filter of reservations narrows, and together they narrow further. A span is touched by
/// what arrives before its end and departs after its start, not by what meets it.
pub async fn reservations_are_filtered<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let ana = sample::guest(clock, scope, "Ana");
    let rui = sample::guest(clock, scope, "Rui");
    let room = RoomId::generate(clock);
    let now = clock.now();
    let day = TimeDelta::days(1);
    let first = Reservation {
        number: Some("1".to_owned()),
        room_id: Some(room),
        arrival: now,
        departure: now + day * 2,
        ..sample::reservation(clock, scope, ana.id)
    };
    let second = Reservation {
        number: Some("2".to_owned()),
        status: ReservationStatus::Cancelled,
        arrival: now + day * 2,
        departure: now + day * 4,
        ..sample::reservation(clock, scope, ana.id)
    };
    let third = Reservation {
        status: ReservationStatus::InHouse,
        arrival: now - day,
        departure: now + day * 9,
        ..sample::reservation(clock, scope, rui.id)
    };
    let rows = [&first, &second, &third].map(sample::row).to_vec();
    sample::store_rows(store, clock, scope, rows).await;
    let none = EntityFilter::default();
    let cases = [
        (none.clone(), vec![&first, &second, &third]),
        (
            EntityFilter {
                guest_id: Some(ana.id),
                ..none.clone()
            },
            vec![&first, &second],
        ),
        (
            EntityFilter {
                room_id: Some(room),
                ..none.clone()
            },
            vec![&first],
        ),
        (
            EntityFilter {
                number: Some("2".to_owned()),
                ..none.clone()
            },
            vec![&second],
        ),
        (
            EntityFilter {
                statuses: Some(vec![
                    ReservationStatus::InHouse,
                    ReservationStatus::Confirmed,
                ]),
                ..none.clone()
            },
            vec![&first, &third],
        ),
        (
            EntityFilter {
                overlaps: Some((now + day * 2, now + day * 3)),
                ..none.clone()
            },
            vec![&second, &third],
        ),
        (
            EntityFilter {
                guest_id: Some(ana.id),
                overlaps: Some((now, now + day * 2)),
                ..none.clone()
            },
            vec![&first],
        ),
        (
            EntityFilter {
                statuses: Some(Vec::new()),
                ..none.clone()
            },
            vec![],
        ),
        (
            EntityFilter {
                ids: Some(vec![third.id.uuid()]),
                ..none
            },
            vec![&third],
        ),
    ];
    for (filter, expected) in cases {
        let found: Vec<Reservation> = store.all(scope, &filter).await?;
        let mut expected: Vec<Reservation> = expected.into_iter().cloned().collect();
        expected.sort_by_key(|reservation| reservation.id);
        assert_eq!(found, expected, "{filter:?}");
    }
    Ok(())
}

/// A search finds text in name, number, email and phone, whatever its case in any script, and
/// takes no character for a pattern.
pub async fn a_search_ignores_case<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let narrow = sample::tenant(store, clock).await;
    let scope = sample::widened(narrow);
    let elcin = Guest {
        last_name: Some("ÖZTÜRK".to_owned()),
        email: Some("Elcin@Example.com".to_owned()),
        ..sample::guest(clock, scope, "Élise")
    };
    let percent = Guest {
        last_name: Some("100%_sure\\".to_owned()),
        phone: Some("+351 912 345 678".to_owned()),
        ..sample::guest(clock, scope, "Bob")
    };
    let rows = [&elcin, &percent].map(sample::row).to_vec();
    sample::store_rows(store, clock, narrow, rows).await;
    for (text, expected) in [
        ("öztürk", vec![&elcin]),
        ("éLISE öZT", vec![&elcin]),
        ("elcin@EXAMPLE", vec![&elcin]),
        ("912 345", vec![&percent]),
        ("0%_S", vec![&percent]),
        ("\\", vec![&percent]),
        ("%", vec![&percent]),
        ("ozturk", vec![]),
        ("nobody", vec![]),
    ] {
        let filter = EntityFilter {
            search: Some(text.to_owned()),
            ..EntityFilter::default()
        };
        let found: Vec<Guest> = store.all(scope, &filter).await?;
        let expected: Vec<Guest> = expected.into_iter().cloned().collect();
        assert_eq!(found, expected, "{text}");
    }
    Ok(())
}
