//! Taking card numbers out of what is stored, and personal data out of what is logged. Pure.

mod card;
mod redact;
mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use redact::redact;

/// The bytes with card numbers masked: every digit but the last four becomes `*`.
///
/// A card number is 13 to 19 digits, with spaces or dashes between them or not, that pass the Luhn
/// check and begin as a payment network's numbers do. Digits may be of any common script. Telephone
/// numbers, UUIDs and other ids stay as they are.
///
/// In JSON, escapes such as `\u0034` are understood, a bare number becomes `0`, so that valid JSON
/// stays valid, and a value under `id`, `…_id` or `…Id` that is all digits is an id. The result is
/// never longer. Masking twice changes nothing more.
///
/// ```
/// use stayzr_core::mask::mask_cards;
///
/// let body = br#"{"text":"my card is 4111 1111 1111 1111"}"#;
/// assert_eq!(&*mask_cards(body), br#"{"text":"my card is **** **** **** 1111"}"#);
/// ```
pub fn mask_cards(bytes: &[u8]) -> Cow<'_, [u8]> {
    let json = bytes
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_some_and(|byte| matches!(byte, b'{' | b'[' | b'"'));
    scan::replace(bytes, &scan::cards(bytes, json))
}

/// The text with card numbers masked, as [`mask_cards`] does for text that is not JSON.
pub fn mask_cards_in_text(text: &str) -> Cow<'_, str> {
    match scan::replace(text.as_bytes(), &scan::cards(text.as_bytes(), false)) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        // Whole characters were replaced by ASCII, so nothing is lost here.
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}
