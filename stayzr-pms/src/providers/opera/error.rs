use http::StatusCode;
use serde_json::Value;
use stayzr_core::ErrorKind;

use crate::http::{Complaint, Dialect, ErrorRow};

/// How OPERA Cloud complains: by status, and mostly with problem details (`{"type", "title",
/// "status", "detail", "o:errorCode"}`). Its gateway answers some statuses without a body, and its
/// token endpoint with `{"error", "error_description"}`.
pub const DIALECT: Dialect = Dialect {
    name: "opera",
    complaint,
    rows: &[
        row(
            400,
            Some("invalid_grant"),
            ErrorKind::Unauthorized,
            "Oracle refuses the integration user's name or password",
        ),
        row(
            400,
            Some("invalid_client"),
            ErrorKind::Unauthorized,
            "Oracle refuses client_id and client_secret",
        ),
        row(
            400,
            None,
            ErrorKind::Invalid,
            "OPERA refuses the request: often a value is not in the hotel's list of values",
        ),
        row(
            401,
            None,
            ErrorKind::Unauthorized,
            "Oracle refuses the token or the application key: check the credentials, and that the application is approved for the environment",
        ),
        row(
            402,
            None,
            ErrorKind::Unauthorized,
            "Oracle refuses the integration user's name or password",
        ),
        row(
            403,
            None,
            ErrorKind::Forbidden,
            "OPERA does not allow this: check the roles of the integration user and the hotel's code",
        ),
        row(
            404,
            None,
            ErrorKind::NotFound,
            "OPERA does not know this: check also base_url and the hotel's code",
        ),
        row(
            406,
            None,
            ErrorKind::Invalid,
            "the gateway does not answer in JSON at this address: check base_url",
        ),
    ],
};

const fn row(
    status: u16,
    code: Option<&'static str>,
    kind: ErrorKind,
    advice: &'static str,
) -> ErrorRow {
    ErrorRow {
        status,
        code,
        kind,
        advice,
    }
}

fn complaint(status: StatusCode, body: &Value) -> Option<Complaint> {
    // Warnings come with successes and are none.
    if status.is_success() {
        return None;
    }
    let text = |key: &str| {
        let value = body.get(key).and_then(Value::as_str);
        value
            .filter(|text| !text.trim().is_empty())
            .map(str::to_owned)
    };
    let first = |key: &str| {
        let details = body.get("o:errorDetails")?;
        details.get(0)?.get(key)?.as_str().map(str::to_owned)
    };
    let title = text("title").or_else(|| first("title"));
    let detail = text("detail")
        .or_else(|| text("error_description"))
        .or_else(|| first("detail"));
    let message = match (title, detail) {
        (Some(title), Some(detail)) if title != detail => Some(format!("{title}: {detail}")),
        (title, detail) => detail.or(title),
    };
    Some(Complaint {
        code: text("o:errorCode")
            .or_else(|| text("error"))
            .or_else(|| first("o:errorCode")),
        message,
        request_id: text("instance"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_complaint_says_what_to_do_with_or_without_a_body() {
        use ErrorKind::{Forbidden, Invalid, NotFound, RateLimited, Unauthorized, Unavailable};
        for (status, body, kind) in [
            (
                400,
                json!({"title": "x", "o:errorCode": "OPERAWS-SVC00001"}),
                Invalid,
            ),
            (400, json!({"error": "invalid_grant"}), Unauthorized),
            (401, Value::Null, Unauthorized),
            (402, json!({"error": "invalid_grant"}), Unauthorized),
            (
                403,
                json!({"title": "Unauthorized to access the resource"}),
                Forbidden,
            ),
            (
                404,
                json!({"type": "about:blank", "title": "Resource not found", "o:errorCode": "RSV0001"}),
                NotFound,
            ),
            (406, Value::Null, Invalid),
            (413, Value::Null, Invalid),
            (429, Value::Null, RateLimited),
            (500, json!({"title": "x"}), Unavailable),
            (502, Value::Null, Unavailable),
            (503, Value::Null, Unavailable),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let complaint = complaint(status, &body).unwrap();
            let found = DIALECT.classify(status, complaint.code.as_deref()).0;
            assert_eq!(found, kind, "{status} {body}");
        }
    }

    #[test]
    fn the_sentence_is_title_and_detail_and_a_warning_is_no_complaint() {
        let body = json!({"title": "Validation", "detail": "Room type X is unknown"});
        let said = complaint(StatusCode::BAD_REQUEST, &body).unwrap().message;
        assert_eq!(said.as_deref(), Some("Validation: Room type X is unknown"));
        let nested = json!({"o:errorDetails": [{"title": "Not here", "o:errorCode": "A"}]});
        let said = complaint(StatusCode::NOT_FOUND, &nested).unwrap();
        assert_eq!(
            (said.code.as_deref(), said.message.as_deref()),
            (Some("A"), Some("Not here"))
        );
        assert_eq!(
            complaint(StatusCode::OK, &json!({"warnings": [{"value": "x"}]})),
            None
        );
    }
}
