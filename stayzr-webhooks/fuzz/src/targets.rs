//! One function for each verifier and parser that reads what strangers send. Each takes any bytes,
//! must come to an end without a panic, and must never take a request for authentic.
//!
//! They run under `cargo fuzz` (this package, on nightly) and under generated and mutated bytes in
//! `stayzr-webhooks/tests/fuzzing.rs`.

use http::{HeaderMap, HeaderValue, Method};
use secrecy::SecretString;
use stayzr_core::chrono::{DateTime, Utc};
use stayzr_webhooks::{
    Accepted, Secrets, SignedRequest, Verifier,
    channels::{
        postmark::{self, PostmarkCredentials},
        resend::{self, StandardWebhooks},
        whatsapp::{self, MetaHandshake, MetaHub},
    },
    endpoints::{
        agent::AgentSignature,
        cloudbeds::SecretPath,
        mews::{MewsSignature, MewsUrlToken},
        razorpay::{self, RazorpaySignature},
        stripe::{self, StripeSignature},
    },
};

/// Long enough that no input hits it, and base64 for the schemes that decode it.
const SECRET: &str = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtb";

/// A target and its name.
pub struct Target {
    /// The name, also of the file for `cargo fuzz`.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("verify_meta", verify_meta),
    target("verify_handshake", verify_handshake),
    target("verify_standard_webhooks", verify_standard_webhooks),
    target("verify_postmark", verify_postmark),
    target("verify_mews_token", verify_mews_token),
    target("verify_mews_signature", verify_mews_signature),
    target("verify_cloudbeds", verify_cloudbeds),
    target("verify_stripe", verify_stripe),
    target("verify_razorpay", verify_razorpay),
    target("verify_agent", verify_agent),
    target("parse_whatsapp", parse_whatsapp),
    target("parse_resend", parse_resend),
    target("parse_postmark", parse_postmark),
    target("parse_postmark_inbound", parse_postmark_inbound),
    target("parse_stripe", parse_stripe),
    target("parse_razorpay", parse_razorpay),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// `X-Hub-Signature-256`.
pub fn verify_meta(input: &[u8]) {
    refuses(&MetaHub, &[MetaHub::HEADER], input);
}

/// The query of Meta's handshake.
pub fn verify_handshake(input: &[u8]) {
    refuses(&MetaHandshake, &[], input);
}

/// Id, timestamp and signatures of Standard Webhooks, under both kinds of names.
pub fn verify_standard_webhooks(input: &[u8]) {
    refuses(
        &StandardWebhooks,
        StandardWebhooks::HEADERS.as_flattened(),
        input,
    );
}

/// Postmark's credentials and token.
pub fn verify_postmark(input: &[u8]) {
    refuses(
        &PostmarkCredentials,
        &["authorization", PostmarkCredentials::TOKEN_HEADER],
        input,
    );
}

/// The token in the URL of Mews.
pub fn verify_mews_token(input: &[u8]) {
    refuses(&MewsUrlToken, &[], input);
}

/// `X-Signature`.
pub fn verify_mews_signature(input: &[u8]) {
    refuses(&MewsSignature, &[MewsSignature::HEADER], input);
}

/// The path of Cloudbeds.
pub fn verify_cloudbeds(input: &[u8]) {
    refuses(&SecretPath, &[], input);
}

/// `Stripe-Signature`.
pub fn verify_stripe(input: &[u8]) {
    refuses(&StripeSignature, &[StripeSignature::HEADER], input);
}

/// Razorpay's signature and id.
pub fn verify_razorpay(input: &[u8]) {
    let names = [RazorpaySignature::HEADER, RazorpaySignature::ID_HEADER];
    refuses(&RazorpaySignature, &names, input);
}

/// The four headers of an agent.
pub fn verify_agent(input: &[u8]) {
    let names = [
        AgentSignature::ID_HEADER,
        AgentSignature::TIMESTAMP_HEADER,
        AgentSignature::NONCE_HEADER,
        AgentSignature::HEADER,
    ];
    refuses(&AgentSignature, &names, input);
    with_request(&names, input, |request| {
        let _ = AgentSignature::claimed(request);
        let _ = AgentSignature::unknown(request, now());
    });
}

/// A body of WhatsApp.
pub fn parse_whatsapp(input: &[u8]) {
    let _ = whatsapp::parse(input, now());
}

/// A body of Resend.
pub fn parse_resend(input: &[u8]) {
    let _ = resend::parse(input);
}

/// A body of Postmark about an email of ours.
pub fn parse_postmark(input: &[u8]) {
    let _ = postmark::parse(input);
}

/// A body of Postmark with an email received.
pub fn parse_postmark_inbound(input: &[u8]) {
    let _ = postmark::parse_inbound(input);
}

/// A body of Stripe.
pub fn parse_stripe(input: &[u8]) {
    let _ = stripe::parse(input);
}

/// A body of Razorpay.
pub fn parse_razorpay(input: &[u8]) {
    let _ = razorpay::parse(input);
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_781_000_000, 0).unwrap_or_default()
}

fn refuses(verifier: &dyn Verifier, names: &[&'static str], input: &[u8]) {
    let secrets = [SecretString::from(SECRET)];
    let Ok(secrets) = Secrets::new(&secrets) else {
        return;
    };
    with_request(names, input, |request| {
        let verdict = verifier.verify(request, secrets, now());
        assert!(
            !matches!(verdict, Ok(Accepted::Delivery(_) | Accepted::Challenge(_))),
            "a request that nobody signed was taken for authentic"
        );
    });
}

/// The input as a request: a line for the target, one for each header, and the rest is the body.
/// `\x01` in a header's line parts values that are given one after the other.
fn with_request(names: &[&'static str], input: &[u8], then: impl FnOnce(&SignedRequest<'_>)) {
    let mut parts = input.splitn(names.len() + 2, |byte| *byte == b'\n');
    let target = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let mut headers = HeaderMap::new();
    for name in names {
        for value in parts.next().unwrap_or_default().split(|byte| *byte == 1) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(*name, value);
            }
        }
    }
    then(&SignedRequest {
        method: &Method::POST,
        target: &target,
        headers: &headers,
        body: parts.next().unwrap_or_default(),
    });
}
