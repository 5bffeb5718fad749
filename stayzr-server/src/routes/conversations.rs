//! Conversations, staff replies, takeovers, service requests, the outbox, and the concierge.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use stayzr_core::{
    ErrorKind,
    flow::{StaffReply, run_turn, staff_reply},
    ids::{ConversationId, GuestId, PropertyId},
    model::{Channel, ConversationStatus, Guest},
    port::{Page, conversation::AcceptMessage, entities::EntitiesExt},
    queue::Queue,
    tenant::TenantScope,
    transform::EntityKind,
};

use super::entities::shown;
use crate::http::{Call, Handled, Problem, json as answer};

/// How many messages a conversation is shown with.
const SHOWN: u32 = 200;

/// After so long a turn is answered with 504; it goes on, and its reply still arrives.
const TURN_LIMIT: Duration = Duration::from_secs(30);

/// The longest text of a message, in bytes: WhatsApp's own limit is 4,096 characters.
const LONGEST_TEXT: usize = 16 * 1024;

pub(super) async fn list(call: Call) -> Handled {
    let page = call.query.page()?;
    let found = call.state.store.conversations(call.scope()?, &page).await?;
    answer(StatusCode::OK, &found)
}

pub(super) async fn item(call: Call) -> Handled {
    let scope = call.scope()?;
    let id: ConversationId = call.id("id", "conversation")?;
    let store = &call.state.store;
    let conversation = store.conversation(scope, id).await?;
    let conversation = conversation.ok_or_else(|| Problem::not_found("conversation"))?;
    let messages = store.messages(scope, id, SHOWN).await?;
    let mut shown = serde_json::to_value(conversation).map_err(|error| {
        stayzr_core::Error::internal("conversation.show", "cannot be written").with_source(error)
    })?;
    shown["messages"] = json!(messages);
    answer(StatusCode::OK, &shown)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    text: String,
}

pub(super) async fn reply(call: Call) -> Handled {
    let conversation_id: ConversationId = call.id("id", "conversation")?;
    let NewMessage { text } = call.json()?;
    check_text(&text)?;
    let state = &call.state;
    let reply = StaffReply {
        conversation_id,
        text,
    };
    let message = staff_reply(
        state.store.as_ref(),
        state.clock.as_ref(),
        call.scope()?,
        reply,
    )
    .await?;
    state.wakes.wake(Queue::OutboundQueue);
    answer(StatusCode::CREATED, &message)
}

pub(super) async fn takeover(call: Call) -> Handled {
    set_status(&call, ConversationStatus::HandedOff).await
}

pub(super) async fn release(call: Call) -> Handled {
    set_status(&call, ConversationStatus::Open).await
}

async fn set_status(call: &Call, status: ConversationStatus) -> Handled {
    let id: ConversationId = call.id("id", "conversation")?;
    let scope = call.scope()?;
    let conversation = call.state.store.set_status(scope, id, status).await?;
    answer(StatusCode::OK, &conversation)
}

pub(super) async fn outbox(call: Call) -> Handled {
    let conversation_id: Option<ConversationId> = call.query.parsed("conversation_id", "a UUID")?;
    let page = call.query.page()?;
    let store = &call.state.store;
    let items = store.outbox(call.scope()?, conversation_id, &page).await?;
    answer(StatusCode::OK, &items)
}

/// Requests to the staff, the newest first.
pub(super) async fn service_requests(call: Call) -> Handled {
    let scope = call.scope()?;
    let store = call.state.store.as_ref();
    let found = store.service_requests(scope, &call.query.page()?).await?;
    let rows: stayzr_core::Result<Vec<_>> = found.items.iter().map(|one| one.to_row()).collect();
    let items = shown(store, scope, EntityKind::ServiceRequest, rows?).await?;
    let next_cursor = found.next_cursor;
    answer(StatusCode::OK, &Page { items, next_cursor })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConciergeMessage {
    property_id: PropertyId,
    guest_id: Option<GuestId>,
    conversation_id: Option<ConversationId>,
    text: String,
}

/// One turn of the concierge: the message is stored, answered, and the answer returned.
pub(super) async fn concierge(call: Call) -> Handled {
    let message: ConciergeMessage = call.json()?;
    check_text(&message.text)?;
    let scope = call.scope_of(message.property_id).await?;
    let state = Arc::clone(&call.state);
    let organization = TenantScope::organization(scope.organization_id);
    if let Some(guest) = message.guest_id {
        state
            .store
            .entity::<Guest>(organization, guest.uuid())
            .await?;
    }
    if let Some(id) = message.conversation_id {
        let found = state.store.conversation(scope, id).await?;
        let conversation = found.ok_or_else(|| Problem::not_found("conversation"))?;
        if message
            .guest_id
            .is_some_and(|guest| guest != conversation.guest_id)
        {
            return Err(Problem::invalid("this conversation is with another guest"));
        }
    }
    let accepted = state
        .store
        .accept_message(AcceptMessage {
            scope,
            property_id: message.property_id,
            channel: Channel::Api,
            channel_account_id: None,
            guest_id: message.guest_id,
            conversation_id: message.conversation_id,
            contacts: Vec::new(),
            reply_to: None,
            name: None,
            vendor_message_id: None,
            kind: "text".to_owned(),
            text: stayzr_core::mask::mask_cards_in_text(&message.text).into_owned(),
            sent_at: state.clock.now(),
            enqueue_turn: false,
        })
        .await?;
    let id = accepted.conversation_id;
    // A task of its own, so that the turn ends even if its caller does not wait for it.
    let turn = tokio::spawn(async move {
        run_turn(
            state.store.as_ref(),
            state.concierge.as_ref(),
            state.clock.as_ref(),
            scope,
            id,
            None,
        )
        .await
    });
    match tokio::time::timeout(TURN_LIMIT, turn).await {
        Ok(Ok(turn)) => answer(StatusCode::OK, &turn?),
        Ok(Err(_)) => Err(Problem::of(ErrorKind::Internal).with("conversation_id", id.to_string())),
        Err(_) => Err(Problem::of(ErrorKind::Timeout)
            .detail("the turn takes longer; its reply will arrive in the conversation")
            .with("conversation_id", id.to_string())),
    }
}

fn check_text(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::invalid("`text` is empty"));
    }
    if text.len() > LONGEST_TEXT {
        return Err(Problem::invalid(format!(
            "`text` is longer than {LONGEST_TEXT} bytes"
        )));
    }
    Ok(())
}
