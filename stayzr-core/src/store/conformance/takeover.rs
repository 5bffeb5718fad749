//! What [`Conversations`] promises when a person steps in.

use super::{
    Report,
    conversation::{conversation, message},
    ensure, ensure_eq, ensure_kind,
    fixture::{claim, jobs_of},
    turn::{asked, replies, reply, status, turn},
};
use crate::{
    ErrorKind, Result,
    clock::ManualClock,
    model::{Author, ConversationStatus, MessageStatus},
    port::{
        conversation::{Conversations, TurnCommitted},
        directory::Directory,
        entities::Entities,
        queue::JobQueue,
        setup::Setup,
    },
    queue::{JobStatus, Queue},
};

const TURNS: Queue = Queue::AgentTurnQueue;
const OUTBOUND: Queue = Queue::OutboundQueue;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "takeover::invariant_i_staff_reply_cancels_the_machine",
        staff_reply_cancels(store, clock),
    )
    .await;
    r.scenario(
        "takeover::invariant_i_takeover_cancels_the_machine",
        takeover_cancels(store, clock),
    )
    .await;
    r.scenario(
        "takeover::invariant_i_muted_by_a_person",
        muted(store, clock),
    )
    .await;
    report
}

/// A message of staff cancels pending replies of the machine and takes the conversation over.
pub async fn staff_reply_cancels<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let (hotel, accepted, claimed) = asked(store, clock).await?;
    let turn = turn(&hotel, &accepted, Some(&claimed), clock)?;
    store.commit_turn(turn).await?;
    let id = accepted.conversation_id;
    for text in ["I am Eva from the desk.", "From 14:00 for you."] {
        let staff = reply(&hotel, id, Author::Staff, text, clock);
        let stored = store.staff_reply(hotel.scope, id, staff.clone()).await?;
        ensure_eq(stored.id, staff.message_id, "stored under its id")?;
        ensure_eq(
            stored.status,
            MessageStatus::Pending,
            "and waits to be sent",
        )?;
    }
    let found = replies(store, &hotel, &accepted).await?;
    let marks: Vec<_> = found
        .iter()
        .map(|reply| (reply.author, reply.status))
        .collect();
    let expected = vec![
        (Author::Concierge, MessageStatus::Cancelled),
        (Author::Staff, MessageStatus::Pending),
        (Author::Staff, MessageStatus::Pending),
    ];
    ensure_eq(marks, expected, "only the machine's reply is cancelled")?;
    let found = conversation(store, &hotel, &accepted).await?;
    ensure_eq(found.status, ConversationStatus::HandedOff, "taken over")?;
    let stranger = super::fixture::hotel(store, clock).await?;
    let foreign = reply(&stranger, id, Author::Staff, "x", clock);
    let refused = store.staff_reply(stranger.scope, id, foreign).await;
    ensure_kind(
        refused,
        ErrorKind::NotFound,
        "only in one's own organization",
    )
}

/// Taking over cancels pending replies of the machine; giving back lets it answer again.
pub async fn takeover_cancels<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let (hotel, accepted, claimed) = asked(store, clock).await?;
    let first = turn(&hotel, &accepted, Some(&claimed), clock)?;
    store.commit_turn(first).await?;
    let id = accepted.conversation_id;
    let taken = ConversationStatus::HandedOff;
    let found = store.set_status(hotel.scope, id, taken).await?;
    ensure_eq(found.status, taken, "taken over")?;
    let found = replies(store, &hotel, &accepted).await?;
    let status = found.first().map(|reply| reply.status);
    ensure_eq(
        status,
        Some(MessageStatus::Cancelled),
        "the reply is cancelled",
    )?;
    let open = ConversationStatus::Open;
    store.set_status(hotel.scope, id, open).await?;
    let found = replies(store, &hotel, &accepted).await?;
    let status = found.first().map(|reply| reply.status);
    ensure_eq(status, Some(MessageStatus::Cancelled), "and stays so")?;
    let next = message(&hotel, "1", "Hello?", clock);
    let next = store.accept_message(next).await?;
    ensure_eq(
        claim(store, TURNS, 10).await?.len(),
        1,
        "the machine may answer",
    )?;
    let answer = turn(&hotel, &next, None, clock)?;
    let committed = store.commit_turn(answer).await?;
    ensure_eq(committed, TurnCommitted::Committed, "again")
}

/// A person who took over meanwhile: nothing is written, the turn's job is completed.
pub async fn muted<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let (hotel, accepted, claimed) = asked(store, clock).await?;
    let taken = ConversationStatus::HandedOff;
    let id = accepted.conversation_id;
    store.set_status(hotel.scope, id, taken).await?;
    let turn = turn(&hotel, &accepted, Some(&claimed), clock)?;
    let committed = store.commit_turn(turn).await?;
    ensure_eq(committed, TurnCommitted::Muted, "a person answers now")?;
    ensure(
        replies(store, &hotel, &accepted).await?.is_empty(),
        "no reply",
    )?;
    ensure(jobs_of(store, &hotel, OUTBOUND).await?.is_empty(), "no job")?;
    let done = status(store, &hotel, &claimed).await?;
    ensure_eq(
        done,
        Some(JobStatus::Completed),
        "the turn's job is completed",
    )
}
