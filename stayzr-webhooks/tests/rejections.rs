//! The table of rejections of each scheme that signs an id, a time or a user: what is refused, by
//! which reason, with which status.
#![cfg(all(feature = "agent", feature = "receiver"))]
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::SecretString;
use stayzr_core::chrono::DateTime;
use stayzr_webhooks::{
    Accepted, Secrets, SignedRequest, Verifier,
    channels::{postmark::PostmarkCredentials, resend::StandardWebhooks},
    endpoints::{
        agent::{AgentRequest, AgentSignature},
        cloudbeds::SecretPath,
        razorpay::RazorpaySignature,
        stripe::StripeSignature,
    },
};

const NOW: i64 = 1_781_000_000;
const BODY: &[u8] = br#"{"id":"evt_1","amount":1}"#;
const STANDARD: &str = "whsec_BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSY=";
const STANDARD_OLD: &str = "whsec_PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWls";
const AGENT: &str = "agsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=";
const TARGET: &str = "/agent/v1/tools/property_facts?a=1";

/// `ok <index> <dedupe id>`, or `<reason> <status>`.
fn verdict(
    verifier: &dyn Verifier,
    secrets: &[&str],
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let headers = map(headers);
    let request = SignedRequest {
        method: &Method::POST,
        target,
        headers: &headers,
        body,
    };
    let secrets: Vec<_> = secrets.iter().map(|s| SecretString::from(*s)).collect();
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    match verifier.verify(&request, Secrets::new(&secrets).unwrap(), now) {
        Ok(Accepted::Delivery(verified)) => {
            let id = verified.dedupe_id.unwrap_or_default();
            format!("ok {} {id}", verified.secret_index)
                .trim_end()
                .to_owned()
        }
        Ok(Accepted::Challenge(text)) => format!("challenge {text}"),
        Err(refused) => format!("{} {}", refused.reason.as_str(), refused.status.as_u16()),
    }
}

fn map(headers: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        map.append(name.parse::<HeaderName>().unwrap(), value);
    }
    map
}

fn standard(headers: &[(&str, &str)]) -> String {
    let secrets = [STANDARD, STANDARD_OLD];
    verdict(&StandardWebhooks, &secrets, "/", headers, BODY)
}

#[test]
fn standard_webhooks() {
    let sign = |secret: &str, id: &str, at| {
        StandardWebhooks::sign(&SecretString::from(secret), id, at, BODY).unwrap()
    };
    let good = sign(STANDARD, "msg_1", NOW);
    let at = NOW.to_string();
    let with = |id: &str, at: &str, signature: &str| {
        standard(&[
            ("svix-id", id),
            ("svix-timestamp", at),
            ("svix-signature", signature),
        ])
    };
    assert_eq!(with("msg_1", &at, &good), "ok 0 msg_1");
    let old = sign(STANDARD_OLD, "msg_1", NOW);
    assert_eq!(with("msg_1", &at, &old), "ok 1 msg_1");
    assert_eq!(
        with("msg_1", &at, &format!("v1a,x  v1,=== {old} {good}")),
        "ok 0 msg_1"
    );
    let tagged_v2 = good.replace("v1,", "v2,");
    for (id, time, signature, expected) in [
        (
            "msg_2",
            at.as_str(),
            good.as_str(),
            "signature_mismatch 401",
        ),
        ("msg_1", at.as_str(), "", "signature_mismatch 401"),
        ("msg_1", at.as_str(), &tagged_v2, "signature_mismatch 401"),
        ("msg.1", at.as_str(), &good, "malformed_id 400"),
        ("", at.as_str(), &good, "malformed_id 400"),
        ("msg_1", "", &good, "malformed_timestamp 400"),
        ("msg_1", "1781000000.5", &good, "malformed_timestamp 400"),
        ("msg_1", "1780999699", &good, "timestamp_too_old 401"),
        ("msg_1", "1781000301", &good, "timestamp_too_new 401"),
    ] {
        assert_eq!(
            with(id, time, signature),
            expected,
            "{id} {time} {signature}"
        );
    }
    assert_eq!(standard(&[]), "missing_header 401");
    assert_eq!(
        standard(&[
            ("svix-id", "msg_1"),
            ("svix-timestamp", &at),
            ("webhook-signature", &good)
        ]),
        "missing_header 401",
        "the two kinds of headers are not mixed"
    );
    let twice = [
        ("webhook-id", "msg_1"),
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", at.as_str()),
        ("webhook-signature", good.as_str()),
    ];
    assert_eq!(standard(&twice), "duplicate_header 400");
    assert_eq!(standard(&twice[1..]), "ok 0 msg_1");
    let headers = [
        ("svix-id", "msg_1"),
        ("svix-timestamp", at.as_str()),
        ("svix-signature", good.as_str()),
    ];
    assert_eq!(
        verdict(&StandardWebhooks, &["whsec_!"], "/", &headers, BODY),
        "unusable_secret 503",
        "a secret that is no base64 is our own fault"
    );
    assert!(StandardWebhooks::sign(&"whsec_".into(), "a", 0, b"").is_err());
}

#[test]
fn postmark() {
    let basic = "Basic cG9zdG1hcms6cG0tUzNjcjN0OndpdGgtY29sb24=";
    let secrets = [
        "postmark:pm-S3cr3t:with-colon",
        "postmark:old",
        "pmtok_5d1a9e",
    ];
    for (headers, expected) in [
        (&[("authorization", basic)][..], "ok 0"),
        (&[("authorization", "basic  cG9zdG1hcms6b2xk")], "ok 1"),
        (&[("x-stayzr-webhook-token", " pmtok_5d1a9e ")], "ok 2"),
        (
            &[
                ("authorization", basic),
                ("x-stayzr-webhook-token", "pmtok_5d1a9e"),
            ],
            "ok 0",
        ),
        (
            &[("authorization", basic), ("x-stayzr-webhook-token", "no")],
            "bad_credentials 401",
        ),
        (&[], "missing_credentials 401"),
        (
            &[("x-postmark-signature", "abc")],
            "missing_credentials 401",
        ),
        (
            &[("authorization", "Bearer pmtok_5d1a9e")],
            "bad_credentials 401",
        ),
        (&[("authorization", "Basic")], "bad_credentials 401"),
        (
            &[("authorization", "Basic !!!")],
            "malformed_credentials 400",
        ),
        // A token is not a user with a password, and the other way round.
        (
            &[("authorization", "Basic cG10b2tfNWQxYTll")],
            "bad_credentials 401",
        ),
        (
            &[("x-stayzr-webhook-token", "postmark:old")],
            "bad_credentials 401",
        ),
        (
            &[("authorization", basic), ("authorization", basic)],
            "duplicate_header 400",
        ),
    ] {
        let got = verdict(&PostmarkCredentials, &secrets, "/", headers, BODY);
        assert_eq!(got, expected, "{headers:?}");
        assert!(!got.ends_with("403"), "Postmark stops trying on 403");
    }
}

#[test]
fn stripe_answers_every_failure_with_400() {
    let header = "Stripe-Signature";
    let good = StripeSignature::sign(&"whsec_a".into(), NOW, BODY);
    let v1 = good.split_once(",v1=").unwrap().1;
    let old = StripeSignature::sign(&"whsec_a".into(), NOW - 301, BODY);
    let new = StripeSignature::sign(&"whsec_a".into(), NOW + 301, BODY);
    let zeros = "0".repeat(64);
    for (value, expected) in [
        (good.clone(), "ok 1 evt_1"),
        (format!("v0=1,t={NOW},v1={zeros},v1={v1},v1="), "ok 1 evt_1"),
        (format!("t={NOW},v0={v1}"), "signature_mismatch 400"),
        (format!("t={NOW}"), "signature_mismatch 400"),
        (format!("v1={v1}"), "malformed_signature 400"),
        (
            format!("t={NOW},t={NOW},v1={v1}"),
            "malformed_signature 400",
        ),
        (format!("t=x,v1={v1}"), "malformed_timestamp 400"),
        (String::new(), "malformed_signature 400"),
        (old, "timestamp_too_old 400"),
        (new, "timestamp_too_new 400"),
    ] {
        let got = verdict(
            &StripeSignature,
            &["whsec_b", "whsec_a"],
            "/",
            &[(header, &value)],
            BODY,
        );
        assert_eq!(got, expected, "{value}");
    }
    let both = [(header, good.as_str()), (header, good.as_str())];
    let secrets = ["whsec_a"];
    assert_eq!(
        verdict(&StripeSignature, &secrets, "/", &both, BODY),
        "duplicate_header 400"
    );
    assert_eq!(
        verdict(&StripeSignature, &secrets, "/", &[], BODY),
        "missing_header 400"
    );
    let body = b"not json";
    let signature = StripeSignature::sign(&"whsec_a".into(), NOW, body);
    let headers = [(header, signature.as_str())];
    assert_eq!(
        verdict(&StripeSignature, &secrets, "/", &headers, body),
        "ok 0"
    );
}

#[test]
fn razorpay() {
    let good = RazorpaySignature::sign(&"old".into(), BODY);
    let (name, id) = ("X-Razorpay-Signature", "x-razorpay-event-id");
    for (headers, expected) in [
        (&[(name, good.as_str()), (id, "evt_9")][..], "ok 1 evt_9"),
        (&[(name, &good)], "ok 1"),
        (&[(name, &good), (id, "evt 9")], "malformed_id 400"),
        (
            &[(name, &good), (id, "a"), (id, "b")],
            "duplicate_header 400",
        ),
        (&[(name, &good), (name, &good)], "duplicate_header 400"),
        (&[(name, "abc")], "malformed_signature 400"),
        (&[], "missing_header 401"),
    ] {
        let got = verdict(&RazorpaySignature, &["new", "old"], "/", headers, BODY);
        assert_eq!(got, expected, "{headers:?}");
    }
    let headers = [(name, good.as_str())];
    assert_eq!(
        verdict(&RazorpaySignature, &["new"], "/", &headers, BODY),
        "signature_mismatch 401"
    );
}

#[test]
fn cloudbeds_looks_at_the_last_segment_of_the_path_alone() {
    for (target, expected) in [
        ("/webhooks/pms/cloudbeds/1/current", "ok 0"),
        ("/webhooks/pms/cloudbeds/1/previous?token=x", "ok 1"),
        ("/webhooks/pms/cloudbeds/1/pre%76ious", "ok 1"),
        ("/webhooks/pms/cloudbeds/1?token=current", "bad_token 401"),
        ("/webhooks/pms/cloudbeds/1/current/", "bad_token 401"),
        ("/webhooks/pms/cloudbeds/current/1", "bad_token 401"),
        ("/webhooks/pms/cloudbeds/1", "bad_token 401"),
        ("", "bad_token 401"),
    ] {
        let got = verdict(&SecretPath, &["current", "previous"], target, &[], BODY);
        assert_eq!(got, expected, "{target}");
    }
}

#[test]
fn agents() {
    let signed = |nonce: &'static str, at| {
        let request = AgentRequest {
            agent_id: "agt_1",
            timestamp: at,
            nonce,
            method: &Method::POST,
            target: TARGET,
            body: BODY,
        };
        AgentSignature::sign(&AGENT.into(), &request).unwrap()
    };
    let nonce = "n0nce-0123456789abcdef";
    let good = signed(nonce, NOW);
    let check = |headers: &[(&str, String)], target: &str, body: &[u8]| {
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        verdict(&AgentSignature, &[AGENT], target, &headers, body)
    };
    assert_eq!(check(&good, TARGET, BODY), format!("ok 0 agt_1:{nonce}"));
    assert_eq!(check(&good, TARGET, b""), "signature_mismatch 401");
    assert_eq!(
        check(&good, "/agent/v1/tools/property_facts", BODY),
        "signature_mismatch 401"
    );
    assert_eq!(
        check(&signed("short", NOW), TARGET, BODY),
        "malformed_nonce 400"
    );
    assert_eq!(
        check(&signed(nonce, NOW - 301), TARGET, BODY),
        "timestamp_too_old 401"
    );
    assert_eq!(
        check(&signed(nonce, NOW + 301), TARGET, BODY),
        "timestamp_too_new 401"
    );
    for missing in 0..good.len() {
        let mut headers = good.to_vec();
        let removed = headers.remove(missing);
        assert_eq!(check(&headers, TARGET, BODY), "missing_header 401");
        headers.extend([removed.clone(), removed]);
        assert_eq!(check(&headers, TARGET, BODY), "duplicate_header 400");
    }
    let mut rotating = good.clone();
    rotating[3].1 = format!("v2=x,v1={},{}", "0".repeat(64), rotating[3].1);
    assert!(check(&rotating, TARGET, BODY).starts_with("ok 0"));
    let mut dotted = good.clone();
    dotted[0].1 = "agt.1".to_owned();
    assert_eq!(check(&dotted, TARGET, BODY), "malformed_id 400");

    let headers: Vec<_> = good.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let headers = map(&headers);
    let request = SignedRequest {
        method: &Method::POST,
        target: TARGET,
        headers: &headers,
        body: BODY,
    };
    let now = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
    assert_eq!(AgentSignature::claimed(&request).unwrap(), "agt_1");
    let unknown = AgentSignature::unknown(&request, now(NOW));
    assert_eq!(
        (unknown.reason.as_str(), unknown.status.as_u16()),
        ("unknown_key", 401)
    );
    let stale = AgentSignature::unknown(&request, now(NOW + 301));
    assert_eq!(stale.reason.as_str(), "timestamp_too_old");
    let replayed = AgentSignature::replayed();
    assert_eq!(
        (replayed.reason.as_str(), replayed.status.as_u16()),
        ("replayed_nonce", 409)
    );
}
