//! What becomes of conversations and service requests when one guest turns out to be another.

use chrono::TimeDelta;

use super::{
    Report,
    conversation::{contact, message},
    ensure_eq,
    fixture::{Hotel, account, hotel},
    merge_guest::merge,
    service_request::{make, service_request},
};
use crate::{
    Error, Result,
    clock::ManualClock,
    ids::{ChannelAccountId, ConversationId, GuestId},
    model::{ContactChannel, Conversation, ConversationStatus},
    port::{
        PageRequest, Store,
        conversation::{AcceptMessage, AcceptedMessage, Conversations},
    },
};

/// Runs every scenario.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "merge_conversation::the_one_that_was_silent_longer_is_closed",
        the_one_that_was_silent_longer_is_closed(store, clock),
    )
    .await;
    r.scenario(
        "merge_conversation::others_stay_open",
        others_stay_open(store, clock),
    )
    .await;
    r.scenario(
        "merge_conversation::the_guest_goes_on_in_the_one_that_remains",
        the_guest_goes_on_in_the_one_that_remains(store, clock),
    )
    .await;
    r.scenario(
        "merge_conversation::service_requests_move",
        service_requests_move(store, clock),
    )
    .await;
    report
}

/// A message of a guest with one address, through an account.
async fn writes<S: Conversations + ?Sized>(
    store: &S,
    hotel: &Hotel,
    account: Option<ChannelAccountId>,
    from: &str,
    clock: &ManualClock,
) -> Result<AcceptedMessage> {
    clock.advance(TimeDelta::seconds(1));
    let sent = AcceptMessage {
        contacts: vec![contact(ContactChannel::Whatsapp, from)],
        channel_account_id: account,
        ..message(hotel, from, "hello", clock)
    };
    store.accept_message(sent).await
}

async fn read<S: Conversations + ?Sized>(
    store: &S,
    hotel: &Hotel,
    id: ConversationId,
) -> Result<Conversation> {
    let found = store.conversation(hotel.scope, id).await?;
    found.ok_or_else(|| Error::internal("conformance", "the conversation is gone"))
}

async fn ensure_stands<S: Conversations + ?Sized>(
    store: &S,
    hotel: &Hotel,
    id: ConversationId,
    (guest, status): (GuestId, ConversationStatus),
) -> Result<()> {
    let found = read(store, hotel, id).await?;
    ensure_eq(
        (found.guest_id, found.status),
        (guest, status),
        "whose it is, and how it stands",
    )
}

/// Of two with the same account that are not closed, the one whose guest wrote last the longer ago
/// is closed, whichever guest it was of.
pub async fn the_one_that_was_silent_longer_is_closed<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    use ConversationStatus::{Closed, HandedOff, Open};
    for from_is_silent in [true, false] {
        let hotel = hotel(store, clock).await?;
        let account = Some(hotel.account.id);
        let first = writes(store, &hotel, account, "ana", clock).await?;
        let last = writes(store, &hotel, account, "ana-2", clock).await?;
        // A person answers in one: that is not closed either.
        store
            .set_status(hotel.scope, last.conversation_id, HandedOff)
            .await?;
        let (from, into) = match from_is_silent {
            true => (first.guest_id, last.guest_id),
            false => (last.guest_id, first.guest_id),
        };
        merge(store, &hotel, from, into).await?;
        ensure_stands(store, &hotel, first.conversation_id, (into, Closed)).await?;
        ensure_stands(store, &hotel, last.conversation_id, (into, HandedOff)).await?;
    }
    // One that is closed already stays so, and counts for nothing.
    let hotel = hotel(store, clock).await?;
    let account = Some(hotel.account.id);
    let wrote = writes(store, &hotel, account, "ana", clock).await?;
    let later = writes(store, &hotel, account, "ana-2", clock).await?;
    store
        .set_status(hotel.scope, later.conversation_id, Closed)
        .await?;
    let next = writes(store, &hotel, account, "ana-2", clock).await?;
    merge(store, &hotel, wrote.guest_id, later.guest_id).await?;
    let guest = later.guest_id;
    ensure_stands(store, &hotel, wrote.conversation_id, (guest, Closed)).await?;
    ensure_stands(store, &hotel, later.conversation_id, (guest, Closed)).await?;
    ensure_stands(store, &hotel, next.conversation_id, (guest, Open)).await
}

/// A conversation through another account, or one with nobody to yield to, stays as it is and
/// moves.
pub async fn others_stay_open<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Result<()> {
    use ConversationStatus::Open;
    let hotel = hotel(store, clock).await?;
    let second = account(hotel.scope.organization_id, hotel.property_id, clock);
    store.create_channel_account(second.clone()).await?;
    let ours = writes(store, &hotel, Some(hotel.account.id), "ana", clock).await?;
    let theirs = writes(store, &hotel, Some(second.id), "ana-2", clock).await?;
    let into = ours.guest_id;
    merge(store, &hotel, theirs.guest_id, into).await?;
    ensure_stands(store, &hotel, ours.conversation_id, (into, Open)).await?;
    ensure_stands(store, &hotel, theirs.conversation_id, (into, Open)).await
}

/// Whatever address the guest writes from, the conversation that remains goes on.
pub async fn the_guest_goes_on_in_the_one_that_remains<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let account = Some(hotel.account.id);
    let from = writes(store, &hotel, account, "ana", clock).await?;
    let into = writes(store, &hotel, account, "ana-2", clock).await?;
    merge(store, &hotel, from.guest_id, into.guest_id).await?;
    for address in ["ana", "ana-2"] {
        let next = writes(store, &hotel, account, address, clock).await?;
        let found = (next.guest_id, next.conversation_id);
        let expected = (into.guest_id, into.conversation_id);
        ensure_eq(found, expected, "it goes on")?;
    }
    Ok(())
}

/// What the one asked the staff for is the other's from now on.
pub async fn service_requests_move<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let account = Some(hotel.account.id);
    let from = writes(store, &hotel, account, "ana", clock).await?.guest_id;
    let into = writes(store, &hotel, account, "bo", clock).await?.guest_id;
    let third = writes(store, &hotel, account, "cy", clock).await?.guest_id;
    for guest in [Some(from), Some(into), Some(third), None] {
        clock.advance(TimeDelta::seconds(1));
        let mut request = service_request(&hotel, clock);
        request.guest_id = guest;
        let scope = hotel.property_scope();
        make(store, scope, &request).await?;
    }
    merge(store, &hotel, from, into).await?;
    let page = PageRequest::default();
    let found = store.service_requests(hotel.scope, &page).await?;
    let found: Vec<_> = found.items.iter().map(|one| one.guest_id).collect();
    let expected = vec![None, Some(third), Some(into), Some(into)];
    ensure_eq(found, expected, "of the one who remains")
}
