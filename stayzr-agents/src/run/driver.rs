use std::time::Instant;

use futures::future::join_all;
use stayzr_core::{Error, ErrorKind};

use super::{
    Draft,
    machine::{CallOutcome, REFUSED, Run, Step},
};
use crate::{
    model::{ChatModel, ToolRequest},
    tool::{Registry, ToolContext},
};

/// Does the I/O of a run: asks the model, runs the tools, keeps the time.
#[derive(Clone, Copy)]
pub struct Driver<'a> {
    model: &'a dyn ChatModel,
    tools: &'a Registry,
    context: &'a ToolContext,
    allowed: &'a [&'static str],
}

impl<'a> Driver<'a> {
    /// A driver that runs only the allowed tools, whatever the model asks for.
    pub fn new(
        model: &'a dyn ChatModel,
        tools: &'a Registry,
        context: &'a ToolContext,
        allowed: &'a [&'static str],
    ) -> Self {
        Self {
            model,
            tools,
            context,
            allowed,
        }
    }

    /// Takes the run to its end. Never fails: a failure is an end of the run.
    pub async fn drive(&self, run: &mut Run) -> Draft {
        loop {
            let started = Instant::now();
            match run.step() {
                Step::Done(draft) => return draft,
                Step::NeedModel(request) => {
                    let limit = request.limits.timeout;
                    let answer = tokio::time::timeout(limit, self.model.chat(&request)).await;
                    let took = started.elapsed();
                    match answer {
                        Ok(Ok(response)) => run.on_model(response, took),
                        Ok(Err(error)) => {
                            tracing::warn!(
                                model = self.model.name(),
                                kind = %error.kind(),
                                operation = error.operation(),
                                "the model failed"
                            );
                            run.on_model_error(error.kind(), took);
                        }
                        Err(_) => {
                            tracing::warn!(model = self.model.name(), "the model was too slow");
                            run.on_model_error(ErrorKind::Timeout, took);
                        }
                    }
                }
                Step::NeedTools(calls) => {
                    let limit = run.remaining();
                    let work = join_all(calls.iter().map(|(call, index)| self.call(call, *index)));
                    let outcomes = tokio::time::timeout(limit, work).await.unwrap_or_default();
                    run.on_tools(outcomes, started.elapsed());
                }
            }
        }
    }

    async fn call(&self, call: &ToolRequest, index: u32) -> CallOutcome {
        if index == REFUSED {
            return CallOutcome::failed(
                "too many tool calls in this turn; answer with what you have",
            );
        }
        if !self.allowed.contains(&call.name.as_str()) {
            return CallOutcome::failed("this tool is not available here");
        }
        let called = self
            .tools
            .call(self.context, &call.name, &call.arguments, index)
            .await;
        match called {
            Ok(output) => CallOutcome {
                ok: true,
                value: output.value,
                passages: output.passages,
                handoff: output.handoff,
            },
            Err(error) => {
                tracing::warn!(
                    tool = call.name,
                    kind = %error.kind(),
                    operation = error.operation(),
                    "a tool failed"
                );
                CallOutcome::failed(readable(&error))
            }
        }
    }
}

/// What a model may know of an error: how to mend wrong arguments, and nothing of the inside.
fn readable(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Invalid => error.message().to_owned(),
        ErrorKind::NotFound => "nothing found".to_owned(),
        ErrorKind::Unsupported => "the hotel cannot answer this here".to_owned(),
        _ => "the tool is not available at the moment".to_owned(),
    }
}
