//! Judging recorded requests by their own clock and secrets, offline.

use std::{collections::BTreeMap, io, path::Path};

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use stayzr_core::{Error, ErrorKind, Result};

use crate::{
    mac,
    request::SignedRequest,
    secrets::Secrets,
    verifier::{Accepted, Rejection, Verifier},
};

/// What became of the recorded requests of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Cases judged.
    pub n: usize,
    /// Cases with the expected verdict, reason and, where the manifest names them, status and
    /// answer.
    pub agree: usize,
    /// The others.
    pub disagree: Vec<Disagreement>,
    /// Cases of schemes that this build does not have, by scheme: not judged.
    pub skipped: BTreeMap<String, usize>,
}

/// A case that came out otherwise than expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The case.
    pub id: String,
    /// What the manifest says.
    pub expected: Outcome,
    /// What we say.
    pub got: Outcome,
}

/// The outcome of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// `accept` or `reject`; of ours also `unreadable`, with the reason.
    pub verdict: String,
    /// `ok`, or the reason of the rejection.
    pub reason: String,
    /// The status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The answer, where it is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_body: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    scheme: String,
    #[serde(default)]
    secrets: Value,
    #[serde(default)]
    now: Option<i64>,
    request: Recorded,
    expect: Outcome,
    #[serde(default)]
    options: Options,
}

#[derive(Default, Deserialize)]
struct Options {
    /// `agent:nonce` of what came before.
    #[serde(default)]
    nonces_already_seen: Vec<String>,
}

#[derive(Deserialize)]
struct Recorded {
    method: String,
    target: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body_file: Option<String>,
    #[serde(default)]
    body_sha256: Option<String>,
}

/// Judges the cases of a manifest file, with the bodies that it names beside it.
///
/// [`ErrorKind::NotFound`] if the file cannot be read, [`ErrorKind::Invalid`] if it is no manifest.
pub fn verify_manifest_file(path: &Path) -> Result<Report> {
    let manifest = std::fs::read(path).map_err(|error| {
        Error::new(
            ErrorKind::NotFound,
            "webhook.verify",
            "the manifest cannot be read",
        )
        .with("path", path.display())
        .with_source(error)
    })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    verify_manifest(&manifest, |name| std::fs::read(folder.join(name)))
}

/// Judges the cases of a manifest; `read_body` gives the bytes of a body by its name.
///
/// [`ErrorKind::Invalid`] if it is no manifest.
pub fn verify_manifest(
    manifest: &[u8],
    mut read_body: impl FnMut(&str) -> io::Result<Vec<u8>>,
) -> Result<Report> {
    let manifest: Manifest = serde_json::from_slice(manifest).map_err(|error| {
        Error::invalid("webhook.verify", "not a manifest of recorded requests").with_source(error)
    })?;
    let mut report = Report {
        n: 0,
        agree: 0,
        disagree: Vec::new(),
        skipped: BTreeMap::new(),
    };
    for case in manifest.cases {
        let Some(scheme) = Scheme::named(&case.scheme) else {
            *report.skipped.entry(case.scheme).or_default() += 1;
            continue;
        };
        report.n += 1;
        let got = judge(scheme, &case, &mut read_body).unwrap_or_else(|why| Outcome {
            verdict: "unreadable".to_owned(),
            reason: why.to_owned(),
            http_status: None,
            response_body: None,
        });
        if agrees(&case.expect, &got) {
            report.agree += 1;
        } else {
            report.disagree.push(Disagreement {
                id: case.id,
                expected: case.expect,
                got,
            });
        }
    }
    Ok(report)
}

/// How a scheme's cases are judged.
enum Scheme {
    /// Secrets are a list.
    Listed(&'static dyn Verifier),
    /// Secrets are user and password, a token, or both.
    #[cfg(feature = "postmark")]
    Postmark,
    /// Secrets are by agent.
    #[cfg(feature = "agent")]
    Agent,
}

impl Scheme {
    /// The scheme of a name, where this build has it.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            #[cfg(feature = "meta")]
            "meta_hub_sha256" => Self::Listed(&crate::channels::whatsapp::MetaHub),
            #[cfg(feature = "meta")]
            "meta_handshake" => Self::Listed(&crate::channels::whatsapp::MetaHandshake),
            #[cfg(feature = "resend")]
            "standard_webhooks" => Self::Listed(&crate::channels::resend::StandardWebhooks),
            #[cfg(feature = "postmark")]
            "postmark_basic_or_header" => Self::Postmark,
            #[cfg(feature = "mews")]
            "mews_url_token" => Self::Listed(&crate::endpoints::mews::MewsUrlToken),
            #[cfg(feature = "mews")]
            "mews_pos_x_signature" => Self::Listed(&crate::endpoints::mews::MewsSignature),
            #[cfg(feature = "cloudbeds")]
            "cloudbeds_secret_path" => Self::Listed(&crate::endpoints::cloudbeds::SecretPath),
            #[cfg(feature = "stripe")]
            "stripe_v1" => Self::Listed(&crate::endpoints::stripe::StripeSignature),
            #[cfg(feature = "razorpay")]
            "razorpay" => Self::Listed(&crate::endpoints::razorpay::RazorpaySignature),
            #[cfg(feature = "agent")]
            "stayzr_agent_v1" => Self::Agent,
            _ => return None,
        })
    }

    /// The verdict on a request, or why the case cannot be read.
    fn verify(
        &self,
        request: &SignedRequest<'_>,
        case: &Case,
        now: DateTime<Utc>,
    ) -> Result<Result<Accepted, Rejection>, &'static str> {
        match self {
            Self::Listed(verifier) => {
                let secrets = listed(&case.secrets)?;
                let secrets = Secrets::new(&secrets).map_err(|_| "empty_secret")?;
                Ok(verifier.verify(request, secrets, now))
            }
            #[cfg(feature = "postmark")]
            Self::Postmark => {
                let secrets = postmark_secrets(&case.secrets)?;
                let secrets = Secrets::new(&secrets).map_err(|_| "empty_secret")?;
                Ok(crate::channels::postmark::PostmarkCredentials.verify(request, secrets, now))
            }
            #[cfg(feature = "agent")]
            Self::Agent => agent(request, case, now),
        }
    }
}

fn listed(secrets: &Value) -> Result<Vec<SecretString>, &'static str> {
    let secrets = Vec::<String>::deserialize(secrets).map_err(|_| "malformed_secrets")?;
    Ok(secrets.into_iter().map(SecretString::from).collect())
}

#[cfg(feature = "postmark")]
fn postmark_secrets(secrets: &Value) -> Result<Vec<SecretString>, &'static str> {
    use crate::channels::postmark::PostmarkCredentials;

    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or("malformed_secrets");
    let mut found = Vec::new();
    if let Some(basic) = secrets.get("basic") {
        let (user, password) = (text(&basic["user"])?, text(&basic["password"])?);
        found.push(format!("{user}:{password}").into());
    }
    if let Some(header) = secrets.get("header") {
        if !text(&header["name"])?.eq_ignore_ascii_case(PostmarkCredentials::TOKEN_HEADER) {
            return Err("unknown_header");
        }
        found.push(text(&header["value"])?.into());
    }
    Ok(found)
}

#[cfg(feature = "agent")]
fn agent(
    request: &SignedRequest<'_>,
    case: &Case,
    now: DateTime<Utc>,
) -> Result<Result<Accepted, Rejection>, &'static str> {
    use crate::endpoints::agent::AgentSignature;

    let claimed = match AgentSignature::claimed(request) {
        Ok(claimed) => claimed,
        Err(refused) => return Ok(Err(refused)),
    };
    let secrets = match case.secrets.get(claimed) {
        None => return Ok(Err(AgentSignature::unknown(request, now))),
        Some(Value::String(one)) => vec![SecretString::from(one.as_str())],
        Some(list) => listed(list)?,
    };
    let secrets = Secrets::new(&secrets).map_err(|_| "empty_secret")?;
    let verdict = AgentSignature.verify(request, secrets, now);
    Ok(match verdict {
        Ok(Accepted::Delivery(verified))
            if verified
                .dedupe_id
                .as_ref()
                .is_some_and(|nonce| case.options.nonces_already_seen.contains(nonce)) =>
        {
            Err(AgentSignature::replayed())
        }
        verdict => verdict,
    })
}

fn judge(
    scheme: Scheme,
    case: &Case,
    read_body: &mut impl FnMut(&str) -> io::Result<Vec<u8>>,
) -> Result<Outcome, &'static str> {
    let recorded = &case.request;
    let method: Method = recorded.method.parse().map_err(|_| "malformed_method")?;
    let mut headers = HeaderMap::new();
    for (name, value) in &recorded.headers {
        let name: HeaderName = name.parse().map_err(|_| "malformed_header")?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| "malformed_header")?;
        headers.append(name, value);
    }
    let body = match &recorded.body_file {
        Some(name) => read_body(name).map_err(|_| "body_missing")?,
        None => Vec::new(),
    };
    let sha256 = mac::hex(&Sha256::digest(&body));
    if recorded
        .body_sha256
        .as_ref()
        .is_some_and(|expected| *expected != sha256)
    {
        return Err("body_changed");
    }
    let now = match case.now {
        Some(seconds) => DateTime::from_timestamp(seconds, 0).ok_or("malformed_now")?,
        None => DateTime::<Utc>::UNIX_EPOCH,
    };
    let request = SignedRequest {
        method: &method,
        target: &recorded.target,
        headers: &headers,
        body: &body,
    };
    let outcome = |verdict: &str, reason: &str, status, response_body| Outcome {
        verdict: verdict.to_owned(),
        reason: reason.to_owned(),
        http_status: Some(status),
        response_body,
    };
    Ok(match scheme.verify(&request, case, now)? {
        Ok(Accepted::Delivery(_)) => outcome("accept", "ok", 200, None),
        Ok(Accepted::Challenge(answer)) => outcome("accept", "ok", 200, Some(answer)),
        Err(refused) => outcome(
            "reject",
            refused.reason.as_str(),
            refused.status.as_u16(),
            None,
        ),
    })
}

fn agrees(expected: &Outcome, got: &Outcome) -> bool {
    expected.verdict == got.verdict
        && expected.reason == got.reason
        && (expected.http_status.is_none() || expected.http_status == got.http_status)
        && (expected.response_body.is_none() || expected.response_body == got.response_body)
}

#[cfg(all(test, feature = "meta"))]
mod tests {
    use serde_json::json;

    use super::*;

    fn case(id: &str, scheme: &str, secret: &str, expected: &str) -> Value {
        let verdict = if expected == "ok" { "accept" } else { "reject" };
        json!({"id": id, "scheme": scheme, "secrets": [secret], "now": 0,
            "request": {"method": "POST", "target": "/", "body_file": format!("{id}.txt"),
                "body_sha256": "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f",
                "headers": [["X-Hub-Signature-256",
                    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"]]},
            "expect": {"verdict": verdict, "reason": expected}})
    }

    #[test]
    fn a_report_tells_agreement_disagreement_and_what_was_not_judged() {
        let key = "It's a Secret to Everybody";
        let manifest = json!({"cases": [
            case("good", "meta_hub_sha256", key, "ok"),
            case("wrong-key", "meta_hub_sha256", "other", "signature_mismatch"),
            case("not-expected", "meta_hub_sha256", "other", "ok"),
            case("changed", "meta_hub_sha256", key, "ok"),
            case("lost", "meta_hub_sha256", key, "ok"),
            case("no-secret", "meta_hub_sha256", "", "ok"),
            case("smoke", "smoke_signals", key, "ok"),
        ]});
        let report = verify_manifest(manifest.to_string().as_bytes(), |name| match name {
            "changed.txt" => Ok(b"Hello, Mallory!".to_vec()),
            "lost.txt" => Err(io::ErrorKind::NotFound.into()),
            _ => Ok(b"Hello, World!".to_vec()),
        })
        .unwrap();
        assert_eq!((report.n, report.agree), (6, 2));
        let reasons: Vec<_> = report
            .disagree
            .iter()
            .map(|case| (case.id.as_str(), case.got.reason.as_str()))
            .collect();
        assert_eq!(
            reasons,
            [
                ("not-expected", "signature_mismatch"),
                ("changed", "body_changed"),
                ("lost", "body_missing"),
                ("no-secret", "empty_secret"),
            ]
        );
        assert_eq!(
            report.skipped,
            BTreeMap::from([("smoke_signals".to_owned(), 1)])
        );
    }
}
