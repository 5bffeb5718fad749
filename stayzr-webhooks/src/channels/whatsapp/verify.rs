use chrono::{DateTime, Utc};
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    mac,
    request::{Plus, SignedRequest, encode},
    secrets::Secrets,
    verifier::{Accepted, Reason, Rejection, Verified, Verifier},
};

const STATUSES: &[(Reason, StatusCode)] = &[
    (Reason::MissingSignature, StatusCode::UNAUTHORIZED),
    (Reason::DuplicateHeader, StatusCode::BAD_REQUEST),
    (Reason::MalformedSignature, StatusCode::BAD_REQUEST),
    (Reason::SignatureMismatch, StatusCode::UNAUTHORIZED),
    (Reason::HandshakeRefused, StatusCode::FORBIDDEN),
];

const PREFIX: &str = "sha256=";

/// A POST of Meta: `X-Hub-Signature-256: sha256=<64 hexadecimal digits>`, HMAC-SHA256 of the raw
/// body under the app secret as text.
///
/// The scheme has no timestamp and no id of the delivery: replays are met where events are stored.
/// The older `X-Hub-Signature` (SHA-1) is ignored. Meta signs the bytes on the wire, in which it
/// writes non-ASCII letters as `\u00e4`; a body that was parsed and written again fails.
///
/// ```
/// use http::{HeaderMap, Method};
/// use secrecy::SecretString;
/// use stayzr_webhooks::{Secrets, SignedRequest, Verifier, channels::whatsapp::MetaHub};
///
/// let secrets = [SecretString::from("the app secret")];
/// let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
/// let mut headers = HeaderMap::new();
/// headers.insert(MetaHub::HEADER, MetaHub::sign(&secrets[0], body).parse()?);
/// let request = SignedRequest {
///     method: &Method::POST,
///     target: "/webhooks/whatsapp",
///     headers: &headers,
///     body,
/// };
/// assert!(MetaHub.verify(&request, Secrets::new(&secrets)?, chrono::Utc::now()).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct MetaHub;

impl MetaHub {
    /// The header that carries the signature.
    pub const HEADER: &'static str = "x-hub-signature-256";

    /// The header's value for a body, as Meta would send it.
    pub fn sign(app_secret: &SecretString, body: &[u8]) -> String {
        let mac = mac::hmac_sha256(app_secret.expose_secret().as_bytes(), &[body]);
        format!("{PREFIX}{}", mac::hex(&mac))
    }
}

impl Verifier for MetaHub {
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        _now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection> {
        let refused = |reason| Rejection::by_table(STATUSES, reason);
        let value = request.required(Self::HEADER, STATUSES, Reason::MissingSignature)?;
        let given = value
            .strip_prefix(PREFIX.as_bytes())
            .and_then(mac::unhex_32)
            .ok_or_else(|| refused(Reason::MalformedSignature))?;
        let secret_index = secrets
            .matching(|secret| {
                let expected = mac::hmac_sha256(secret.as_bytes(), &[request.body]);
                mac::macs_equal(&expected, &given)
            })
            .ok_or_else(|| refused(Reason::SignatureMismatch))?;
        Ok(Accepted::Delivery(Verified {
            secret_index,
            dedupe_id: None,
        }))
    }
}

/// The GET with which Meta checks an endpoint: `hub.mode=subscribe`, the verify token, and a
/// challenge to be answered as it is. The request is unsigned; the secrets are verify tokens.
#[derive(Debug, Clone, Copy, Default)]
pub struct MetaHandshake;

impl MetaHandshake {
    /// The query with which Meta would ask.
    pub fn sign(verify_token: &SecretString, challenge: &str) -> String {
        format!(
            "hub.mode=subscribe&hub.challenge={}&hub.verify_token={}",
            encode(challenge),
            encode(verify_token.expose_secret()),
        )
    }
}

impl Verifier for MetaHandshake {
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        _now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection> {
        let refused = Rejection::by_table(STATUSES, Reason::HandshakeRefused);
        let single = |name| {
            let mut values = request.query(name, Plus::Space);
            match (values.next(), values.next()) {
                (Some(value), None) => Ok(value),
                _ => Err(refused),
            }
        };
        let mode = single("hub.mode")?;
        let token = single("hub.verify_token")?;
        let challenge = single("hub.challenge")?;
        let known = secrets.matching(|secret| mac::tokens_equal(&token, secret.as_bytes()));
        if *mode != *b"subscribe" || known.is_none() {
            return Err(refused);
        }
        String::from_utf8(challenge.into_owned())
            .map(Accepted::Challenge)
            .map_err(|_| refused)
    }
}
