//! Pages that were planned a moment too early: rows that link to guests who were merged since, and
//! addresses that somebody wrote from since.

use super::{
    Report,
    contact_owner::{addressed, email},
    ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, guest, hotel, mapping, reservation},
    merge_guest::merge,
    note::note,
    sync::{mapped, page, read, synced_guest},
};
use crate::{
    ErrorKind, Result,
    clock::ManualClock,
    model::{Contact, ContactChannel},
    port::{
        Store,
        sync::{ContactWrite, PageWrite, RowWrite},
    },
    transform::{EntityKind, EntityRow, FieldMap},
};

/// Runs every scenario.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "stray::what_links_to_a_merged_guest_ends_with_who_remains",
        what_links_to_a_merged_guest_ends_with_who_remains(store, clock),
    )
    .await;
    r.scenario(
        "stray::a_row_that_comes_to_link_to_a_merged_guest_is_led_on",
        a_row_that_comes_to_link_to_a_merged_guest_is_led_on(store, clock),
    )
    .await;
    r.scenario(
        "stray::a_link_to_a_guest_who_is_still_there_stays",
        a_link_to_a_guest_who_is_still_there_stays(store, clock),
    )
    .await;
    r.scenario(
        "stray::an_address_that_somebody_took_meanwhile_is_a_conflict",
        an_address_that_somebody_took_meanwhile_is_a_conflict(store, clock),
    )
    .await;
    r.scenario(
        "stray::an_address_that_stayed_with_another_is_a_conflict",
        an_address_that_stayed_with_another_is_a_conflict(store, clock),
    )
    .await;
    r.scenario(
        "stray::an_address_that_the_page_gives_is_none",
        an_address_that_the_page_gives_is_none(store, clock),
    )
    .await;
    r.scenario(
        "stray::invariant_t_an_address_of_another_organization_is_none",
        an_address_of_another_organization_is_none(store, clock),
    )
    .await;
    report
}

/// The guest whom a row links to, and the one in the base of its mapping.
async fn linked<S: Store + ?Sized>(
    store: &S,
    hotel: &Hotel,
    row: &EntityRow,
) -> Result<(Option<String>, Option<String>)> {
    let guest = |fields: &FieldMap| fields.text("guest_id").map(str::to_owned);
    let found = read(store, hotel, row).await?;
    let id = hotel.integration.id;
    let mappings = store
        .mappings_of(hotel.scope, id, row.kind, &[row.id])
        .await?;
    Ok((
        found.and_then(|row| guest(&row.fields)),
        mappings.first().and_then(|mapping| guest(&mapping.base)),
    ))
}

/// A page that makes these rows, each mapped under an id of its own.
fn making(hotel: &Hotel, rows: &[&EntityRow], clock: &ManualClock) -> PageWrite {
    let mut page = page(hotel);
    for row in rows {
        let external = format!("x-{}", row.id);
        page.mappings.push(mapping(hotel, row, &external, clock));
        page.rows.push(RowWrite::Insert((*row).clone()));
    }
    page
}

/// A new reservation or note that links to a guest who was merged before, however often, belongs to
/// the one who remains; so it says in the base of its mapping.
pub async fn what_links_to_a_merged_guest_ends_with_who_remains<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let first = synced_guest(store, &hotel, "g-1", clock).await?;
    let second = synced_guest(store, &hotel, "g-2", clock).await?;
    let last = synced_guest(store, &hotel, "g-3", clock).await?;
    merge(store, &hotel, first.id, second.id).await?;
    merge(store, &hotel, second.id, last.id).await?;
    let before = read(store, &hotel, &first).await?;
    let stay = reservation(&hotel, Some(first.id), clock)?;
    let later = reservation(&hotel, Some(second.id), clock)?;
    let note = note(&hotel, None, Some(first.id), clock)?;
    let rows = [&stay, &later, &note];
    let expected = Some(last.id.to_string());
    for row in rows {
        store.apply_page(making(&hotel, &[row], clock)).await?;
        let found = linked(store, &hotel, row).await?;
        let expected = (expected.clone(), expected.clone());
        ensure_eq(found, expected, "it belongs to who remains")?;
    }
    let found = read(store, &hotel, &first).await?;
    ensure_eq(found, before, "who is no more is as before")
}

/// A reservation that is there and comes to link to a guest who was merged before is led on.
pub async fn a_row_that_comes_to_link_to_a_merged_guest_is_led_on<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let from = synced_guest(store, &hotel, "g-1", clock).await?;
    let into = synced_guest(store, &hotel, "g-2", clock).await?;
    let stay = reservation(&hotel, None, clock)?;
    store.apply_page(making(&hotel, &[&stay], clock)).await?;
    merge(store, &hotel, from.id, into.id).await?;
    let mut set = FieldMap::new();
    set.insert("guest_id", from.id.to_string());
    let mut after = mapping(&hotel, &stay, &format!("x-{}", stay.id), clock);
    after.base.extend(&set);
    after.revision = 2;
    let mut write = page(&hotel);
    write.mappings = vec![after];
    write.rows = vec![RowWrite::Update {
        kind: EntityKind::Reservation,
        id: stay.id,
        expected_version: 1,
        set,
    }];
    store.apply_page(write).await?;
    let expected = Some(into.id.to_string());
    let found = linked(store, &hotel, &stay).await?;
    ensure_eq(found, (expected.clone(), expected), "it is led on")
}

/// Other links are left as they are, with their versions.
pub async fn a_link_to_a_guest_who_is_still_there_stays<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let from = synced_guest(store, &hotel, "g-1", clock).await?;
    let into = synced_guest(store, &hotel, "g-2", clock).await?;
    merge(store, &hotel, from.id, into.id).await?;
    let ours = reservation(&hotel, Some(into.id), clock)?;
    let led = reservation(&hotel, Some(from.id), clock)?;
    store
        .apply_page(making(&hotel, &[&ours, &led], clock))
        .await?;
    let found = read(store, &hotel, &ours).await?;
    ensure_eq(found, Some(ours), "as it was written")
}

/// A page that makes a guest and gives an address that led to nobody.
fn giving(hotel: &Hotel, row: &EntityRow, contact: &Contact, clock: &ManualClock) -> PageWrite {
    let mut page = page(hotel);
    page.mappings = vec![mapping(hotel, row, "g-new", clock)];
    page.rows = vec![RowWrite::Insert(row.clone())];
    page.contacts = vec![ContactWrite {
        guest_id: row.id.into(),
        channel: contact.channel,
        address: Some(contact.address.clone()),
    }];
    page.unclaimed = vec![contact.clone()];
    page
}

/// Somebody wrote from the address after the page was planned: it is planned again.
pub async fn an_address_that_somebody_took_meanwhile_is_a_conflict<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let sent = super::conversation::message(&hotel, "351912345678", "hello", clock);
    let taken = Contact {
        channel: ContactChannel::Phone,
        address: "+351912345678".to_owned(),
    };
    let sent = crate::port::conversation::AcceptMessage {
        contacts: vec![taken.clone()],
        ..sent
    };
    let writer = store.accept_message(sent).await?.guest_id;
    let row = guest(&hotel, clock)?;
    let refused = store.apply_page(giving(&hotel, &row, &taken, clock)).await;
    ensure_kind(refused, ErrorKind::Conflict, "somebody wrote meanwhile")?;
    ensure_eq(read(store, &hotel, &row).await?, None, "nothing is written")?;
    ensure_eq(mapped(store, &hotel, "g-new").await?, None, "no mapping")?;
    let leads = store.guest_by_contact(hotel.scope, &[taken]).await?;
    ensure_eq(leads, Some(writer), "it leads to who wrote")
}

/// An address that leads to another guest stays with that guest, whom the page gives nothing.
pub async fn an_address_that_stayed_with_another_is_a_conflict<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let other = synced_guest(store, &hotel, "g-1", clock).await?;
    let taken = email("a@example.com");
    addressed(store, &hotel, other.id, &taken).await?;
    let row = guest(&hotel, clock)?;
    let refused = store.apply_page(giving(&hotel, &row, &taken, clock)).await;
    ensure_kind(refused, ErrorKind::Conflict, "a record has it meanwhile")?;
    ensure_eq(read(store, &hotel, &row).await?, None, "nothing is written")
}

/// An address that the page itself gives to a guest, or that still leads to nobody, is as it was
/// planned.
pub async fn an_address_that_the_page_gives_is_none<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let row = guest(&hotel, clock)?;
    let given = email("a@example.com");
    let mut write = giving(&hotel, &row, &given, clock);
    write.unclaimed.push(email("nobody@example.com"));
    store.apply_page(write).await?;
    let leads = store.guest_by_contact(hotel.scope, &[given]).await?;
    ensure_eq(leads, Some(row.id.into()), "it leads to its guest")
}

/// Whom an address leads to elsewhere is nobody's business here.
pub async fn an_address_of_another_organization_is_none<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let stranger = hotel(store, clock).await?;
    let owner = synced_guest(store, &stranger, "g-1", clock).await?;
    let address = email("a@example.com");
    addressed(store, &stranger, owner.id, &address).await?;
    let hotel = hotel(store, clock).await?;
    let row = guest(&hotel, clock)?;
    store
        .apply_page(giving(&hotel, &row, &address, clock))
        .await?;
    let found = read(store, &hotel, &row).await?;
    ensure(found.is_some(), "it is written")
}
