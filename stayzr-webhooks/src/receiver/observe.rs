use std::time::Duration;

use http::StatusCode;
use stayzr_core::port::inbox::EndpointKey;

/// What was decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Authentic, and taken.
    Accept,
    /// Refused.
    Reject,
    /// Not decided or not stored, by a fault on our side; the sender will try again.
    Error,
}

impl Verdict {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Error => "error",
        }
    }
}

/// One request, as far as it may be told: neither target nor body nor secrets.
#[derive(Debug, Clone)]
pub struct Observation<'a> {
    /// The endpoint that the request was for, as the path named it; none if it named none.
    pub endpoint: Option<&'a EndpointKey>,
    /// [`EndpointKey::source`]; `unknown` unless the endpoint exists, so that
    /// strangers cannot make up labels.
    pub provider: &'a str,
    /// What was decided.
    pub verdict: Verdict,
    /// Why: `ok`, `challenge`, `duplicate`, or the reason of a refusal.
    pub reason: &'static str,
    /// The status answered with.
    pub status: StatusCode,
    /// Which secret matched.
    pub secret_index: Option<usize>,
    /// The size of the body in bytes, as far as it was read.
    pub body_bytes: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// Learns what was decided about each request, such as to count it. Called before the answer
/// leaves: it should be quick.
pub trait ReceiverObserver: Send + Sync {
    /// A request was decided.
    fn observe(&self, observation: &Observation<'_>);
}

impl<F> ReceiverObserver for F
where
    F: Fn(&Observation<'_>) + Send + Sync,
{
    fn observe(&self, observation: &Observation<'_>) {
        self(observation);
    }
}
