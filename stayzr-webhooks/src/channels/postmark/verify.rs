use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use http::{StatusCode, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    mac,
    request::SignedRequest,
    secrets::Secrets,
    verifier::{Accepted, Reason, Rejection, Verified, Verifier},
};

/// Never 403, on which Postmark stops trying again.
const STATUSES: &[(Reason, StatusCode)] = &[
    (Reason::MissingCredentials, StatusCode::UNAUTHORIZED),
    (Reason::DuplicateHeader, StatusCode::BAD_REQUEST),
    (Reason::MalformedCredentials, StatusCode::BAD_REQUEST),
    (Reason::BadCredentials, StatusCode::UNAUTHORIZED),
];

/// A webhook of Postmark, which signs nothing: it sends what its webhook is configured with, user
/// and password as HTTP Basic or a header of one's own, here `X-Stayzr-Webhook-Token`.
///
/// A secret with a colon is `user:password`; the first colon parts them, so that a password may have
/// more. A secret without one is the header's value. What comes must be right: where both come,
/// both. A header that claims to be a signature is ignored, since Postmark has none.
///
/// ```
/// use http::{HeaderMap, Method, header::AUTHORIZATION};
/// use secrecy::SecretString;
/// use stayzr_webhooks::{Secrets, SignedRequest, Verifier, channels::postmark::PostmarkCredentials};
///
/// let secrets = [SecretString::from("postmark:pm-S3cr3t:with-colon")];
/// let mut headers = HeaderMap::new();
/// headers.insert(AUTHORIZATION, PostmarkCredentials::sign(&secrets[0]).parse()?);
/// let request =
///     SignedRequest { method: &Method::POST, target: "/postmark", headers: &headers, body: b"{}" };
/// assert!(PostmarkCredentials.verify(&request, Secrets::new(&secrets)?, chrono::Utc::now()).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct PostmarkCredentials;

impl PostmarkCredentials {
    /// The header that carries a token.
    pub const TOKEN_HEADER: &'static str = "x-stayzr-webhook-token";

    /// The value of the header that carries a secret: of `Authorization` for `user:password`, of
    /// [`Self::TOKEN_HEADER`] for a token.
    pub fn sign(secret: &SecretString) -> String {
        let secret = secret.expose_secret();
        match is_basic(secret) {
            true => format!("Basic {}", STANDARD.encode(secret)),
            false => secret.to_owned(),
        }
    }
}

fn is_basic(secret: &str) -> bool {
    secret.contains(':')
}

impl Verifier for PostmarkCredentials {
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        _now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection> {
        let refused = |reason| Rejection::by_table(STATUSES, reason);
        let basic = request.header(AUTHORIZATION.as_str(), STATUSES)?;
        let token = request.header(Self::TOKEN_HEADER, STATUSES)?;
        if basic.is_none() && token.is_none() {
            return Err(refused(Reason::MissingCredentials));
        }
        let mut secret_index = None;
        if let Some(value) = basic {
            let given = credentials(value)?;
            let found = secrets.matching(|secret| {
                mac::tokens_equal(&given, secret.as_bytes()) && is_basic(secret)
            });
            secret_index = Some(found.ok_or_else(|| refused(Reason::BadCredentials))?);
        }
        if let Some(given) = token {
            let found = secrets.matching(|secret| {
                mac::tokens_equal(given, secret.as_bytes()) && !is_basic(secret)
            });
            let found = found.ok_or_else(|| refused(Reason::BadCredentials))?;
            secret_index = secret_index.or(Some(found));
        }
        Ok(Accepted::Delivery(Verified {
            secret_index: secret_index.unwrap_or_default(),
            dedupe_id: None,
        }))
    }
}

/// `user:password` of a value of `Authorization`; the scheme's name is taken in any case.
fn credentials(value: &[u8]) -> Result<Vec<u8>, Rejection> {
    let (scheme, encoded) = match value.iter().position(|byte| *byte == b' ') {
        Some(space) => (&value[..space], value[space..].trim_ascii_start()),
        None => (value, &[][..]),
    };
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return Err(Rejection::by_table(STATUSES, Reason::BadCredentials));
    }
    STANDARD
        .decode(encoded)
        .map_err(|_| Rejection::by_table(STATUSES, Reason::MalformedCredentials))
}
