use async_trait::async_trait;
use genai::chat::{
    ChatMessage as WireMessage, ChatOptions, ChatRequest as WireRequest, ContentPart,
    MessageContent, ReasoningEffort, StopReason, Tool, ToolCall, ToolResponse,
};
use serde_json::{Value, json};
use stayzr_core::{Error, ErrorKind, Result, model::Usage};

use super::{
    config::{GenaiConfig, Provider},
    connection::{Connection, http_client},
    error::translate,
    gemini,
};
use crate::model::{
    ChatMessage, ChatModel, ChatRequest, ChatResponse, NativeTurn, Stop, ToolRequest,
};

/// A chat model of a provider.
///
/// Thinking is low, and no sampling parameters are sent: Gemini 3 and later deprecate them. It does
/// not retry: a guest is better served by the offline model at once.
pub struct GenaiModel {
    connection: Connection,
    provider: Provider,
    name: String,
}

impl GenaiModel {
    /// A model over a client of the house. Nothing is sent. Invalid if the configuration is
    /// incomplete.
    pub fn new(config: &GenaiConfig) -> Result<Self> {
        Self::with_client(config, http_client()?)
    }

    /// A model over this client; it must not follow redirects.
    pub fn with_client(config: &GenaiConfig, http: reqwest::Client) -> Result<Self> {
        Ok(Self {
            connection: Connection::new(config, http)?,
            provider: config.provider,
            name: config.model.clone(),
        })
    }

    fn options(&self, request: &ChatRequest) -> ChatOptions {
        let options = ChatOptions::default()
            .with_max_tokens(request.limits.max_output_tokens)
            .with_capture_raw_body(true);
        match self.provider {
            Provider::Gemini => options
                .with_reasoning_effort(ReasoningEffort::Low)
                .with_extra_body(json!({"contents": gemini::contents(&request.messages)})),
            Provider::Openai => options.with_reasoning_effort(ReasoningEffort::Low),
            // Thinking is on by default there, and would have to be sent back in tool loops.
            Provider::Deepseek => {
                options.with_extra_body(json!({"thinking": {"type": "disabled"}}))
            }
            Provider::OpenaiCompatible => options,
        }
    }

    fn provider_mark(&self) -> &'static str {
        match self.provider {
            Provider::Gemini => gemini::NATIVE,
            Provider::Openai => "openai",
            Provider::Deepseek => "deepseek",
            Provider::OpenaiCompatible => "openai_compatible",
        }
    }
}

const OPERATION: &str = "model.chat";

#[async_trait]
impl ChatModel for GenaiModel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse> {
        let wire = wire_request(request, self.provider_mark());
        let options = self.options(request);
        let call = self
            .connection
            .client
            .exec_chat(self.connection.target(), wire, Some(&options));
        let answered = tokio::time::timeout(request.limits.timeout, call)
            .await
            .map_err(|_| {
                Error::new(
                    ErrorKind::Timeout,
                    OPERATION,
                    "the provider did not answer in time",
                )
            })?;
        match answered {
            Ok(response) => Ok(self.read(response)),
            Err(genai::Error::ChatResponseGeneration { response_body, .. })
                if gemini::is_blocked(&response_body) =>
            {
                Ok(ChatResponse {
                    stop: Stop::Blocked,
                    ..ChatResponse::calls(&self.name, Vec::new())
                })
            }
            Err(error) => Err(translate(OPERATION, &error)),
        }
    }
}

impl std::fmt::Debug for GenaiModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GenaiModel")
            .field("provider", &self.provider)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl GenaiModel {
    fn read(&self, response: genai::chat::ChatResponse) -> ChatResponse {
        let calls: Vec<ToolRequest> = response
            .content
            .tool_calls()
            .into_iter()
            .enumerate()
            .map(|(at, call)| ToolRequest {
                id: if call.call_id.is_empty() {
                    format!("call#{}#{at}", call.fn_name)
                } else {
                    call.call_id.clone()
                },
                name: call.fn_name.clone(),
                arguments: call.fn_arguments.clone(),
            })
            .collect();
        let text = response.content.texts().concat();
        // Providers say `stop` for calls too: the parts decide.
        let stop = match &response.stop_reason {
            Some(StopReason::ContentFilter(_)) => Stop::Blocked,
            Some(StopReason::MaxTokens(_)) => Stop::Length,
            Some(StopReason::Other(_)) => Stop::Error,
            _ if !calls.is_empty() => Stop::Tool,
            _ => Stop::End,
        };
        let content = match self.provider {
            Provider::Gemini => response
                .captured_raw_body
                .as_ref()
                .and_then(gemini::native_turn),
            _ => serde_json::to_value(&response.content).ok(),
        };
        let count = |tokens: Option<i32>| tokens.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let thoughts = response
            .usage
            .completion_tokens_details
            .as_ref()
            .and_then(|details| details.reasoning_tokens);
        ChatResponse {
            text: (!text.trim().is_empty()).then_some(text),
            calls,
            stop,
            usage: Usage {
                input_tokens: count(response.usage.prompt_tokens),
                output_tokens: count(response.usage.completion_tokens.or(thoughts)),
            },
            native: content.map(|content| NativeTurn {
                provider: self.provider_mark().to_owned(),
                content,
            }),
            model: response.provider_model_iden.model_name.to_string(),
        }
    }
}

fn wire_request(request: &ChatRequest, mark: &str) -> WireRequest {
    let messages = request
        .messages
        .iter()
        .map(|message| wire_message(message, mark))
        .collect();
    let mut wire = WireRequest::new(messages).with_system(&request.system);
    if !request.tools.is_empty() {
        wire = wire.with_tools(request.tools.iter().map(|tool| {
            Tool::new(tool.name.clone())
                .with_description(tool.description.clone())
                .with_schema(tool.parameters.clone())
        }));
    }
    // Guests' messages are not kept at the provider.
    wire.with_store(false)
}

fn wire_message(message: &ChatMessage, mark: &str) -> WireMessage {
    match message {
        ChatMessage::Guest { text } => WireMessage::user(text),
        ChatMessage::Assistant {
            text,
            calls,
            native,
        } => {
            let kept = native
                .as_ref()
                .filter(|native| native.provider == mark)
                .and_then(|native| {
                    serde_json::from_value::<MessageContent>(native.content.clone()).ok()
                });
            WireMessage::assistant(kept.unwrap_or_else(|| {
                let mut parts: Vec<ContentPart> = text.iter().map(ContentPart::from_text).collect();
                parts.extend(calls.iter().map(|call| {
                    ContentPart::ToolCall(ToolCall {
                        call_id: call.id.clone(),
                        fn_name: call.name.clone(),
                        fn_arguments: call.arguments.clone(),
                        thought_signatures: None,
                    })
                }));
                MessageContent::from_parts(parts)
            }))
        }
        ChatMessage::Tools { replies } => {
            let parts: Vec<ContentPart> = replies
                .iter()
                .map(|reply| {
                    ContentPart::ToolResponse(
                        ToolResponse::new(&reply.id, as_text(&reply.content))
                            .with_fn_name(&reply.name),
                    )
                })
                .collect();
            WireMessage::tool(MessageContent::from_parts(parts))
        }
    }
}

fn as_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
