use std::{ops::RangeInclusive, time::Duration};

use http::StatusCode;
use stayzr_core::port::outbound::SendOutcome;

use super::wire::{Answer, ApiError};

/// No wait that a vendor asks for is followed longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Certainly not taken; again after so many seconds.
    Retry(u64),
    /// Refused for good.
    Fail,
}

/// What the codes of the Cloud API mean. Statuses and titles vary between versions of the API;
/// codes do not.
const CODES: &[(RangeInclusive<i64>, &str, Action)] = &[
    (
        0..=0,
        "the access token is invalid or expired",
        Action::Fail,
    ),
    (
        190..=190,
        "the access token is invalid or expired",
        Action::Fail,
    ),
    (3..=3, "the app lacks a permission", Action::Fail),
    (10..=10, "the app lacks a permission", Action::Fail),
    (200..=299, "the app lacks a permission", Action::Fail),
    (1..=2, "WhatsApp had a fault", Action::Retry(10)),
    (131_000..=131_000, "WhatsApp had a fault", Action::Retry(10)),
    (
        131_016..=131_016,
        "WhatsApp is unavailable",
        Action::Retry(10),
    ),
    (
        4..=4,
        "the app's limit of calls is reached",
        Action::Retry(60),
    ),
    (
        80_007..=80_007,
        "the business account's limit is reached",
        Action::Retry(60),
    ),
    (
        130_429..=130_429,
        "the number's throughput is reached",
        Action::Retry(5),
    ),
    (
        131_056..=131_056,
        "too many messages to this guest at once",
        Action::Retry(16),
    ),
    (
        131_057..=131_057,
        "the number is in maintenance",
        Action::Retry(60),
    ),
    (
        131_048..=131_048,
        "the number is limited for spam",
        Action::Fail,
    ),
    (
        131_049..=131_049,
        "Meta chose not to deliver it",
        Action::Fail,
    ),
    (
        131_047..=131_047,
        "outside the 24 h window, needs a template",
        Action::Fail,
    ),
    (
        131_026..=131_026,
        "the guest cannot be reached on WhatsApp",
        Action::Fail,
    ),
    (
        131_021..=131_021,
        "sender and recipient are the same",
        Action::Fail,
    ),
    (
        131_030..=131_030,
        "the recipient is not on the test number's list",
        Action::Fail,
    ),
    (131_031..=131_031, "the account is locked", Action::Fail),
    (
        368..=368,
        "the account is blocked for breaking a policy",
        Action::Fail,
    ),
    (
        131_042..=131_042,
        "the account has a payment problem",
        Action::Fail,
    ),
    (
        131_045..=131_045,
        "the number is not registered",
        Action::Fail,
    ),
    (
        133_010..=133_010,
        "the number is not registered",
        Action::Fail,
    ),
    (
        131_050..=131_050,
        "the guest opted out of marketing",
        Action::Fail,
    ),
    (
        131_051..=131_051,
        "this type of message is not supported",
        Action::Fail,
    ),
    (
        131_052..=131_053,
        "the medium could not be loaded",
        Action::Fail,
    ),
    (
        130_472..=130_472,
        "the guest is in an experiment of Meta",
        Action::Fail,
    ),
    (
        131_062..=131_062,
        "this message needs a telephone number",
        Action::Fail,
    ),
    (100..=100, "a parameter is wrong", Action::Fail),
    (131_008..=131_008, "a parameter is missing", Action::Fail),
    (131_009..=131_009, "a parameter is wrong", Action::Fail),
    (132_000..=132_016, "the template was refused", Action::Fail),
];

/// What an answer of the Cloud API means for the message.
///
/// An error with a code is an explicit refusal: the message was certainly not taken. Anything else
/// that is not a clear success leaves the message ambiguous, since the API has no idempotency key.
/// Texts are ours: the vendor's may quote the message.
pub(super) fn outcome(
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
) -> SendOutcome {
    let answer: Option<Answer> = serde_json::from_slice(body).ok();
    if let Some(error) = answer.as_ref().and_then(|answer| answer.error.as_ref())
        && let Some(code) = error.code()
    {
        return of_code(code, error, retry_after);
    }
    let taken = answer.and_then(|answer| answer.messages.into_iter().next());
    match taken {
        Some(taken) if status.is_success() && !taken.id.is_empty() => SendOutcome::Sent {
            vendor_message_id: taken.id,
        },
        _ => of_status(status, retry_after),
    }
}

fn of_code(code: i64, error: &ApiError, retry_after: Option<Duration>) -> SendOutcome {
    let (meaning, action) = CODES
        .iter()
        .find(|(codes, _, _)| codes.contains(&code))
        .map_or_else(
            || {
                // A code newer than this table: Meta says itself whether it will pass.
                let passes = error.is_transient == Some(true);
                (
                    "WhatsApp refused it",
                    if passes {
                        Action::Retry(10)
                    } else {
                        Action::Fail
                    },
                )
            },
            |(_, meaning, action)| (*meaning, *action),
        );
    let trace = error
        .fbtrace_id
        .as_deref()
        .filter(|id| {
            id.len() <= 64
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        })
        .map(|id| format!(" (trace {id})"))
        .unwrap_or_default();
    let error = format!("{code} {meaning}{trace}");
    match action {
        Action::Retry(seconds) => retry(error, seconds, retry_after),
        Action::Fail => SendOutcome::Failed { error },
    }
}

fn of_status(status: StatusCode, retry_after: Option<Duration>) -> SendOutcome {
    let error = format!("HTTP {} without an answer of the API", status.as_u16());
    match status {
        StatusCode::TOO_MANY_REQUESTS => retry(error, 10, retry_after),
        // Whoever answered, the API took nothing.
        status if status.is_redirection() || is_refusal(status) => SendOutcome::Failed { error },
        _ => SendOutcome::Ambiguous { error },
    }
}

/// A 408 is a timeout on the way: the message may have gone through.
fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT
}

fn retry(error: String, seconds: u64, retry_after: Option<Duration>) -> SendOutcome {
    let wait = Duration::from_secs(seconds);
    let after = retry_after.map_or(wait, |asked| {
        asked.clamp(Duration::from_secs(1), LONGEST_WAIT)
    });
    SendOutcome::Retry { error, after }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(code: i64) -> SendOutcome {
        let body = json!({"error": {"code": code}}).to_string();
        outcome(StatusCode::BAD_REQUEST, None, body.as_bytes())
    }

    #[test]
    fn each_code_has_the_action_that_the_vendor_documents() {
        for (code, seconds) in [
            (1, 10),
            (2, 10),
            (131_000, 10),
            (131_016, 10),
            (4, 60),
            (80_007, 60),
            (130_429, 5),
            (131_056, 16),
            (131_057, 60),
        ] {
            let SendOutcome::Retry { after, error } = of(code) else {
                panic!("{code}")
            };
            assert_eq!(after.as_secs(), seconds, "{code}");
            assert!(error.starts_with(&format!("{code} ")), "{error}");
        }
        for code in [
            0, 190, 3, 10, 200, 299, 131_048, 131_049, 131_047, 131_026, 131_021, 131_030, 131_031,
            368, 131_042, 131_045, 133_010, 131_050, 131_051, 131_052, 131_053, 130_472, 131_062,
            131_008, 131_009, 100, 132_000, 132_001, 132_005, 132_007, 132_012, 132_015, 132_016,
        ] {
            let SendOutcome::Failed { error } = of(code) else {
                panic!("{code}")
            };
            assert!(error.starts_with(&format!("{code} ")), "{error}");
            assert!(
                !error.contains("WhatsApp refused it"),
                "{code} is not in the table"
            );
        }
    }

    #[test]
    fn no_code_stands_in_the_table_twice() {
        for (index, (codes, _, _)) in CODES.iter().enumerate() {
            for (others, _, _) in &CODES[index + 1..] {
                assert!(
                    codes.end() < others.start() || others.end() < codes.start(),
                    "{codes:?}"
                );
            }
        }
    }

    #[test]
    fn a_new_code_is_tried_again_only_if_meta_says_that_it_passes() {
        for (transient, again) in [(Some(true), true), (Some(false), false), (None, false)] {
            let error = json!({"error": {"code": 777_777, "is_transient": transient}}).to_string();
            let outcome = outcome(StatusCode::BAD_REQUEST, None, error.as_bytes());
            assert_eq!(
                matches!(outcome, SendOutcome::Retry { .. }),
                again,
                "{outcome:?}"
            );
        }
    }
}
