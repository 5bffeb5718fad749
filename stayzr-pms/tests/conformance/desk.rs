use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use stayzr_core::{
    Result,
    limit::{LocalLimiter, Quota},
};
use stayzr_pms::{config::ProviderConfig, conformance::Fault, http::VendorHttp};

/// The control API of a sandbox.
pub struct Desk {
    base_url: String,
    client: reqwest::Client,
}

impl Desk {
    pub fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            client: stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap(),
        }
    }

    async fn ask(&self, method: http::Method, path: &str, body: Option<Value>) -> Option<Value> {
        let url = format!("{}/_sandbox/{path}", self.base_url);
        let mut request = self.client.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        if !response.status().is_success() {
            return None;
        }
        Some(response.json().await.unwrap())
    }

    pub async fn get(&self, path: &str) -> Option<Value> {
        self.ask(http::Method::GET, path, None).await
    }

    pub async fn patch(&self, path: &str, fields: Value) -> Option<Value> {
        self.ask(http::Method::PATCH, path, Some(fields)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Option<Value> {
        self.ask(http::Method::POST, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Option<Value> {
        self.ask(http::Method::DELETE, path, None).await
    }

    /// Lets the next calls of an operation go wrong; zero ends all faults.
    pub async fn fault(&self, fault: &Fault, operation: &str, times: u32) -> bool {
        if times == 0 {
            return self.delete("faults").await.is_some();
        }
        let (kind, retry_after) = match fault {
            Fault::Status(status) => (format!("error_{status}"), None),
            Fault::Limit(retry_after) => ("rate_limit".to_owned(), retry_after.clone()),
            Fault::LostBefore => ("cut_before".to_owned(), None),
            Fault::LostAfter => ("cut".to_owned(), None),
            Fault::Garbled => ("malformed".to_owned(), None),
            Fault::Silence => ("timeout".to_owned(), None),
        };
        let fault = json!({"kind": kind, "operation": operation, "count": times,
            "retry_after": retry_after});
        self.post("faults", fault).await.is_some()
    }

    /// How many calls of operations that begin so have arrived.
    pub async fn calls(&self, operation: &str) -> u64 {
        let stats = self.get("stats").await.unwrap();
        let calls = stats["calls"].as_object().unwrap();
        let named = calls.iter().filter(|(name, _)| name.starts_with(operation));
        named.filter_map(|(_, count)| count.as_u64()).sum()
    }

    /// The sum of these figures.
    pub async fn stats(&self, names: &[&str]) -> u64 {
        let stats = self.get("stats").await.unwrap();
        names
            .iter()
            .map(|name| stats[*name].as_u64().unwrap())
            .sum()
    }
}

/// A stack that waits milliseconds where the real one waits seconds.
pub fn quick_http() -> Result<VendorHttp> {
    let config = ProviderConfig::parse(&json!({
        "retry": {"first_wait_ms": 2},
        "timeouts": {"call_seconds": 2}
    }))?;
    let limiter = LocalLimiter::new(Quota::new(100_000, Duration::from_secs(1)));
    VendorHttp::from_config(&config, Arc::new(limiter))
}

/// The record without these fields, which say when and not what.
pub fn without(mut record: Value, names: &[&str]) -> Value {
    if let Value::Object(fields) = &mut record {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
    record
}

/// Ids of a list under this name.
pub fn ids(list: Option<Value>, id: impl Fn(&Value) -> Option<String>) -> Option<Vec<String>> {
    let list = list?;
    Some(list.as_array()?.iter().filter_map(id).collect())
}
