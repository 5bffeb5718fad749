use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

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
    (Reason::TimestampTooOld, StatusCode::UNAUTHORIZED),
    (Reason::TimestampTooNew, StatusCode::UNAUTHORIZED),
    (Reason::SignatureMismatch, StatusCode::UNAUTHORIZED),
    (Reason::UnusableSecret, StatusCode::SERVICE_UNAVAILABLE),
];

const PREFIX: &str = "whsec_";

/// Standard Webhooks 1.0.0, as Resend and everybody on Svix sends them: HMAC-SHA256 over
/// `id.timestamp.body` under the bytes that the secret encodes.
///
/// The headers are `svix-id`, `svix-timestamp` and `svix-signature`, or the same with `webhook-`;
/// the two are never mixed. The signature header is a list of `v1,<base64>` parted by spaces, one
/// for each key of a sender that rotates; other versions are ignored, never tried as `v1`. The id
/// stays the same when a delivery is sent again.
///
/// ```
/// use http::{HeaderMap, Method};
/// use secrecy::SecretString;
/// use stayzr_webhooks::{Secrets, SignedRequest, Verifier, channels::resend::StandardWebhooks};
///
/// let secrets = [SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
/// let now = chrono::Utc::now();
/// let seconds = now.timestamp();
/// let body = br#"{"type":"email.delivered"}"#;
/// let mut headers = HeaderMap::new();
/// headers.insert("svix-id", "msg_1".parse()?);
/// headers.insert("svix-timestamp", seconds.into());
/// let signature = StandardWebhooks::sign(&secrets[0], "msg_1", seconds, body)?;
/// headers.insert("svix-signature", signature.parse()?);
/// let request =
///     SignedRequest { method: &Method::POST, target: "/resend", headers: &headers, body };
/// assert!(StandardWebhooks.verify(&request, Secrets::new(&secrets)?, now).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardWebhooks;

impl StandardWebhooks {
    /// The headers of id, timestamp and signature; a complete triple of the first kind wins.
    pub const HEADERS: [[&'static str; 3]; 2] = [
        ["svix-id", "svix-timestamp", "svix-signature"],
        ["webhook-id", "webhook-timestamp", "webhook-signature"],
    ];

    /// The signature header's value for a delivery; `timestamp` in seconds since 1970.
    pub fn sign(
        secret: &SecretString,
        id: &str,
        timestamp: i64,
        body: &[u8],
    ) -> Result<String, SecretError> {
        let key =
            key(secret.expose_secret(), PREFIX).ok_or(SecretError::Undecodable { index: 0 })?;
        let timestamp = timestamp.to_string();
        let mac = signed(&key, id.as_bytes(), timestamp.as_bytes(), body);
        Ok(format!("v1,{}", STANDARD.encode(mac)))
    }

    /// Whether secrets can be used: `whsec_` and base64, or the base64 alone.
    pub fn check(secrets: Secrets<'_>) -> Result<(), SecretError> {
        secrets.keys(PREFIX).map(drop)
    }
}

fn signed(key: &[u8], id: &[u8], timestamp: &[u8], body: &[u8]) -> [u8; 32] {
    mac::hmac_sha256(key, &[id, b".", timestamp, b".", body])
}

impl Verifier for StandardWebhooks {
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection> {
        let refused = |reason| Rejection::by_table(STATUSES, reason);
        let [id, timestamp, signatures] = triple(request)?;
        if !fields::is_id(id) {
            return Err(refused(Reason::MalformedId));
        }
        let seconds =
            fields::timestamp(timestamp).ok_or_else(|| refused(Reason::MalformedTimestamp))?;
        fields::in_window(seconds, now, STATUSES)?;
        let keys = secrets
            .keys(PREFIX)
            .map_err(|_| refused(Reason::UnusableSecret))?;
        let given: Vec<[u8; 32]> = signatures
            .split(|byte| *byte == b' ')
            .filter_map(|token| token.strip_prefix(b"v1,"))
            .filter_map(|encoded| STANDARD.decode(encoded).ok()?.try_into().ok())
            .collect();
        let secret_index = matching_key(&keys, |key| {
            let expected = signed(key, id, timestamp, request.body);
            given.iter().any(|given| mac::macs_equal(&expected, given))
        })
        .ok_or_else(|| refused(Reason::SignatureMismatch))?;
        Ok(Accepted::Delivery(Verified {
            secret_index,
            dedupe_id: Some(fields::ascii(id).to_owned()),
        }))
    }
}

/// Id, timestamp and signatures of the first triple that is complete.
fn triple<'a>(request: &SignedRequest<'a>) -> Result<[&'a [u8]; 3], Rejection> {
    let mut complete = None;
    for [id, timestamp, signatures] in StandardWebhooks::HEADERS {
        let header = |name| request.header(name, STATUSES);
        let found = (header(id)?, header(timestamp)?, header(signatures)?);
        if let (Some(id), Some(timestamp), Some(signatures)) = found {
            complete = complete.or(Some([id, timestamp, signatures]));
        }
    }
    complete.ok_or_else(|| Rejection::by_table(STATUSES, Reason::MissingHeader))
}
