use serde::{Deserialize, Serialize};

use super::OutboundJob;
use crate::{
    Error, Result,
    clock::Clock,
    ids::{ConversationId, MessageId, ServiceRequestId},
    mask::mask_cards_in_text,
    model::{
        Author, Channel, Conversation, ConversationStatus, Direction, Escalation, Guest, HANDOFF,
        LanguageTag, Message, MessageStatus, Property, ServiceRequest, ServiceRequestStatus, Turn,
        TurnStatus, Usage,
    },
    port::{
        concierge::{Concierge, TurnRequest},
        conversation::{CommitTurn, Conversations, Reply},
        entities::{Entities, EntitiesExt},
        queue::JobQueue,
    },
    queue::{Claimed, JobOutcome, Lease},
    tenant::TenantScope,
};

/// How many messages a turn looks back.
const HISTORY: u32 = 20;

/// The payload of a job of [`crate::queue::Queue::AgentTurnQueue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnJob {
    /// The conversation to answer.
    pub conversation_id: ConversationId,
}

impl TurnJob {
    /// The payload of a job; [`crate::ErrorKind::Corrupt`] if it is not one.
    pub fn parse(claimed: &Claimed) -> Result<Self> {
        serde_json::from_value(claimed.job.payload.clone()).map_err(|error| {
            Error::corrupt("turn.job", "the payload names no conversation")
                .with("job_id", claimed.job.id)
                .with_source(error)
        })
    }
}

/// Answers the unanswered messages of a conversation in one turn, and commits reply, trace, state
/// and outbound job at once.
///
/// With a lease the turn's job is completed in the same commit. A newer message that came in
/// meanwhile supersedes the turn, and so does another turn that answered first; a person who took
/// over mutes it. Where nothing is asked, there is no answer.
pub async fn run_turn<S>(
    store: &S,
    concierge: &dyn Concierge,
    clock: &dyn Clock,
    scope: TenantScope,
    conversation_id: ConversationId,
    lease: Option<Lease>,
) -> Result<Turn>
where
    S: Conversations + Entities + JobQueue + ?Sized,
{
    let conversation = store
        .conversation(scope, conversation_id)
        .await?
        .ok_or_else(|| {
            Error::not_found("turn.run", "there is no conversation with this id")
                .with("conversation_id", conversation_id)
        })?;
    let history = store.messages(scope, conversation_id, HISTORY).await?;
    let (Some(newest), ConversationStatus::Open) = (unanswered(&history), conversation.status)
    else {
        // Answered with an earlier message, or by a person, or nothing was asked.
        if let Some(lease) = &lease {
            store
                .finish(lease, JobOutcome::Completed, Vec::new())
                .await?;
        }
        let status = match conversation.status {
            ConversationStatus::Open => TurnStatus::Superseded,
            ConversationStatus::HandedOff | ConversationStatus::Closed => TurnStatus::Muted,
        };
        return Ok(silent(&conversation, status));
    };
    let answered_up_to = newest.id;

    // The conversation names guest and property of its own organization, so the guest is read
    // without the property's narrowing.
    let organization = TenantScope::organization(scope.organization_id);
    let guest: Guest = store
        .entity(organization, conversation.guest_id.uuid())
        .await?;
    let property: Property = store
        .entity(organization, conversation.property_id.uuid())
        .await?;
    let request = TurnRequest {
        scope: TenantScope::property(scope.organization_id, conversation.property_id),
        property: property.brief(),
        guest,
        history,
        trace_id: clock.uuid().simple().to_string(),
        conversation,
    };
    let turn = concierge.respond(&request).await?;
    let commit = commit(&request, &turn, clock, answered_up_to, lease)?;
    let committed = store.commit_turn(commit).await?;
    let status = committed.status(turn.status);
    let reply = turn.reply.filter(|_| status == turn.status);
    Ok(Turn {
        status,
        reply,
        ..turn
    })
}

/// The newest message of a tail of the guest's messages in which something is asked.
fn unanswered(history: &[Message]) -> Option<&Message> {
    let mut tail = history
        .iter()
        .rev()
        .take_while(|message| message.direction == Direction::Inbound);
    tail.any(Message::asks).then(|| history.last()).flatten()
}

fn commit(
    request: &TurnRequest,
    turn: &Turn,
    clock: &dyn Clock,
    answered_up_to: MessageId,
    lease: Option<Lease>,
) -> Result<CommitTurn> {
    let conversation = &request.conversation;
    let reply = match &turn.reply {
        Some(text) => {
            let trace = serde_json::to_value(turn).map_err(|error| {
                Error::internal("turn.commit", "the trace cannot be written").with_source(error)
            })?;
            let mut reply = outgoing(conversation, request.scope, Author::Concierge, text, clock);
            reply.citations.clone_from(&turn.citations);
            reply.trace = Some(trace);
            Some(reply)
        }
        None => None,
    };
    let handoff = (turn.status == TurnStatus::HandedOff).then(|| handoff(request, turn, clock));
    Ok(CommitTurn {
        scope: request.scope,
        lease,
        conversation_id: conversation.id,
        answered_up_to,
        reply,
        handoff,
        language: turn.language.clone(),
    })
}

fn outgoing(
    conversation: &Conversation,
    scope: TenantScope,
    author: Author,
    text: &str,
    clock: &dyn Clock,
) -> Reply {
    let message_id = MessageId::generate(clock);
    let outbound = match conversation.channel {
        Channel::Whatsapp | Channel::Pms => {
            Some(OutboundJob::job(scope, conversation.id, message_id))
        }
        // The answer to the caller is the delivery.
        Channel::Api => None,
    };
    Reply {
        message_id,
        author,
        text: text.to_owned(),
        citations: Vec::new(),
        trace: None,
        outbound,
    }
}

fn handoff(request: &TurnRequest, turn: &Turn, clock: &dyn Clock) -> ServiceRequest {
    let signals: Vec<&str> = turn
        .escalation
        .signals
        .iter()
        .map(|signal| signal.name.as_str())
        .collect();
    let reasons = if signals.is_empty() {
        "no answer found".to_owned()
    } else {
        signals.join(", ")
    };
    let now = clock.now();
    ServiceRequest {
        id: ServiceRequestId::generate(clock),
        organization_id: request.scope.organization_id,
        property_id: request.conversation.property_id,
        version: 1,
        guest_id: Some(request.guest.id),
        reservation_id: None,
        conversation_id: Some(request.conversation.id),
        category: HANDOFF.to_owned(),
        description: format!("A guest waits for a person: {reasons}."),
        status: ServiceRequestStatus::Open,
        status_vendor: None,
        due_at: None,
        created_at: now,
        updated_at: now,
    }
}

fn silent(conversation: &Conversation, status: TurnStatus) -> Turn {
    Turn {
        conversation_id: conversation.id,
        status,
        reply: None,
        language: conversation
            .language
            .clone()
            .unwrap_or_else(LanguageTag::english),
        intent: "none".to_owned(),
        specialist: "concierge".to_owned(),
        confidence: 0.0,
        citations: Vec::new(),
        tool_calls: Vec::new(),
        escalation: Escalation::default(),
        model: "none".to_owned(),
        usage: Usage::default(),
        trace_id: String::new(),
    }
}

/// What a member of staff writes to a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffReply {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// What to say.
    pub text: String,
}

/// Sends a message of staff, with card numbers masked: pending replies of the machine are cancelled
/// and the conversation is taken over in the same command.
pub async fn staff_reply<S>(
    store: &S,
    clock: &dyn Clock,
    scope: TenantScope,
    reply: StaffReply,
) -> Result<Message>
where
    S: Conversations + ?Sized,
{
    let text = reply.text.trim();
    if text.is_empty() {
        return Err(Error::invalid("conversation.reply", "the text is empty"));
    }
    let conversation = store
        .conversation(scope, reply.conversation_id)
        .await?
        .ok_or_else(|| {
            Error::not_found(
                "conversation.reply",
                "there is no conversation with this id",
            )
            .with("conversation_id", reply.conversation_id)
        })?;
    let property_scope = TenantScope::property(scope.organization_id, conversation.property_id);
    let text = mask_cards_in_text(text);
    let outgoing = outgoing(&conversation, property_scope, Author::Staff, &text, clock);
    let message = store.staff_reply(scope, conversation.id, outgoing).await?;
    debug_assert!(message.status != MessageStatus::Received);
    Ok(message)
}
