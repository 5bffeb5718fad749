use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn masked(body: &str) -> String {
    String::from_utf8(mask_cards(body.as_bytes()).into_owned()).unwrap()
}

#[test]
fn invariant_p_masks_cards_however_they_are_written() {
    for (text, expected) in [
        ("4111111111111111", "************1111"),
        ("card: 4111-1111-1111-1111.", "card: ****-****-****-1111."),
        ("3782 822463 10005", "**** ****** *0005"),
        ("4111\u{a0}1111 1111 1111", "****\u{a0}**** **** 1111"),
        // With a card's expiry and its check number behind it.
        (
            "4111 1111 1111 1111 12/28 123",
            "**** **** **** 1111 12/28 123",
        ),
        ("room 12 4111 1111 1111 1111", "room 12 **** **** **** 1111"),
        ("41111 11111 11111 1", "***** ***** **111 1"),
        ("nr4111111111111111", "nr************1111"),
        ("٤١١١١١١١١١١١١١١١", "************١١١١"),
        (
            "4111 1111 1111 1111 5555 5555 5555 4444",
            "**** **** **** 1111 **** **** **** 4444",
        ),
    ] {
        assert_eq!(mask_cards_in_text(text), expected, "{text}");
        let body = serde_json::json!({ "text": text }).to_string();
        let after: Value = serde_json::from_str(&masked(&body)).unwrap();
        assert_eq!(after["text"], expected, "in JSON: {text}");
    }
}

#[test]
fn invariant_p_masks_digits_that_are_escaped() {
    let body = r#"{"text":"\u0034111 \u0031111\u00201111\u002d1111\n"}"#;
    assert_eq!(
        masked(body),
        r#"{"text":"**** ****\u0020****\u002d1111\n"}"#
    );
    // An escaped backslash is no escape of a digit.
    let body = r#"{"text":"\\u0034111 1111 1111 1111"}"#;
    assert_eq!(masked(body), body);
    let body = r#"{"text":"one\n4111111111111111\nthree"}"#;
    assert_eq!(masked(body), r#"{"text":"one\n************1111\nthree"}"#);
}

#[test]
fn a_bare_number_in_json_stays_a_number() {
    for (body, expected) in [
        (r#"{"pan":4111111111111111}"#, r#"{"pan":0}"#),
        (r#"[1, 4111111111111111 ,2]"#, r#"[1, 0 ,2]"#),
        (r#"{"at":1709251200000}"#, r#"{"at":1709251200000}"#),
    ] {
        assert_eq!(masked(body), expected);
    }
}

#[test]
fn keeps_numbers_that_are_no_cards() {
    for text in [
        "+49 1511 2345678",
        "00351912345678",
        "reservation 5418745562312",
        "4111 1111 1111 1112",
        "0190b7c2-4111-7111-8111-111111111111",
        "41111111-1111-4111-8111-111111111111",
        "sha256 ab4111111111111111cd",
        "1709251200000",
        "2026-03-01 2026-03-05",
        "41111111111111111111",
    ] {
        assert!(
            matches!(mask_cards_in_text(text), Cow::Borrowed(_)),
            "{text}"
        );
    }
    // Meta's id of an account may pass for a card.
    let body = r#"{"metadata":{"phone_number_id":"4111111111111111"},"id":4111111111111111}"#;
    assert_eq!(masked(body), body);
    let body = r#"{"message_id":"x 4111111111111111"}"#;
    assert_ne!(masked(body), body);
}

proptest! {
    #[test]
    fn valid_json_stays_valid_and_never_grows(
        texts in prop::collection::vec("[0-9a-z \\-\\\\\"é٤]{0,40}", 0..6),
        card in any::<bool>(),
    ) {
        let mut texts = texts;
        if card {
            texts.push("4111 1111 1111 1111".to_owned());
        }
        let body = serde_json::json!({ "texts": texts, "n": 4111111111111111_u64 }).to_string();
        let once = mask_cards(body.as_bytes()).into_owned();
        prop_assert!(once.len() <= body.len());
        let after: Value = serde_json::from_slice(&once).unwrap();
        prop_assert_eq!(after["texts"].as_array().unwrap().len(), texts.len());
        prop_assert_eq!(mask_cards(&once).into_owned(), once.clone());
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let masked = mask_cards(&bytes).into_owned();
        prop_assert!(masked.len() <= bytes.len());
    }
}
