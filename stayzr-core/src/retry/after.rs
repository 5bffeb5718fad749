use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

/// How long a `Retry-After` header asks to wait, counted from `now`; none if it is neither a
/// number of seconds nor a date of HTTP (RFC 9110, section 10.2.3). A date that is past asks for
/// no wait.
///
/// ```
/// use std::time::Duration;
/// use stayzr_core::retry::parse_retry_after;
///
/// let now = "2026-03-01T12:00:00Z".parse().unwrap();
/// assert_eq!(parse_retry_after("30", now), Some(Duration::from_secs(30)));
/// assert_eq!(
///     parse_retry_after("Sun, 01 Mar 2026 12:01:00 GMT", now),
///     Some(Duration::from_secs(60))
/// );
/// ```
pub fn parse_retry_after(header: &str, now: DateTime<Utc>) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than a u64 holds is "never", not "not a number".
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let until = http_date(header)?;
    Some((until - now).to_std().unwrap_or(Duration::ZERO))
}

/// The three forms a recipient must read: IMF-fixdate, RFC 850 and asctime.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    const FORMS: [&str; 3] = [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ];
    FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(header: &str) -> Option<u64> {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        parse_retry_after(header, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn reads_seconds_and_the_three_forms_of_a_date() {
        for (header, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(37)),
            ("Sun Nov  6 08:49:37 1994", Some(37)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(wait(header), seconds, "{header:?}");
        }
    }
}
