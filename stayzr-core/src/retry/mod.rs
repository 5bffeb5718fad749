//! When to try a call again at once: the short retries of an HTTP client, before a job gives up
//! its attempt and leaves the rest to the queue's own backoff.

mod after;
mod policy;

pub use after::parse_retry_after;
pub use policy::RetryPolicy;
