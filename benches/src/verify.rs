//! What verification of a WhatsApp delivery costs beside the bare HMAC it cannot do without.

use std::{hint::black_box, time::Instant};

use chrono::Utc;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method};
use secrecy::SecretString;
use sha2::Sha256;
use stayzr_webhooks::{Secrets, SignedRequest, Verifier, channels::whatsapp::MetaHub};

use crate::report::{Measurement, Report, median};

const ROUNDS: usize = 60;
const CALLS: u32 = 2_000;

/// Bodies of one message, of a batch, and of 64 KiB.
pub(crate) fn run() -> Result<Report, String> {
    let results = [600, 4_096, 65_536]
        .into_iter()
        .map(measure)
        .collect::<Result<Vec<_>, String>>()?;
    Ok(Report {
        bench: "verify",
        results,
    })
}

fn measure(size: usize) -> Result<Measurement, String> {
    let secret = SecretString::from("a secret of an app");
    let secrets = [secret];
    let body = vec![b'x'; size];
    let mut headers = HeaderMap::new();
    let signature = MetaHub::sign(&secrets[0], &body);
    headers.insert(
        MetaHub::HEADER,
        signature.parse().map_err(|error| format!("{error}"))?,
    );
    let expected = {
        let mut mac = keyed()?;
        mac.update(&body);
        mac.finalize().into_bytes()
    };
    let keys = Secrets::new(&secrets).map_err(|error| error.to_string())?;
    let now = Utc::now();
    let calls = if size > 10_000 { CALLS / 20 } else { CALLS };
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..calls {
            let request = SignedRequest {
                method: &Method::POST,
                target: "/webhooks/whatsapp",
                headers: &headers,
                body: black_box(&body),
            };
            if MetaHub.verify(&request, keys, now).is_err() {
                return Err("a good signature was refused".to_owned());
            }
        }
        ours.push(started.elapsed().as_secs_f64() * 1e6 / f64::from(calls));
        let started = Instant::now();
        for _ in 0..calls {
            let mut mac = keyed()?;
            mac.update(black_box(&body));
            mac.verify_slice(&expected)
                .map_err(|error| error.to_string())?;
        }
        bare.push(started.elapsed().as_secs_f64() * 1e6 / f64::from(calls));
    }
    Ok(Measurement {
        name: format!("meta_hub_sha256, {size} bytes"),
        stayzr: median(&mut ours),
        baseline: median(&mut bare),
        baseline_name: "hmac crate alone",
        unit: "µs",
    })
}

fn keyed() -> Result<Hmac<Sha256>, String> {
    Hmac::new_from_slice(b"a secret of an app").map_err(|error| error.to_string())
}
