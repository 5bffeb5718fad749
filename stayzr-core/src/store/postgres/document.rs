//! JSON and text as PostgreSQL takes them: it stores no U+0000.

use std::borrow::Cow;

use serde_json::Value;

/// A value as JSON text. U+0000, which a vendor may send in a name, becomes U+FFFD: a record is
/// kept with all that can be kept of it.
pub(super) fn document(value: impl Into<Value>) -> String {
    clean_json(value.into().to_string())
}

/// The same for JSON that is text already.
pub(super) fn clean_json(json: String) -> String {
    if !json.contains("\\u0000") {
        return json;
    }
    let mut clean = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        // An escape is two characters, or six with a code point; a backslash that is escaped itself
        // begins none.
        let (written, length) = match escape.get(..6) {
            Some("\\u0000") => ("\\ufffd", 6),
            _ => (&escape[..2], 2),
        };
        clean.push_str(written);
        rest = &escape[length..];
    }
    clean.push_str(rest);
    clean
}

/// The same for text that is bound as it is.
pub(super) fn clean_text(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{clean_text, document};

    #[test]
    fn what_cannot_be_stored_is_replaced_and_nothing_else() {
        let value = json!({ "a\0b": "x\0", "kept": "\\u0000 \\\" \u{1} é" });
        let read: Value = serde_json::from_str(&document(value)).expect("JSON");
        let expected = json!({ "a\u{fffd}b": "x\u{fffd}", "kept": "\\u0000 \\\" \u{1} é" });
        assert_eq!(read, expected);
        assert_eq!(clean_text("a\0b"), "a\u{fffd}b");
        assert_eq!(clean_text("ab"), "ab");
    }
}
