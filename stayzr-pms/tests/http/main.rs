//! The HTTP stack against an endpoint that answers what a test tells it.

#![allow(clippy::unwrap_used, reason = "this is all test")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use serde_json::{Map, json};
use stayzr_core::{
    ErrorKind, Result,
    limit::{Limiter, LocalLimiter, Priority, Quota},
};
use stayzr_pms::{
    config::ProviderConfig,
    http::{Dialect, Effect, VendorAuth, VendorCall, VendorHttp},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const DIALECT: Dialect = Dialect {
    name: "scripted",
    complaint: |_, _| None,
    rows: &[],
};

#[derive(Debug)]
struct Open;

#[async_trait]
impl VendorAuth for Open {
    fn limit_key(&self) -> &str {
        "key"
    }

    async fn authorize(&self, _: &mut VendorCall) -> Result<()> {
        Ok(())
    }

    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// An endpoint that gives the first answer so often, and success from then on; it counts calls.
async fn endpoint(head: String, times: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let head = match counted.fetch_add(1, Ordering::SeqCst) < times {
                true => &head,
                false => "200 OK",
            };
            let answer =
                format!("HTTP/1.1 {head}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, calls)
}

fn limiter() -> Arc<LocalLimiter> {
    let quota = Quota::new(100_000, Duration::from_secs(1));
    Arc::new(LocalLimiter::new(quota))
}

fn stack(limiter: Arc<LocalLimiter>) -> VendorHttp {
    let config = json!({"retry": {"first_wait_ms": 2}, "timeouts": {"call_seconds": 2}});
    let config = ProviderConfig::parse(&config).unwrap();
    VendorHttp::from_config(&config, limiter).unwrap()
}

fn call(url: &str, effect: Effect) -> VendorCall {
    VendorCall::post("scripted.call", url.to_owned(), Map::new()).with_effect(effect)
}

#[tokio::test]
async fn a_write_that_any_fault_answers_may_have_happened_and_is_sent_once() {
    for status in [408, 500, 502, 503, 504, 529] {
        let (url, calls) = endpoint(format!("{status} No"), 1).await;
        let http = stack(limiter());

        let write = call(&url, Effect::Write);
        let error = http.send(&write, &Open, &DIALECT).await.unwrap_err();

        assert_eq!(error.kind(), ErrorKind::Ambiguous, "{status}: {error}");
        assert!(error.message().contains("may have happened"), "{error}");
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{status}");
    }
}

#[tokio::test]
async fn a_read_is_sent_again_whatever_the_fault() {
    for status in [500, 502, 503, 504, 529] {
        let (url, calls) = endpoint(format!("{status} No"), 2).await;
        let http = stack(limiter());

        let read = call(&url, Effect::Read);
        http.send(&read, &Open, &DIALECT).await.unwrap();

        assert_eq!(calls.load(Ordering::SeqCst), 3, "{status}");
    }
}

#[tokio::test]
async fn a_write_is_sent_again_in_place_where_it_was_refused_by_the_limit_or_never_left() {
    let (url, calls) = endpoint("429 Slow Down".to_owned(), 2).await;
    let http = stack(limiter());
    let write = call(&url, Effect::Write);
    http.send(&write, &Open, &DIALECT).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 3);

    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let write = call(&url, Effect::Write);
    let error = http.send(&write, &Open, &DIALECT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("attempts=4"), "{error}");
}

#[tokio::test]
async fn invariant_g_a_time_that_a_vendor_names_is_kept_by_all_who_share_its_limit() {
    let date = (Utc::now() + TimeDelta::seconds(1800)).format("%a, %d %b %Y %H:%M:%S GMT");
    for (head, effect) in [
        ("429 No\r\nretry-after: 1800".to_owned(), Effect::Read),
        (format!("429 No\r\nretry-after: {date}"), Effect::Read),
        ("503 No\r\nretry-after: 1800".to_owned(), Effect::Write),
        (format!("503 No\r\nretry-after: {date}"), Effect::Write),
    ] {
        let (url, calls) = endpoint(head.clone(), 1).await;
        let limiter = limiter();
        let http = stack(limiter.clone());

        let first = call(&url, effect);
        let error = http.send(&first, &Open, &DIALECT).await.unwrap_err();

        let asked = error.retry_after().unwrap().as_secs();
        assert!((1790..=1800).contains(&asked), "{head}: {asked}");
        let held = limiter.acquire("key", Priority::High).await.unwrap_err();
        let rest = held.retry_after().unwrap().as_secs();
        assert!((1700..=1800).contains(&rest), "{head}: {rest}");
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{head}");
    }
}
