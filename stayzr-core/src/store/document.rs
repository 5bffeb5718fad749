//! What the adapters say of an organization's documents for providers.

use crate::Error;

/// Somebody else replaced a document since it was read.
pub(crate) fn changed_document(operation: &'static str, provider: &str) -> Error {
    Error::conflict(
        operation,
        "the document has another version by now: read it again and decide again",
    )
    .with("provider", provider)
}
