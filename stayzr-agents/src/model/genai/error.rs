use std::time::Duration;

use serde_json::Value;
use stayzr_core::{Error, ErrorKind};

/// What the caller can do about a failure of the provider. Bodies are left out: they may hold what
/// a guest wrote, or a key.
pub(super) fn translate(operation: &'static str, error: &genai::Error) -> Error {
    if let Some(status) = error.status() {
        let code = status.as_u16();
        let kind = kind_of(code);
        let mut translated =
            Error::new(kind, operation, "the provider refused the call").with("status", code);
        if let Some(reason) = reason(error) {
            translated = translated.with("reason", reason);
        }
        if let Some(wait) = retry_after(error) {
            translated = translated.with_retry_after(wait);
        }
        return translated;
    }
    match web_error(error) {
        Some(genai::webc::Error::Reqwest(cause)) if cause.is_timeout() => Error::new(
            ErrorKind::Timeout,
            operation,
            "the provider did not answer in time",
        ),
        Some(genai::webc::Error::Reqwest(_)) => {
            Error::unavailable(operation, "the provider cannot be reached")
        }
        _ => Error::new(
            ErrorKind::Corrupt,
            operation,
            "the provider's answer cannot be read",
        ),
    }
}

/// The kind of a status.
pub(super) fn kind_of(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthorized,
        402 | 403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 | 500..=599 => ErrorKind::Unavailable,
        429 => ErrorKind::RateLimited,
        _ => ErrorKind::Invalid,
    }
}

fn web_error(error: &genai::Error) -> Option<&genai::webc::Error> {
    match error {
        genai::Error::WebModelCall { webc_error, .. }
        | genai::Error::WebAdapterCall { webc_error, .. } => Some(webc_error),
        _ => None,
    }
}

fn body(error: &genai::Error) -> Option<Value> {
    match web_error(error)? {
        genai::webc::Error::ResponseFailedStatus { body, .. } => serde_json::from_str(body).ok(),
        _ => None,
    }
}

/// The provider's code for the error, such as `RESOURCE_EXHAUSTED`: capitals and underscores.
fn reason(error: &genai::Error) -> Option<String> {
    let body = body(error)?;
    let reason = body
        .pointer("/error/status")
        .or_else(|| body.pointer("/error/code"))?
        .as_str()?;
    let plain = reason.len() <= 64
        && reason
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    plain.then(|| reason.to_owned())
}

/// `Retry-After` in seconds, or the `retryDelay` of Google's `RetryInfo` (`34s`).
fn retry_after(error: &genai::Error) -> Option<Duration> {
    let header = error
        .headers()
        .and_then(|headers| headers.get("retry-after"))
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse::<f64>().ok());
    let seconds = header.or_else(|| {
        body(error)?
            .pointer("/error/details")?
            .as_array()?
            .iter()
            .find_map(|detail| detail.get("retryDelay")?.as_str())?
            .strip_suffix('s')?
            .parse()
            .ok()
    })?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|wait| *wait <= Duration::from_secs(86_400))
}
