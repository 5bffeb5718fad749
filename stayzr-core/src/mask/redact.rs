use std::borrow::Cow;

use super::scan::{Edit, digit, is_in_uuid, replace};

const EMAIL: &[u8] = b"[email]";
const PHONE: &[u8] = b"[phone]";

/// The text for a log: card numbers are masked, email addresses become `[email]` and what looks
/// like a telephone number becomes `[phone]`. Rather takes away too much than too little, but
/// leaves UUIDs, dates and times.
///
/// ```
/// use stayzr_core::mask::redact;
///
/// assert_eq!(
///     redact("guest ana@example.com, +351 912 345 678, arrives 2026-03-01"),
///     "guest [email], [phone], arrives 2026-03-01"
/// );
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    let masked = super::mask_cards_in_text(text);
    let bytes = masked.as_bytes();
    let mut edits = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'@' => match email(bytes, at, edits.last()) {
                Some(edit) => {
                    at = edit.at.end;
                    edits.push(edit);
                }
                None => at += 1,
            },
            byte if byte == b'+' || byte.is_ascii_digit() => {
                let end = phone_end(bytes, at);
                if is_phone(bytes, at, end) {
                    edits.push(Edit {
                        at: at..end,
                        with: PHONE,
                    });
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    match replace(bytes, &edits) {
        Cow::Borrowed(_) => masked,
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// The address around an `@`, unless a redaction reaches into it.
fn email(bytes: &[u8], at: usize, last: Option<&Edit>) -> Option<Edit> {
    let is_local = |byte: &u8| {
        byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(byte) || !byte.is_ascii()
    };
    let is_domain =
        |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte) || !byte.is_ascii();
    let from = last.map_or(0, |edit| edit.at.end);
    let start = bytes[from..at]
        .iter()
        .rposition(|byte| !is_local(byte))
        .map_or(from, |index| from + index + 1);
    let mut end = bytes[at + 1..]
        .iter()
        .position(|byte| !is_domain(byte))
        .map_or(bytes.len(), |index| at + 1 + index);
    while end > at + 1 && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    (start < at && end > at + 1).then_some(Edit {
        at: start..end,
        with: EMAIL,
    })
}

/// Where what may be a telephone number that begins here ends: behind its last digit.
fn phone_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start + 1;
    let mut at = end;
    while at < bytes.len() {
        match bytes[at] {
            byte if byte.is_ascii_digit() => {
                at += 1;
                end = at;
            }
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' if at - end < 2 => at += 1,
            _ => break,
        }
    }
    end
}

fn is_phone(bytes: &[u8], start: usize, end: usize) -> bool {
    let number = &bytes[start..end];
    let digits = number.iter().filter(|byte| byte.is_ascii_digit()).count();
    let international = number.starts_with(b"+") || number.starts_with(b"00");
    let joined = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphabetic() || b"_:*".contains(byte))
    };
    let before = start.checked_sub(1).and_then(|index| bytes.get(index));
    let least = if international { 7 } else { 9 };
    (least..=15).contains(&digits)
        && (international || !(joined(before) || joined(bytes.get(end))))
        && !is_in_uuid(bytes, &(start..end))
        && !begins_with_date(number)
}

/// Whether the digits begin as a day of ISO 8601 does.
fn begins_with_date(number: &[u8]) -> bool {
    number.len() >= 10
        && number[..10].iter().enumerate().all(|(index, byte)| {
            if matches!(index, 4 | 7) {
                *byte == b'-'
            } else {
                digit(char::from(*byte)).is_some()
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_numbers_and_cards_out() {
        for (text, redacted) in [
            ("nothing here", "nothing here"),
            ("ana.silva+x@mail.example.com!", "[email]!"),
            ("<ana@example.com>, bo@example.org.", "<[email]>, [email]."),
            ("call (+351) 912-345-678 now", "call ([phone] now"),
            ("call 00351 912 345 678", "call [phone]"),
            ("phone=912345678", "phone=[phone]"),
            ("4111 1111 1111 1111", "**** **** **** 1111"),
            ("room 101 and 102", "room 101 and 102"),
            ("2026-03-01 12:00:05 UTC", "2026-03-01 12:00:05 UTC"),
            (
                "job 0190b7c2-1111-7222-8333-444444444444",
                "job 0190b7c2-1111-7222-8333-444444444444",
            ),
            ("a@ and @b", "a@ and @b"),
        ] {
            assert_eq!(redact(text), redacted, "{text}");
        }
    }
}
