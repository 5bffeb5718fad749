//! The stored history as an exchange with a model.

use stayzr_core::{
    mask::mask_cards_in_text,
    model::{Author, Message},
};

use crate::{
    knowledge::{Speaker, Turn},
    model::ChatMessage,
    router::classify,
    specialists::Specialist,
    text,
};

/// How much of the past a model reads.
const MAX_MESSAGES: usize = 16;
/// How long a message of the past may be.
const MAX_PAST: usize = 1_200;
/// How long the guest's own message may be.
const MAX_MESSAGE: usize = 4_000;

/// What the guest asks now, and what was said before.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Exchange {
    /// The unanswered messages of the guest, joined.
    pub(super) message: String,
    /// The answered past, the oldest first.
    pub(super) past: Vec<(Author, String)>,
}

impl Exchange {
    /// Reads the history; card numbers are masked, whatever was stored.
    pub(super) fn of(history: &[Message]) -> Self {
        let spoken: Vec<&Message> = history
            .iter()
            .filter(|message| !message.text.trim().is_empty())
            .collect();
        let answered = spoken
            .iter()
            .rposition(|message| message.author != Author::Guest)
            .map_or(0, |at| at + 1);
        let message = spoken[answered..]
            .iter()
            .map(|message| message.text.trim())
            .collect::<Vec<_>>()
            .join("\n");
        let past = spoken[..answered]
            .iter()
            .skip(answered.saturating_sub(MAX_MESSAGES))
            .map(|message| (message.author, clean(&message.text, MAX_PAST)))
            .collect();
        Self {
            message: clean(&message, MAX_MESSAGE),
            past,
        }
    }

    /// Whether the message only says for how many people, after one about a stay: it names no
    /// topic that it could be routed by.
    pub(super) fn completes_stay(&self) -> bool {
        let words = text::words(&self.message);
        let before = self
            .past
            .iter()
            .rev()
            .find(|(author, _)| *author == Author::Guest);
        crate::model::offline_persons(&words).is_some()
            && classify(&self.message).reasons.is_empty()
            && before.is_some_and(|(_, text)| classify(text).specialist == Specialist::Booking)
    }

    /// As a model reads it: the message last.
    pub(super) fn messages(&self) -> Vec<ChatMessage> {
        let mut messages: Vec<ChatMessage> = Vec::new();
        for (author, text) in &self.past {
            match (author, messages.last_mut()) {
                // Providers want turns to take turns.
                (Author::Guest, Some(ChatMessage::Guest { text: before })) => {
                    before.push('\n');
                    before.push_str(text);
                }
                (Author::Guest, _) => messages.push(ChatMessage::Guest { text: text.clone() }),
                (
                    _,
                    Some(ChatMessage::Assistant {
                        text: Some(before), ..
                    }),
                ) => {
                    before.push('\n');
                    before.push_str(text);
                }
                // An exchange begins with the guest.
                (_, None) => {}
                (_, Some(_)) => messages.push(ChatMessage::Assistant {
                    text: Some(text.clone()),
                    calls: Vec::new(),
                    native: None,
                }),
            }
        }
        messages.push(ChatMessage::Guest {
            text: self.message.clone(),
        });
        messages
    }

    /// As the search reads it.
    pub(super) fn turns(&self) -> Vec<Turn> {
        self.past
            .iter()
            .map(|(author, text)| Turn {
                speaker: match author {
                    Author::Guest => Speaker::Guest,
                    _ => Speaker::Hotel,
                },
                text: text.clone(),
            })
            .collect()
    }

    /// The last replies to the guest, the newest first.
    pub(super) fn replies(&self) -> impl Iterator<Item = &str> {
        self.past
            .iter()
            .rev()
            .filter(|(author, _)| *author != Author::Guest)
            .map(|(_, text)| text.as_str())
    }

    /// What the machine said since a person last spoke, the newest first.
    pub(super) fn machine_replies(&self) -> impl Iterator<Item = &str> {
        self.past
            .iter()
            .rev()
            .take_while(|(author, _)| *author != Author::Staff)
            .filter(|(author, _)| *author == Author::Concierge)
            .map(|(_, text)| text.as_str())
    }

    /// What the guest asked before, the newest first.
    pub(super) fn questions(&self) -> impl Iterator<Item = &str> {
        self.past
            .iter()
            .rev()
            .filter(|(author, _)| *author == Author::Guest)
            .map(|(_, text)| text.as_str())
    }
}

fn clean(text: &str, limit: usize) -> String {
    mask_cards_in_text(text).chars().take(limit).collect()
}
