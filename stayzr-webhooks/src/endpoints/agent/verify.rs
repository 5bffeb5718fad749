use chrono::{DateTime, Utc};
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    fields, mac,
    request::SignedRequest,
    secrets::{SecretError, Secrets, key, matching_key},
    verifier::{Accepted, Reason, Rejection, Verified, Verifier},
};

const STATUSES: &[(Reason, StatusCode)] = &[
    (Reason::MissingHeader, StatusCode::UNAUTHORIZED),
    (Reason::DuplicateHeader, StatusCode::BAD_REQUEST),
    (Reason::MalformedId, StatusCode::BAD_REQUEST),
    (Reason::MalformedTimestamp, StatusCode::BAD_REQUEST),
    (Reason::MalformedNonce, StatusCode::BAD_REQUEST),
    (Reason::TimestampTooOld, StatusCode::UNAUTHORIZED),
    (Reason::TimestampTooNew, StatusCode::UNAUTHORIZED),
    (Reason::UnknownKey, StatusCode::UNAUTHORIZED),
    (Reason::SignatureMismatch, StatusCode::UNAUTHORIZED),
    (Reason::ReplayedNonce, StatusCode::CONFLICT),
    (Reason::UnusableSecret, StatusCode::SERVICE_UNAVAILABLE),
];

const PREFIX: &str = "agsec_";

/// A key that nobody has, so that an unknown agent is refused after the same work as a known one.
const NOBODY: [u8; 32] = [0; 32];

/// A request of an agent, signed as `STAYZR-AGENT-V1`: HMAC-SHA256 over agent, time, nonce, method,
/// target and the body's SHA-256, each on a line of its own.
///
/// The target is signed as it stands on the request line: a proxy must not rewrite it. Keys are
/// `agsec_` and base64 of 32 bytes. Whose key to verify with says [`AgentSignature::claimed`]; an
/// agent without one is refused by [`AgentSignature::unknown`]. [`Verified::dedupe_id`] is agent and
/// nonce: whoever has seen it within 900 seconds refuses by [`AgentSignature::replayed`].
///
/// ```
/// use http::{HeaderMap, Method};
/// use secrecy::SecretString;
/// use stayzr_webhooks::{
///     Secrets, SignedRequest, Verifier,
///     endpoints::agent::{AgentRequest, AgentSignature},
/// };
///
/// let keys = [SecretString::from("agsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=")];
/// let now = chrono::Utc::now();
/// let mut headers = HeaderMap::new();
/// let signed = AgentRequest {
///     agent_id: "agt_frontdesk_01",
///     timestamp: now.timestamp(),
///     nonce: "n0nce-0123456789abcdef",
///     method: &Method::POST,
///     target: "/agent/v1/tools/property_facts",
///     body: b"{}",
/// };
/// for (name, value) in AgentSignature::sign(&keys[0], &signed)? {
///     headers.insert(name, value.parse()?);
/// }
/// let request = SignedRequest {
///     method: signed.method,
///     target: signed.target,
///     headers: &headers,
///     body: signed.body,
/// };
/// assert_eq!(AgentSignature::claimed(&request)?, "agt_frontdesk_01");
/// assert!(AgentSignature.verify(&request, Secrets::new(&keys)?, now).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct AgentSignature;

/// What an agent signs.
#[derive(Debug, Clone, Copy)]
pub struct AgentRequest<'a> {
    /// The agent's id: 1 to 256 letters, digits, `_` or `-`.
    pub agent_id: &'a str,
    /// The time, in seconds since 1970.
    pub timestamp: i64,
    /// 16 to 64 letters, digits, `_` or `-`, never used before.
    pub nonce: &'a str,
    /// The method.
    pub method: &'a http::Method,
    /// Path and query as on the request line.
    pub target: &'a str,
    /// The raw body.
    pub body: &'a [u8],
}

/// The checked parts of a request's headers.
struct Claim<'a> {
    agent_id: &'a [u8],
    timestamp: &'a [u8],
    nonce: &'a [u8],
    signatures: &'a [u8],
}

impl AgentSignature {
    /// The header of the agent's id.
    pub const ID_HEADER: &'static str = "x-agent-id";
    /// The header of the time.
    pub const TIMESTAMP_HEADER: &'static str = "x-agent-timestamp";
    /// The header of the nonce.
    pub const NONCE_HEADER: &'static str = "x-agent-nonce";
    /// The header of the signatures: `v1=<64 hexadecimal digits>`, with a comma between several.
    pub const HEADER: &'static str = "x-agent-signature";

    /// The headers for a request, as names and values.
    pub fn sign(
        secret: &SecretString,
        request: &AgentRequest<'_>,
    ) -> Result<[(&'static str, String); 4], SecretError> {
        let key =
            key(secret.expose_secret(), PREFIX).ok_or(SecretError::Undecodable { index: 0 })?;
        let timestamp = request.timestamp.to_string();
        let claim = Claim {
            agent_id: request.agent_id.as_bytes(),
            timestamp: timestamp.as_bytes(),
            nonce: request.nonce.as_bytes(),
            signatures: b"",
        };
        let method = request.method.as_str();
        let text = claim.text(method, request.target, request.body);
        let mac = mac::hmac_sha256(&key, &[&text]);
        Ok([
            (Self::ID_HEADER, request.agent_id.to_owned()),
            (Self::TIMESTAMP_HEADER, timestamp),
            (Self::NONCE_HEADER, request.nonce.to_owned()),
            (Self::HEADER, format!("v1={}", mac::hex(&mac))),
        ])
    }

    /// Who the request claims to come from: whose keys it is to be verified with.
    pub fn claimed<'a>(request: &SignedRequest<'a>) -> Result<&'a str, Rejection> {
        Claim::read(request).map(|claim| fields::ascii(claim.agent_id))
    }

    /// The refusal of a request whose agent has no key here, after the work that a known one's would
    /// have cost.
    pub fn unknown(request: &SignedRequest<'_>, now: DateTime<Utc>) -> Rejection {
        match check(request, &[NOBODY.to_vec()], now) {
            Err(refused) if refused.reason != Reason::SignatureMismatch => refused,
            _ => Rejection::by_table(STATUSES, Reason::UnknownKey),
        }
    }

    /// The refusal of a request whose nonce was used before: 409.
    pub fn replayed() -> Rejection {
        Rejection::by_table(STATUSES, Reason::ReplayedNonce)
    }
}

impl Verifier for AgentSignature {
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection> {
        let keys = secrets
            .keys(PREFIX)
            .map_err(|_| Rejection::by_table(STATUSES, Reason::UnusableSecret))?;
        check(request, &keys, now).map(Accepted::Delivery)
    }
}

fn check(
    request: &SignedRequest<'_>,
    keys: &[Vec<u8>],
    now: DateTime<Utc>,
) -> Result<Verified, Rejection> {
    let refused = |reason| Rejection::by_table(STATUSES, reason);
    let claim = Claim::read(request)?;
    let seconds =
        fields::timestamp(claim.timestamp).ok_or_else(|| refused(Reason::MalformedTimestamp))?;
    fields::in_window(seconds, now, STATUSES)?;
    let text = claim.text(request.method.as_str(), request.target, request.body);
    let given: Vec<[u8; 32]> = claim
        .signatures
        .split(|byte| *byte == b',')
        .filter_map(|token| token.strip_prefix(b"v1="))
        .filter_map(mac::unhex_32)
        .collect();
    let secret_index = matching_key(keys, |key| {
        let expected = mac::hmac_sha256(key, &[&text]);
        given.iter().any(|given| mac::macs_equal(&expected, given))
    })
    .ok_or_else(|| refused(Reason::SignatureMismatch))?;
    let (agent_id, nonce) = (fields::ascii(claim.agent_id), fields::ascii(claim.nonce));
    Ok(Verified {
        secret_index,
        dedupe_id: Some(format!("{agent_id}:{nonce}")),
    })
}

impl<'a> Claim<'a> {
    fn read(request: &SignedRequest<'a>) -> Result<Self, Rejection> {
        let refused = |reason| Err(Rejection::by_table(STATUSES, reason));
        let header = |name| request.required(name, STATUSES, Reason::MissingHeader);
        let claim = Self {
            agent_id: header(AgentSignature::ID_HEADER)?,
            timestamp: header(AgentSignature::TIMESTAMP_HEADER)?,
            nonce: header(AgentSignature::NONCE_HEADER)?,
            signatures: header(AgentSignature::HEADER)?,
        };
        if !fields::is_id(claim.agent_id) {
            return refused(Reason::MalformedId);
        }
        if fields::timestamp(claim.timestamp).is_none() {
            return refused(Reason::MalformedTimestamp);
        }
        if !(16..=64).contains(&claim.nonce.len()) || !fields::is_word(claim.nonce) {
            return refused(Reason::MalformedNonce);
        }
        Ok(claim)
    }

    /// What is signed: seven lines without an end of line after the last.
    fn text(&self, method: &str, target: &str, body: &[u8]) -> Vec<u8> {
        let digest = mac::hex(&Sha256::digest(body));
        [
            b"STAYZR-AGENT-V1",
            self.agent_id,
            self.timestamp,
            self.nonce,
            method.to_ascii_uppercase().as_bytes(),
            target.as_bytes(),
            digest.as_bytes(),
        ]
        .join(&b'\n')
    }
}
