use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    mac,
    request::{Plus, SignedRequest, decode, encode},
    secrets::Secrets,
    verifier::{Accepted, Reason, Rejection, Verified, Verifier},
};

const STATUSES: &[(Reason, StatusCode)] = &[
    (Reason::BadToken, StatusCode::UNAUTHORIZED),
    (Reason::MissingHeader, StatusCode::UNAUTHORIZED),
    (Reason::DuplicateHeader, StatusCode::BAD_REQUEST),
    (Reason::SignatureMismatch, StatusCode::UNAUTHORIZED),
];

/// A general webhook of Mews: no signature exists, only a token in the URL that was agreed on: the
/// query parameter `token` or, without it, the last segment of the path.
///
/// The token travels in the target: strip targets from logs and traces. Anybody who learns the URL
/// can post, so events are hints: what they name is fetched from the vendor before anything changes.
///
/// ```
/// use http::{HeaderMap, Method};
/// use secrecy::SecretString;
/// use stayzr_webhooks::{Secrets, SignedRequest, Verifier, endpoints::mews::MewsUrlToken};
///
/// let tokens = [SecretString::from("mews-9f0c1d7e")];
/// for target in ["/webhooks/mews?token=mews-9f0c1d7e", "/webhooks/mews/mews-9f0c1d7e"] {
///     let headers = HeaderMap::new();
///     let request = SignedRequest { method: &Method::POST, target, headers: &headers, body: b"{}" };
///     assert!(MewsUrlToken.verify(&request, Secrets::new(&tokens)?, chrono::Utc::now()).is_ok());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct MewsUrlToken;

impl MewsUrlToken {
    /// The query parameter that carries the token.
    pub const PARAMETER: &'static str = "token";

    /// The target with the token added, as it is registered with Mews.
    pub fn sign(token: &SecretString, target: &str) -> String {
        let separator = if target.contains('?') { '&' } else { '?' };
        let token = encode(token.expose_secret());
        format!("{target}{separator}{}={token}", Self::PARAMETER)
    }
}

impl Verifier for MewsUrlToken {
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        _now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection> {
        let refused = Rejection::by_table(STATUSES, Reason::BadToken);
        let mut values = request.query(Self::PARAMETER, Plus::Literal);
        let given = match (values.next(), values.next()) {
            (Some(token), None) => token,
            (Some(_), Some(_)) => return Err(refused),
            (None, _) => {
                let segment = request.path().rsplit('/').next().unwrap_or_default();
                decode(segment, Plus::Literal)
            }
        };
        let secret_index = secrets
            .matching(|secret| mac::tokens_equal(&given, secret.as_bytes()))
            .ok_or(refused)?;
        Ok(Accepted::Delivery(Verified {
            secret_index,
            dedupe_id: None,
        }))
    }
}

/// `X-Signature`: base64 of the HMAC-SHA256 of the raw body under the secret as text.
///
/// The Mews POS API signs so, and a relay that signs for an integration does the same. A value
/// that is not strict base64 of 32 bytes is a signature that does not match.
#[derive(Debug, Clone, Copy, Default)]
pub struct MewsSignature;

impl MewsSignature {
    /// The header that carries the signature.
    pub const HEADER: &'static str = "x-signature";

    /// The header's value for a body.
    pub fn sign(secret: &SecretString, body: &[u8]) -> String {
        STANDARD.encode(mac::hmac_sha256(secret.expose_secret().as_bytes(), &[body]))
    }
}

impl Verifier for MewsSignature {
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        _now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection> {
        let refused = |reason| Rejection::by_table(STATUSES, reason);
        let value = request.required(Self::HEADER, STATUSES, Reason::MissingHeader)?;
        let given: [u8; 32] = STANDARD
            .decode(value)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| refused(Reason::SignatureMismatch))?;
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
