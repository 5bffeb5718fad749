use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{
    Result,
    model::{LanguageTag, Usage},
};

/// A tool as a model sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its arguments: an object, without `$ref`.
    pub parameters: Value,
}

/// A call that a model asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRequest {
    /// Ties the result to the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What it is asked; may be anything, the tool checks it.
    pub arguments: Value,
}

/// What a tool said, as the model reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolReply {
    /// The call's id.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The result, an object; with `error` where the call failed.
    pub content: Value,
    /// Whether the call worked.
    pub ok: bool,
}

/// A model turn as its provider sent it: thought signatures go back verbatim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NativeTurn {
    /// Which adapter wrote it; others ignore it.
    pub provider: String,
    /// The turn.
    pub content: Value,
}

/// A message of the exchange with a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum ChatMessage {
    /// What the guest wrote, or a remark of ours on a reply that may not go out.
    Guest {
        /// The text.
        text: String,
    },
    /// What the model or a member of staff answered.
    Assistant {
        /// The text.
        text: Option<String>,
        /// Calls it asked for.
        calls: Vec<ToolRequest>,
        /// The turn as the provider sent it.
        native: Option<NativeTurn>,
    },
    /// Results of all calls of the turn before, in their order.
    Tools {
        /// The results.
        replies: Vec<ToolReply>,
    },
}

/// What one call of a model may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatLimits {
    /// Tokens it may write, thoughts included.
    pub max_output_tokens: u32,
    /// How long it may take.
    pub timeout: Duration,
}

impl Default for ChatLimits {
    fn default() -> Self {
        Self {
            max_output_tokens: 2_048,
            timeout: Duration::from_secs(20),
        }
    }
}

/// What the system prompt says in prose, kept typed for a model that reads no prose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnBrief {
    /// The guest's language.
    pub language: LanguageTag,
    /// Today at the property.
    pub today: NaiveDate,
    /// The property's name.
    pub property: String,
    /// What the router made of the message.
    pub intent: String,
    /// The guest's given name, where known.
    pub guest: Option<String>,
}

/// One question to a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// Who the model is and what it must not do.
    pub system: String,
    /// The exchange, the oldest message first.
    pub messages: Vec<ChatMessage>,
    /// Tools it may call; empty where it must answer now.
    pub tools: Vec<ToolSpec>,
    /// What the call may use.
    pub limits: ChatLimits,
    /// The facts of this turn.
    pub brief: TurnBrief,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It was done.
    End,
    /// It wants tools.
    Tool,
    /// It reached its limit of tokens; the text is cut.
    Length,
    /// The provider refused prompt or answer.
    Blocked,
    /// Anything else.
    Error,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatResponse {
    /// What it says; thoughts are never in it.
    pub text: Option<String>,
    /// Calls it wants.
    pub calls: Vec<ToolRequest>,
    /// Why it stopped.
    pub stop: Stop,
    /// What it cost.
    pub usage: Usage,
    /// The turn as the provider sent it.
    pub native: Option<NativeTurn>,
    /// The model that answered, as the provider names it.
    pub model: String,
}

impl ChatResponse {
    /// A plain answer.
    pub fn text(model: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            calls: Vec::new(),
            stop: Stop::End,
            usage: Usage::default(),
            native: None,
            model: model.into(),
        }
    }

    /// A wish for tools.
    pub fn calls(model: impl Into<String>, calls: Vec<ToolRequest>) -> Self {
        Self {
            text: None,
            calls,
            stop: Stop::Tool,
            usage: Usage::default(),
            native: None,
            model: model.into(),
        }
    }
}

/// A chat model. Calls are independent; all memory is in the request.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// The name that turns and evaluations show.
    fn name(&self) -> &str;

    /// Whether answers are made of quotes alone, so that nothing can be asked of it twice.
    fn is_extractive(&self) -> bool {
        false
    }

    /// One answer. A refusal is an answer with [`Stop::Blocked`], not an error. Errors have the
    /// kinds RateLimited, Unavailable, Timeout, Unauthorized, NotFound, Invalid and Corrupt.
    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse>;
}
