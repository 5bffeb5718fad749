//! What differs between vendors, as far as the tests need to know.

use std::{any::Any, sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use stayzr_core::limit::{LocalLimiter, Quota};
use stayzr_pms::{PmsProvider, config::ProviderConfig, http::VendorHttp, sandbox::Fault};
use stayzr_tests::client::http;

/// The vendor's names for what the tests ask of it.
#[derive(Debug)]
pub struct Words {
    /// The operation that lists rooms.
    pub list_rooms: &'static str,
    /// The operation that lists reservations.
    pub list_reservations: &'static str,
    /// The operation that [`Vendor::plain_read`] calls.
    pub plain_read: &'static str,
    /// The operation that changes a guest.
    pub change_guest: &'static str,
    /// The operations that make a guest and a note, of vendors that can.
    pub create_guest: &'static str,
    pub create_note: &'static str,
    /// A guest's fields, under the names of ours.
    pub email: &'static str,
    pub phone: &'static str,
    pub last_name: &'static str,
    /// A reservation's status.
    pub status: &'static str,
    /// The status of one that is expected.
    pub expected: &'static str,
}

/// The credentials that a provider is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Good,
    /// The vendor knows nobody of this name.
    Wrong,
    /// Good, but the token that it gave ends while it is used.
    Ended,
}

/// How a provider comes to its vendor.
pub struct Door<'a> {
    pub base_url: &'a str,
    pub key: Key,
    /// A hotel that the credentials do not open.
    pub elsewhere: bool,
    pub http: VendorHttp,
}

/// What a wrong key is made of; no error may say it.
pub const WRONG: &str = "wrong-and-secret";

/// Calls that are let through in a span.
pub type Limit = (usize, Duration);

/// A vendor's sandbox with one hotel.
#[async_trait]
pub trait Vendor: Send + Sync + Any {
    fn name(&self) -> &'static str;
    fn words(&self) -> &'static Words;
    fn base_url(&self) -> &str;
    fn property_id(&self) -> String;
    /// A provider at this door; none where the vendor has no such door.
    fn provider(&self, door: &Door<'_>) -> Option<Arc<dyn PmsProvider>>;
    /// Lets a fault happen.
    fn inject(&self, fault: Fault);
    /// The vendor's id of a record.
    fn id(&self, record: &Value) -> String;
    /// A field of a guest, under the vendor's name.
    fn field(&self, guest: &Value, name: &str) -> Value;
    /// What the vendor has told since it was asked last: bodies of webhooks, or of a poll.
    async fn told(&self, provider: &dyn PmsProvider) -> Vec<Vec<u8>>;
    /// Merges a guest into another. False where the vendor's API tells of no merges.
    async fn merge(&self, from: &str, into: &str) -> bool;
    /// A read with good credentials, without a provider.
    async fn plain_read(&self) -> RequestBuilder;
    /// The operation that gives out tokens; none where they do not end.
    fn asks_for_tokens(&self) -> Option<&'static str>;
    /// Whether [`Self::plain_read`] uses a key that does not end with the tokens.
    fn keeps_plain_key(&self) -> bool;
    /// What no error may say.
    fn secrets(&self) -> Vec<String>;
}

impl dyn Vendor {
    /// A stack that waits milliseconds where the real one waits seconds.
    pub fn stack(limit: Option<Limit>) -> VendorHttp {
        let config = ProviderConfig::parse(&json!({
            "retry": {"first_wait_ms": 2},
            "timeouts": {"call_seconds": 2}
        }))
        .expect("a configuration");
        let (calls, span) = limit.unwrap_or((100_000, Duration::from_secs(1)));
        let calls = u32::try_from(calls).expect("a small limit");
        let limiter = LocalLimiter::new(Quota::new(calls, span));
        VendorHttp::from_config(&config, Arc::new(limiter)).expect("a client")
    }

    /// A provider that is let in.
    pub fn connected(&self, key: Key, limit: Option<Limit>) -> Arc<dyn PmsProvider> {
        let door = Door {
            base_url: self.base_url(),
            key,
            elsewhere: false,
            http: Self::stack(limit),
        };
        self.provider(&door).expect("the hotel's own door")
    }

    /// Lets a fault happen to so many calls of an operation.
    pub fn fault(&self, kind: &str, operation: &str, count: u32) {
        self.inject(Fault {
            kind: kind.to_owned(),
            operation: Some(operation.to_owned()),
            count,
            retry_after: None,
        });
    }

    /// A call of the control API.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/_sandbox/{path}", self.base_url());
        let mut request = http().request(method, &url);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let response = request.send().await.expect("the sandbox answers");
        let status = response.status();
        let body = response.text().await.expect("the body arrives");
        assert!(status.is_success(), "{url}: {status} {body}");
        serde_json::from_str(&body).expect("the control API speaks JSON")
    }

    pub async fn get(&self, path: &str) -> Value {
        self.control(Method::GET, path, None).await
    }

    /// Changes a record at the vendor, as its desk does.
    pub async fn patch(&self, path: &str, fields: Value) {
        self.control(Method::PATCH, path, Some(fields)).await;
    }

    pub async fn guests(&self) -> Vec<String> {
        self.ids("guests").await
    }

    pub async fn ids(&self, kind: &str) -> Vec<String> {
        let all = self.get(kind).await;
        let all = all.as_array().expect("a list");
        all.iter().map(|record| self.id(record)).collect()
    }

    /// A field of a guest as it is at the vendor now.
    pub async fn of_guest(&self, id: &str, name: &str) -> Value {
        let guest = self.get(&format!("guests/{id}")).await;
        self.field(&guest, name)
    }

    /// How often an operation was called.
    pub async fn calls(&self, operation: &str) -> u64 {
        let stats = self.get("stats").await;
        stats["calls"][operation].as_u64().unwrap_or_default()
    }
}
