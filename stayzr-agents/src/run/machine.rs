use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stayzr_core::{
    ErrorKind,
    model::{Passage, Usage},
};

use crate::model::{ChatMessage, ChatRequest, ChatResponse, Stop, ToolReply, ToolRequest};

/// What a run may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLimits {
    /// Questions to the model, from 1 to 4; in the last one no tools are offered.
    pub model_turns: u32,
    /// Calls of tools; those beyond are refused.
    pub tool_calls: u32,
    /// Tokens read and written.
    pub tokens: u64,
    /// Time from beginning to end.
    pub time: Duration,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            model_turns: 4,
            tool_calls: 8,
            tokens: 60_000,
            time: Duration::from_secs(22),
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Ask the model this, then call [`Run::on_model`] or [`Run::on_model_error`].
    NeedModel(Box<ChatRequest>),
    /// Run these tools, each with the count of earlier calls of that tool in this turn, then call
    /// [`Run::on_tools`].
    NeedTools(Vec<(ToolRequest, u32)>),
    /// Over.
    Done(Draft),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// With a reply.
    Answered,
    /// A tool handed the conversation to a person.
    HandedOff,
    /// The model used up its turns.
    TurnCap,
    /// Too many tokens.
    TokenCap,
    /// Out of time.
    TimeCap,
    /// The provider refused.
    Blocked,
    /// The model failed, or answered nothing.
    Failed,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// The reply, where it ended with one.
    pub text: Option<String>,
    /// How it ended.
    pub end: End,
    /// Why a person is needed.
    pub handoff: Option<String>,
}

/// A call of a tool and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The call.
    pub request: ToolRequest,
    /// Whether it worked.
    pub ok: bool,
    /// What the model read.
    pub value: Value,
    /// Passages it brought.
    pub passages: Vec<Passage>,
    /// Why a person must take over.
    pub handoff: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Model,
    Tools(Vec<(ToolRequest, u32)>),
    Done(Draft),
}

/// A run. Serialise it between any two steps and go on elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    request: ChatRequest,
    limits: RunLimits,
    phase: Phase,
    model_turns: u32,
    elapsed: Duration,
    usage: Usage,
    model: String,
    records: Vec<CallRecord>,
    counts: BTreeMap<String, u32>,
}

impl Run {
    /// A run that begins with this request.
    pub fn new(request: ChatRequest, limits: RunLimits) -> Self {
        Self {
            request,
            limits: RunLimits {
                model_turns: limits.model_turns.clamp(1, 4),
                ..limits
            },
            phase: Phase::Model,
            model_turns: 0,
            elapsed: Duration::ZERO,
            usage: Usage::default(),
            model: String::new(),
            records: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// What to do next. Asking twice changes nothing.
    pub fn step(&self) -> Step {
        match &self.phase {
            Phase::Model => {
                let mut request = self.request.clone();
                if self.model_turns + 1 >= self.limits.model_turns {
                    request.tools.clear();
                }
                request.limits.timeout = request
                    .limits
                    .timeout
                    .min(self.limits.time.saturating_sub(self.elapsed));
                Step::NeedModel(Box::new(request))
            }
            Phase::Tools(calls) => Step::NeedTools(calls.clone()),
            Phase::Done(draft) => Step::Done(draft.clone()),
        }
    }

    /// Takes the model's answer. `took` is added to the time of the run. Without effect unless the
    /// run waits for a model.
    pub fn on_model(&mut self, response: ChatResponse, took: Duration) {
        if self.phase != Phase::Model {
            return;
        }
        self.elapsed += took;
        self.model_turns += 1;
        self.usage.input_tokens += response.usage.input_tokens;
        self.usage.output_tokens += response.usage.output_tokens;
        self.model = response.model;
        let text = response
            .text
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty());
        let over = self.usage.input_tokens + self.usage.output_tokens > self.limits.tokens;
        self.phase = match response.stop {
            Stop::Blocked => done(None, End::Blocked),
            _ if over => done(None, End::TokenCap),
            Stop::Tool | Stop::End if !response.calls.is_empty() => {
                if self.model_turns >= self.limits.model_turns {
                    done(None, End::TurnCap)
                } else if self.elapsed >= self.limits.time {
                    done(None, End::TimeCap)
                } else {
                    let calls = self.number(&response.calls);
                    self.request.messages.push(ChatMessage::Assistant {
                        text,
                        calls: response.calls,
                        native: response.native,
                    });
                    Phase::Tools(calls)
                }
            }
            Stop::End if text.is_some() => {
                self.request.messages.push(ChatMessage::Assistant {
                    text: text.clone(),
                    calls: Vec::new(),
                    native: response.native,
                });
                done(text, End::Answered)
            }
            // A text that was cut may end in the middle of a price.
            Stop::Length => done(None, End::TokenCap),
            _ => done(None, End::Failed),
        };
    }

    /// Takes the model's failure.
    pub fn on_model_error(&mut self, kind: ErrorKind, took: Duration) {
        if self.phase != Phase::Model {
            return;
        }
        self.elapsed += took;
        self.model_turns += 1;
        self.phase = done(
            None,
            if kind == ErrorKind::Timeout {
                End::TimeCap
            } else {
                End::Failed
            },
        );
    }

    /// Takes the results of all calls, in their order. Missing ones are failures. Without effect
    /// unless the run waits for tools.
    pub fn on_tools(&mut self, outcomes: Vec<CallOutcome>, took: Duration) {
        let Phase::Tools(calls) = &self.phase else {
            return;
        };
        let calls = calls.clone();
        self.elapsed += took;
        let mut outcomes = outcomes.into_iter();
        let mut replies = Vec::with_capacity(calls.len());
        for (request, _) in calls {
            let outcome = outcomes
                .next()
                .unwrap_or_else(|| CallOutcome::failed("the tool did not answer"));
            replies.push(ToolReply {
                id: request.id.clone(),
                name: request.name.clone(),
                content: outcome.value.clone(),
                ok: outcome.ok,
            });
            self.records.push(CallRecord {
                request,
                ok: outcome.ok,
                value: outcome.value,
                passages: outcome.passages,
                handoff: outcome.handoff,
            });
        }
        self.request.messages.push(ChatMessage::Tools { replies });
        let handoff = self
            .records
            .iter()
            .find_map(|record| record.handoff.clone());
        self.phase = if handoff.is_some() {
            Phase::Done(Draft {
                text: None,
                end: End::HandedOff,
                handoff,
            })
        } else if self.elapsed >= self.limits.time {
            done(None, End::TimeCap)
        } else {
            Phase::Model
        };
    }

    /// Sends an answered run back with a remark, for one more answer without tools. False where
    /// the run did not answer or has no turn, token or time left.
    pub fn reconsider(&mut self, remark: &str) -> bool {
        let answered = matches!(&self.phase, Phase::Done(draft) if draft.end == End::Answered);
        if !answered
            || self.elapsed >= self.limits.time
            || self.model_turns >= self.limits.model_turns
        {
            return false;
        }
        self.request.messages.push(ChatMessage::Guest {
            text: remark.to_owned(),
        });
        self.request.tools.clear();
        self.phase = Phase::Model;
        true
    }

    /// What tools were asked and said.
    pub fn records(&self) -> &[CallRecord] {
        &self.records
    }

    /// Tokens so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// The model that answered last, as the provider names it.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Time used so far.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Time left.
    pub fn remaining(&self) -> Duration {
        self.limits.time.saturating_sub(self.elapsed)
    }

    /// Numbers calls of each tool, so that its effects have a key; calls over the cap are marked by
    /// [`REFUSED`].
    fn number(&mut self, calls: &[ToolRequest]) -> Vec<(ToolRequest, u32)> {
        let mut used: u32 = self.counts.values().sum();
        calls
            .iter()
            .map(|call| {
                used += 1;
                if used > self.limits.tool_calls {
                    return (call.clone(), REFUSED);
                }
                let count = self.counts.entry(call.name.clone()).or_default();
                let index = *count;
                *count += 1;
                (call.clone(), index)
            })
            .collect()
    }
}

/// The index of a call that the cap refuses: the driver answers it with an error and runs nothing.
pub(super) const REFUSED: u32 = u32::MAX;

/// What became of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallOutcome {
    /// Whether it worked.
    pub ok: bool,
    /// What the model reads.
    pub value: Value,
    /// Passages it brought.
    pub passages: Vec<Passage>,
    /// Why a person must take over.
    pub handoff: Option<String>,
}

impl CallOutcome {
    /// A failure that the model may read.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            ok: false,
            value: json!({"error": message.into()}),
            passages: Vec::new(),
            handoff: None,
        }
    }
}

fn done(text: Option<String>, end: End) -> Phase {
    Phase::Done(Draft {
        text,
        end,
        handoff: None,
    })
}
