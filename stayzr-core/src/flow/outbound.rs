use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    ids::{ConversationId, MessageId},
    port::{
        outbound::{BeginSend, Outbound, SendOutcome, Sender},
        queue::JobQueue,
    },
    queue::{Backoff, Claimed, JobOutcome, Lease, NewJob, Queue},
    tenant::TenantScope,
};

/// How often a message is tried: with the queue's waits that bridges a quarter of an hour at least.
const ATTEMPTS: i32 = 10;

/// The payload of a job of [`Queue::OutboundQueue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundJob {
    /// The message to send.
    pub message_id: MessageId,
}

impl OutboundJob {
    /// A job that sends a message; messages of one conversation go out in order.
    pub fn job(
        scope: TenantScope,
        conversation_id: ConversationId,
        message_id: MessageId,
    ) -> NewJob {
        let payload = serde_json::json!({ "message_id": message_id });
        let job = NewJob::new(Queue::OutboundQueue, scope, payload)
            .key(format!("conversation:{conversation_id}"))
            .priority(10);
        NewJob {
            max_attempts: ATTEMPTS,
            ..job
        }
    }

    /// The payload of a job; [`crate::ErrorKind::Corrupt`] if it is not one.
    pub fn parse(claimed: &Claimed) -> Result<Self> {
        serde_json::from_value(claimed.job.payload.clone()).map_err(|error| {
            Error::corrupt("outbound.job", "the payload names no message")
                .with("job_id", claimed.job.id)
                .with_source(error)
        })
    }
}

/// Sends the message of a job, once, and ends the job.
///
/// The message stands as `sending` before anything leaves, so that an attempt which was cut off is
/// recognised: it may have reached the guest and is not repeated by the machine. One that was
/// certainly not sent is tried again, after the wait that the channel asks for or the queue's own,
/// whichever is longer.
pub async fn send_message<S>(store: &S, sender: &dyn Sender, claimed: &Claimed) -> Result<()>
where
    S: Outbound + JobQueue + ?Sized,
{
    let OutboundJob { message_id } = OutboundJob::parse(claimed)?;
    match store.begin_send(&claimed.lease, message_id).await? {
        BeginSend::Send(message) => {
            let outcome = patient(sender.send(&message).await, &claimed.lease);
            store.finish_send(&claimed.lease, message_id, outcome).await
        }
        BeginSend::Ambiguous => {
            tracing::warn!(%message_id, "a send was cut off; shown to staff, not repeated");
            store
                .finish(&claimed.lease, JobOutcome::Completed, Vec::new())
                .await
        }
        BeginSend::Settled(_) => {
            store
                .finish(&claimed.lease, JobOutcome::Completed, Vec::new())
                .await
        }
    }
}

/// The outcome with a wait that grows from attempt to attempt: a channel that is down for minutes
/// must not use up all of them.
fn patient(outcome: SendOutcome, lease: &Lease) -> SendOutcome {
    match outcome {
        SendOutcome::Retry { error, after } => {
            let attempt = u32::try_from(lease.attempt).unwrap_or(1);
            let wait = Backoff::default().wait(attempt, &mut rand::rng());
            SendOutcome::Retry {
                error,
                after: after.max(wait),
            }
        }
        outcome => outcome,
    }
}
