//! Parts that signed schemes share: ids, timestamps and lists of signatures.

use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::verifier::{Reason, Rejection};

/// How far a timestamp may be from now, in either direction, in seconds; the bound itself is in.
const WINDOW: i64 = 300;

/// Whether a value can be the id of a delivery: 1 to 256 letters, digits, `_` or `-`. A dot in it
/// would let bytes move between id, timestamp and body under one signature.
pub(crate) fn is_id(value: &[u8]) -> bool {
    (1..=256).contains(&value.len()) && is_word(value)
}

/// Whether a value has letters, digits, `_` and `-` alone.
pub(crate) fn is_word(value: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The text of a value that [`is_word`] has found to be ASCII.
pub(crate) fn ascii(value: &[u8]) -> &str {
    std::str::from_utf8(value).unwrap_or_default()
}

/// Whether a value is a timestamp: 1 to 15 digits.
pub(crate) fn timestamp(value: &[u8]) -> Option<i64> {
    if !(1..=15).contains(&value.len()) || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    ascii(value).parse().ok()
}

/// Refuses a time that is out of the window around now.
pub(crate) fn in_window(
    seconds: i64,
    now: DateTime<Utc>,
    statuses: &[(Reason, StatusCode)],
) -> Result<(), Rejection> {
    let age = now.timestamp().saturating_sub(seconds);
    if age > WINDOW {
        return Err(Rejection::by_table(statuses, Reason::TimestampTooOld));
    }
    if age < -WINDOW {
        return Err(Rejection::by_table(statuses, Reason::TimestampTooNew));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_one_to_fifteen_digits() {
        assert_eq!(timestamp(b"1781000000"), Some(1_781_000_000));
        assert_eq!(timestamp(b"999999999999999"), Some(999_999_999_999_999));
        for wrong in [
            &b""[..],
            b"-1",
            b"+1",
            b"1.5",
            b" 1",
            b"1000000000000000",
            "١".as_bytes(),
        ] {
            assert_eq!(timestamp(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_window_is_300_seconds_both_ways_with_its_bounds() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let reason = |seconds| {
            in_window(seconds, now, &[])
                .err()
                .map(|refused| refused.reason)
        };
        assert_eq!(reason(999_700), None);
        assert_eq!(reason(999_699), Some(Reason::TimestampTooOld));
        assert_eq!(reason(1_000_300), None);
        assert_eq!(reason(1_000_301), Some(Reason::TimestampTooNew));
    }

    #[test]
    fn an_id_has_no_dot_and_an_end() {
        assert!(is_id(b"msg_2xResend-0000"));
        assert!(is_id(&[b'a'; 256]));
        assert!(!is_id(&[b'a'; 257]));
        for wrong in [&b""[..], b"a.b", b"a b", b"\xc3\xa9"] {
            assert!(!is_id(wrong), "{wrong:?}");
        }
    }
}
