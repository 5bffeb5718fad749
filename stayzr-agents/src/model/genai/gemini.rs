//! The exchange as Gemini reads it. Its own turns go back as they came, with every thought
//! signature: a turn that is put together again from its text and calls may be refused.

use serde_json::{Value, json};

use crate::model::{ChatMessage, ToolReply, ToolRequest};

/// Marks turns that this adapter keeps.
pub(super) const NATIVE: &str = "gemini";

/// Accepted in place of a signature for calls of another model's turn.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// The `contents` of a request.
pub(super) fn contents(messages: &[ChatMessage]) -> Value {
    messages.iter().map(content).collect()
}

fn content(message: &ChatMessage) -> Value {
    match message {
        ChatMessage::Guest { text } => json!({"role": "user", "parts": [{"text": text}]}),
        ChatMessage::Assistant {
            native: Some(native),
            ..
        } if native.provider == NATIVE => native.content.clone(),
        ChatMessage::Assistant { text, calls, .. } => {
            let mut parts: Vec<Value> = text.iter().map(|text| json!({"text": text})).collect();
            parts.extend(
                calls
                    .iter()
                    .enumerate()
                    .map(|(at, call)| foreign_call(at, call)),
            );
            json!({"role": "model", "parts": parts})
        }
        ChatMessage::Tools { replies } => {
            let parts: Vec<Value> = replies.iter().map(response).collect();
            json!({"role": "user", "parts": parts})
        }
    }
}

fn foreign_call(at: usize, call: &ToolRequest) -> Value {
    let mut part = json!({"functionCall": {"name": call.name, "args": call.arguments}});
    if at == 0 {
        part["thoughtSignature"] = json!(NO_SIGNATURE);
    }
    if has_own_id(&call.id) {
        part["functionCall"]["id"] = json!(call.id);
    }
    part
}

/// `response` must be an object.
fn response(reply: &ToolReply) -> Value {
    let content = if reply.content.is_object() {
        reply.content.clone()
    } else {
        json!({"result": reply.content})
    };
    let mut part = json!({"functionResponse": {"name": reply.name, "response": content}});
    if has_own_id(&reply.id) {
        part["functionResponse"]["id"] = json!(reply.id);
    }
    part
}

/// The client crate makes ids of the form `call#name#0` where Gemini gives none; those do not go
/// back.
fn has_own_id(id: &str) -> bool {
    !id.is_empty() && !id.starts_with("call#")
}

/// The model's turn of a response body, as it came.
pub(super) fn native_turn(body: &Value) -> Option<Value> {
    let content = body.pointer("/candidates/0/content")?;
    content
        .get("parts")?
        .as_array()
        .filter(|parts| !parts.is_empty())?;
    let mut content = content.clone();
    if content.get("role").is_none() {
        content["role"] = json!("model");
    }
    Some(content)
}

/// Whether the prompt was refused: then there is a reason, and no candidate.
pub(super) fn is_blocked(body: &Value) -> bool {
    body.pointer("/promptFeedback/blockReason").is_some()
}
