//! Turns: every question is answered, once.

use async_trait::async_trait;
use stayzr_core::{
    Result,
    clock::Clock,
    flow::{StaffReply, TurnJob, receive_events, run_turn, staff_reply},
    ids::ConversationId,
    model::{Channel, Direction, TurnStatus},
    port::{
        Store,
        concierge::{Concierge, TurnRequest},
    },
    queue::{JobFilter, JobStatus, Queue},
    store::conformance::fixture::claim_one,
};

use crate::hotel::{Answers, Hotel, Written, text};

on_each_store! {
    a_question_is_answered_though_a_reaction_came_in_while_it_was_thought_about
    a_reaction_or_a_picture_alone_gets_no_answer
    invariant_f_two_turns_at_once_answer_a_message_once
    quick_messages_are_answered_together
    invariant_p_card_numbers_are_masked_before_they_are_stored
}

const TURNS: Queue = Queue::AgentTurnQueue;

/// Runs the turn that is due.
async fn turn_of_queue<S: Store>(at: &Hotel<S>, concierge: &dyn Concierge) -> Result<TurnStatus> {
    let claimed = claim_one(&at.store, TURNS).await?;
    let TurnJob { conversation_id } = TurnJob::parse(&claimed)?;
    let scope = claimed.job.scope().expect("a turn is somebody's");
    let clock = at.clock.as_ref();
    let lease = Some(claimed.lease);
    let turn = run_turn(&at.store, concierge, clock, scope, conversation_id, lease).await?;
    Ok(turn.status)
}

async fn replies<S: Store>(at: &Hotel<S>, id: ConversationId) -> Vec<String> {
    let messages = at.store.messages(at.scope, id, 50).await.expect("messages");
    let outbound = messages.into_iter();
    outbound
        .filter(|message| message.direction == Direction::Outbound)
        .map(|message| message.text)
        .collect()
}

/// Writes to the hotel while it thinks, once.
struct Interrupted<'a, S> {
    at: &'a Hotel<S>,
    by: Written<'a>,
}

#[async_trait]
impl<S: Store> Concierge for Interrupted<'_, S> {
    async fn respond(&self, request: &TurnRequest) -> Result<stayzr_core::model::Turn> {
        let event = self.at.event(self.by);
        receive_events(&self.at.store, Channel::Whatsapp, &[event]).await?;
        Answers.respond(request).await
    }
}

async fn a_question_is_answered_though_a_reaction_came_in_while_it_was_thought_about<S: Store>(
    at: Hotel<S>,
) {
    let id = at.receives(text("wamid.1", "When is breakfast?")).await;
    let reaction = Written {
        kind: "reaction",
        ..text("wamid.2", "👍")
    };
    let interrupted = Interrupted {
        at: &at,
        by: reaction,
    };
    let first = turn_of_queue(&at, &interrupted).await.expect("a turn");
    assert_eq!(first, TurnStatus::Superseded);
    let second = turn_of_queue(&at, &Answers).await.expect("a turn");
    assert_eq!(second, TurnStatus::Answered);
    assert_eq!(replies(&at, id).await.len(), 1);
}

async fn a_reaction_or_a_picture_alone_gets_no_answer<S: Store>(at: Hotel<S>) {
    at.receives(text("wamid.1", "When is breakfast?")).await;
    turn_of_queue(&at, &Answers).await.expect("a turn");
    let picture = Written {
        kind: "image",
        ..text("wamid.2", " ")
    };
    let reaction = Written {
        kind: "reaction",
        ..text("wamid.3", "👍")
    };
    at.receives(picture).await;
    let id = at.receives(reaction).await;
    turn_of_queue(&at, &Answers).await.expect("a turn");
    assert_eq!(replies(&at, id).await.len(), 1);
    let filter = JobFilter {
        queue: Some(TURNS),
        status: Some(JobStatus::Pending),
    };
    let waiting = at.store.jobs(at.scope, &filter, &Default::default()).await;
    assert!(waiting.expect("jobs").items.is_empty());
}

/// Lets another turn of the conversation answer first.
struct Overtaken<'a, S> {
    at: &'a Hotel<S>,
}

#[async_trait]
impl<S: Store> Concierge for Overtaken<'_, S> {
    async fn respond(&self, request: &TurnRequest) -> Result<stayzr_core::model::Turn> {
        let (at, id) = (self.at, request.conversation.id);
        let other = run_turn(&at.store, &Answers, at.clock.as_ref(), at.scope, id, None).await?;
        assert_eq!(other.status, TurnStatus::Answered);
        Answers.respond(request).await
    }
}

async fn invariant_f_two_turns_at_once_answer_a_message_once<S: Store>(at: Hotel<S>) {
    let id = at.receives(text("wamid.1", "When is breakfast?")).await;
    let late = turn_of_queue(&at, &Overtaken { at: &at }).await;
    assert_eq!(late.expect("a turn"), TurnStatus::Superseded);
    assert_eq!(replies(&at, id).await.len(), 1);
}

async fn quick_messages_are_answered_together<S: Store>(at: Hotel<S>) {
    at.receives(text("wamid.1", "Hello")).await;
    let id = at.receives(text("wamid.2", "When is breakfast?")).await;
    turn_of_queue(&at, &Answers).await.expect("a turn");
    assert_eq!(replies(&at, id).await, ["Hello / When is breakfast?"]);
    let more = claim_one(&at.store, TURNS).await;
    assert!(more.is_err(), "one turn answers both");
}

async fn invariant_p_card_numbers_are_masked_before_they_are_stored<S: Store>(at: Hotel<S>) {
    let id = at
        .receives(text("wamid.1", "my card is 4111 1111 1111 1111"))
        .await;
    let reply = StaffReply {
        conversation_id: id,
        text: "Is it 4111111111111111?".to_owned(),
    };
    let clock: &dyn Clock = at.clock.as_ref();
    let stored = staff_reply(&at.store, clock, at.scope, reply).await;
    assert_eq!(stored.expect("a reply").text, "Is it ************1111?");
    let messages = at.store.messages(at.scope, id, 50).await.expect("messages");
    assert_eq!(messages[0].text, "my card is **** **** **** 1111");
}
