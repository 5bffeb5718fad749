use std::sync::Arc;

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use stayzr_pms::{
    PmsProvider,
    providers::mews::{MewsConfig, MewsCredentials, MewsProvider},
    sandbox::{Fault, MewsSandbox, SandboxOptions},
};
use stayzr_tests::client::http;

use crate::{
    mailbox::Mailbox,
    vendor::{Door, Key, Limit, Vendor, WRONG, Words},
};

pub struct Mews {
    sandbox: MewsSandbox,
    mailbox: Mailbox,
}

const WORDS: Words = Words {
    list_rooms: "resources/getAll",
    list_reservations: "reservations/getAll/2023-06-06",
    plain_read: "resourceCategories/getAll",
    change_guest: "customers/update",
    create_guest: "customers/add",
    create_note: "serviceOrderNotes/add",
    email: "Email",
    phone: "Phone",
    last_name: "LastName",
    status: "State",
    expected: "Confirmed",
};

pub async fn start(limit: Option<Limit>) -> Box<dyn Vendor> {
    let mailbox = Mailbox::open().await;
    let mut options = SandboxOptions {
        counts: crate::COUNTS,
        webhook_delay: None,
        webhook_url: Some(mailbox.url.clone().into()),
        hang: crate::HANG,
        ..SandboxOptions::default()
    };
    (options.limit, options.limit_window) = limit.unwrap_or(crate::UNLIMITED);
    let sandbox = MewsSandbox::start(options).await.expect("it starts");
    Box::new(Mews { sandbox, mailbox })
}

#[async_trait]
impl Vendor for Mews {
    fn name(&self) -> &'static str {
        "mews"
    }

    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn base_url(&self) -> &str {
        self.sandbox.base_url()
    }

    fn property_id(&self) -> String {
        self.sandbox.enterprise_id()
    }

    fn provider(&self, door: &Door<'_>) -> Option<Arc<dyn PmsProvider>> {
        // A token opens one hotel, which no call names.
        if door.elsewhere {
            return None;
        }
        if door.key == Key::Ended {
            let vendor: &dyn Vendor = self;
            vendor.fault("expired_token", WORDS.list_reservations, 1);
        }
        let mut config = MewsConfig::new(door.base_url);
        config.history_start = Utc::now() - TimeDelta::days(500);
        let token = match door.key {
            Key::Good | Key::Ended => "sandbox-access-token",
            Key::Wrong => WRONG,
        };
        let credentials = MewsCredentials::new("sandbox-client-token", token);
        Some(Arc::new(MewsProvider::new(
            config,
            credentials,
            door.http.clone(),
        )))
    }

    fn inject(&self, fault: Fault) {
        self.sandbox.inject(fault).expect("there is such a fault");
    }

    fn id(&self, record: &Value) -> String {
        record["Id"].as_str().expect("an id").to_owned()
    }

    fn field(&self, guest: &Value, name: &str) -> Value {
        guest[name].clone()
    }

    async fn told(&self, _: &dyn PmsProvider) -> Vec<Vec<u8>> {
        self.sandbox.deliver().await;
        self.mailbox.take()
    }

    async fn merge(&self, from: &str, into: &str) -> bool {
        let vendor: &dyn Vendor = self;
        let path = format!("guests/{from}/merge");
        vendor
            .control(Method::POST, &path, Some(json!({"into": into})))
            .await;
        true
    }

    async fn plain_read(&self) -> RequestBuilder {
        let url = format!("{}/api/connector/v1/{}", self.base_url(), WORDS.plain_read);
        let service = self.first_service().await;
        let body = json!({"ClientToken": "sandbox-client-token",
            "AccessToken": "sandbox-access-token", "Client": "Tests 1.0.0",
            "ServiceIds": [service], "Limitation": {"Count": 10}});
        http().post(url).body(body.to_string())
    }

    fn asks_for_tokens(&self) -> Option<&'static str> {
        None
    }

    fn keeps_plain_key(&self) -> bool {
        true
    }

    fn secrets(&self) -> Vec<String> {
        ["sandbox-client-token", "sandbox-access-token", WRONG]
            .map(str::to_owned)
            .into()
    }
}

impl Mews {
    async fn first_service(&self) -> Value {
        let url = format!("{}/api/connector/v1/services/getAll", self.base_url());
        let body = json!({"ClientToken": "sandbox-client-token",
            "AccessToken": "sandbox-access-token", "Client": "Tests 1.0.0",
            "Limitation": {"Count": 10}});
        let sent = http().post(url).body(body.to_string()).send().await;
        let text = sent.expect("an answer").text().await.expect("a body");
        let said: Value = serde_json::from_str(&text).expect("JSON");
        said["Services"][0]["Id"].clone()
    }
}
