use chrono::{DateTime, Utc};
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    fields, mac,
    request::SignedRequest,
    secrets::Secrets,
    verifier::{Accepted, Reason, Rejection, Verified, Verifier},
};

const STATUSES: &[(Reason, StatusCode)] = &[
    (Reason::MissingHeader, StatusCode::UNAUTHORIZED),
    (Reason::DuplicateHeader, StatusCode::BAD_REQUEST),
    (Reason::MalformedSignature, StatusCode::BAD_REQUEST),
    (Reason::MalformedId, StatusCode::BAD_REQUEST),
    (Reason::SignatureMismatch, StatusCode::UNAUTHORIZED),
];

/// A webhook of Razorpay: `X-Razorpay-Signature`, 64 hexadecimal digits of HMAC-SHA256 over the raw
/// body under the webhook's secret as text.
///
/// The scheme has no timestamp. The id of the delivery is `x-razorpay-event-id`, which is not
/// signed. Razorpay signs what it sends again with the secret of its first time, so that a replaced
/// secret must verify for as long as it tries, 24 hours.
///
/// ```
/// use http::{HeaderMap, Method};
/// use secrecy::SecretString;
/// use stayzr_webhooks::{Secrets, SignedRequest, Verifier, endpoints::razorpay::RazorpaySignature};
///
/// let secrets = [SecretString::from("rzp-whsec-77")];
/// let body = br#"{"entity":"event","event":"payment.captured"}"#;
/// let mut headers = HeaderMap::new();
/// headers.insert(RazorpaySignature::HEADER, RazorpaySignature::sign(&secrets[0], body).parse()?);
/// let request =
///     SignedRequest { method: &Method::POST, target: "/razorpay", headers: &headers, body };
/// assert!(RazorpaySignature.verify(&request, Secrets::new(&secrets)?, chrono::Utc::now()).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct RazorpaySignature;

impl RazorpaySignature {
    /// The header that carries the signature.
    pub const HEADER: &'static str = "x-razorpay-signature";

    /// The header that carries the event's id.
    pub const ID_HEADER: &'static str = "x-razorpay-event-id";

    /// The signature header's value for a body.
    pub fn sign(secret: &SecretString, body: &[u8]) -> String {
        mac::hex(&mac::hmac_sha256(
            secret.expose_secret().as_bytes(),
            &[body],
        ))
    }
}

impl Verifier for RazorpaySignature {
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        secrets: Secrets<'_>,
        _now: DateTime<Utc>,
    ) -> Result<Accepted, Rejection> {
        let refused = |reason| Rejection::by_table(STATUSES, reason);
        let value = request.required(Self::HEADER, STATUSES, Reason::MissingHeader)?;
        let id = request.header(Self::ID_HEADER, STATUSES)?;
        let given = mac::unhex_32(value).ok_or_else(|| refused(Reason::MalformedSignature))?;
        if id.is_some_and(|id| !fields::is_id(id)) {
            return Err(refused(Reason::MalformedId));
        }
        let secret_index = secrets
            .matching(|secret| {
                let expected = mac::hmac_sha256(secret.as_bytes(), &[request.body]);
                mac::macs_equal(&expected, &given)
            })
            .ok_or_else(|| refused(Reason::SignatureMismatch))?;
        Ok(Accepted::Delivery(Verified {
            secret_index,
            dedupe_id: id.map(|id| fields::ascii(id).to_owned()),
        }))
    }
}
