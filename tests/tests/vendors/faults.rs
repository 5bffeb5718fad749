//! Every fault on demand does what it says, at every vendor alike: seen without a provider.

use std::time::{Duration, Instant};

use reqwest::{Response, StatusCode, header};
use serde_json::Value;
use stayzr_pms::sandbox::Fault;

use crate::vendor::{Limit, Vendor};

crate::for_every_vendor! { faults: every_fault_does_what_it_says }

async fn call(vendor: &dyn Vendor) -> reqwest::Result<Response> {
    vendor.plain_read().await.send().await
}

fn inject(vendor: &dyn Vendor, kind: &str, retry_after: Option<&str>) {
    vendor.inject(Fault {
        kind: kind.to_owned(),
        operation: Some(vendor.words().plain_read.to_owned()),
        count: 1,
        retry_after: retry_after.map(str::to_owned),
    });
}

/// The answer to a call that meets a fault, and what it said.
async fn meets(
    vendor: &dyn Vendor,
    kind: &str,
    retry_after: Option<&str>,
) -> (StatusCode, header::HeaderMap, reqwest::Result<String>) {
    inject(vendor, kind, retry_after);
    let answer = call(vendor).await.unwrap_or_else(|error| {
        panic!("{} {kind}: {error}", vendor.name());
    });
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.text().await)
}

async fn every_fault_does_what_it_says(start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>) {
    let vendor = start(None).await;
    let vendor = &*vendor;
    let name = vendor.name();
    let good = call(vendor).await.expect("an answer");
    assert_eq!(good.status(), 200, "{name}");
    let good = good.text().await.expect("a body");
    serde_json::from_str::<Value>(&good).expect("JSON");

    for status in [429, 500, 502, 503, 504] {
        let (said, headers, _) = meets(vendor, &format!("error_{status}"), None).await;
        assert_eq!(said, status, "{name}");
        assert!(!headers.contains_key(header::RETRY_AFTER), "{name}");
    }
    for wait in ["7", "Sun, 06 Nov 2050 08:49:37 GMT"] {
        let (said, headers, _) = meets(vendor, "rate_limit", Some(wait)).await;
        assert_eq!(
            (said.as_u16(), &headers[header::RETRY_AFTER]),
            (429, &wait.parse().expect("a number of seconds"))
        );
    }
    let (_, headers, said) = meets(vendor, "rate_limit", None).await;
    assert!(!headers.contains_key(header::RETRY_AFTER), "{name}");
    assert_ne!(said.expect("a body"), good, "{name}");

    for (kind, ended) in [("cut_before", false), ("cut", false), ("timeout", true)] {
        inject(vendor, kind, None);
        let began = Instant::now();
        let read = vendor
            .plain_read()
            .await
            .timeout(Duration::from_millis(300));
        let error = read.send().await.expect_err(kind);
        assert_eq!(error.is_timeout(), ended, "{name} {kind}: {error}");
        assert_eq!(
            began.elapsed() >= Duration::from_millis(300),
            ended,
            "{name} {kind}"
        );
    }
    inject(vendor, "slow_250", None);
    let slow = vendor.plain_read().await;
    let began = Instant::now();
    let slow = slow.send().await.expect("it comes late");
    assert!(began.elapsed() >= Duration::from_millis(250), "{name}");
    assert_eq!(slow.text().await.expect("whole"), good, "{name}");

    let (said, headers, half) = meets(vendor, "half", None).await;
    assert_eq!(said, 200, "{name}");
    assert_eq!(
        headers[header::CONTENT_LENGTH],
        good.len().to_string().as_str()
    );
    assert!(half.is_err(), "{name}: the rest never comes");

    let (said, _, cut) = meets(vendor, "malformed", None).await;
    let cut = cut.expect("a whole body");
    assert_eq!(said, 200, "{name}");
    assert!(good.starts_with(&cut) && cut.len() < good.len(), "{name}");
    assert!(serde_json::from_str::<Value>(&cut).is_err(), "{name}");

    let (said, headers, page) = meets(vendor, "html", None).await;
    assert_eq!(
        (said.as_u16(), &headers[header::CONTENT_TYPE]),
        (200, &"text/html".parse().expect("a header"))
    );
    assert!(
        page.expect("a page").starts_with("<!doctype html>"),
        "{name}"
    );

    let (said, _, refusal) = meets(vendor, "error_after_503", None).await;
    assert_eq!(
        (said.as_u16(), refusal.expect("empty").as_str()),
        (503, ""),
        "{name}"
    );

    // A token that has ended stays so: the call that met the fault goes on being refused.
    let read = vendor.plain_read().await;
    let again = read.try_clone().expect("a small body");
    inject(vendor, "expired_token", None);
    assert_eq!(
        read.send().await.expect("an answer").status(),
        401,
        "{name}"
    );
    let refused = again.send().await.expect("an answer").status();
    let keeps = vendor.keeps_plain_key();
    assert_eq!(refused, if keeps { 200 } else { 401 }, "{name}");

    let last = call(vendor).await.expect("an answer");
    assert_eq!(
        last.text().await.expect("a body"),
        good,
        "each happened once"
    );
}
