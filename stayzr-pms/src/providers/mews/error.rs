use http::StatusCode;
use serde_json::Value;
use stayzr_core::ErrorKind;

use crate::http::{Complaint, Dialect, ErrorRow};

/// How Mews complains: a status and `{"Message", "RequestId"}`, without a code for machines.
pub const DIALECT: Dialect = Dialect {
    name: "mews",
    complaint,
    rows: &[
        ErrorRow {
            status: 401,
            code: None,
            kind: ErrorKind::Unauthorized,
            advice: "Mews refuses the tokens: check ClientToken and AccessToken, that the integration is \
                     enabled in Mews, and that it may use this operation",
        },
        // Mews answers 403 where a rule of the hotel forbids the change; its sentence is meant for
        // people.
        ErrorRow {
            status: 403,
            code: None,
            kind: ErrorKind::Forbidden,
            advice: "Mews does not allow this now",
        },
        // Unknown ids are 400 or missing from lists: 404 is said of addresses alone.
        ErrorRow {
            status: 404,
            code: None,
            kind: ErrorKind::Invalid,
            advice: "there is no such operation at this address: check base_url",
        },
        ErrorRow {
            status: 408,
            code: None,
            kind: ErrorKind::Timeout,
            advice: "the query is too heavy for Mews: ask for a shorter span of time",
        },
    ],
};

fn complaint(status: StatusCode, body: &Value) -> Option<Complaint> {
    if status.is_success() {
        return None;
    }
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Complaint {
        code: None,
        message: text("Message"),
        request_id: text("RequestId"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_of_mews_says_what_to_do() {
        for (status, kind, advice) in [
            (400, ErrorKind::Invalid, "refuses"),
            (401, ErrorKind::Unauthorized, "AccessToken"),
            (403, ErrorKind::Forbidden, "not allow"),
            (404, ErrorKind::Invalid, "base_url"),
            (408, ErrorKind::Timeout, "shorter"),
            (409, ErrorKind::Conflict, "changed"),
            (413, ErrorKind::Invalid, "too large"),
            (429, ErrorKind::RateLimited, "limit"),
            (500, ErrorKind::Unavailable, "fault"),
            (503, ErrorKind::Unavailable, "fault"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let (found, sentence) = DIALECT.classify(status, None);
            assert_eq!(found, kind, "{status}");
            assert!(sentence.contains(advice), "{status}: {sentence}");
        }
    }

    #[test]
    fn the_vendors_sentence_and_id_of_the_call_are_kept() {
        let body = serde_json::json!({"Message": "Invalid ReservationId.", "RequestId": "0H:1"});
        let complaint = complaint(StatusCode::BAD_REQUEST, &body).unwrap();
        assert_eq!(complaint.message.as_deref(), Some("Invalid ReservationId."));
        assert_eq!(complaint.request_id.as_deref(), Some("0H:1"));
    }
}
