//! What verification costs on one core, beside the bare HMAC over as many bytes that it cannot do
//! without: every signed scheme at 1 KiB, and WhatsApp's at other sizes.

use std::{hint::black_box, time::Instant};

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, Method};
use secrecy::SecretString;
use sha2::Sha256;
use stayzr_webhooks::{
    Secrets, SignedRequest, Verifier,
    channels::{resend::StandardWebhooks, whatsapp::MetaHub},
    endpoints::{
        agent::{AgentRequest, AgentSignature},
        mews::MewsSignature,
        razorpay::RazorpaySignature,
        stripe::StripeSignature,
    },
};

use crate::report::{Measurement, Report, median};

const ROUNDS: usize = 40;
const BYTES_A_ROUND: usize = 2 << 20;
/// Without its prefix, which schemes that decode a secret do not insist on, so that one serves all.
const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TARGET: &str = "/webhooks/x";
const METHOD: Method = Method::POST;

/// Signs a body at a time, in Unix seconds; the headers to send it with.
type Sign = fn(&SecretString, i64, &[u8]) -> Result<Vec<(&'static str, String)>, String>;

/// A scheme, and the headers that it signs a body with.
struct Scheme {
    name: &'static str,
    verifier: &'static dyn Verifier,
    sign: Sign,
}

const META: Scheme = Scheme {
    name: "meta_hub_sha256",
    verifier: &MetaHub,
    sign: |secret, _, body| Ok(vec![(MetaHub::HEADER, MetaHub::sign(secret, body))]),
};

const OTHERS: [Scheme; 5] = [
    Scheme {
        name: "standard_webhooks",
        verifier: &StandardWebhooks,
        sign: |secret, now, body| {
            let signature = StandardWebhooks::sign(secret, "msg_1", now, body).map_err(broken)?;
            Ok(vec![
                ("svix-id", "msg_1".to_owned()),
                ("svix-timestamp", now.to_string()),
                ("svix-signature", signature),
            ])
        },
    },
    Scheme {
        name: "mews hmac_sha256",
        verifier: &MewsSignature,
        sign: |secret, _, body| {
            Ok(vec![(
                MewsSignature::HEADER,
                MewsSignature::sign(secret, body),
            )])
        },
    },
    Scheme {
        name: "stripe_v1",
        verifier: &StripeSignature,
        sign: |secret, now, body| {
            let signature = StripeSignature::sign(secret, now, body);
            Ok(vec![(StripeSignature::HEADER, signature)])
        },
    },
    Scheme {
        name: "razorpay",
        verifier: &RazorpaySignature,
        sign: |secret, _, body| {
            let signature = RazorpaySignature::sign(secret, body);
            Ok(vec![(RazorpaySignature::HEADER, signature)])
        },
    },
    Scheme {
        name: "stayzr_agent_v1",
        verifier: &AgentSignature,
        sign: |secret, now, body| {
            let request = AgentRequest {
                agent_id: "agt_1",
                timestamp: now,
                nonce: "n0nce-0123456789abcdef",
                method: &METHOD,
                target: TARGET,
                body,
            };
            let headers = AgentSignature::sign(secret, &request).map_err(broken)?;
            Ok(headers.into())
        },
    },
];

pub(crate) fn run() -> Result<Report, String> {
    let mut results = Vec::new();
    for size in [1_024, 4_096, 65_536] {
        results.push(measure(&META, size)?);
    }
    for scheme in &OTHERS {
        results.push(measure(scheme, 1_024)?);
    }
    Ok(Report {
        bench: "verify",
        results,
    })
}

fn measure(scheme: &Scheme, size: usize) -> Result<Measurement, String> {
    let secrets = [SecretString::from(KEY)];
    let keys = Secrets::new(&secrets).map_err(broken)?;
    let body = vec![b'x'; size];
    let now: DateTime<Utc> = Utc::now();
    let mut headers = HeaderMap::new();
    for (name, value) in (scheme.sign)(&secrets[0], now.timestamp(), &body)? {
        let name: HeaderName = name.parse().map_err(broken)?;
        headers.insert(name, value.parse().map_err(broken)?);
    }
    let expected = {
        let mut mac = keyed()?;
        mac.update(&body);
        mac.finalize().into_bytes()
    };
    let calls = u32::try_from(BYTES_A_ROUND / size).map_err(broken)?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..calls {
            let request = SignedRequest {
                method: &METHOD,
                target: TARGET,
                headers: &headers,
                body: black_box(&body),
            };
            if scheme.verifier.verify(&request, keys, now).is_err() {
                return Err(format!("{} refused a good signature", scheme.name));
            }
        }
        ours.push(f64::from(calls) / started.elapsed().as_secs_f64());
        let started = Instant::now();
        for _ in 0..calls {
            let mut mac = keyed()?;
            mac.update(black_box(&body));
            mac.verify_slice(&expected).map_err(broken)?;
        }
        bare.push(f64::from(calls) / started.elapsed().as_secs_f64());
    }
    Ok(Measurement {
        name: format!("{}, {size} bytes", scheme.name),
        stayzr: median(&mut ours),
        baseline: median(&mut bare),
        baseline_name: "hmac crate alone",
        unit: "verifications/s",
    })
}

fn keyed() -> Result<Hmac<Sha256>, String> {
    Hmac::new_from_slice(KEY.as_bytes()).map_err(broken)
}

fn broken(error: impl std::fmt::Display) -> String {
    error.to_string()
}
