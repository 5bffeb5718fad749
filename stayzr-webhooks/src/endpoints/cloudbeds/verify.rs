use chrono::{DateTime, Utc};
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    mac,
    request::{Plus, SignedRequest, decode, encode},
    secrets::Secrets,
    verifier::{Accepted, Reason, Rejection, Verified, Verifier},
};

const STATUSES: &[(Reason, StatusCode)] = &[(Reason::BadToken, StatusCode::UNAUTHORIZED)];

/// A webhook of Cloudbeds: no signature is documented, so the URL that is subscribed ends in a
/// secret that nobody can guess.
///
/// Only the last segment of the path is looked at, never the query, which proxies and vendors like
/// to log. Anybody who learns the URL can post, so events are hints: what they name is fetched from
/// the vendor before anything changes.
///
/// ```
/// use http::{HeaderMap, Method};
/// use secrecy::SecretString;
/// use stayzr_webhooks::{Secrets, SignedRequest, Verifier, endpoints::cloudbeds::SecretPath};
///
/// let secrets = [SecretString::from("9f0c1d7e55aa")];
/// let target = SecretPath::sign(&secrets[0], "/webhooks/pms/cloudbeds/1");
/// assert_eq!(target, "/webhooks/pms/cloudbeds/1/9f0c1d7e55aa");
/// let headers = HeaderMap::new();
/// let request =
///     SignedRequest { method: &Method::POST, target: &target, headers: &headers, body: b"{}" };
/// assert!(SecretPath.verify(&request, Secrets::new(&secrets)?, chrono::Utc::now()).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SecretPath;

impl SecretPath {
    /// The target with the secret added, as it is subscribed at Cloudbeds.
    pub fn sign(secret: &SecretString, target: &str) -> String {
        format!(
            "{}/{}",
            target.trim_end_matches('/'),
            encode(secret.expose_secret())
        )
    }
}

impl Verifier for SecretPath {
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        _now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection> {
        let segment = request.path().rsplit('/').next().unwrap_or_default();
        let given = decode(segment, Plus::Literal);
        let secret_index = secrets
            .matching(|secret| mac::tokens_equal(&given, secret.as_bytes()))
            .ok_or_else(|| Rejection::by_table(STATUSES, Reason::BadToken))?;
        Ok(Accepted::Delivery(Verified {
            secret_index,
            dedupe_id: None,
        }))
    }
}
