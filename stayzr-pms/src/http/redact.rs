/// How much of a vendor's sentence is kept.
const KEPT: usize = 300;

/// A vendor's sentence as it may be shown: without these secrets, without addresses of people and
/// long numbers, on one line, cut to 300 characters.
///
/// ```
/// use stayzr_pms::http::redact;
///
/// let text = "Token abc-123-def of ann@hotel.example, card 4111111111111111";
/// assert_eq!(redact(text, ["abc-123-def"]), "Token [redacted] of [email] card [number]");
/// ```
pub fn redact<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = text.to_owned();
    for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[redacted]");
    }
    let mut shown = String::new();
    for word in text.split_whitespace() {
        if !shown.is_empty() {
            shown.push(' ');
        }
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        // Ids of the vendor are hexadecimal and stay: support asks for them.
        let hexadecimal = word.bytes().any(|byte| byte.is_ascii_alphabetic());
        if word.contains('@') {
            shown.push_str("[email]");
        } else if digits >= 7 && !hexadecimal {
            shown.push_str("[number]");
        } else {
            shown.push_str(word);
        }
    }
    if let Some((cut, _)) = shown.char_indices().nth(KEPT) {
        shown.truncate(cut);
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_p_no_secret_address_or_number_of_a_vendors_sentence_is_kept() {
        let shown = redact(
            "Invalid AccessToken 'C66EF7B2-SECRET'.\nCustomer jane@example.com +420608123456 exists",
            ["C66EF7B2-SECRET", ""],
        );
        assert_eq!(
            shown,
            "Invalid AccessToken '[redacted]'. Customer [email] [number] exists"
        );
    }

    #[test]
    fn long_sentences_are_cut_between_characters() {
        let shown = redact(&"é".repeat(1000), []);
        assert_eq!(shown.chars().count(), KEPT + 1);
    }
}
