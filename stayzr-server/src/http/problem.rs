use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use stayzr_core::{Error, ErrorKind};

use super::Body;

/// An error as the caller sees it: `application/problem+json` of RFC 9457 with a stable `code`.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    extra: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Error>,
}

/// The one table from what the caller can do to what HTTP says.
const fn of_kind(kind: ErrorKind) -> (StatusCode, &'static str, &'static str) {
    match kind {
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not_found", "Not found"),
        ErrorKind::Unauthorized => (
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Credentials are missing or wrong",
        ),
        ErrorKind::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Not permitted"),
        ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid", "The request is wrong"),
        ErrorKind::Conflict => (
            StatusCode::CONFLICT,
            "conflict",
            "Somebody else changed it first",
        ),
        ErrorKind::RateLimited => (
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "A limit was reached",
        ),
        ErrorKind::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Something this needs is down",
        ),
        ErrorKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "timeout", "No answer in time"),
        ErrorKind::Ambiguous => (
            StatusCode::BAD_GATEWAY,
            "ambiguous",
            "It may have happened; look before trying again",
        ),
        ErrorKind::Unsupported => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "unsupported",
            "The other side cannot do this",
        ),
        ErrorKind::Corrupt => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "corrupt",
            "Stored data contradicts its format",
        ),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong here",
        ),
    }
}

impl Problem {
    /// A problem with this status, code and title.
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            title,
            detail: None,
            extra: Map::new(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// Input that is wrong, with a sentence that says why.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::of(ErrorKind::Invalid).detail(detail)
    }

    /// There is no such thing, or it is another tenant's.
    pub fn not_found(what: &str) -> Self {
        Self::of(ErrorKind::NotFound).detail(format!("there is no {what} with this id"))
    }

    /// The problem of a kind.
    pub fn of(kind: ErrorKind) -> Self {
        let (status, code, title) = of_kind(kind);
        Self::new(status, code, title)
    }

    /// Sets the sentence for people.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds a member of the body.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extra.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What caused it, to be logged where it is handled; only errors of ours have one.
    pub fn cause(&self) -> Option<&Error> {
        self.0.cause.as_ref()
    }

    /// The answer. `instance` is the path of the request.
    pub fn into_response(self, instance: Option<&str>) -> Response<Body> {
        let problem = *self.0;
        let mut body = problem.extra;
        let kind = problem.code.replace('_', "-");
        body.insert(
            "type".into(),
            json!(format!("https://stayzr.dev/problems/{kind}")),
        );
        body.insert("title".into(), json!(problem.title));
        body.insert("status".into(), json!(problem.status.as_u16()));
        body.insert("code".into(), json!(problem.code));
        if let Some(detail) = problem.detail {
            body.insert("detail".into(), json!(detail));
        }
        if let Some(instance) = instance {
            body.insert("instance".into(), json!(instance));
        }
        let mut response = Response::new(super::body::full(Value::Object(body).to_string()));
        *response.status_mut() = problem.status;
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        for (name, value) in problem.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let mut problem = Self::of(error.kind());
        // What went wrong inside is for the log; what the caller did is for the caller.
        if !matches!(error.kind(), ErrorKind::Internal | ErrorKind::Corrupt) {
            let mut detail = error.message().to_owned();
            if problem.0.status.is_client_error() {
                for (key, value) in error.context() {
                    detail.push_str(&format!(" ({key}: {value})"));
                }
            }
            problem.0.detail = Some(detail);
        }
        let wait = match (error.retry_after(), error.kind()) {
            (Some(wait), _) => Some(wait.as_secs().max(1)),
            (None, ErrorKind::RateLimited | ErrorKind::Unavailable) => Some(5),
            _ => None,
        };
        if let Some(seconds) = wait {
            problem
                .0
                .headers
                .push((header::RETRY_AFTER, HeaderValue::from(seconds)));
        }
        problem.0.cause = Some(error);
        problem
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn every_kind_has_its_status_and_its_own_name_as_code() {
        let table = [
            (ErrorKind::NotFound, 404),
            (ErrorKind::Unauthorized, 401),
            (ErrorKind::Forbidden, 403),
            (ErrorKind::Invalid, 400),
            (ErrorKind::Conflict, 409),
            (ErrorKind::RateLimited, 429),
            (ErrorKind::Unavailable, 503),
            (ErrorKind::Timeout, 504),
            (ErrorKind::Ambiguous, 502),
            (ErrorKind::Unsupported, 422),
            (ErrorKind::Corrupt, 500),
            (ErrorKind::Internal, 500),
        ];
        for (kind, status) in table {
            let problem = Problem::of(kind);
            assert_eq!(problem.status().as_u16(), status, "{kind}");
            assert_eq!(problem.code(), kind.as_str());
        }
    }

    #[tokio::test]
    async fn invariant_p_the_inside_of_a_failure_is_not_shown() {
        let error = Error::internal("store.open", "password=hunter2").with("url", "postgres://x");
        let response = Problem::from(error).into_response(Some("/api/v1/guests"));
        let body = response
            .into_body()
            .collect()
            .await
            .expect("body")
            .to_bytes();
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["code"], "internal");
        assert_eq!(body["status"], 500);
        assert_eq!(body["instance"], "/api/v1/guests");
        assert!(!body.to_string().contains("hunter2") && !body.to_string().contains("postgres"));
    }

    #[test]
    fn a_wait_that_was_asked_for_is_passed_on() {
        let error = Error::new(ErrorKind::RateLimited, "mews", "too many")
            .with_retry_after(Duration::from_secs(17));
        let response = Problem::from(error).into_response(None);
        assert_eq!(response.headers()[header::RETRY_AFTER], "17");
    }
}
