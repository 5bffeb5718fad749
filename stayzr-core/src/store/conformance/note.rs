//! Notes: rows like any other, found by what they are about.

use uuid::Uuid;

use super::{
    Report, ensure, ensure_eq,
    fixture::{Hotel, guest, hotel, mapping, reservation, sister},
    sync::{page, read},
};
use crate::{
    Result,
    clock::{Clock, ManualClock},
    ids::{GuestId, NoteId, ReservationId},
    model::{Note, NoteKind},
    port::{
        PageRequest, Store,
        entities::{EntitiesExt, EntityFilter},
        sync::RowWrite,
    },
    tenant::TenantScope,
    transform::{Entity, EntityKind, EntityRow},
};

const KIND: EntityKind = EntityKind::Note;

/// Runs every scenario.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "note::comes_back_as_it_was_stored",
        comes_back_as_it_was_stored(store, clock),
    )
    .await;
    r.scenario(
        "note::is_found_by_what_it_is_about",
        is_found_by_what_it_is_about(store, clock),
    )
    .await;
    r.scenario(
        "note::invariant_t_belongs_to_its_property",
        belongs_to_its_property(store, clock),
    )
    .await;
    report
}

/// A note that is not stored yet, about a reservation, a guest or both.
pub fn note(
    hotel: &Hotel,
    reservation: Option<Uuid>,
    guest: Option<Uuid>,
    clock: &ManualClock,
) -> Result<EntityRow> {
    let now = clock.now();
    let note = Note {
        id: NoteId::generate(clock),
        organization_id: hotel.scope.organization_id,
        property_id: hotel.property_id,
        version: 1,
        created_at: now,
        updated_at: now,
        reservation_id: reservation.map(ReservationId::from),
        guest_id: guest.map(GuestId::from),
        kind: NoteKind::Unknown,
        kind_vendor: Some("Housekeeping 🧹".to_owned()),
        text: "needs a cot,\n\"quiet\" room".to_owned(),
        active: true,
    };
    Ok(EntityRow {
        kind: EntityKind::Note,
        id: note.id.uuid(),
        organization_id: note.organization_id,
        property_id: Some(hotel.property_id),
        version: 1,
        created_at: now,
        updated_at: now,
        fields: note.to_fields()?,
    })
}

/// A note is stored, mapped and read as any row.
pub async fn comes_back_as_it_was_stored<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let stay = reservation(&hotel, None, clock)?;
    let row = note(&hotel, Some(stay.id), None, clock)?;
    let mut write = page(&hotel);
    write.mappings = vec![mapping(&hotel, &row, "n-1", clock)];
    write.rows = [stay, row.clone()].map(RowWrite::Insert).to_vec();
    store.apply_page(write).await?;
    let found = read(store, &hotel, &row).await?;
    ensure_eq(found.as_ref(), Some(&row), "as it was stored")?;
    let typed: Note = store.entity(hotel.scope, row.id).await?;
    ensure_eq(typed.kind, NoteKind::Unknown, "with its kind")?;
    ensure(typed.active, "and not removed")?;
    let refs = store
        .external_refs(hotel.scope, KIND, &[row.id])
        .await?
        .pop();
    ensure_eq(refs.map(|found| found.id), Some("n-1".to_owned()), "mapped")
}

/// Notes are found by their reservation, by their guest, and by both.
pub async fn is_found_by_what_it_is_about<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let guest = guest(&hotel, clock)?;
    let stay = reservation(&hotel, Some(guest.id), clock)?;
    let other = reservation(&hotel, Some(guest.id), clock)?;
    let notes = [
        note(&hotel, Some(stay.id), None, clock)?,
        note(&hotel, None, Some(guest.id), clock)?,
        note(&hotel, Some(stay.id), Some(guest.id), clock)?,
        note(&hotel, Some(other.id), None, clock)?,
    ];
    let mut write = page(&hotel);
    write.rows = [guest.clone(), stay.clone(), other]
        .into_iter()
        .chain(notes.clone())
        .map(RowWrite::Insert)
        .collect();
    store.apply_page(write).await?;
    let none = EntityFilter::default();
    let of_stay = EntityFilter {
        reservation_id: Some(stay.id.into()),
        ..none.clone()
    };
    let of_guest = EntityFilter {
        guest_id: Some(guest.id.into()),
        ..none.clone()
    };
    let of_both = EntityFilter {
        guest_id: Some(guest.id.into()),
        ..of_stay.clone()
    };
    for (filter, expected) in [
        (none, vec![0, 1, 2, 3]),
        (of_stay, vec![0, 2]),
        (of_guest.clone(), vec![1, 2]),
        (of_both, vec![2]),
    ] {
        let found = store
            .rows(hotel.scope, KIND, &filter, &PageRequest::default())
            .await?;
        let expected: Vec<EntityRow> = expected.into_iter().map(|at| notes[at].clone()).collect();
        ensure_eq(found.items, expected, "those about it, in order of ids")?;
    }
    let kind = EntityKind::Reservation;
    let page = PageRequest::default();
    let found = store.rows(hotel.scope, kind, &of_guest, &page).await?;
    ensure_eq(found.items.len(), 2, "reservations of the guest as ever")
}

/// Another organization does not find a note, nor does another property.
pub async fn belongs_to_its_property<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let owner = hotel(store, clock).await?;
    let sister = sister(store, &owner, clock).await?;
    let stranger = hotel(store, clock).await?;
    let guest = guest(&owner, clock)?;
    let row = note(&owner, None, Some(guest.id), clock)?;
    let mut write = page(&owner);
    write.rows = [guest.clone(), row.clone()].map(RowWrite::Insert).to_vec();
    store.apply_page(write).await?;
    let filter = EntityFilter {
        guest_id: Some(guest.id.into()),
        ..EntityFilter::default()
    };
    let sees = async |scope: TenantScope| -> Result<bool> {
        let page = PageRequest::default();
        let listed = store.rows(scope, KIND, &filter, &page).await?;
        let found = store.row(scope, KIND, row.id).await?;
        ensure_eq(listed.items.len(), usize::from(found.is_some()), "alike")?;
        Ok(found.is_some())
    };
    for (scope, seen) in [
        (owner.scope, true),
        (owner.property_scope(), true),
        (sister.property_scope(), false),
        (stranger.scope, false),
        (stranger.property_scope(), false),
    ] {
        ensure_eq(sees(scope).await?, seen, "its own property alone")?;
    }
    Ok(())
}
