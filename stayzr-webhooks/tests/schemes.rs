//! The rules of the schemes, with vectors that others published or that follow from the rules.
#![cfg(all(feature = "meta", feature = "mews"))]
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;
use secrecy::SecretString;
use stayzr_core::chrono::{DateTime, Utc};
use stayzr_webhooks::{
    Accepted, SecretError, Secrets, SignedRequest, Verifier,
    channels::whatsapp::{MetaHandshake, MetaHub},
    endpoints::mews::{MewsSignature, MewsUrlToken},
};

/// A request to be verified.
struct Case<'a> {
    target: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
    secrets: &'a [&'a str],
}

impl Default for Case<'_> {
    fn default() -> Self {
        Self {
            target: "/webhooks/x",
            headers: &[],
            body: b"{}",
            secrets: &["secret"],
        }
    }
}

impl Case<'_> {
    /// `ok <index>`, `challenge <text>`, or `<reason> <status>`.
    fn verdict(&self, verifier: &dyn Verifier) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(name.parse::<HeaderName>().unwrap(), value);
        }
        let request = SignedRequest {
            method: &Method::POST,
            target: self.target,
            headers: &headers,
            body: self.body,
        };
        let secrets: Vec<_> = self
            .secrets
            .iter()
            .map(|s| SecretString::from(*s))
            .collect();
        let secrets = Secrets::new(&secrets).unwrap();
        match verifier.verify(&request, secrets, DateTime::<Utc>::UNIX_EPOCH) {
            Ok(Accepted::Delivery(verified)) => format!("ok {}", verified.secret_index),
            Ok(Accepted::Challenge(text)) => format!("challenge {text}"),
            Err(refused) => format!("{} {}", refused.reason.as_str(), refused.status.as_u16()),
        }
    }
}

const META: &str = "X-Hub-Signature-256";
const MEWS: &str = "X-Signature";

#[test]
fn meta_signs_as_github_published() {
    let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let mut case = Case {
        headers: &[(META, good)],
        body: b"Hello, World!",
        secrets: &["It's a Secret to Everybody"],
        ..Case::default()
    };
    assert_eq!(case.verdict(&MetaHub), "ok 0");
    case.body = b"Hello, World!\n";
    assert_eq!(case.verdict(&MetaHub), "signature_mismatch 401");

    let signature = MetaHub::sign(&SecretString::from("secret"), b"test");
    assert_eq!(
        signature,
        "sha256=0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914"
    );
}

#[test]
fn meta_takes_its_header_in_one_form_only() {
    let hex = "0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914";
    let good = format!("sha256={hex}");
    for (value, expected) in [
        (good.clone(), "ok 0"),
        (format!(" \t{good} \t"), "ok 0"),
        (format!("sha256={}", hex.to_uppercase()), "ok 0"),
        (format!("SHA256={hex}"), "malformed_signature 400"),
        (format!("sha1={hex}"), "malformed_signature 400"),
        (format!("sha256= {hex}"), "malformed_signature 400"),
        (format!("{good},{good}"), "malformed_signature 400"),
        (good[..good.len() - 1].to_owned(), "malformed_signature 400"),
        (format!("{good}0"), "malformed_signature 400"),
        (good.replace('0', "g"), "malformed_signature 400"),
        (format!("sha256={}é", &hex[..62]), "malformed_signature 400"),
        ("sha256=".to_owned(), "malformed_signature 400"),
        (String::new(), "malformed_signature 400"),
        (good.replace('0', "1"), "signature_mismatch 401"),
    ] {
        let headers = [(META, value.as_str())];
        let case = Case {
            headers: &headers,
            body: b"test",
            ..Case::default()
        };
        assert_eq!(case.verdict(&MetaHub), expected, "{value:?}");
    }
    assert_eq!(Case::default().verdict(&MetaHub), "missing_signature 401");
}

#[test]
fn a_security_header_given_twice_is_refused_even_if_one_is_good() {
    let meta = MetaHub::sign(&SecretString::from("secret"), b"{}");
    let mews = MewsSignature::sign(&SecretString::from("secret"), b"{}");
    let verifiers: [(&dyn Verifier, &str, &str); 2] =
        [(&MetaHub, META, &meta), (&MewsSignature, MEWS, &mews)];
    for (verifier, name, good) in verifiers {
        let lower = name.to_lowercase();
        for headers in [
            [(name, good), (lower.as_str(), good)],
            [(name, good), (name, "x")],
        ] {
            let case = Case {
                headers: &headers,
                ..Case::default()
            };
            assert_eq!(case.verdict(verifier), "duplicate_header 400");
        }
    }
}

#[test]
fn any_of_the_secrets_matches_and_which_one_is_told() {
    let body = b"{\"a\":1}";
    let signature = MewsSignature::sign(&SecretString::from("old"), body);
    let headers = [(MEWS, signature.as_str())];
    for (secrets, expected) in [
        (&["old"][..], "ok 0"),
        (&["new", "old"], "ok 1"),
        (&["new", "older", "old", "old"], "ok 2"),
        (&["new"], "signature_mismatch 401"),
    ] {
        let case = Case {
            headers: &headers,
            body,
            secrets,
            ..Case::default()
        };
        assert_eq!(case.verdict(&MewsSignature), expected);
    }
}

#[test]
fn an_empty_secret_cannot_be_used() {
    let secrets = |all: &[&str]| {
        let all: Vec<_> = all.iter().map(|s| SecretString::from(*s)).collect();
        Secrets::new(&all).err()
    };
    assert_eq!(secrets(&[]), Some(SecretError::None));
    assert_eq!(secrets(&["a", ""]), Some(SecretError::Empty { index: 1 }));
    assert_eq!(secrets(&[" \n"]), Some(SecretError::Empty { index: 0 }));
}

#[test]
fn mews_pos_takes_strict_base64_only() {
    let good = MewsSignature::sign(&SecretString::from("secret"), b"{}");
    assert!(good.ends_with('='));
    let unpadded = good.trim_end_matches('=').to_owned();
    let spaced = format!("{} {}", &good[..20], &good[20..]);
    for (value, expected) in [
        (format!("\t{good} "), "ok 0"),
        (unpadded, "signature_mismatch 401"),
        (spaced, "signature_mismatch 401"),
        (String::new(), "signature_mismatch 401"),
    ] {
        let headers = [(MEWS, value.as_str())];
        let case = Case {
            headers: &headers,
            ..Case::default()
        };
        assert_eq!(case.verdict(&MewsSignature), expected, "{value:?}");
    }
    assert_eq!(
        Case::default().verdict(&MewsSignature),
        "missing_header 401"
    );
}

#[test]
fn the_token_of_mews_is_a_parameter_or_the_last_segment() {
    for (target, expected) in [
        ("/webhooks/pms/mews/1?token=s3+c/r%65t", "ok 0"),
        ("/webhooks/pms/mews/1?a=b&token=previous", "ok 1"),
        ("/webhooks/pms/mews/1/previous", "ok 1"),
        ("/webhooks/pms/mews/1/previous?a=b", "ok 1"),
        ("/webhooks/pms/mews/1/s3+c%2Fret", "ok 0"),
        ("/webhooks/pms/mews/1/previous?token=wrong", "bad_token 401"),
        (
            "/webhooks/pms/mews/1?token=previous&token=previous",
            "bad_token 401",
        ),
        (
            "/webhooks/pms/mews/1?token=previous&%74oken=wrong",
            "bad_token 401",
        ),
        ("/webhooks/pms/mews/1?token=", "bad_token 401"),
        ("/webhooks/pms/mews/1?token", "bad_token 401"),
        ("/webhooks/pms/mews/1?Token=previous", "bad_token 401"),
        ("/webhooks/pms/mews/1?token=previou", "bad_token 401"),
        ("/webhooks/pms/mews/previous/1", "bad_token 401"),
        ("/webhooks/pms/mews/1/previous/", "bad_token 401"),
        ("", "bad_token 401"),
    ] {
        let case = Case {
            target,
            secrets: &["s3+c/ret", "previous"],
            ..Case::default()
        };
        assert_eq!(case.verdict(&MewsUrlToken), expected, "{target}");
    }
}

#[test]
fn a_handshake_wants_each_parameter_once_and_answers_to_the_byte() {
    for (query, expected) in [
        (
            "hub.challenge=007&hub.mode=subscribe&hub.verify_token=t%20k+n",
            "challenge 007",
        ),
        (
            "hub.mode=subscribe&hub.verify_token=t%20k%20n&hub.challenge=a%22%3C",
            "challenge a\"<",
        ),
        (
            "hub.mode=subscribe&hub.verify_token=t%20k%20n&hub.challenge=",
            "challenge ",
        ),
        (
            "hub.mode=subscribe&hub.verify_token=t%20k%20n",
            "handshake_refused 403",
        ),
        (
            "hub.mode=subscribe&hub.challenge=1",
            "handshake_refused 403",
        ),
        (
            "hub.mode=Subscribe&hub.challenge=1&hub.verify_token=t+k+n",
            "handshake_refused 403",
        ),
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
            "handshake_refused 403",
        ),
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=t+k+n&hub.verify_token=t+k+n",
            "handshake_refused 403",
        ),
        (
            "hub.mode=subscribe&hub.challenge=%ff&hub.verify_token=t+k+n",
            "handshake_refused 403",
        ),
    ] {
        let target = format!("/webhooks/whatsapp?{query}");
        let case = Case {
            target: &target,
            secrets: &["t k n"],
            ..Case::default()
        };
        assert_eq!(case.verdict(&MetaHandshake), expected, "{query}");
    }
    let query = MetaHandshake::sign(&SecretString::from("t k+n"), "11 58");
    let target = format!("/webhooks/whatsapp?{query}");
    let case = Case {
        target: &target,
        secrets: &["t k+n"],
        ..Case::default()
    };
    assert_eq!(case.verdict(&MetaHandshake), "challenge 11 58");
}

proptest! {
    #[test]
    fn what_was_signed_verifies_and_one_changed_bit_does_not(
        secret in "[!-~]{1,80}",
        body in prop::collection::vec(any::<u8>(), 1..600),
        bit in any::<prop::sample::Index>(),
    ) {
        let key = SecretString::from(secret.as_str());
        let secrets = [secret.as_str()];
        let (meta, mews) = (MetaHub::sign(&key, &body), MewsSignature::sign(&key, &body));
        let verifiers: [(&dyn Verifier, _); 2] =
            [(&MetaHub, [(META, meta.as_str())]), (&MewsSignature, [(MEWS, mews.as_str())])];
        for (verifier, headers) in &verifiers {
            let case = Case { headers, body: &body, secrets: &secrets, ..Case::default() };
            prop_assert_eq!(case.verdict(*verifier), "ok 0");

            let mut tampered = body.clone();
            let bit = bit.index(tampered.len() * 8);
            tampered[bit / 8] ^= 1 << (bit % 8);
            let case = Case { headers, body: &tampered, secrets: &secrets, ..Case::default() };
            prop_assert_eq!(case.verdict(*verifier), "signature_mismatch 401");

            let other = format!("{secret}x");
            let case =
                Case { headers, body: &body, secrets: &[other.as_str()], ..Case::default() };
            prop_assert_eq!(case.verdict(*verifier), "signature_mismatch 401");
        }
    }

    #[test]
    fn a_signed_target_verifies_whatever_the_token_holds(token in "\\PC{1,40}", query in any::<bool>()) {
        prop_assume!(!token.trim().is_empty());
        let target = if query { "/webhooks/pms/mews/1?a=b" } else { "/webhooks/pms/mews/1" };
        let target = MewsUrlToken::sign(&SecretString::from(token.as_str()), target);
        let case = Case { target: &target, secrets: &[&token], ..Case::default() };
        prop_assert_eq!(case.verdict(&MewsUrlToken), "ok 0");
    }

    #[test]
    fn no_header_and_no_target_brings_a_verifier_down(
        header in prop::collection::vec(0x20_u8..0x7f, 0..120),
        target in "\\PC{0,80}",
    ) {
        let header = String::from_utf8(header).unwrap();
        let headers = [(META, header.as_str()), (MEWS, header.as_str())];
        let case = Case { target: &target, headers: &headers, ..Case::default() };
        for verifier in [&MetaHub as &dyn Verifier, &MetaHandshake, &MewsUrlToken, &MewsSignature] {
            prop_assert!(!case.verdict(verifier).starts_with("ok"));
        }
    }
}
