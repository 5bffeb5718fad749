//! One guest turned out to be another: what [`crate::port::sync::PageWrite::merges`] moves. What
//! becomes of conversations is in [`merge_conversation`].

use chrono::TimeDelta;
use serde_json::json;

use super::{
    Report,
    contact_owner::{addressed, email},
    ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, guest, hotel, mapping, reservation, sister},
    merge_conversation,
    note::note,
    sync::{mapped, page, read, synced_guest},
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::GuestId,
    port::{
        Store,
        sync::{ContactWrite, GuestMerge, Mapping, RowWrite, SyncStore},
    },
    transform::EntityRow,
};

/// Runs every scenario, those of [`merge_conversation`] included.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = merge_conversation::run(store, clock).await;
    let r = &mut report;
    r.scenario(
        "merge_guest::reservations_and_notes_move_with_their_base",
        reservations_and_notes_move_with_their_base(store, clock),
    )
    .await;
    r.scenario(
        "merge_guest::a_base_that_names_another_stays",
        a_base_that_names_another_stays(store, clock),
    )
    .await;
    r.scenario(
        "merge_guest::the_row_of_the_one_who_is_no_more_stays",
        the_row_of_the_one_who_is_no_more_stays(store, clock),
    )
    .await;
    r.scenario(
        "merge_guest::addresses_lead_to_who_remains",
        addresses_lead_to_who_remains(store, clock),
    )
    .await;
    r.scenario(
        "merge_guest::mappings_of_other_integrations_move",
        mappings_of_other_integrations_move(store, clock),
    )
    .await;
    r.scenario(
        "merge_guest::twice_does_nothing_the_second_time",
        twice_does_nothing_the_second_time(store, clock),
    )
    .await;
    r.scenario(
        "merge_guest::happens_after_the_rest_of_the_page",
        happens_after_the_rest_of_the_page(store, clock),
    )
    .await;
    r.scenario(
        "merge_guest::invariant_t_within_the_organization",
        within_the_organization(store, clock),
    )
    .await;
    report
}

pub(super) async fn merge<S: SyncStore + ?Sized>(
    store: &S,
    hotel: &Hotel,
    from: impl Into<GuestId>,
    into: impl Into<GuestId>,
) -> Result<()> {
    let mut page = page(hotel);
    page.merges = vec![GuestMerge {
        from: from.into(),
        into: into.into(),
    }];
    store.apply_page(page).await
}

async fn mapping_of<S: SyncStore + ?Sized>(
    store: &S,
    hotel: &Hotel,
    row: &EntityRow,
) -> Result<Option<Mapping>> {
    let id = hotel.integration.id;
    let found = store
        .mappings_of(hotel.scope, id, row.kind, &[row.id])
        .await?;
    Ok(found.into_iter().next())
}

/// Stores rows, each mapped under an id of its own.
async fn stored<S: SyncStore + ?Sized>(
    store: &S,
    hotel: &Hotel,
    rows: &[EntityRow],
    clock: &ManualClock,
) -> Result<()> {
    let mut page = page(hotel);
    for row in rows {
        let external = format!("x-{}", row.id);
        page.mappings.push(mapping(hotel, row, &external, clock));
        page.rows.push(RowWrite::Insert(row.clone()));
    }
    store.apply_page(page).await
}

/// Reservations and notes move, of whatever property, one version higher; so does the guest in the
/// base of their mappings, one revision higher.
pub async fn reservations_and_notes_move_with_their_base<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let sister = sister(store, &hotel, clock).await?;
    let from = synced_guest(store, &hotel, "g-1", clock).await?;
    let into = synced_guest(store, &hotel, "g-2", clock).await?;
    let moved = [
        (&hotel, reservation(&hotel, Some(from.id), clock)?),
        (&hotel, note(&hotel, None, Some(from.id), clock)?),
        (&sister, reservation(&sister, Some(from.id), clock)?),
    ];
    let kept = [
        (&hotel, reservation(&hotel, Some(into.id), clock)?),
        (&hotel, reservation(&hotel, None, clock)?),
    ];
    for (of, row) in moved.iter().chain(&kept) {
        stored(store, of, std::slice::from_ref(row), clock).await?;
    }
    clock.advance(TimeDelta::seconds(4));
    merge(store, &hotel, from.id, into.id).await?;
    for (of, row) in &moved {
        let mut expected = row.clone();
        expected.fields.insert("guest_id", into.id.to_string());
        expected.version = 2;
        expected.updated_at = clock.now();
        let base = expected.fields.clone();
        ensure_eq(read(store, of, row).await?, Some(expected), "it moved")?;
        let mapping = mapping_of(store, of, row).await?;
        let found = mapping.as_ref().map(|mapping| &mapping.base);
        ensure_eq(found, Some(&base), "its base names who remains")?;
        let revision = mapping.map(|mapping| mapping.revision);
        ensure_eq(revision, Some(2), "one revision higher")?;
    }
    for (of, row) in &kept {
        let found = read(store, of, row).await?;
        ensure_eq(found.as_ref(), Some(row), "another's stays")?;
        let revision = mapping_of(store, of, row).await?.map(|one| one.revision);
        ensure_eq(revision, Some(1), "with its mapping")?;
    }
    Ok(())
}

/// A base that names another guest, or none, stays as it is: that difference is not ours to end.
pub async fn a_base_that_names_another_stays<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let from = synced_guest(store, &hotel, "g-1", clock).await?;
    let into = synced_guest(store, &hotel, "g-2", clock).await?;
    let third = synced_guest(store, &hotel, "g-3", clock).await?;
    let stay = reservation(&hotel, Some(from.id), clock)?;
    let bare = reservation(&hotel, Some(from.id), clock)?;
    let mut other = mapping(&hotel, &stay, "r-1", clock);
    other.base.insert("guest_id", third.id.to_string());
    let mut none = mapping(&hotel, &bare, "r-2", clock);
    none.base.insert("guest_id", json!(null));
    let mut write = page(&hotel);
    write.rows = [&stay, &bare]
        .map(|row| RowWrite::Insert(row.clone()))
        .to_vec();
    write.mappings = vec![other.clone(), none.clone()];
    store.apply_page(write).await?;
    merge(store, &hotel, from.id, into.id).await?;
    for (row, mapping) in [(&stay, other), (&bare, none)] {
        let found = mapping_of(store, &hotel, row).await?;
        ensure_eq(found, Some(mapping), "the mapping stays")?;
        let found = read(store, &hotel, row).await?;
        let guest = found.and_then(|row| row.fields.text("guest_id").map(str::to_owned));
        ensure_eq(guest, Some(into.id.to_string()), "the row moves")?;
    }
    Ok(())
}

/// The row stays, inactive, naming who remains, one version higher; its mapping of this integration
/// stays with it.
pub async fn the_row_of_the_one_who_is_no_more_stays<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let from = synced_guest(store, &hotel, "g-1", clock).await?;
    let into = synced_guest(store, &hotel, "g-2", clock).await?;
    let before = mapped(store, &hotel, "g-1").await?;
    clock.advance(TimeDelta::seconds(4));
    merge(store, &hotel, from.id, into.id).await?;
    let mut expected = from.clone();
    expected.fields.insert("active", false);
    expected.fields.insert("merged_into", into.id.to_string());
    expected.version = 2;
    expected.updated_at = clock.now();
    ensure_eq(
        read(store, &hotel, &from).await?,
        Some(expected),
        "it stays",
    )?;
    ensure_eq(mapped(store, &hotel, "g-1").await?, before, "its mapping")?;
    let found = read(store, &hotel, &into).await?;
    ensure_eq(found, Some(into), "who remains is as before")
}

/// Every address of the one leads to the other, wherever it comes from.
pub async fn addresses_lead_to_who_remains<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let into = synced_guest(store, &hotel, "g-2", clock).await?;
    let sent = super::conversation::message(&hotel, "351912345678", "hello", clock);
    let written = sent.contacts.clone();
    let from = store.accept_message(sent).await?.guest_id;
    let (theirs, ours) = (email("from@example.com"), email("into@example.com"));
    addressed(store, &hotel, from.uuid(), &theirs).await?;
    addressed(store, &hotel, into.id, &ours).await?;
    merge(store, &hotel, from, into.id).await?;
    for contact in written.iter().chain([&theirs, &ours]) {
        let asked = std::slice::from_ref(contact);
        let owner = store.contact_owners(hotel.scope, asked).await?.pop();
        let found = owner.map(|owner| (owner.guest_id, owner.written_from));
        let expected = Some((into.id.into(), written.contains(contact)));
        ensure_eq(found, expected, "it leads to who remains")?;
    }
    Ok(())
}

/// What other integrations call the one becomes the other's name there, unless the other has one.
pub async fn mappings_of_other_integrations_move<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let free = sister(store, &hotel, clock).await?;
    let taken = sister(store, &hotel, clock).await?;
    let from = synced_guest(store, &hotel, "g-1", clock).await?;
    let into = synced_guest(store, &hotel, "g-2", clock).await?;
    let known = |of: &Hotel, row: &EntityRow, external| {
        let mut page = page(of);
        page.mappings = vec![mapping(of, row, external, clock)];
        store.apply_page(page)
    };
    known(&free, &from, "f-1").await?;
    known(&taken, &from, "t-1").await?;
    known(&taken, &into, "t-2").await?;
    let before = [
        mapped(store, &free, "f-1").await?,
        mapped(store, &taken, "t-1").await?,
        mapped(store, &taken, "t-2").await?,
    ];
    clock.advance(TimeDelta::seconds(4));
    merge(store, &hotel, from.id, into.id).await?;
    let moved = before[0].clone().map(|mapping| Mapping {
        local_id: into.id,
        revision: 2,
        updated_at: clock.now(),
        ..mapping
    });
    ensure_eq(mapped(store, &free, "f-1").await?, moved.clone(), "moved")?;
    ensure_eq(
        mapping_of(store, &free, &into).await?,
        moved,
        "and found so",
    )?;
    ensure_eq(mapping_of(store, &free, &from).await?, None, "not before")?;
    let stays = mapped(store, &taken, "t-1").await?;
    ensure_eq(stays, before[1].clone(), "one more would be too many")?;
    let stays = mapped(store, &taken, "t-2").await?;
    ensure_eq(stays, before[2].clone(), "the other's own stays")
}

/// The second time nothing is left to do, but for what came to hang on the one meanwhile.
pub async fn twice_does_nothing_the_second_time<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let from = synced_guest(store, &hotel, "g-1", clock).await?;
    let into = synced_guest(store, &hotel, "g-2", clock).await?;
    let stay = reservation(&hotel, Some(from.id), clock)?;
    stored(store, &hotel, std::slice::from_ref(&stay), clock).await?;
    merge(store, &hotel, from.id, into.id).await?;
    let state = async || -> Result<_> {
        Ok((
            read(store, &hotel, &from).await?,
            read(store, &hotel, &into).await?,
            read(store, &hotel, &stay).await?,
            mapping_of(store, &hotel, &stay).await?,
            mapped(store, &hotel, "g-1").await?,
        ))
    };
    let before = state().await?;
    clock.advance(TimeDelta::seconds(4));
    merge(store, &hotel, from.id, into.id).await?;
    ensure_eq(state().await?, before.clone(), "nothing is left to do")?;
    let late = reservation(&hotel, Some(from.id), clock)?;
    stored(store, &hotel, std::slice::from_ref(&late), clock).await?;
    merge(store, &hotel, from.id, into.id).await?;
    ensure_eq(state().await?, before, "but for what came meanwhile")?;
    let version = read(store, &hotel, &late).await?.map(|row| row.version);
    ensure_eq(version, Some(2), "which moves")
}

/// Rows, mappings and addresses of the page are there before, so that what the page brings moves
/// too.
pub async fn happens_after_the_rest_of_the_page<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let from = synced_guest(store, &hotel, "g-1", clock).await?;
    let into = guest(&hotel, clock)?;
    let stay = reservation(&hotel, Some(from.id), clock)?;
    let mut write = page(&hotel);
    write.mappings = vec![
        mapping(&hotel, &into, "g-2", clock),
        mapping(&hotel, &stay, "r-1", clock),
    ];
    write.rows = [&into, &stay]
        .map(|row| RowWrite::Insert(row.clone()))
        .to_vec();
    write.contacts = vec![ContactWrite {
        guest_id: from.id.into(),
        channel: crate::model::ContactChannel::Email,
        address: Some("from@example.com".to_owned()),
    }];
    write.merges = vec![GuestMerge {
        from: from.id.into(),
        into: into.id.into(),
    }];
    store.apply_page(write).await?;
    let found = read(store, &hotel, &stay).await?;
    let guest = found.and_then(|row| row.fields.text("guest_id").map(str::to_owned));
    ensure_eq(guest, Some(into.id.to_string()), "the page's reservation")?;
    let base = mapping_of(store, &hotel, &stay).await?;
    let guest = base.and_then(|one| one.base.text("guest_id").map(str::to_owned));
    ensure_eq(guest, Some(into.id.to_string()), "the page's mapping")?;
    let address = [email("from@example.com")];
    let leads = store.guest_by_contact(hotel.scope, &address).await?;
    ensure_eq(leads, Some(into.id.into()), "the page's address")
}

/// A guest who is not of the organization is a conflict, and nothing is written.
pub async fn within_the_organization<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let owner = hotel(store, clock).await?;
    let stranger = hotel(store, clock).await?;
    let ours = synced_guest(store, &owner, "g-1", clock).await?;
    let theirs = synced_guest(store, &stranger, "g-1", clock).await?;
    let nobody = clock.uuid();
    for (from, into) in [
        (ours.id, theirs.id),
        (theirs.id, ours.id),
        (ours.id, nobody),
        (nobody, ours.id),
    ] {
        let refused = merge(store, &owner, from, into).await;
        ensure_kind(refused, ErrorKind::Conflict, "not of the organization")?;
    }
    let found = read(store, &owner, &ours).await?;
    ensure(found.as_ref() == Some(&ours), "ours stays")?;
    let found = read(store, &stranger, &theirs).await?;
    ensure_eq(found, Some(theirs), "theirs stays")
}
