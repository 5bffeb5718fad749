use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    limit::{LocalLimiter, Quota},
    model::ExternalRef,
    transform::{EntityKind, FieldMap},
};
use stayzr_pms::{
    PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteRecord,
    config::ProviderConfig,
    http::VendorHttp,
    providers::cloudbeds::{CloudbedsConfig, CloudbedsCredentials, CloudbedsProvider},
    sandbox::{CloudbedsOptions, CloudbedsSandbox, Fault},
};

use crate::recorder::Recorder;

/// A sandbox, a provider in front of it, and between the two the vendor's specification: whatever is
/// said on either side that is not as specified fails the test when it ends.
pub struct House {
    pub sandbox: CloudbedsSandbox,
    pub recorder: Recorder,
    pub provider: CloudbedsProvider,
}

impl Drop for House {
    fn drop(&mut self) {
        let wrong = self.recorder.wrong();
        if !std::thread::panicking() {
            assert!(wrong.is_empty(), "not as specified: {wrong:#?}");
        }
    }
}

/// A sandbox without the limit, which the clock would have to be waited for.
pub fn options() -> CloudbedsOptions {
    CloudbedsOptions {
        limit: 100_000,
        webhook_delay: None,
        ..CloudbedsOptions::default()
    }
}

pub async fn house() -> House {
    start(options()).await
}

pub async fn start(options: CloudbedsOptions) -> House {
    let credentials = CloudbedsCredentials::api_key("cbat_sandbox");
    let sandbox = CloudbedsSandbox::start(options).await.unwrap();
    let recorder = Recorder::start(sandbox.base_url()).await;
    let config = CloudbedsConfig::new(&recorder.base_url);
    let provider = CloudbedsProvider::new(config, credentials, quick_http(), None);
    House {
        sandbox,
        recorder,
        provider,
    }
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

impl House {
    /// Every page of a query.
    pub async fn all(
        &self,
        kind: EntityKind,
        changed: Option<(DateTime<Utc>, DateTime<Utc>)>,
    ) -> RecordPage {
        let mut whole = RecordPage::default();
        let mut position = None;
        loop {
            let query = PageQuery {
                kind,
                changed,
                position,
            };
            let page = self.provider.fetch_page(&query).await.unwrap();
            whole.records.extend(page.records);
            whole.parked.extend(page.parked);
            whole.vendor_now = page.vendor_now;
            position = page.next;
            if position.is_none() {
                return whole;
            }
        }
    }

    pub async fn one(&self, kind: EntityKind, id: &str) -> Option<RemoteRecord> {
        let page = self
            .provider
            .fetch_ids(kind, &[id.to_owned()])
            .await
            .unwrap();
        page.records.into_iter().next()
    }

    pub async fn push(&self, push: &Push) -> RemoteRecord {
        applied(self.provider.push(push).await.unwrap())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_sandbox/{path}", self.sandbox.base_url())
    }

    pub async fn get(&self, path: &str) -> Value {
        let response = client().get(self.url(path)).send().await.unwrap();
        response.json().await.unwrap()
    }

    pub async fn patch(&self, path: &str, fields: Value) -> Value {
        let response = client()
            .patch(self.url(path))
            .json(&fields)
            .send()
            .await
            .unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        response.json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let response = client()
            .post(self.url(path))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        response.json().await.unwrap()
    }

    /// The first reservation for which this holds, in the shape of `getReservation`.
    pub async fn reservation(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let all = self.get("reservations").await;
        let found = all.as_array().unwrap().iter().find(|one| holds(one));
        found.expect("the seed has one").clone()
    }

    pub async fn stats(&self) -> Value {
        self.get("stats").await
    }

    pub fn fault(&self, kind: &str, operation: &str, count: u32) {
        self.sandbox
            .inject(Fault {
                kind: kind.to_owned(),
                operation: Some(operation.to_owned()),
                count,
                retry_after: None,
            })
            .unwrap();
    }
}

fn client() -> reqwest::Client {
    stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap()
}

pub fn text(record: &Value, key: &str) -> String {
    record[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key}: {record}"))
        .to_owned()
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

pub fn link(push: &mut Push, field: &str, kind: EntityKind, id: &str) {
    let target = ExternalRef {
        kind,
        id: id.to_owned(),
    };
    push.links.insert(field.to_owned(), Some(target));
}

pub fn applied(outcome: PushOutcome) -> RemoteRecord {
    match outcome {
        PushOutcome::Applied(record) => *record,
        other => panic!("not applied: {other:?}"),
    }
}
