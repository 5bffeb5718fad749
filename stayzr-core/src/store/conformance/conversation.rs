//! What [`Conversations`] promises about messages, and about service requests. Turns and takeovers
//! are in [`super::turn`].

use chrono::TimeDelta;

use super::{
    Report, ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, account, hotel, jobs_of},
    sender, service_request, turn,
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::{ConversationId, PropertyId},
    model::{
        Author, Channel, Contact, ContactChannel, Conversation, ConversationStatus, Direction,
        Guest, GuestOrigin, MessageStatus,
    },
    port::{
        PageRequest,
        conversation::{AcceptMessage, AcceptedMessage, Conversations},
        directory::Directory,
        edit::Edits,
        entities::{Entities, EntitiesExt},
        queue::JobQueue,
        setup::Setup,
    },
    queue::Queue,
    tenant::TenantScope,
    transform::EntityKind,
};

const TURNS: Queue = Queue::AgentTurnQueue;

/// Runs every scenario, those of [`turn`] included.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Entities + Edits + Conversations + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "conversation::stores_a_message_whole",
        stores_a_message_whole(store, clock),
    )
    .await;
    r.scenario(
        "conversation::stores_a_vendor_id_once",
        stores_a_vendor_id_once(store, clock),
    )
    .await;
    r.scenario(
        "conversation::no_turn_where_none_is_wanted",
        no_turn(store, clock),
    )
    .await;
    r.scenario(
        "conversation::reads_the_last_messages",
        reads_the_last_messages(store, clock),
    )
    .await;
    r.scenario(
        "conversation::invariant_t_others_see_nothing",
        others_see_nothing(store, clock),
    )
    .await;
    report.join(sender::run(store, clock).await);
    report.join(service_request::run(store, clock).await);
    report.join(turn::run(store, clock).await);
    report
}

pub(super) fn contact(channel: ContactChannel, address: &str) -> Contact {
    Contact {
        channel,
        address: address.to_owned(),
    }
}

/// A message of a guest with this number, as WhatsApp delivers it.
pub fn message(hotel: &Hotel, from: &str, text: &str, clock: &ManualClock) -> AcceptMessage {
    AcceptMessage {
        scope: hotel.property_scope(),
        property_id: hotel.property_id,
        channel: Channel::Whatsapp,
        channel_account_id: Some(hotel.account.id),
        guest_id: None,
        conversation_id: None,
        contacts: vec![
            contact(ContactChannel::Whatsapp, from),
            contact(ContactChannel::Phone, &format!("+{from}")),
        ],
        reply_to: Some(from.to_owned()),
        name: Some("Ana".to_owned()),
        vendor_message_id: Some(format!("wamid.{}", clock.uuid())),
        kind: "text".to_owned(),
        text: text.to_owned(),
        sent_at: clock.now(),
        enqueue_turn: true,
    }
}

/// The conversation of a message that was accepted.
pub async fn conversation<S>(
    store: &S,
    hotel: &Hotel,
    accepted: &AcceptedMessage,
) -> Result<Conversation>
where
    S: Conversations + ?Sized,
{
    let id = accepted.conversation_id;
    store.conversation(hotel.scope, id).await?.ok_or_else(|| {
        crate::Error::internal("conformance.conversation", "the conversation is gone")
    })
}

/// Guest, address, conversation, message and job of a message are stored at once.
pub async fn stores_a_message_whole<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let sent = message(&hotel, "351912345678", "Olá, é possível? \u{1f600}", clock);
    let accepted = store.accept_message(sent.clone()).await?;
    ensure(!accepted.duplicate, "a new message")?;
    let guest: Guest = store
        .entity(hotel.property_scope(), accepted.guest_id.uuid())
        .await?;
    ensure_eq(
        guest.origin,
        GuestOrigin::Channel,
        "a guest of origin channel",
    )?;
    let known = store
        .guest_by_contact(hotel.scope, &sent.contacts[1..])
        .await?;
    ensure_eq(known, Some(guest.id), "each address leads to the guest")?;
    let conversation = conversation(store, &hotel, &accepted).await?;
    ensure_eq(
        conversation.status,
        ConversationStatus::Open,
        "an open conversation",
    )?;
    ensure_eq(conversation.guest_id, guest.id, "of the guest")?;
    ensure_eq(
        conversation.property_id,
        hotel.property_id,
        "at the property",
    )?;
    ensure_eq(
        conversation.channel_account_id,
        Some(hotel.account.id),
        "on the account",
    )?;
    ensure_eq(conversation.reply_to, sent.reply_to, "with where to answer")?;
    ensure_eq(
        conversation.last_inbound_at,
        Some(sent.sent_at),
        "and when he wrote",
    )?;
    let messages = store.messages(hotel.scope, conversation.id, 10).await?;
    ensure_eq(messages.len(), 1, "one message")?;
    let stored = &messages[0];
    ensure_eq(stored.id, accepted.message_id, "under the id returned")?;
    ensure_eq(stored.text.as_str(), sent.text.as_str(), "its text")?;
    let marks = (stored.direction, stored.author, stored.status);
    let expected = (Direction::Inbound, Author::Guest, MessageStatus::Received);
    ensure_eq(marks, expected, "received from the guest")?;
    ensure_eq(
        &stored.vendor_message_id,
        &sent.vendor_message_id,
        "the channel's id",
    )?;
    let jobs = jobs_of(store, &hotel, TURNS).await?;
    ensure_eq(jobs.len(), 1, "the job of a turn")?;
    let names = jobs[0].payload["conversation_id"]
        .as_str()
        .map(str::to_owned);
    ensure_eq(
        names,
        Some(conversation.id.to_string()),
        "that names the conversation",
    )?;
    ensure_eq(
        jobs[0].property_id,
        Some(hotel.property_id),
        "in the property's scope",
    )
}

/// A message is stored once for each vendor id and account.
pub async fn stores_a_vendor_id_once<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let sent = message(&hotel, "351912345678", "hello", clock);
    let first = store.accept_message(sent.clone()).await?;
    clock.advance(TimeDelta::seconds(9));
    let again = store.accept_message(sent.clone()).await?;
    let expected = AcceptedMessage {
        duplicate: true,
        ..first
    };
    ensure_eq(again, expected, "the message stored before")?;
    let messages = store
        .messages(hotel.scope, first.conversation_id, 10)
        .await?;
    ensure_eq(messages.len(), 1, "no second message")?;
    ensure_eq(
        jobs_of(store, &hotel, TURNS).await?.len(),
        1,
        "no second job",
    )?;
    let other = account(hotel.scope.organization_id, hotel.property_id, clock);
    store.create_channel_account(other.clone()).await?;
    let elsewhere = AcceptMessage {
        channel_account_id: Some(other.id),
        ..sent
    };
    let accepted = store.accept_message(elsewhere).await?;
    ensure(!accepted.duplicate, "another account has ids of its own")
}

/// No turn follows where the caller runs it at once, nor where a person answers.
pub async fn no_turn<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let quiet = AcceptMessage {
        enqueue_turn: false,
        ..message(&hotel, "1", "a", clock)
    };
    let accepted = store.accept_message(quiet).await?;
    ensure(
        jobs_of(store, &hotel, TURNS).await?.is_empty(),
        "the caller's own turn",
    )?;
    let id = accepted.conversation_id;
    let status = ConversationStatus::HandedOff;
    store.set_status(hotel.scope, id, status).await?;
    let sent = message(&hotel, "1", "b", clock);
    store.accept_message(sent).await?;
    ensure(
        jobs_of(store, &hotel, TURNS).await?.is_empty(),
        "a person answers",
    )?;
    let status = ConversationStatus::Open;
    store.set_status(hotel.scope, id, status).await?;
    let api = AcceptMessage {
        conversation_id: Some(id),
        contacts: Vec::new(),
        ..message(&hotel, "1", "c", clock)
    };
    let again = store.accept_message(api).await?;
    ensure_eq(again.conversation_id, id, "a conversation that is known")?;
    ensure_eq(
        jobs_of(store, &hotel, TURNS).await?.len(),
        1,
        "the concierge again",
    )?;
    let unknown = AcceptMessage {
        conversation_id: Some(ConversationId::generate(clock)),
        ..message(&hotel, "1", "d", clock)
    };
    let refused = store.accept_message(unknown).await;
    ensure_kind(refused, ErrorKind::NotFound, "a conversation nobody knows")
}

/// The last messages of a conversation, the oldest of them first.
pub async fn reads_the_last_messages<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let mut id = None;
    for text in ["a", "b", "c", "d"] {
        // All in one instant: the order is that in which they came.
        let accepted = store
            .accept_message(message(&hotel, "1", text, clock))
            .await?;
        id = Some(accepted.conversation_id);
    }
    let Some(id) = id else {
        return Ok(());
    };
    let last = store.messages(hotel.scope, id, 3).await?;
    let texts: Vec<&str> = last.iter().map(|message| message.text.as_str()).collect();
    ensure_eq(texts, vec!["b", "c", "d"], "the last three, oldest first")
}

/// Another organization, and another property, see nothing of a conversation.
pub async fn others_see_nothing<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let owner = hotel(store, clock).await?;
    let stranger = hotel(store, clock).await?;
    let accepted = store
        .accept_message(message(&owner, "1", "a", clock))
        .await?;
    let (id, page) = (accepted.conversation_id, PageRequest::default());
    let elsewhere = TenantScope::property(owner.scope.organization_id, PropertyId::generate(clock));
    for scope in [stranger.scope, elsewhere] {
        ensure_eq(store.conversation(scope, id).await?, None, "one")?;
        let list = store.conversations(scope, &page).await?;
        ensure(list.items.is_empty(), "all")?;
        ensure(store.messages(scope, id, 10).await?.is_empty(), "messages")?;
        let status = ConversationStatus::HandedOff;
        let refused = store.set_status(scope, id, status).await;
        ensure_kind(refused, ErrorKind::NotFound, "taking over")?;
        let guest = accepted.guest_id.uuid();
        let found = store.row(scope, EntityKind::Guest, guest).await?;
        ensure_eq(found, None, "the guest")?;
    }
    let foreign = AcceptMessage {
        conversation_id: Some(id),
        ..message(&stranger, "1", "b", clock)
    };
    let refused = store.accept_message(foreign).await;
    ensure_kind(refused, ErrorKind::NotFound, "writing into it")
}
