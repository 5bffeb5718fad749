//! What the SQL adapters share of the inbox.

use crate::{Error, Result, port::inbox::Acceptance};

/// The answers to deliveries whose common commit failed: each may be tried again.
pub(super) fn all_failed(error: Error, count: usize) -> Vec<Result<Acceptance>> {
    let (kind, operation) = (error.kind(), error.operation().to_owned());
    let others = (1..count).map(|_| {
        let message = "the commit that it shared with others failed";
        Err(Error::new(kind, operation.clone(), message))
    });
    let others: Vec<_> = others.collect();
    std::iter::once(Err(error)).chain(others).collect()
}
