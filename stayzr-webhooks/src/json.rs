use std::borrow::Cow;

use serde_json::Value;
use stayzr_core::{Error, Result};

/// The JSON object that a body is, with every odd escape repaired. The error says where the body
/// cannot be read and quotes nothing of it.
pub(crate) fn object(operation: &'static str, body: &[u8]) -> Result<Value> {
    let value: Value = serde_json::from_str(&readable(body)).map_err(|error| {
        Error::corrupt(operation, "the body is not JSON")
            .with("line", error.line())
            .with("column", error.column())
    })?;
    match value.is_object() {
        true => Ok(value),
        false => Err(Error::corrupt(operation, "the body is not an object")),
    }
}

/// The text of a body with every escape that cannot stand replaced by U+FFFD: half of a surrogate
/// pair, which no JSON reader takes, and NUL, which no database stores. A guest's odd character
/// must not cost the whole delivery.
fn readable(body: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) => repaired(text),
        Cow::Owned(text) => Cow::Owned(repaired(&text).into_owned()),
    }
}

fn repaired(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut spoiled = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        let step = match (unit(bytes, at), unit(bytes, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0 | 0xD800..=0xDFFF), _) => {
                spoiled.push(at);
                6
            }
            (Some(_), _) => 6,
            (None, _) => 2,
        };
        at += step;
    }
    if spoiled.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut repaired = text.to_owned();
    for at in spoiled {
        // Both escapes have six bytes, so positions stay.
        repaired.replace_range(at..at + 6, "\\ufffd");
    }
    Cow::Owned(repaired)
}

/// The UTF-16 unit of the escape `\uXXXX` at a position.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let escape = bytes.get(at..at + 6)?;
    let digits = escape.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> String {
        serde_json::from_str(&readable(json.as_bytes())).unwrap()
    }

    #[test]
    fn escapes_that_cannot_stand_become_a_replacement_character() {
        assert_eq!(read(r#""a\ud83d""#), "a\u{fffd}");
        assert_eq!(
            read(r#""\udc4d\ud83d\ud83d\udc4d\u0000""#),
            "\u{fffd}\u{fffd}👍\u{fffd}"
        );
    }

    #[test]
    fn what_stands_is_left_alone() {
        for json in [r#""\ud83d\udc4d \u00e4 \/ \"""#, r#""\\ud83d""#, r#""ä👍""#] {
            assert!(
                matches!(readable(json.as_bytes()), Cow::Borrowed(_)),
                "{json}"
            );
        }
        assert_eq!(read(r#""\\ud83d""#), r"\ud83d");
    }
}
