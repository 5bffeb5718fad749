use std::borrow::Cow;

use chrono::{DateTime, Utc};
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    fields, mac,
    request::SignedRequest,
    secrets::Secrets,
    verifier::{Accepted, Reason, Rejection, Verified, Verifier},
};

/// Stripe expects 400 for whatever does not verify.
const STATUSES: &[(Reason, StatusCode)] = &[
    (Reason::MissingHeader, StatusCode::BAD_REQUEST),
    (Reason::DuplicateHeader, StatusCode::BAD_REQUEST),
    (Reason::MalformedSignature, StatusCode::BAD_REQUEST),
    (Reason::MalformedTimestamp, StatusCode::BAD_REQUEST),
    (Reason::TimestampTooOld, StatusCode::BAD_REQUEST),
    (Reason::TimestampTooNew, StatusCode::BAD_REQUEST),
    (Reason::SignatureMismatch, StatusCode::BAD_REQUEST),
];

/// A webhook of Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 over
/// `t.body` under the whole `whsec_…` as text, which is not decoded as that of Standard Webhooks is.
///
/// `v0` and other versions are ignored. The event's own `id` is the id of the delivery.
///
/// ```
/// use http::{HeaderMap, Method};
/// use secrecy::SecretString;
/// use stayzr_webhooks::{Secrets, SignedRequest, Verifier, endpoints::stripe::StripeSignature};
///
/// let secrets = [SecretString::from("whsec_test")];
/// let now = chrono::Utc::now();
/// let body = br#"{"id":"evt_1","type":"checkout.session.completed"}"#;
/// let mut headers = HeaderMap::new();
/// let signature = StripeSignature::sign(&secrets[0], now.timestamp(), body);
/// headers.insert(StripeSignature::HEADER, signature.parse()?);
/// let request =
///     SignedRequest { method: &Method::POST, target: "/stripe", headers: &headers, body };
/// assert!(StripeSignature.verify(&request, Secrets::new(&secrets)?, now).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct StripeSignature;

impl StripeSignature {
    /// The header that carries time and signatures.
    pub const HEADER: &'static str = "stripe-signature";

    /// The header's value for a body; `timestamp` in seconds since 1970.
    pub fn sign(secret: &SecretString, timestamp: i64, body: &[u8]) -> String {
        let time = timestamp.to_string();
        let mac = signed(secret.expose_secret(), time.as_bytes(), body);
        format!("t={time},v1={}", mac::hex(&mac))
    }
}

fn signed(secret: &str, timestamp: &[u8], body: &[u8]) -> [u8; 32] {
    mac::hmac_sha256(secret.as_bytes(), &[timestamp, b".", body])
}

impl Verifier for StripeSignature {
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection> {
        let refused = |reason| Rejection::by_table(STATUSES, reason);
        let value = request.required(Self::HEADER, STATUSES, Reason::MissingHeader)?;
        let items = || value.split(|byte| *byte == b',');
        let mut times = items().filter_map(|item| item.strip_prefix(b"t="));
        let time = match (times.next(), times.next()) {
            (Some(time), None) => time,
            _ => return Err(refused(Reason::MalformedSignature)),
        };
        let seconds = fields::timestamp(time).ok_or_else(|| refused(Reason::MalformedTimestamp))?;
        fields::in_window(seconds, now, STATUSES)?;
        let given: Vec<[u8; 32]> = items()
            .filter_map(|item| item.strip_prefix(b"v1="))
            .filter_map(mac::unhex_32)
            .collect();
        let secret_index = secrets
            .matching(|secret| {
                let expected = signed(secret, time, request.body);
                given.iter().any(|given| mac::macs_equal(&expected, given))
            })
            .ok_or_else(|| refused(Reason::SignatureMismatch))?;
        Ok(Accepted::Delivery(Verified {
            secret_index,
            dedupe_id: event_id(request.body),
        }))
    }
}

/// The id of a verified event. A body without a usable one is stored each time it comes.
fn event_id(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    let event: Event<'_> = serde_json::from_slice(body).ok()?;
    fields::is_id(event.id.as_bytes()).then(|| event.id.into_owned())
}
