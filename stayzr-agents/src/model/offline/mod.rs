//! The model that needs no provider: it plans tools by the words of a message and answers by
//! quoting what they found, with the source, in a frame of the guest's language.

mod calendar;
mod compose;
mod cues;
pub(crate) mod dates;
pub(crate) mod phrases;
mod plan;
mod questions;
mod select;
mod title;
mod unit;
mod wanted;

use async_trait::async_trait;
use stayzr_core::Result;

use super::{ChatMessage, ChatModel, ChatRequest, ChatResponse};

/// The offline model. It never invents: every number and name of a reply stands in a tool result.
///
/// It never fails and keeps no state, so it is the fallback of every other model.
#[derive(Debug, Clone, Copy, Default)]
pub struct OfflineModel;

/// The name that turns show.
pub(crate) const NAME: &str = "offline-extractive-1";

#[async_trait]
impl ChatModel for OfflineModel {
    fn name(&self) -> &str {
        NAME
    }

    fn is_extractive(&self) -> bool {
        true
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse> {
        if let Some((calls, replies)) = compose::last_results(&request.messages) {
            let text = compose::compose(request, calls, replies);
            return Ok(ChatResponse::text(NAME, text));
        }
        let said: Vec<&str> = request
            .messages
            .iter()
            .filter_map(|message| match message {
                ChatMessage::Guest { text } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let (message, earlier) = match said.split_last() {
            Some((message, earlier)) => (*message, earlier),
            None => ("", &[][..]),
        };
        Ok(match plan::plan(request, message, earlier) {
            plan::Plan::Tools(calls) => ChatResponse::calls(NAME, calls),
            plan::Plan::AskStay(known) => {
                ChatResponse::text(NAME, compose::ask_stay(request, &known))
            }
            plan::Plan::Talk => ChatResponse::text(NAME, compose::talk(request, message)),
        })
    }
}

/// How many dates a text names.
pub(crate) fn count_dates(message: &str, today: chrono::NaiveDate) -> usize {
    dates::dates(message, today).len()
}
