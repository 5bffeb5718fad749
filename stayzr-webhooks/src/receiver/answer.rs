use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::Full;

use super::observe::Verdict;
use crate::verifier::Rejection;

/// Seconds that a sender should wait when a delivery could not be stored.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Reasons to refuse a request that no scheme knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    MethodNotAllowed {
        /// The methods that are.
        allow: &'static str,
    },
    BodyTooLarge,
    BodyTimeout,
    BodyIncomplete,
    UnknownEndpoint,
    /// The endpoint has no usable secret.
    Misconfigured,
    StoreUnavailable,
    /// There is no place for another request.
    Overloaded,
}

impl Refusal {
    const fn table(self) -> (&'static str, StatusCode, Verdict) {
        match self {
            Self::MethodNotAllowed { .. } => (
                "method_not_allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                Verdict::Reject,
            ),
            Self::BodyTooLarge => (
                "body_too_large",
                StatusCode::PAYLOAD_TOO_LARGE,
                Verdict::Reject,
            ),
            Self::BodyTimeout => ("body_timeout", StatusCode::REQUEST_TIMEOUT, Verdict::Reject),
            Self::BodyIncomplete => ("body_incomplete", StatusCode::BAD_REQUEST, Verdict::Reject),
            Self::UnknownEndpoint => ("unknown_endpoint", StatusCode::NOT_FOUND, Verdict::Reject),
            Self::Misconfigured => (
                "endpoint_misconfigured",
                StatusCode::SERVICE_UNAVAILABLE,
                Verdict::Error,
            ),
            Self::StoreUnavailable => (
                "store_unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                Verdict::Error,
            ),
            Self::Overloaded => (
                "overloaded",
                StatusCode::SERVICE_UNAVAILABLE,
                Verdict::Error,
            ),
        }
    }
}

/// What a request is answered with, and why.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    pub(super) reason: &'static str,
    pub(super) status: StatusCode,
    pub(super) secret_index: Option<usize>,
    pub(super) body_bytes: usize,
    /// Whether the endpoint is known to exist.
    pub(super) endpoint_exists: bool,
    allow: Option<&'static str>,
    challenge: Option<String>,
}

impl Answer {
    pub(super) fn taken(reason: &'static str, secret_index: usize, body_bytes: usize) -> Self {
        Self {
            verdict: Verdict::Accept,
            reason,
            status: StatusCode::OK,
            secret_index: Some(secret_index),
            body_bytes,
            endpoint_exists: true,
            allow: None,
            challenge: None,
        }
    }

    pub(super) fn challenge(text: String) -> Self {
        Self {
            challenge: Some(text),
            secret_index: None,
            ..Self::taken("challenge", 0, 0)
        }
    }

    pub(super) fn rejected(rejection: Rejection, body_bytes: usize) -> Self {
        // A secret of ours that cannot be used is no fault of the sender, who should try again.
        let verdict = match rejection.status.is_server_error() {
            true => Verdict::Error,
            false => Verdict::Reject,
        };
        Self {
            verdict,
            reason: rejection.reason.as_str(),
            status: rejection.status,
            secret_index: None,
            body_bytes,
            endpoint_exists: true,
            allow: None,
            challenge: None,
        }
    }

    pub(super) fn refused(refusal: Refusal, body_bytes: usize) -> Self {
        let (reason, status, verdict) = refusal.table();
        Self {
            verdict,
            reason,
            status,
            secret_index: None,
            body_bytes,
            endpoint_exists: false,
            allow: match refusal {
                Refusal::MethodNotAllowed { allow } => Some(allow),
                _ => None,
            },
            challenge: None,
        }
    }

    /// The same answer, of an endpoint that is known to exist.
    pub(super) fn at_known_endpoint(self) -> Self {
        Self {
            endpoint_exists: true,
            ..self
        }
    }

    /// The response: nothing for a delivery that was taken, the challenge as it is, or a problem
    /// by RFC 9457 that names the reason and nothing of the request.
    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let (content_type, body) = match (self.verdict, self.challenge) {
            (Verdict::Accept, None) => (None, String::new()),
            (Verdict::Accept, Some(challenge)) => (Some("text/plain; charset=utf-8"), challenge),
            (Verdict::Reject | Verdict::Error, _) => {
                let problem = serde_json::json!({
                    "type": "about:blank",
                    "title": self.status.canonical_reason().unwrap_or("Refused"),
                    "status": self.status.as_u16(),
                    "code": self.reason,
                });
                (Some("application/problem+json"), problem.to_string())
            }
        };
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}
