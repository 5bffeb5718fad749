use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
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
    providers::opera::{OperaConfig, OperaCredentials, OperaProvider},
    sandbox::{Fault, OperaOptions, OperaSandbox},
};

use crate::recorder::Recorder;

/// A sandbox, a provider in front of it, and between the two the vendor's specifications: whatever
/// is said on either side that is not as specified fails the test when it ends.
pub struct House {
    pub sandbox: OperaSandbox,
    pub recorder: Recorder,
    pub provider: OperaProvider,
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
pub fn options() -> OperaOptions {
    OperaOptions {
        limit: 100_000,
        ..OperaOptions::default()
    }
}

pub fn user() -> OperaCredentials {
    credentials(json!({"username": "SANDBOX_USER", "password": "sandbox-password"}))
}

pub fn credentials(grant: Value) -> OperaCredentials {
    let mut json = json!({"client_id": "sandbox-client", "client_secret": "sandbox-client-secret",
        "app_key": "41ecd082-8997-4c69-af34-2f72b83645ff"});
    let fields = grant.as_object().unwrap().clone();
    json.as_object_mut().unwrap().extend(fields);
    OperaCredentials::parse(&SecretString::from(json.to_string())).unwrap()
}

pub fn config(base_url: &str) -> OperaConfig {
    let mut config = OperaConfig::new(base_url, "SAND01");
    config.external_system = Some("STAYZR".to_owned());
    config
}

pub async fn house() -> House {
    start(options()).await
}

pub async fn start(options: OperaOptions) -> House {
    let sandbox = OperaSandbox::start(options).await.unwrap();
    let recorder = Recorder::start(sandbox.base_url()).await;
    let provider = OperaProvider::new(config(&recorder.base_url), user(), quick_http());
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
        "timeouts": {"call_seconds": 20}
    }))
    .unwrap();
    let limiter = LocalLimiter::new(Quota::new(100_000, Duration::from_secs(1)));
    VendorHttp::from_config(&config, Arc::new(limiter)).unwrap()
}

impl House {
    /// Every page of a kind.
    pub async fn all(&self, kind: EntityKind) -> RecordPage {
        let mut whole = RecordPage::default();
        let mut position = None;
        loop {
            let query = PageQuery {
                kind,
                changed: None,
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
        let ids = [id.to_owned()];
        let page = self.provider.fetch_ids(kind, &ids).await.unwrap();
        page.records.into_iter().next()
    }

    pub async fn push(&self, push: &Push) -> RemoteRecord {
        match self.provider.push(push).await.unwrap() {
            PushOutcome::Applied(record) => *record,
            other => panic!("not applied: {other:?}"),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_sandbox/{path}", self.sandbox.base_url())
    }

    pub async fn get(&self, path: &str) -> Value {
        let response = client().get(self.url(path)).send().await.unwrap();
        response.json().await.unwrap()
    }

    pub async fn patch(&self, path: &str, fields: Value) -> Value {
        let request = client().patch(self.url(path)).json(&fields);
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        response.json().await.unwrap()
    }

    /// The first reservation for which this holds, in the shape of the list.
    pub async fn reservation(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let all = self.get("reservations").await;
        let found = all.as_array().unwrap().iter().find(|one| holds(one));
        found.expect("the seed has one").clone()
    }

    pub fn fault(&self, kind: &str, operation: &str, count: u32) {
        let fault = Fault {
            kind: kind.to_owned(),
            operation: Some(operation.to_owned()),
            count,
            retry_after: None,
        };
        self.sandbox.inject(fault).unwrap();
    }
}

fn client() -> reqwest::Client {
    stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap()
}

/// The id of a reservation or profile of the sandbox.
pub fn id(record: &Value) -> String {
    let ids = record
        .get("reservationIdList")
        .unwrap_or(&record["profileIdList"]);
    ids[0]["id"].as_str().unwrap().to_owned()
}

pub fn change(kind: EntityKind, id: &str, changed: &[(&str, Value)]) -> Push {
    let owned = |(field, value): &(&str, Value)| ((*field).to_owned(), value.clone());
    Push {
        kind,
        external_id: Some(id.to_owned()),
        base: FieldMap::new(),
        changed: changed.iter().map(owned).collect(),
        links: Default::default(),
    }
}

pub fn link(push: &mut Push, field: &str, kind: EntityKind, id: &str) {
    let id = id.to_owned();
    push.links
        .insert(field.to_owned(), Some(ExternalRef { kind, id }));
}
