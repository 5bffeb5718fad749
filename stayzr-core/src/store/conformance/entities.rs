//! [`crate::port::entities::Entities`].

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{Report, ensure_kind, listing, sample};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    model::{
        Address, Amenity, Contact, ContactChannel, Geo, Guest, Money, Policy, Property,
        Reservation, ReservationStatus, Room, RoomType,
    },
    port::{
        PageRequest,
        entities::{Entities, EntitiesExt, EntityFilter},
        setup::Setup,
        sync::{ContactWrite, PageWrite, RowWrite, SyncStore},
    },
    transform::{Entity, EntityKind},
};

/// Runs every scenario, those of [`listing`] included.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let mut report = listing::run(store, clock).await;
    let r = &mut report;
    r.scenario(
        "entities::rows_come_back_as_they_were_stored",
        rows_come_back_as_they_were_stored(store, clock),
    )
    .await;
    r.scenario(
        "entities::invariant_t_rows_of_others_are_not_found",
        invariant_t_rows_of_others_are_not_found(store, clock),
    )
    .await;
    r.scenario(
        "entities::external_refs_name_the_vendors_ids",
        external_refs_name_the_vendors_ids(store, clock),
    )
    .await;
    r.scenario(
        "entities::an_address_leads_to_one_guest",
        an_address_leads_to_one_guest(store, clock),
    )
    .await;
    r.scenario(
        "entities::an_update_sets_the_named_fields_alone",
        an_update_sets_the_named_fields_alone(store, clock),
    )
    .await;
    r.scenario(
        "entities::invariant_t_a_page_is_of_ones_own_integration",
        invariant_t_a_page_is_of_ones_own_integration(store, clock),
    )
    .await;
    report
}

/// Every kind of row comes back as it was stored, with all fields set and with as few as may be.
pub async fn rows_come_back_as_they_were_stored<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let wide = sample::widened(scope);
    let guest = sample::guest(clock, scope, "Zoë \u{1f600} O'Hara \"quoted\" \\ %_");
    let mut full = full_reservation(clock, scope, &guest);
    full.guest_id = Some(guest.id);
    let bare = sample::reservation(clock, scope, guest.id);
    let property = full_property(clock, scope);
    let room_type = RoomType {
        capacity: Some(i64::MAX),
        extra_capacity: Some(0),
        active: false,
        ..sample::room_type(clock, scope, "Suite")
    };
    let room = Room {
        room_type_id: Some(room_type.id),
        floor: Some("−1".to_owned()),
        ..sample::room(clock, scope, "101")
    };
    let rows = vec![
        sample::row(&property),
        sample::row(&room_type),
        sample::row(&room),
        sample::row(&guest),
        sample::row(&full),
        sample::row(&bare),
    ];
    sample::store_rows(store, clock, scope, rows.clone()).await;

    for row in &rows {
        let read = store.row(wide, row.kind, row.id).await?;
        assert_eq!(read.as_ref(), Some(row), "{}", row.kind);
    }
    assert_eq!(
        entity::<Property, S>(store, wide, &property).await,
        property
    );
    assert_eq!(
        entity::<RoomType, S>(store, wide, &room_type).await,
        room_type
    );
    assert_eq!(entity::<Room, S>(store, wide, &room).await, room);
    assert_eq!(entity::<Guest, S>(store, wide, &guest).await, guest);
    assert_eq!(entity::<Reservation, S>(store, wide, &full).await, full);
    assert_eq!(entity::<Reservation, S>(store, wide, &bare).await, bare);
    Ok(())
}

async fn entity<T: Entity, S: Entities + ?Sized>(
    store: &S,
    scope: crate::tenant::TenantScope,
    stored: &T,
) -> T {
    let id = sample::row(stored).id;
    store.entity(scope, id).await.expect("stored")
}

fn full_reservation(
    clock: &ManualClock,
    scope: crate::tenant::TenantScope,
    guest: &Guest,
) -> Reservation {
    let micro: DateTime<Utc> = "2026-06-10T00:00:00.000001Z".parse().expect("a time");
    let tenth: DateTime<Utc> = "2026-06-12T09:30:00.1Z".parse().expect("a time");
    Reservation {
        number: Some("52".to_owned()),
        status: ReservationStatus::Cancelled,
        arrival: micro,
        departure: tenth,
        cancelled_at: Some(micro),
        cancellation_reason: Some(String::new()),
        ..sample::reservation(clock, scope, guest.id)
    }
}

fn full_property(clock: &ManualClock, scope: crate::tenant::TenantScope) -> Property {
    let price = Money::new(
        "12.50".parse().expect("a number"),
        "EUR".parse().expect("the euro"),
    );
    Property {
        address: Address {
            line1: Some("Rua \"Nova\" 1".to_owned()),
            ..Address::default()
        },
        geo: Some(Geo {
            latitude: 38.7,
            longitude: -9.135_000_000_000_01,
        }),
        amenities: vec![Amenity {
            name: "Sauna".to_owned(),
            detail: None,
            price: Some(price),
            hours: Some("07:00-10:30".to_owned()),
        }],
        policies: vec![Policy {
            topic: "pets".to_owned(),
            text: "No.\nNone.".to_owned(),
        }],
        ..sample::property(clock, scope.organization_id)
    }
}

/// Another organization's rows are not found; with a property in the scope, neither are rows of
/// another property, and guests only with a stay or a conversation there.
pub async fn invariant_t_rows_of_others_are_not_found<S>(
    store: &S,
    clock: &ManualClock,
) -> Result<()>
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let here = sample::tenant(store, clock).await;
    let there = sample::another_property(store, clock, here.organization_id).await;
    let stranger = sample::tenant(store, clock).await;
    let wide = sample::widened(here);
    let guest = sample::guest(clock, here, "Ana");
    let unknown_here = sample::guest(clock, here, "Rui");
    let room = sample::room(clock, here, "101");
    let stay = sample::reservation(clock, here, guest.id);
    let rows = vec![
        sample::row(&guest),
        sample::row(&unknown_here),
        sample::row(&room),
        sample::row(&stay),
    ];
    sample::store_rows(store, clock, here, rows).await;

    let cases = [
        (EntityKind::Room, room.id.uuid(), true, false),
        (EntityKind::Reservation, stay.id.uuid(), true, false),
        (EntityKind::Guest, guest.id.uuid(), true, false),
        (EntityKind::Guest, unknown_here.id.uuid(), false, false),
        (
            EntityKind::Property,
            sample::property_of(here).uuid(),
            true,
            false,
        ),
    ];
    for (kind, id, seen_here, seen_there) in cases {
        for (scope, seen) in [
            (wide, true),
            (here, seen_here),
            (there, seen_there),
            (stranger, false),
            (sample::widened(stranger), false),
        ] {
            let row = store.row(scope, kind, id).await?;
            assert_eq!(row.is_some(), seen, "{kind} {id} in {scope:?}");
            let filter = EntityFilter {
                ids: Some(vec![id]),
                ..EntityFilter::default()
            };
            let rows = store
                .rows(scope, kind, &filter, &PageRequest::default())
                .await?;
            assert_eq!(rows.items.len(), usize::from(seen), "{kind} in {scope:?}");
        }
    }
    Ok(())
}

/// The vendors' ids of rows are found, those of merged records and of other tenants are not.
pub async fn external_refs_name_the_vendors_ids<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let stranger = sample::tenant(store, clock).await;
    let integration = sample::integration(clock, scope);
    store.create_integration(integration.clone()).await?;
    let here = sample::row(&sample::room(clock, scope, "101"));
    let merged = sample::row(&sample::room(clock, scope, "102"));
    let mut page = PageWrite::new(scope, integration.id);
    page.rows = vec![
        RowWrite::Insert(here.clone()),
        RowWrite::Insert(merged.clone()),
    ];
    let map = |external_id: &str, id| {
        sample::mapping(clock, integration.id, EntityKind::Room, external_id, id)
    };
    page.mappings = vec![
        map("r-1", here.id),
        crate::port::sync::Mapping {
            merged_into: Some("r-1".to_owned()),
            ..map("r-2", merged.id)
        },
    ];
    store.apply_page(page).await?;
    let ids = [merged.id, here.id];
    let refs = store.external_refs(scope, EntityKind::Room, &ids).await?;
    assert_eq!(refs.len(), 1);
    assert_eq!(refs[0].local_id, here.id);
    assert_eq!(refs[0].id, "r-1");
    assert_eq!(refs[0].provider, integration.provider);
    assert_eq!(refs[0].integration_id, integration.id);
    for (scope, kind) in [
        (stranger, EntityKind::Room),
        (scope, EntityKind::Reservation),
    ] {
        let refs = store.external_refs(scope, kind, &ids).await?;
        assert!(refs.is_empty());
    }
    Ok(())
}

/// The first address that leads to a guest names him; a change of the guest's record takes away
/// the old address, and an address of another guest stays there.
pub async fn an_address_leads_to_one_guest<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let stranger = sample::tenant(store, clock).await;
    let ana = sample::guest(clock, scope, "Ana");
    let rui = sample::guest(clock, scope, "Rui");
    let rows = [&ana, &rui].map(sample::row).to_vec();
    sample::store_rows(store, clock, scope, rows).await;
    let write = |guest: &Guest, address: Option<&str>| ContactWrite {
        guest_id: guest.id,
        channel: ContactChannel::Email,
        address: address.map(str::to_owned),
    };
    let email = |address: &str| Contact {
        channel: ContactChannel::Email,
        address: address.to_owned(),
    };
    let steps = [
        vec![
            write(&ana, Some("a@example.com")),
            write(&rui, Some("r@example.com")),
        ],
        vec![write(&rui, Some("a@example.com"))],
        vec![write(&ana, Some("new@example.com"))],
        vec![write(&ana, None)],
    ];
    let expected = [
        [Some(&ana), Some(&rui), None],
        // Ana keeps her address; Rui's own one was replaced by it and is gone.
        [Some(&ana), None, None],
        [None, None, Some(&ana)],
        [None, None, None],
    ];
    let integration_id = sample::connected(store, clock, scope).await;
    for (step, expected) in steps.into_iter().zip(expected) {
        let mut page = PageWrite::new(scope, integration_id);
        page.contacts = step;
        store.apply_page(page).await?;
        let addresses = ["a@example.com", "r@example.com", "new@example.com"];
        for (address, guest) in addresses.into_iter().zip(expected) {
            let contacts = [email("nobody@example.com"), email(address)];
            let found = store.guest_by_contact(scope, &contacts).await?;
            assert_eq!(found, guest.map(|guest| guest.id), "{address}");
            let found = store.guest_by_contact(stranger, &contacts).await?;
            assert_eq!(found, None, "another tenant's {address}");
        }
    }
    Ok(())
}

/// An update sets the named fields alone, counts the version and stamps the time.
pub async fn an_update_sets_the_named_fields_alone<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let first = sample::row(&sample::room(clock, scope, "101"));
    let second = sample::row(&sample::room(clock, scope, "102"));
    sample::store_rows(store, clock, scope, vec![first.clone(), second.clone()]).await;
    let integration_id = sample::connected(store, clock, scope).await;
    clock.advance(TimeDelta::microseconds(1));
    let set =
        |name: &str, value: serde_json::Value| [(name.to_owned(), value)].into_iter().collect();
    let update = |id, set| RowWrite::Update {
        kind: EntityKind::Room,
        id,
        expected_version: 1,
        set,
    };
    let mut page = PageWrite::new(scope, integration_id);
    page.rows = vec![
        update(first.id, set("floor", json!("2"))),
        update(second.id, set("active", json!(false))),
    ];
    store.apply_page(page).await?;
    for (before, field, value) in [
        (first, "floor", json!("2")),
        (second, "active", json!(false)),
    ] {
        let mut expected = before.clone();
        expected.version = 2;
        expected.updated_at = clock.now();
        expected.fields.insert(field, value);
        let read = store.row(scope, EntityKind::Room, before.id).await?;
        assert_eq!(read, Some(expected));
    }
    Ok(())
}

/// A page names an integration of its own scope: another tenant's is not found, and nothing is
/// written.
pub async fn invariant_t_a_page_is_of_ones_own_integration<S>(
    store: &S,
    clock: &ManualClock,
) -> Result<()>
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let beside = sample::another_property(store, clock, scope.organization_id).await;
    let stranger = sample::tenant(store, clock).await;
    let foreign = sample::connected(store, clock, scope).await;
    for scope in [beside, stranger] {
        let room = sample::row(&sample::room(clock, scope, "101"));
        let mut page = PageWrite::new(scope, foreign);
        page.rows = vec![RowWrite::Insert(room.clone())];
        let written = store.apply_page(page).await;
        ensure_kind(written, ErrorKind::NotFound, "another's integration")?;
        assert_eq!(store.row(scope, EntityKind::Room, room.id).await?, None);
    }
    Ok(())
}
