use http::StatusCode;
use serde_json::Value;
use stayzr_core::ErrorKind;

use crate::http::{Complaint, Dialect, ErrorRow};

/// How Cloudbeds complains: mostly with 200 and `{"success": false, "message"}`, without a code for
/// machines; at its token endpoint with a status and `{"error", "error_description"}`. What the
/// sentence is about is read off its words ([`SENTENCES`]) and stands in for the code.
pub const DIALECT: Dialect = Dialect {
    name: "cloudbeds",
    complaint,
    rows: &[
        row(
            200,
            Some("revoked"),
            ErrorKind::Unauthorized,
            "Cloudbeds no longer lets this connection in: whoever approved it is gone; connect anew",
        ),
        row(
            200,
            Some("credentials"),
            ErrorKind::Unauthorized,
            "Cloudbeds refuses the credentials: check the API key, or connect anew",
        ),
        row(
            200,
            Some("permission"),
            ErrorKind::Forbidden,
            "Cloudbeds does not allow this: check the scopes of the API key and the property it is for",
        ),
        row(
            200,
            Some("limit"),
            ErrorKind::RateLimited,
            "Cloudbeds' limit is reached: it suspends who goes on",
        ),
        row(
            200,
            Some("missing"),
            ErrorKind::NotFound,
            "Cloudbeds does not know this",
        ),
        row(
            200,
            Some("state"),
            ErrorKind::Forbidden,
            "Cloudbeds does not allow this in the record's state",
        ),
        row(
            200,
            Some("fault"),
            ErrorKind::Unavailable,
            "Cloudbeds has a fault",
        ),
        row(
            200,
            None,
            ErrorKind::Invalid,
            "Cloudbeds refuses the request",
        ),
        row(
            400,
            Some("invalid_grant"),
            ErrorKind::Unauthorized,
            "Cloudbeds refuses the refresh token: connect anew",
        ),
        row(
            400,
            Some("invalid_client"),
            ErrorKind::Unauthorized,
            "Cloudbeds refuses client_id and client_secret",
        ),
        row(
            401,
            None,
            ErrorKind::Unauthorized,
            "Cloudbeds refuses the credentials: check the API key (unused for 30 days it ends), or connect anew",
        ),
        row(
            403,
            None,
            ErrorKind::Forbidden,
            "Cloudbeds does not allow this: check the scopes of the API key and the property it is for",
        ),
        // Unknown ids are complaints with 200: 404 is said of addresses alone.
        row(
            404,
            None,
            ErrorKind::Invalid,
            "there is no such operation at this address: check base_url",
        ),
    ],
};

/// Words of Cloudbeds' sentences, in small letters, and what they are about. The first that is found
/// decides; a sentence without any is about the request.
pub const SENTENCES: [(&str, &str); 27] = [
    ("not active anymore", "revoked"),
    ("too many requests", "limit"),
    ("rate limit", "limit"),
    ("limit exceeded", "limit"),
    ("api key", "credentials"),
    ("access token", "credentials"),
    ("access_token", "credentials"),
    ("unauthorized", "credentials"),
    ("not authenticated", "credentials"),
    ("scope", "permission"),
    ("permission", "permission"),
    ("access denied", "permission"),
    ("have access to", "permission"),
    ("not enabled", "permission"),
    ("not found", "missing"),
    ("not exist", "missing"),
    ("no such", "missing"),
    ("already", "state"),
    ("not available", "state"),
    ("no availability", "state"),
    ("cannot be", "state"),
    ("can't be", "state"),
    ("not assigned", "state"),
    ("not allowed", "state"),
    ("internal error", "fault"),
    ("try again", "fault"),
    ("unexpected error", "fault"),
];

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
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    if status.is_success() {
        // One call writes the flag as text.
        let failed = match body.get("success") {
            Some(Value::Bool(success)) => !success,
            Some(Value::String(success)) => success.eq_ignore_ascii_case("false"),
            _ => body.get("error").is_some_and(Value::is_string),
        };
        if !failed {
            return None;
        }
    }
    let message = text("message").or_else(|| text("error_description"));
    let code = text("error").or_else(|| message.as_deref().and_then(about).map(str::to_owned));
    Some(Complaint {
        code,
        message,
        request_id: None,
    })
}

fn about(sentence: &str) -> Option<&'static str> {
    let sentence = sentence.to_lowercase();
    SENTENCES
        .iter()
        .find(|(words, _)| sentence.contains(words))
        .map(|(_, about)| *about)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(status: u16, body: &Value) -> Option<ErrorKind> {
        let status = StatusCode::from_u16(status).unwrap();
        let complaint = complaint(status, body)?;
        Some(DIALECT.classify(status, complaint.code.as_deref()).0)
    }

    #[test]
    fn each_complaint_says_what_to_do_whatever_its_status() {
        use ErrorKind::{Forbidden, Invalid, NotFound, RateLimited, Unauthorized, Unavailable};
        let says = |sentence: &str| json!({"success": false, "message": sentence});
        for (status, body, expected) in [
            (
                200,
                says("User who approved this connection is not active anymore"),
                Unauthorized,
            ),
            (200, says("Reservation not found"), NotFound),
            (200, says("Guest does not exist"), NotFound),
            (200, says("Parameter startDate is required"), Invalid),
            (200, says("Too many requests"), RateLimited),
            (
                200,
                says("You do not have the write:guest scope"),
                Forbidden,
            ),
            (200, says("Room is already assigned"), Forbidden),
            (200, says("Unexpected error, please try again"), Unavailable),
            (200, says("Access token expired"), Unauthorized),
            (200, json!({"success": false}), Invalid),
            (200, json!({"success": "false", "message": "no"}), Invalid),
            (
                401,
                json!({"error": "server_error", "error_description": "The authorization code is invalid or has expired."}),
                Unauthorized,
            ),
            (
                401,
                json!({"error": "access_denied", "message": "The resource owner denied"}),
                Unauthorized,
            ),
            (400, json!({"error": "invalid_grant"}), Unauthorized),
            (400, json!({"error": "invalid_client"}), Unauthorized),
            (400, json!({"success": false, "message": "what"}), Invalid),
            (403, json!({}), Forbidden),
            (404, json!({}), Invalid),
            (429, json!({}), RateLimited),
            (500, says("whatever"), Unavailable),
            (503, json!({}), Unavailable),
        ] {
            assert_eq!(kind(status, &body), Some(expected), "{status} {body}");
        }
    }

    #[test]
    fn a_success_is_no_complaint_with_or_without_data() {
        for body in [
            json!({"success": true, "data": []}),
            json!({"success": true, "message": "with a warning"}),
            json!({"success": "true"}),
            json!({"access_token": "t"}),
            json!([]),
        ] {
            assert_eq!(kind(200, &body), None, "{body}");
        }
    }

    #[test]
    fn every_word_leads_to_a_line_of_the_table() {
        for (words, about) in SENTENCES {
            let known = DIALECT.rows.iter().any(|row| row.code == Some(about));
            assert!(known, "{words}: {about}");
        }
    }
}
