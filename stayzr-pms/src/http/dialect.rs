use http::StatusCode;
use serde_json::Value;
use stayzr_core::ErrorKind;

/// What a vendor says is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Complaint {
    /// Its machine-readable code, where it has one.
    pub code: Option<String>,
    /// Its sentence.
    pub message: Option<String>,
    /// Its id of the call, which its support asks for.
    pub request_id: Option<String>,
}

/// A line of the table that says what a status and a vendor's code mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorRow {
    /// The status.
    pub status: u16,
    /// The vendor's code; none for any.
    pub code: Option<&'static str>,
    /// What the caller can do.
    pub kind: ErrorKind,
    /// What a person should do, as a sentence.
    pub advice: &'static str,
}

/// How a vendor complains.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The vendor's name.
    pub name: &'static str,
    /// Reads the complaint of an answer; none if the answer is none. Asked about successes too,
    /// since some vendors complain with 200.
    pub complaint: fn(StatusCode, &Value) -> Option<Complaint>,
    /// The vendor's own lines, asked before the common ones; the first that matches decides.
    pub rows: &'static [ErrorRow],
}

const fn row(status: u16, kind: ErrorKind, advice: &'static str) -> ErrorRow {
    ErrorRow {
        status,
        code: None,
        kind,
        advice,
    }
}

/// What a status means where the vendor gives it no meaning of its own.
const COMMON: &[ErrorRow] = &[
    row(400, ErrorKind::Invalid, "the vendor refuses the request"),
    row(
        401,
        ErrorKind::Unauthorized,
        "the vendor refuses the credentials: check them, and that the integration is enabled there",
    ),
    row(
        403,
        ErrorKind::Forbidden,
        "the vendor does not allow this for these credentials or in this state",
    ),
    row(404, ErrorKind::NotFound, "the vendor does not know this"),
    row(
        405,
        ErrorKind::Invalid,
        "this address does not take such calls: check base_url",
    ),
    row(
        408,
        ErrorKind::Timeout,
        "the vendor asks for less at a time",
    ),
    row(
        409,
        ErrorKind::Conflict,
        "the record changed at the vendor meanwhile",
    ),
    row(410, ErrorKind::NotFound, "the vendor no longer has this"),
    row(413, ErrorKind::Invalid, "the request is too large"),
    row(422, ErrorKind::Invalid, "the vendor refuses the request"),
    row(429, ErrorKind::RateLimited, "the vendor's limit is reached"),
];

impl Dialect {
    /// What a status with the vendor's code means, and what to do.
    pub fn classify(&self, status: StatusCode, code: Option<&str>) -> (ErrorKind, &'static str) {
        let found = self
            .rows
            .iter()
            .chain(COMMON)
            .find(|row| row.status == status && (row.code.is_none() || row.code == code));
        match found {
            Some(row) => (row.kind, row.advice),
            None if status.is_redirection() => (
                ErrorKind::Invalid,
                "the address redirects: set base_url to where it leads",
            ),
            None if status.is_server_error() => (ErrorKind::Unavailable, "the vendor has a fault"),
            None => (ErrorKind::Invalid, "the vendor refuses the request"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Dialect = Dialect {
        name: "test",
        complaint: |_, _| None,
        rows: &[ErrorRow {
            status: 400,
            code: Some("LOCKED"),
            kind: ErrorKind::Conflict,
            advice: "somebody edits it",
        }],
    };

    #[test]
    fn every_status_has_the_kind_that_says_what_to_do() {
        use ErrorKind::{
            Conflict, Forbidden, Invalid, NotFound, RateLimited, Timeout, Unauthorized, Unavailable,
        };
        for (status, kind) in [
            (302, Invalid),
            (308, Invalid),
            (400, Invalid),
            (401, Unauthorized),
            (403, Forbidden),
            (404, NotFound),
            (405, Invalid),
            (408, Timeout),
            (409, Conflict),
            (410, NotFound),
            (413, Invalid),
            (418, Invalid),
            (422, Invalid),
            (429, RateLimited),
            (500, Unavailable),
            (502, Unavailable),
            (503, Unavailable),
            (504, Unavailable),
            (599, Unavailable),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(STRICT.classify(status, None).0, kind, "{status}");
        }
    }

    #[test]
    fn a_vendors_own_line_comes_first_and_only_for_its_code() {
        let status = StatusCode::BAD_REQUEST;
        assert_eq!(
            STRICT.classify(status, Some("LOCKED")).0,
            ErrorKind::Conflict
        );
        assert_eq!(STRICT.classify(status, Some("OTHER")).0, ErrorKind::Invalid);
    }
}
