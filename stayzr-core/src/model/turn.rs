use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{LanguageTag, Tier};
use crate::ids::{ChunkId, ConversationId, DocumentId};

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnStatus {
    /// The guest gets a reply.
    Answered,
    /// A newer message of the guest took its place.
    Superseded,
    /// A person answers this conversation; the machine is silent.
    Muted,
    /// The guest gets the handoff line and a person takes over.
    HandedOff,
}

/// A passage that a reply rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// The document.
    pub document_id: DocumentId,
    /// The passage.
    pub chunk_id: ChunkId,
    /// The document's file name.
    pub file_name: String,
    /// How well it matched.
    pub match_tier: Tier,
    /// The words it rests on.
    pub quote: String,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool.
    pub tool: String,
    /// What it was asked.
    pub arguments: Value,
    /// Whether it worked.
    pub ok: bool,
}

/// What to do about a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalationAction {
    /// Nothing.
    #[default]
    None,
    /// Staff should keep an eye on it.
    Monitor,
    /// A person takes over.
    Escalate,
}

/// One reason to escalate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Its name.
    pub name: String,
    /// What it adds to the score.
    pub weight: f64,
}

/// How much a conversation needs a person, and why.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Escalation {
    /// From 0 to 1.
    pub score: f64,
    /// What follows.
    pub action: EscalationAction,
    /// What made the score.
    pub signals: Vec<Signal>,
}

/// Tokens that a turn used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Read by the model.
    pub input_tokens: u64,
    /// Written by the model, its thoughts included.
    pub output_tokens: u64,
}

/// A concierge turn: what was answered, and how it came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// How it ended.
    pub status: TurnStatus,
    /// What the guest gets.
    pub reply: Option<String>,
    /// The guest's language.
    pub language: LanguageTag,
    /// What the guest wants.
    pub intent: String,
    /// Who answered: `booking`, `services`, `property_info`, `knowledge` or `concierge`.
    pub specialist: String,
    /// How sure the router was, from 0 to 1.
    pub confidence: f64,
    /// What the reply rests on.
    pub citations: Vec<Citation>,
    /// What was looked up or done.
    pub tool_calls: Vec<ToolCall>,
    /// Whether a person is needed.
    pub escalation: Escalation,
    /// The model that answered.
    pub model: String,
    /// What it cost.
    pub usage: Usage,
    /// Finds this turn in the traces.
    pub trace_id: String,
}
