//! Whom addresses lead to: [`crate::port::entities::Entities::contact_owners`].

use super::{
    Report,
    conversation::message,
    ensure, ensure_eq,
    fixture::{Hotel, hotel, sister},
    sync::{page, synced_guest},
};
use crate::{
    Result,
    clock::ManualClock,
    model::{Contact, ContactChannel},
    port::{
        Store,
        conversation::AcceptMessage,
        entities::{ContactOwner, Entities},
        sync::{ContactWrite, SyncStore},
    },
    tenant::TenantScope,
};

/// Runs every scenario.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "contact_owner::each_address_leads_to_its_guest",
        each_address_leads_to_its_guest(store, clock),
    )
    .await;
    r.scenario(
        "contact_owner::who_wrote_from_it_is_told_apart",
        who_wrote_from_it_is_told_apart(store, clock),
    )
    .await;
    r.scenario(
        "contact_owner::invariant_t_in_ones_own_organization",
        in_ones_own_organization(store, clock),
    )
    .await;
    report
}

pub(super) fn email(address: &str) -> Contact {
    Contact {
        channel: ContactChannel::Email,
        address: address.to_owned(),
    }
}

fn phone(address: &str) -> Contact {
    Contact {
        channel: ContactChannel::Phone,
        address: address.to_owned(),
    }
}

/// Sets the address of a guest's record.
pub(super) async fn addressed<S: SyncStore + ?Sized>(
    store: &S,
    hotel: &Hotel,
    guest: uuid::Uuid,
    contact: &Contact,
) -> Result<()> {
    let mut page = page(hotel);
    page.contacts = vec![ContactWrite {
        guest_id: guest.into(),
        channel: contact.channel,
        address: Some(contact.address.clone()),
    }];
    store.apply_page(page).await
}

async fn owners<S: Entities + ?Sized>(
    store: &S,
    scope: TenantScope,
    contacts: &[Contact],
) -> Result<Vec<ContactOwner>> {
    let mut found = store.contact_owners(scope, contacts).await?;
    found.sort_by(|one, other| one.contact.address.cmp(&other.contact.address));
    Ok(found)
}

/// Addresses lead to their guests, each once; those that lead to nobody are missing.
pub async fn each_address_leads_to_its_guest<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let one = synced_guest(store, &hotel, "g-1", clock).await?;
    let two = synced_guest(store, &hotel, "g-2", clock).await?;
    let first = email("a@example.com");
    let second = phone("+351912345678");
    // The text of an address belongs to its kind.
    let third = phone("a@example.com");
    addressed(store, &hotel, one.id, &first).await?;
    addressed(store, &hotel, two.id, &second).await?;
    let asked = [
        second.clone(),
        first.clone(),
        email("nobody@example.com"),
        third,
        first.clone(),
    ];
    let expected = [(second, two.id), (first, one.id)]
        .map(|(contact, guest)| ContactOwner {
            contact,
            guest_id: guest.into(),
            written_from: false,
        })
        .to_vec();
    let found = owners(store, hotel.scope, &asked).await?;
    ensure_eq(found, expected, "each once, with its guest")?;
    let found = owners(store, hotel.scope, &[]).await?;
    ensure(found.is_empty(), "none for none")
}

/// An address that a guest wrote from is told from one that stands in a record.
pub async fn who_wrote_from_it_is_told_apart<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let recorded = synced_guest(store, &hotel, "g-1", clock).await?;
    let of_record = email("a@example.com");
    addressed(store, &hotel, recorded.id, &of_record).await?;
    let of_sender = phone("+351912345678");
    let sent = AcceptMessage {
        contacts: vec![of_sender.clone()],
        ..message(&hotel, "351912345678", "hello", clock)
    };
    let writer = store.accept_message(sent).await?.guest_id;
    let found = owners(store, hotel.scope, &[of_record.clone(), of_sender.clone()]).await?;
    let expected = vec![
        ContactOwner {
            contact: of_sender,
            guest_id: writer,
            written_from: true,
        },
        ContactOwner {
            contact: of_record,
            guest_id: recorded.id.into(),
            written_from: false,
        },
    ];
    ensure_eq(found, expected, "where each comes from")
}

/// Another organization's addresses lead to nobody here; within one they do for every property.
pub async fn in_ones_own_organization<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let owner = hotel(store, clock).await?;
    let sister = sister(store, &owner, clock).await?;
    let stranger = hotel(store, clock).await?;
    let guest = synced_guest(store, &owner, "g-1", clock).await?;
    let contact = email("a@example.com");
    addressed(store, &owner, guest.id, &contact).await?;
    for (scope, seen) in [
        (owner.scope, true),
        (sister.property_scope(), true),
        (stranger.scope, false),
    ] {
        let found = owners(store, scope, std::slice::from_ref(&contact)).await?;
        let found: Vec<_> = found.into_iter().map(|owner| owner.guest_id).collect();
        let expected: Vec<_> = seen.then(|| guest.id.into()).into_iter().collect();
        ensure_eq(found, expected, "as far as the organization")?;
    }
    Ok(())
}
