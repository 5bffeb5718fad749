use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::{request::SignedRequest, secrets::Secrets};

/// Decides whether a request came from who it claims to come from.
///
/// Pure: no I/O, no clock of its own, the same answer every time. Verification is over the bytes
/// as they came; parsing comes after.
pub trait Verifier: Send + Sync {
    /// Verifies a request against secrets of which any may match. `now` is the time that a signed
    /// timestamp is held against, in schemes that have one.
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection>;
}

/// What an authentic request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// A delivery to be stored.
    Delivery(Verified),
    /// A handshake: the text to answer with, as `text/plain`, to the byte.
    Challenge(String),
}

/// What is known of an authentic delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Which secret matched: 0 is the current one. A previous one that matches no more can be
    /// removed.
    pub secret_index: usize,
    /// The sender's id of the delivery, the same when it is sent again, where the scheme has one.
    pub dedupe_id: Option<String>,
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("request refused: {}", reason.as_str())]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// The status to answer with.
    pub status: StatusCode,
}

impl Rejection {
    /// The rejection for a reason by the table of a scheme; a reason that the table does not name
    /// is 401.
    pub(crate) fn by_table(table: &[(Reason, StatusCode)], reason: Reason) -> Self {
        let status = table
            .iter()
            .find(|(named, _)| *named == reason)
            .map_or(StatusCode::UNAUTHORIZED, |(_, status)| *status);
        Self { reason, status }
    }
}

/// Why a request was refused, in the words that logs, metrics and answers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A header that the scheme needs is missing.
    MissingHeader,
    /// Meta's signature header is missing.
    MissingSignature,
    /// A security header came more than once.
    DuplicateHeader,
    /// The signature does not have the scheme's form.
    MalformedSignature,
    /// The signature is not one of this body under any of the secrets.
    SignatureMismatch,
    /// The token in the URL is missing, repeated or not one of ours.
    BadToken,
    /// A handshake with a wrong mode or token.
    HandshakeRefused,
    /// Neither user and password nor a token came.
    MissingCredentials,
    /// The credentials do not have the scheme's form.
    MalformedCredentials,
    /// The credentials are not ours.
    BadCredentials,
    /// The id of the delivery or of the sender has characters that it may not have.
    MalformedId,
    /// The timestamp is not 1 to 15 digits.
    MalformedTimestamp,
    /// It was signed more than 300 seconds ago.
    TimestampTooOld,
    /// It was signed more than 300 seconds from now.
    TimestampTooNew,
    /// The nonce has another form or length than the scheme's.
    MalformedNonce,
    /// The nonce was used before.
    ReplayedNonce,
    /// Nobody here has a key under this id.
    UnknownKey,
    /// A secret of ours does not have the scheme's form: nothing can be verified until it is
    /// replaced. A fault on our side, so that the sender should try again.
    UnusableSecret,
}

impl Reason {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingHeader => "missing_header",
            Self::MissingSignature => "missing_signature",
            Self::DuplicateHeader => "duplicate_header",
            Self::MalformedSignature => "malformed_signature",
            Self::SignatureMismatch => "signature_mismatch",
            Self::BadToken => "bad_token",
            Self::HandshakeRefused => "handshake_refused",
            Self::MissingCredentials => "missing_credentials",
            Self::MalformedCredentials => "malformed_credentials",
            Self::BadCredentials => "bad_credentials",
            Self::MalformedId => "malformed_id",
            Self::MalformedTimestamp => "malformed_timestamp",
            Self::TimestampTooOld => "timestamp_too_old",
            Self::TimestampTooNew => "timestamp_too_new",
            Self::MalformedNonce => "malformed_nonce",
            Self::ReplayedNonce => "replayed_nonce",
            Self::UnknownKey => "unknown_key",
            Self::UnusableSecret => "unusable_secret",
        }
    }
}
