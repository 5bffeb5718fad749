//! The concierge as the flows see it. Implemented by `stayzr-agents`.

use async_trait::async_trait;

use crate::{
    Result,
    model::{Conversation, Guest, Message, PropertyBrief, Turn},
    tenant::TenantScope,
};

/// What a turn is about.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnRequest {
    /// Organization and property.
    pub scope: TenantScope,
    /// The property.
    pub property: PropertyBrief,
    /// The guest.
    pub guest: Guest,
    /// The conversation.
    pub conversation: Conversation,
    /// The last messages, the oldest first; the guest's unanswered ones are the tail.
    pub history: Vec<Message>,
    /// Finds this turn in the traces.
    pub trace_id: String,
}

/// Answers a guest.
#[async_trait]
pub trait Concierge: Send + Sync {
    /// Runs one turn and says what to answer. A failure of a model or tool ends in a handed-off
    /// turn, not in an error; an error means that the turn may be tried again.
    async fn respond(&self, request: &TurnRequest) -> Result<Turn>;
}
