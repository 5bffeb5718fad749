//! What [`Outbound`] promises.

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    Report,
    conversation::message,
    delivery, ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, claim, claim_one, complete, expire, hotel, quiet},
    turn::{reply, turn},
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::MessageId,
    model::{Author, Message, MessageStatus, StatusUpdate},
    port::{
        PageRequest,
        conversation::{AcceptMessage, AcceptedMessage, Conversations},
        directory::Directory,
        entities::Entities,
        outbound::{BeginSend, Outbound, SendOutcome},
        queue::JobQueue,
        setup::Setup,
    },
    queue::{Claimed, JobStatus, Queue},
};

const QUEUE: Queue = Queue::OutboundQueue;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let mut report = Report::new();
    report.join(delivery::run(store, clock).await);
    let r = &mut report;
    r.scenario("outbound::sends_once", sends_once(store, clock))
        .await;
    r.scenario(
        "outbound::invariant_f_a_cut_off_send_is_unknown",
        a_cut_off_send_is_unknown(store, clock),
    )
    .await;
    r.scenario(
        "outbound::tries_again_what_was_not_taken",
        tries_again(store, clock),
    )
    .await;
    r.scenario("outbound::fails_for_good", fails_for_good(store, clock))
        .await;
    r.scenario(
        "outbound::invariant_f_ambiguous_is_not_repeated",
        ambiguous(store, clock),
    )
    .await;
    r.scenario(
        "outbound::invariant_i_cancelled_is_not_sent",
        cancelled(store, clock),
    )
    .await;
    r.scenario(
        "outbound::invariant_d_a_lost_lease_sends_nothing",
        lost_lease(store, clock),
    )
    .await;
    r.scenario(
        "outbound::lists_newest_first",
        lists_newest_first(store, clock),
    )
    .await;
    report
}

/// A reply of the machine on its way out, with the job that sends it.
pub(super) struct Waiting {
    pub(super) hotel: Hotel,
    asked: AcceptMessage,
    pub(super) accepted: AcceptedMessage,
    pub(super) id: MessageId,
    pub(super) claimed: Claimed,
}

pub(super) async fn waiting<S>(store: &S, clock: &ManualClock) -> Result<Waiting>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let asked = AcceptMessage {
        enqueue_turn: false,
        ..message(&hotel, "351912345678", "When is check-in?", clock)
    };
    let accepted = store.accept_message(asked.clone()).await?;
    let turn = turn(&hotel, &accepted, None, clock)?;
    let id = turn.reply.as_ref().map(|reply| reply.message_id);
    store.commit_turn(turn).await?;
    let claimed = claim_one(store, QUEUE).await?;
    let id = id.ok_or_else(|| crate::Error::internal("conformance.waiting", "no reply"))?;
    Ok(Waiting {
        hotel,
        asked,
        accepted,
        id,
        claimed,
    })
}

impl Waiting {
    pub(super) async fn look<S: Conversations + ?Sized>(&self, store: &S) -> Result<Message> {
        let id = self.accepted.conversation_id;
        let messages = store.messages(self.hotel.scope, id, 100).await?;
        messages
            .into_iter()
            .find(|message| message.id == self.id)
            .ok_or_else(|| crate::Error::internal("conformance.look", "the message is gone"))
    }

    pub(super) async fn job<S: JobQueue + ?Sized>(&self, store: &S) -> Result<Option<JobStatus>> {
        let job = store.job(self.hotel.scope, self.claimed.job.id).await?;
        Ok(job.map(|job| job.status))
    }

    pub(super) fn update(
        &self,
        status: MessageStatus,
        vendor: &str,
        clock: &ManualClock,
    ) -> StatusUpdate {
        StatusUpdate {
            account: self.hotel.account.address.clone(),
            vendor_message_id: vendor.to_owned(),
            message_id: None,
            status,
            error: (status == MessageStatus::Failed).then(|| "131047".to_owned()),
            at: clock.now(),
        }
    }

    pub(super) async fn apply<S: Outbound + ?Sized>(
        &self,
        store: &S,
        status: MessageStatus,
        clock: &ManualClock,
    ) -> Result<bool> {
        let (scope, account) = (self.hotel.property_scope(), self.hotel.account.id);
        let update = self.update(status, "wamid.out", clock);
        store.apply_status(scope, account, &update).await
    }
}

pub(super) fn sent() -> SendOutcome {
    SendOutcome::Sent {
        vendor_message_id: "wamid.out".to_owned(),
    }
}

fn settled(begun: BeginSend) -> Option<MessageStatus> {
    match begun {
        BeginSend::Settled(status) => Some(status),
        BeginSend::Send(_) | BeginSend::Ambiguous => None,
    }
}

/// A pending message stands as sending before it leaves, and as sent with the end of its job.
pub async fn sends_once<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let waiting = waiting(store, clock).await?;
    let lease = &waiting.claimed.lease;
    let BeginSend::Send(outbound) = store.begin_send(lease, waiting.id).await? else {
        return ensure(false, "a pending message is sent");
    };
    ensure_eq(outbound.message.id, waiting.id, "the message")?;
    ensure_eq(&outbound.account, &waiting.hotel.account, "the account")?;
    let to = waiting.asked.reply_to.as_deref();
    ensure_eq(Some(outbound.to.as_str()), to, "where it goes")?;
    let answers = &waiting.asked.vendor_message_id;
    ensure_eq(&outbound.in_reply_to, answers, "what it answers")?;
    let wrote = Some(waiting.asked.sent_at);
    ensure_eq(outbound.last_inbound_at, wrote, "when the guest last wrote")?;
    let found = waiting.look(store).await?;
    ensure_eq(found.status, MessageStatus::Sending, "it stands as sending")?;
    store.finish_send(lease, waiting.id, sent()).await?;
    let found = waiting.look(store).await?;
    ensure_eq(found.status, MessageStatus::Sent, "then as sent")?;
    let vendor = found.vendor_message_id.as_deref();
    ensure_eq(vendor, Some("wamid.out"), "with the channel's id")?;
    let job = waiting.job(store).await?;
    ensure_eq(job, Some(JobStatus::Completed), "and its job is done")?;
    let again = store.finish_send(lease, waiting.id, sent()).await;
    ensure_kind(again, ErrorKind::Conflict, "an attempt ends once")
}

/// An attempt that began and never ended may have been sent: unknown, and not sent again.
pub async fn a_cut_off_send_is_unknown<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let waiting = waiting(store, clock).await?;
    store.begin_send(&waiting.claimed.lease, waiting.id).await?;
    expire(clock);
    let again = claim_one(store, QUEUE).await?;
    let begun = store.begin_send(&again.lease, waiting.id).await?;
    ensure_eq(begun, BeginSend::Ambiguous, "it may have been sent")?;
    let found = waiting.look(store).await?;
    ensure_eq(found.status, MessageStatus::Unknown, "it stands as unknown")?;
    let begun = store.begin_send(&again.lease, waiting.id).await?;
    let status = settled(begun);
    ensure_eq(
        status,
        Some(MessageStatus::Unknown),
        "and is not sent again",
    )?;
    complete(store, &again).await
}

/// What the channel certainly did not take may be tried again.
pub async fn tries_again<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let waiting = waiting(store, clock).await?;
    let lease = &waiting.claimed.lease;
    store.begin_send(lease, waiting.id).await?;
    let retry = SendOutcome::Retry {
        error: "429".to_owned(),
        after: Duration::from_secs(20),
    };
    store.finish_send(lease, waiting.id, retry).await?;
    let found = waiting.look(store).await?;
    ensure_eq(found.status, MessageStatus::Pending, "pending again")?;
    ensure_eq(
        waiting.job(store).await?,
        Some(JobStatus::Pending),
        "its job too",
    )?;
    ensure(claim(store, QUEUE, 10).await?.is_empty(), "after the wait")?;
    clock.advance(TimeDelta::seconds(20));
    let again = claim_one(store, QUEUE).await?;
    let begun = store.begin_send(&again.lease, waiting.id).await?;
    ensure(matches!(begun, BeginSend::Send(_)), "it is sent again")?;
    store.finish_send(&again.lease, waiting.id, sent()).await
}

/// What the channel refused for good is failed with its reason.
pub async fn fails_for_good<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let waiting = waiting(store, clock).await?;
    let lease = &waiting.claimed.lease;
    store.begin_send(lease, waiting.id).await?;
    let failed = SendOutcome::Failed {
        error: "131026: not a WhatsApp number".to_owned(),
    };
    store.finish_send(lease, waiting.id, failed).await?;
    let found = waiting.look(store).await?;
    ensure_eq(found.status, MessageStatus::Failed, "failed")?;
    let error = found.error.as_deref();
    ensure_eq(
        error,
        Some("131026: not a WhatsApp number"),
        "with its reason",
    )?;
    let job = waiting.job(store).await?;
    ensure(
        matches!(job, Some(JobStatus::Failed | JobStatus::Completed)),
        "its job is over",
    )?;
    clock.advance(TimeDelta::hours(1));
    ensure(
        claim(store, QUEUE, 10).await?.is_empty(),
        "and never tried again",
    )
}

/// Nobody can tell: unknown, the job is completed, nothing is repeated.
pub async fn ambiguous<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let waiting = waiting(store, clock).await?;
    let lease = &waiting.claimed.lease;
    store.begin_send(lease, waiting.id).await?;
    let ambiguous = SendOutcome::Ambiguous {
        error: "the connection broke".to_owned(),
    };
    store.finish_send(lease, waiting.id, ambiguous).await?;
    let found = waiting.look(store).await?;
    ensure_eq(found.status, MessageStatus::Unknown, "unknown")?;
    let job = waiting.job(store).await?;
    ensure_eq(job, Some(JobStatus::Completed), "the job is completed")?;
    clock.advance(TimeDelta::hours(1));
    ensure(
        claim(store, QUEUE, 10).await?.is_empty(),
        "and not tried again",
    )
}

/// A message that was cancelled is not sent.
pub async fn cancelled<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let waiting = waiting(store, clock).await?;
    let id = waiting.accepted.conversation_id;
    let staff = reply(&waiting.hotel, id, Author::Staff, "I am Eva.", clock);
    store.staff_reply(waiting.hotel.scope, id, staff).await?;
    let lease = &waiting.claimed.lease;
    let begun = store.begin_send(lease, waiting.id).await?;
    let status = settled(begun);
    ensure_eq(
        status,
        Some(MessageStatus::Cancelled),
        "there is nothing to do",
    )?;
    complete(store, &waiting.claimed).await
}

/// A worker that lost its lease sends nothing and ends nothing.
pub async fn lost_lease<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let waiting = waiting(store, clock).await?;
    let old = &waiting.claimed.lease;
    expire(clock);
    let new = claim_one(store, QUEUE).await?;
    let refused = store.begin_send(old, waiting.id).await;
    ensure_kind(refused, ErrorKind::Conflict, "it may not begin")?;
    let found = waiting.look(store).await?;
    ensure_eq(found.status, MessageStatus::Pending, "the message waits")?;
    store.begin_send(&new.lease, waiting.id).await?;
    let refused = store.finish_send(old, waiting.id, sent()).await;
    ensure_kind(refused, ErrorKind::Conflict, "nor end")?;
    let found = waiting.look(store).await?;
    ensure_eq(found.status, MessageStatus::Sending, "the other goes on")?;
    store.finish_send(&new.lease, waiting.id, sent()).await
}

/// Messages to guests, the newest first, of one conversation or of all.
pub async fn lists_newest_first<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let waiting = waiting(store, clock).await?;
    let hotel = &waiting.hotel;
    let asked = AcceptMessage {
        enqueue_turn: false,
        ..message(hotel, "2", "hello", clock)
    };
    let other = store.accept_message(asked).await?;
    let mut expected = vec![waiting.id];
    for text in ["one", "two"] {
        let id = other.conversation_id;
        let staff = reply(hotel, id, Author::Staff, text, clock);
        expected.insert(0, staff.message_id);
        store.staff_reply(hotel.scope, id, staff).await?;
    }
    let mut page = PageRequest {
        limit: 2,
        cursor: None,
    };
    let mut found = Vec::new();
    loop {
        let part = store.outbox(hotel.scope, None, &page).await?;
        found.extend(part.items);
        page.cursor = part.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    let ids: Vec<MessageId> = found.iter().map(|item| item.id).collect();
    ensure_eq(ids, expected, "the newest first, each once")?;
    let item = &found[2];
    ensure_eq(item.channel.as_str(), "whatsapp", "with its channel")?;
    let to = waiting.asked.reply_to.as_deref();
    ensure_eq(item.to.as_deref(), to, "and where it goes")?;
    let page = PageRequest::default();
    let id = Some(waiting.accepted.conversation_id);
    let one = store.outbox(hotel.scope, id, &page).await?;
    ensure_eq(one.items.len(), 1, "of one conversation")?;
    let stranger = super::fixture::hotel(store, clock).await?;
    let none = store.outbox(stranger.scope, None, &page).await?;
    ensure(none.items.is_empty(), "none of another organization")
}
