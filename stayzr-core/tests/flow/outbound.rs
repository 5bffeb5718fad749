//! Messages out: a channel that is down for a while costs nothing but time.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use stayzr_core::{
    clock::Clock,
    flow::{StaffReply, send_message, staff_reply},
    model::MessageStatus,
    port::{
        Store,
        outbound::{OutboundMessage, SendOutcome, Sender},
    },
    queue::Queue,
    store::conformance::fixture::claim_one,
};

use crate::hotel::{Hotel, text};

on_each_store! {
    a_channel_that_is_down_is_tried_less_and_less_often_for_a_quarter_of_an_hour
}

/// A channel that cannot be reached.
struct Down;

#[async_trait]
impl Sender for Down {
    async fn send(&self, _: &OutboundMessage) -> SendOutcome {
        SendOutcome::Retry {
            error: "no connection".to_owned(),
            after: Duration::from_secs(1),
        }
    }
}

async fn a_channel_that_is_down_is_tried_less_and_less_often_for_a_quarter_of_an_hour<S: Store>(
    at: Hotel<S>,
) {
    let id = at.receives(text("wamid.1", "Is anybody there?")).await;
    let reply = StaffReply {
        conversation_id: id,
        text: "Of course.".to_owned(),
    };
    let clock = at.clock.as_ref();
    let message = staff_reply(&at.store, clock, at.scope, reply).await;
    let message = message.expect("a reply");
    let begun = clock.now();
    let mut attempts = 0;
    while clock.now() - begun < TimeDelta::minutes(15) {
        let claimed = claim_one(&at.store, Queue::OutboundQueue).await;
        let claimed = claimed.expect("it is tried again");
        let sent = send_message(&at.store, &Down, &claimed).await;
        sent.expect("the attempt ends");
        attempts += 1;
        let job = at.store.job(at.scope, claimed.job.id).await.expect("read");
        let next = job.and_then(|job| job.next_retry_at);
        // The clock ticks in microseconds, a wait may end between two of them.
        clock.set(next.expect("another attempt follows") + TimeDelta::microseconds(1));
    }
    assert!(attempts < 10, "{attempts} attempts in a quarter of an hour");
    let messages = at.store.messages(at.scope, id, 1).await.expect("messages");
    assert_eq!(messages[0].id, message.id);
    assert_eq!(messages[0].status, MessageStatus::Pending);
}
