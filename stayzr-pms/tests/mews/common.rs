use std::{path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    limit::{LocalLimiter, Quota},
    transform::{EntityKind, FieldMap},
};
use stayzr_pms::{
    PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteRecord,
    config::ProviderConfig,
    http::VendorHttp,
    providers::mews::{MewsConfig, MewsCredentials, MewsProvider},
    sandbox::{Fault, MewsSandbox, SandboxOptions},
};

/// A vendor example by file name; none, with a line about it, where examples are not at hand.
pub fn example(name: &str) -> Option<Value> {
    let Some(shared) = std::env::var_os("STAYZR_SHARED") else {
        eprintln!("skipped {name}: STAYZR_SHARED is not set");
        return None;
    };
    let path = PathBuf::from(shared).join("vendor/mews").join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap())
}

/// The vendor's examples by file name, where they are at hand.
pub fn vendor_files() -> Option<Vec<String>> {
    let shared = std::env::var_os("STAYZR_SHARED")?;
    let folder = PathBuf::from(shared).join("vendor/mews");
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    Some(names.collect())
}

pub async fn sandbox() -> MewsSandbox {
    start(SandboxOptions::default()).await
}

pub async fn start(mut options: SandboxOptions) -> MewsSandbox {
    options.webhook_delay = None;
    MewsSandbox::start(options).await.unwrap()
}

/// A stack that waits milliseconds where the real one waits seconds.
pub fn quick_http() -> VendorHttp {
    let config = ProviderConfig::parse(&json!({
        "retry": {"first_wait_ms": 2},
        "timeouts": {"call_seconds": 2}
    }))
    .unwrap();
    let limiter = LocalLimiter::new(Quota::new(100_000, Duration::from_secs(1)));
    VendorHttp::from_config(&config, Arc::new(limiter)).unwrap()
}

pub fn provider_at(base_url: &str) -> MewsProvider {
    let mut config = MewsConfig::new(base_url);
    config.history_start = Utc::now() - chrono::TimeDelta::days(500);
    let credentials = MewsCredentials::new("sandbox-client-token", "sandbox-access-token");
    MewsProvider::new(config, credentials, quick_http())
}

pub fn provider(sandbox: &MewsSandbox) -> MewsProvider {
    provider_at(sandbox.base_url())
}

pub fn fault(kind: &str, operation: &str, count: u32) -> Fault {
    Fault {
        kind: kind.to_owned(),
        operation: Some(operation.to_owned()),
        count,
        retry_after: None,
    }
}

/// Every page of a query.
pub async fn all(
    provider: &MewsProvider,
    kind: EntityKind,
    changed: Option<(DateTime<Utc>, DateTime<Utc>)>,
) -> RecordPage {
    let mut whole = RecordPage::default();
    let mut position = None;
    loop {
        let page = provider
            .fetch_page(&PageQuery {
                kind,
                changed,
                position,
            })
            .await
            .unwrap();
        whole.records.extend(page.records);
        whole.parked.extend(page.parked);
        whole.vendor_now = page.vendor_now;
        position = page.next;
        if position.is_none() {
            return whole;
        }
    }
}

pub async fn one(provider: &MewsProvider, kind: EntityKind, id: &str) -> Option<RemoteRecord> {
    let page = provider.fetch_ids(kind, &[id.to_owned()]).await.unwrap();
    page.records.into_iter().next()
}

/// The control API of a sandbox.
pub struct Desk<'a>(pub &'a MewsSandbox);

impl Desk<'_> {
    fn url(&self, path: &str) -> String {
        format!("{}/_sandbox/{path}", self.0.base_url())
    }

    pub async fn get(&self, path: &str) -> Value {
        let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
        let response = client.get(self.url(path)).send().await.unwrap();
        response.json().await.unwrap()
    }

    pub async fn patch(&self, path: &str, fields: Value) -> Value {
        let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
        let request = client.patch(self.url(path)).json(&fields);
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        response.json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
        let response = client
            .post(self.url(path))
            .json(&body)
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub async fn delete(&self, path: &str) {
        let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
        let response = client.delete(self.url(path)).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
    }

    /// The first reservation for which this holds.
    pub async fn reservation(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let all = self.get("reservations").await;
        let found = all.as_array().unwrap().iter().find(|one| holds(one));
        found.expect("the seed has one").clone()
    }

    pub async fn stats(&self) -> Value {
        self.get("stats").await
    }
}

pub fn id(record: &Value) -> String {
    record["Id"].as_str().unwrap().to_owned()
}

pub fn change(kind: EntityKind, id: &str, changed: &[(&str, Value)]) -> Push {
    Push {
        kind,
        external_id: Some(id.to_owned()),
        base: FieldMap::new(),
        changed: changed
            .iter()
            .map(|(field, value)| ((*field).to_owned(), value.clone()))
            .collect(),
        links: Default::default(),
    }
}

pub fn applied(outcome: PushOutcome) -> RemoteRecord {
    match outcome {
        PushOutcome::Applied(record) => *record,
        other => panic!("not applied: {other:?}"),
    }
}
