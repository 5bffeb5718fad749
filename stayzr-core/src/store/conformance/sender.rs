//! What [`Conversations`] promises about who writes, and in which conversation.

use chrono::TimeDelta;

use super::{
    Report,
    conversation::{contact, conversation, message},
    ensure, ensure_eq,
    fixture::hotel,
};
use crate::{
    Result,
    clock::{Clock, ManualClock},
    ids::ConversationId,
    model::{Contact, ContactChannel, ConversationStatus},
    port::{
        PageRequest,
        conversation::{AcceptMessage, Conversations},
        entities::Entities,
        setup::Setup,
    },
};

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Entities + Conversations + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "sender::finds_the_guest_again",
        finds_the_guest_again(store, clock),
    )
    .await;
    r.scenario(
        "sender::one_open_at_a_time",
        one_open_at_a_time(store, clock),
    )
    .await;
    report
}

/// The first address that leads to a guest names him; the others are then his too unless they lead
/// elsewhere.
pub async fn finds_the_guest_again<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Entities + Conversations + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let send = |contacts: Vec<Contact>| {
        let sent = AcceptMessage {
            contacts,
            ..message(&hotel, "1", "hello", clock)
        };
        async move { store.accept_message(sent).await }
    };
    let whatsapp = |address| contact(ContactChannel::Whatsapp, address);
    let phone = |address| contact(ContactChannel::Phone, address);
    let ana = send(vec![whatsapp("ana"), phone("+1")]).await?.guest_id;
    let bo = send(vec![whatsapp("bo")]).await?.guest_id;
    ensure(ana != bo, "two guests")?;
    let again = send(vec![whatsapp("unknown"), phone("+1"), phone("+2")]).await?;
    ensure_eq(again.guest_id, ana, "the first that leads to a guest")?;
    for address in [whatsapp("unknown"), phone("+2")] {
        let found = store.guest_by_contact(hotel.scope, &[address]).await?;
        ensure_eq(found, Some(ana), "the others are then hers too")?;
    }
    let mixed = send(vec![whatsapp("bo"), phone("+1")]).await?;
    ensure_eq(mixed.guest_id, bo, "the surest first")?;
    let found = store.guest_by_contact(hotel.scope, &[phone("+1")]).await?;
    ensure_eq(found, Some(ana), "one that leads elsewhere stays")?;
    let stranger = super::fixture::hotel(store, clock).await?;
    let theirs = AcceptMessage {
        contacts: vec![whatsapp("ana")],
        ..message(&stranger, "1", "hello", clock)
    };
    let theirs = store.accept_message(theirs).await?;
    ensure(
        theirs.guest_id != ana,
        "addresses belong to an organization",
    )
}

/// One conversation is open at a time for each guest and account.
pub async fn one_open_at_a_time<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Entities + Conversations + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let first = store
        .accept_message(message(&hotel, "1", "a", clock))
        .await?;
    clock.advance(TimeDelta::seconds(1));
    let second = store
        .accept_message(message(&hotel, "1", "b", clock))
        .await?;
    ensure_eq(second.conversation_id, first.conversation_id, "it goes on")?;
    ensure_eq(second.guest_id, first.guest_id, "with the same guest")?;
    let found = conversation(store, &hotel, &second).await?;
    ensure_eq(
        found.last_inbound_at,
        Some(clock.now()),
        "when he last wrote",
    )?;
    let closed = ConversationStatus::Closed;
    let closed = store.set_status(hotel.scope, found.id, closed).await?;
    ensure_eq(
        closed.status,
        ConversationStatus::Closed,
        "until it is over",
    )?;
    clock.advance(TimeDelta::seconds(1));
    let third = store
        .accept_message(message(&hotel, "1", "c", clock))
        .await?;
    ensure(
        third.conversation_id != first.conversation_id,
        "then another begins",
    )?;
    ensure_eq(third.guest_id, first.guest_id, "with the same guest")?;
    let page = PageRequest {
        limit: 1,
        cursor: None,
    };
    let newest = store.conversations(hotel.scope, &page).await?;
    let ids: Vec<ConversationId> = newest.items.iter().map(|found| found.id).collect();
    ensure_eq(ids, vec![third.conversation_id], "the newest first")?;
    let page = PageRequest {
        limit: 1,
        cursor: newest.next_cursor,
    };
    let oldest = store.conversations(hotel.scope, &page).await?;
    let ids: Vec<ConversationId> = oldest.items.iter().map(|found| found.id).collect();
    ensure_eq(ids, vec![first.conversation_id], "then the older")
}
