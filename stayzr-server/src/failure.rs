//! Why a command or the server's start ended: a stable code and a sentence that says what to do.

use std::borrow::Cow;

use stayzr_core::Error;

/// A command that cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// A stable name in snake case: `port_in_use`, `data_dir_not_writable`, `unknown_key`, …
    pub code: Cow<'static, str>,
    /// What happened, and what to do about it.
    pub message: String,
}

impl Failure {
    /// A failure with this code and sentence.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed(code),
            message: message.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = cause.source();
        }
        Self {
            code: Cow::Borrowed(error.kind().as_str()),
            message,
        }
    }
}
