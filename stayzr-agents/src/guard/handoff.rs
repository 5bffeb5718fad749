use stayzr_core::model::LanguageTag;

use crate::{model::phrases, text};

/// The line that says a person takes over, in the guest's language or in English.
pub fn handoff_line(language: &LanguageTag) -> &'static str {
    phrases::phrases(language.language()).handoff
}

/// Whether a message is such a line, in any language.
pub fn is_handoff_line(message: &str) -> bool {
    let message = text::fold(message.trim());
    phrases::all()
        .iter()
        .any(|phrases| text::fold(phrases.handoff) == message)
}
