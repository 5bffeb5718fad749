//! What [`Conversations`] promises about turns, staff and takeovers.

use serde_json::json;

use super::{
    Report,
    conversation::{conversation, message},
    ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, claim_one, expire, hotel, jobs_of, quiet},
    service_request::{make, service_request},
    takeover,
};
use crate::{
    ErrorKind, Result,
    clock::ManualClock,
    ids::{ConversationId, MessageId},
    model::{Author, ConversationStatus, Direction, Message, MessageStatus},
    port::{
        PageRequest,
        conversation::{
            AcceptMessage, AcceptedMessage, CommitTurn, Conversations, Reply, TurnCommitted,
        },
        directory::Directory,
        edit::Edits,
        entities::Entities,
        queue::JobQueue,
        setup::Setup,
    },
    queue::{Claimed, JobStatus, NewJob, Queue},
};

const TURNS: Queue = Queue::AgentTurnQueue;
const OUTBOUND: Queue = Queue::OutboundQueue;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Entities + Edits + Conversations + Setup + ?Sized,
{
    let mut report = Report::new();
    report.join(takeover::run(store, clock).await);
    let r = &mut report;
    r.scenario("turn::commits_at_once", commits_at_once(store, clock))
        .await;
    r.scenario("turn::api_reply_is_sent", api_reply_is_sent(store, clock))
        .await;
    r.scenario("turn::hands_off", hands_off(store, clock)).await;
    r.scenario(
        "turn::silence_ends_the_job",
        silence_ends_the_job(store, clock),
    )
    .await;
    r.scenario(
        "turn::superseded_by_a_newer_message",
        superseded(store, clock),
    )
    .await;
    r.scenario("turn::answered_once", answered_once(store, clock))
        .await;
    r.scenario(
        "turn::invariant_t_nothing_under_another_tenants_property",
        nothing_elsewhere(store, clock),
    )
    .await;
    r.scenario(
        "turn::invariant_d_a_lost_lease_writes_nothing",
        a_lost_lease_writes_nothing(store, clock),
    )
    .await;
    report
}

/// A reply that goes out through the queue.
pub fn reply(
    hotel: &Hotel,
    conversation_id: ConversationId,
    author: Author,
    text: &str,
    clock: &ManualClock,
) -> Reply {
    let message_id = MessageId::generate(clock);
    let payload = json!({ "message_id": message_id });
    let job = NewJob::new(OUTBOUND, hotel.property_scope(), payload)
        .key(format!("conversation:{conversation_id}"));
    Reply {
        message_id,
        author,
        text: text.to_owned(),
        citations: Vec::new(),
        trace: Some(json!({ "intent": "check_in" })),
        outbound: Some(job),
    }
}

/// A turn that answers a message.
pub fn turn(
    hotel: &Hotel,
    accepted: &AcceptedMessage,
    claimed: Option<&Claimed>,
    clock: &ManualClock,
) -> Result<CommitTurn> {
    let id = accepted.conversation_id;
    let text = "Check-in is from 15:00.";
    Ok(CommitTurn {
        scope: hotel.property_scope(),
        lease: claimed.map(|claimed| claimed.lease.clone()),
        conversation_id: id,
        answered_up_to: accepted.message_id,
        reply: Some(reply(hotel, id, Author::Concierge, text, clock)),
        handoff: None,
        language: "pt-PT".parse()?,
    })
}

/// A guest's message and the job of its turn, held.
pub(super) async fn asked<S>(
    store: &S,
    clock: &ManualClock,
) -> Result<(Hotel, AcceptedMessage, Claimed)>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    quiet(store, clock, TURNS).await?;
    quiet(store, clock, OUTBOUND).await?;
    let hotel = hotel(store, clock).await?;
    let sent = message(&hotel, "1", "When is check-in?", clock);
    let accepted = store.accept_message(sent).await?;
    let claimed = claim_one(store, TURNS).await?;
    Ok((hotel, accepted, claimed))
}

pub(super) async fn replies<S>(
    store: &S,
    hotel: &Hotel,
    accepted: &AcceptedMessage,
) -> Result<Vec<Message>>
where
    S: Conversations + ?Sized,
{
    let id = accepted.conversation_id;
    let messages = store.messages(hotel.scope, id, 100).await?;
    Ok(messages
        .into_iter()
        .filter(|message| message.direction == Direction::Outbound)
        .collect())
}

pub(super) async fn status<S>(
    store: &S,
    hotel: &Hotel,
    claimed: &Claimed,
) -> Result<Option<JobStatus>>
where
    S: JobQueue + ?Sized,
{
    let job = store.job(hotel.scope, claimed.job.id).await?;
    Ok(job.map(|job| job.status))
}

/// Reply, trace, outbound job and state are written with the end of the turn's job.
pub async fn commits_at_once<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let (hotel, accepted, claimed) = asked(store, clock).await?;
    let turn = turn(&hotel, &accepted, Some(&claimed), clock)?;
    let sent = turn.reply.clone();
    let committed = store.commit_turn(turn.clone()).await?;
    ensure_eq(committed, TurnCommitted::Committed, "written")?;
    let found = replies(store, &hotel, &accepted).await?;
    let parts = |message: &Message| {
        let Message {
            id, text, trace, ..
        } = message.clone();
        (id, text, trace)
    };
    let expected = sent.map(|reply| (reply.message_id, reply.text, reply.trace));
    ensure_eq(
        found.first().map(parts),
        expected,
        "the reply with its trace",
    )?;
    let marks = found.first().map(|reply| (reply.author, reply.status));
    let expected = Some((Author::Concierge, MessageStatus::Pending));
    ensure_eq(marks, expected, "waits to be sent")?;
    let done = status(store, &hotel, &claimed).await?;
    ensure_eq(
        done,
        Some(JobStatus::Completed),
        "the turn's job is completed",
    )?;
    ensure_eq(
        jobs_of(store, &hotel, OUTBOUND).await?.len(),
        1,
        "the job that sends",
    )?;
    let found = conversation(store, &hotel, &accepted).await?;
    ensure_eq(
        found.language,
        Some(turn.language.clone()),
        "the language seen",
    )?;
    ensure_eq(found.status, ConversationStatus::Open, "it goes on")?;
    let again = store.commit_turn(turn).await;
    ensure_kind(again, ErrorKind::Conflict, "a turn ends once")
}

/// Without a job that sends it, the answer is the delivery and the message is sent at once.
pub async fn api_reply_is_sent<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let sent = AcceptMessage {
        enqueue_turn: false,
        ..message(&hotel, "1", "hello", clock)
    };
    let accepted = store.accept_message(sent).await?;
    let mut turn = turn(&hotel, &accepted, None, clock)?;
    if let Some(reply) = &mut turn.reply {
        reply.outbound = None;
    }
    store.commit_turn(turn).await?;
    let found = replies(store, &hotel, &accepted).await?;
    let status = found.first().map(|reply| reply.status);
    ensure_eq(status, Some(MessageStatus::Sent), "sent at once")?;
    ensure(
        jobs_of(store, &hotel, OUTBOUND).await?.is_empty(),
        "without a job",
    )
}

/// A handoff gives the conversation to a person, with a request to the staff.
pub async fn hands_off<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let (hotel, accepted, claimed) = asked(store, clock).await?;
    let request = service_request(&hotel, clock);
    let mut turn = turn(&hotel, &accepted, Some(&claimed), clock)?;
    turn.handoff = Some(request.clone());
    let committed = store.commit_turn(turn).await?;
    ensure_eq(committed, TurnCommitted::Committed, "written")?;
    let found = conversation(store, &hotel, &accepted).await?;
    ensure_eq(
        found.status,
        ConversationStatus::HandedOff,
        "a person answers",
    )?;
    let page = PageRequest::default();
    let list = store.service_requests(hotel.scope, &page).await?;
    ensure_eq(list.items, vec![request], "the request to the staff")?;
    let found = replies(store, &hotel, &accepted).await?;
    let status = found.first().map(|reply| reply.status);
    ensure_eq(
        status,
        Some(MessageStatus::Pending),
        "the handoff line goes out",
    )
}

/// A turn without a reply ends its job.
pub async fn silence_ends_the_job<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let (hotel, accepted, claimed) = asked(store, clock).await?;
    let mut turn = turn(&hotel, &accepted, Some(&claimed), clock)?;
    turn.reply = None;
    let committed = store.commit_turn(turn).await?;
    ensure_eq(committed, TurnCommitted::Committed, "written")?;
    ensure(
        replies(store, &hotel, &accepted).await?.is_empty(),
        "no reply",
    )?;
    let done = status(store, &hotel, &claimed).await?;
    ensure_eq(done, Some(JobStatus::Completed), "the job is completed")
}

/// Of two turns that read the same message, one that came through the queue and one that did not,
/// the second to commit finds it answered.
pub async fn answered_once<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let (hotel, accepted, claimed) = asked(store, clock).await?;
    let first = turn(&hotel, &accepted, None, clock)?;
    let second = turn(&hotel, &accepted, Some(&claimed), clock)?;
    let committed = store.commit_turn(first).await?;
    ensure_eq(committed, TurnCommitted::Committed, "nobody has answered")?;
    let committed = store.commit_turn(second).await?;
    ensure_eq(committed, TurnCommitted::Superseded, "it was answered")?;
    let replies = replies(store, &hotel, &accepted).await?;
    ensure_eq(replies.len(), 1, "one reply")
}

/// A scope without a property does not open the properties of others.
pub async fn nothing_elsewhere<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Edits + Conversations + Setup + ?Sized,
{
    let theirs = hotel(store, clock).await?;
    let ours = hotel(store, clock).await?;
    let mut sent = message(&ours, "1", "Hello", clock);
    sent.scope = ours.scope;
    sent.property_id = theirs.property_id;
    ensure_kind(
        store.accept_message(sent).await,
        ErrorKind::NotFound,
        "of another tenant",
    )?;
    let mut request = service_request(&ours, clock);
    request.property_id = theirs.property_id;
    let refused = make(store, ours.scope, &request).await;
    ensure_kind(refused, ErrorKind::NotFound, "of another tenant")
}

/// A newer message of the guest: nothing is written, the turn's job is completed, and the newer
/// message has its own.
pub async fn superseded<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let (hotel, accepted, claimed) = asked(store, clock).await?;
    let newer = message(&hotel, "1", "And check-out?", clock);
    let newer = store.accept_message(newer).await?;
    let mut old = turn(&hotel, &accepted, Some(&claimed), clock)?;
    old.handoff = Some(service_request(&hotel, clock));
    let committed = store.commit_turn(old).await?;
    ensure_eq(
        committed,
        TurnCommitted::Superseded,
        "a newer message came in",
    )?;
    ensure(
        replies(store, &hotel, &accepted).await?.is_empty(),
        "no reply",
    )?;
    ensure(jobs_of(store, &hotel, OUTBOUND).await?.is_empty(), "no job")?;
    let page = PageRequest::default();
    let list = store.service_requests(hotel.scope, &page).await?;
    ensure(list.items.is_empty(), "no request")?;
    let found = conversation(store, &hotel, &accepted).await?;
    ensure_eq(found.status, ConversationStatus::Open, "no handoff")?;
    let done = status(store, &hotel, &claimed).await?;
    ensure_eq(
        done,
        Some(JobStatus::Completed),
        "the turn's job is completed",
    )?;
    let next = claim_one(store, TURNS).await?;
    let answer = turn(&hotel, &newer, Some(&next), clock)?;
    let committed = store.commit_turn(answer).await?;
    ensure_eq(
        committed,
        TurnCommitted::Committed,
        "the newer message has its own turn",
    )
}

/// A lost lease writes nothing.
pub async fn a_lost_lease_writes_nothing<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Setup + ?Sized,
{
    let (hotel, accepted, old) = asked(store, clock).await?;
    expire(clock);
    let new = claim_one(store, TURNS).await?;
    let stale = turn(&hotel, &accepted, Some(&old), clock)?;
    let refused = store.commit_turn(stale).await;
    ensure_kind(refused, ErrorKind::Conflict, "the lease was lost")?;
    ensure(
        replies(store, &hotel, &accepted).await?.is_empty(),
        "no reply",
    )?;
    let held = status(store, &hotel, &new).await?;
    ensure_eq(held, Some(JobStatus::Processing), "the job is the other's")?;
    let good = turn(&hotel, &accepted, Some(&new), clock)?;
    store.commit_turn(good).await?;
    ensure_eq(
        replies(store, &hotel, &accepted).await?.len(),
        1,
        "answered once",
    )
}
