//! What [`Outbound::apply_status`] promises.

use super::{
    Report, ensure, ensure_eq,
    fixture::hotel,
    outbound::{sent, waiting},
};
use crate::{
    Result,
    clock::ManualClock,
    model::{MessageStatus, StatusUpdate},
    port::{
        conversation::Conversations,
        directory::Directory,
        entities::Entities,
        outbound::{Outbound, SendOutcome},
        queue::JobQueue,
        setup::Setup,
    },
    queue::JobStatus,
};

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "delivery::status_never_moves_back",
        status_never_moves_back(store, clock),
    )
    .await;
    r.scenario(
        "delivery::success_after_failure_stands",
        success_after_failure(store, clock),
    )
    .await;
    r.scenario(
        "delivery::a_status_may_come_first",
        a_status_may_come_first(store, clock),
    )
    .await;
    report
}

/// `sent < delivered < read`, and a failure after that is ignored.
pub async fn status_never_moves_back<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let waiting = waiting(store, clock).await?;
    let lease = &waiting.claimed.lease;
    store.begin_send(lease, waiting.id).await?;
    store.finish_send(lease, waiting.id, sent()).await?;
    for (to, moves, stands) in [
        (MessageStatus::Sent, false, MessageStatus::Sent),
        (MessageStatus::Delivered, true, MessageStatus::Delivered),
        (MessageStatus::Delivered, false, MessageStatus::Delivered),
        (MessageStatus::Sent, false, MessageStatus::Delivered),
        (MessageStatus::Failed, false, MessageStatus::Delivered),
        (MessageStatus::Read, true, MessageStatus::Read),
        (MessageStatus::Delivered, false, MessageStatus::Read),
        (MessageStatus::Failed, false, MessageStatus::Read),
    ] {
        let moved = waiting.apply(store, to, clock).await?;
        let found = waiting.look(store).await?;
        ensure_eq(
            (to, moved, found.status),
            (to, moves, stands),
            "only forward",
        )?;
    }
    let (scope, account) = (waiting.hotel.property_scope(), waiting.hotel.account.id);
    let unknown = waiting.update(MessageStatus::Read, "wamid.unknown", clock);
    let moved = store.apply_status(scope, account, &unknown).await?;
    ensure(!moved, "no message of that id")?;
    let stranger = hotel(store, clock).await?;
    let read = waiting.update(MessageStatus::Read, "wamid.out", clock);
    let moved = store
        .apply_status(stranger.property_scope(), stranger.account.id, &read)
        .await?;
    ensure(!moved, "nor of another organization")
}

/// A success after a failure or an unknown outcome stands.
pub async fn success_after_failure<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let failing = waiting(store, clock).await?;
    let lease = &failing.claimed.lease;
    store.begin_send(lease, failing.id).await?;
    store.finish_send(lease, failing.id, sent()).await?;
    let moved = failing.apply(store, MessageStatus::Failed, clock).await?;
    ensure(moved, "the channel could not deliver what it took")?;
    let found = failing.look(store).await?;
    ensure_eq(found.status, MessageStatus::Failed, "failed")?;
    ensure_eq(found.error.as_deref(), Some("131047"), "with its reason")?;
    let moved = failing
        .apply(store, MessageStatus::Delivered, clock)
        .await?;
    ensure(moved, "it arrived after all")?;
    let found = failing.look(store).await?;
    ensure_eq(found.status, MessageStatus::Delivered, "delivered")?;

    let unknown = waiting(store, clock).await?;
    let lease = &unknown.claimed.lease;
    store.begin_send(lease, unknown.id).await?;
    let ambiguous = SendOutcome::Ambiguous {
        error: "the connection broke".to_owned(),
    };
    store.finish_send(lease, unknown.id, ambiguous).await?;
    // The channel hands our own id back; its own was never learnt.
    let update = StatusUpdate {
        message_id: Some(unknown.id),
        ..unknown.update(MessageStatus::Sent, "wamid.late", clock)
    };
    let (scope, account) = (unknown.hotel.property_scope(), unknown.hotel.account.id);
    let moved = store.apply_status(scope, account, &update).await?;
    ensure(moved, "found by our id")?;
    let found = unknown.look(store).await?;
    ensure_eq(found.status, MessageStatus::Sent, "it was sent")
}

/// A status that comes before the end of the attempt is not taken back by it.
pub async fn a_status_may_come_first<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Entities + Conversations + Outbound + Setup + ?Sized,
{
    let waiting = waiting(store, clock).await?;
    let lease = &waiting.claimed.lease;
    store.begin_send(lease, waiting.id).await?;
    let early = StatusUpdate {
        message_id: Some(waiting.id),
        ..waiting.update(MessageStatus::Delivered, "wamid.out", clock)
    };
    let (scope, account) = (waiting.hotel.property_scope(), waiting.hotel.account.id);
    ensure(
        store.apply_status(scope, account, &early).await?,
        "it moves on",
    )?;
    store.finish_send(lease, waiting.id, sent()).await?;
    let found = waiting.look(store).await?;
    ensure_eq(
        found.status,
        MessageStatus::Delivered,
        "it never moves back",
    )?;
    let job = waiting.job(store).await?;
    ensure_eq(job, Some(JobStatus::Completed), "its job is done")
}
