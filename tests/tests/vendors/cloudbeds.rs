use std::sync::Arc;

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use reqwest::RequestBuilder;
use secrecy::SecretString;
use serde_json::{Value, json};
use stayzr_pms::{
    PmsProvider,
    providers::cloudbeds::{CloudbedsConfig, CloudbedsCredentials, CloudbedsProvider},
    sandbox::{CloudbedsOptions, CloudbedsSandbox, Fault},
};
use stayzr_tests::client::http;

use crate::{
    mailbox::Mailbox,
    vendor::{Door, Key, Limit, Vendor, WRONG, Words},
};

pub struct Cloudbeds {
    sandbox: CloudbedsSandbox,
    mailbox: Mailbox,
}

const WORDS: Words = Words {
    list_rooms: "getRooms",
    list_reservations: "getReservations",
    plain_read: "getRoomTypes",
    change_guest: "putGuest",
    create_guest: "",
    create_note: "postReservationNote",
    email: "email",
    phone: "phone",
    last_name: "lastName",
    status: "status",
    expected: "confirmed",
};

pub async fn start(limit: Option<Limit>) -> Box<dyn Vendor> {
    let mailbox = Mailbox::open().await;
    let mut options = CloudbedsOptions {
        counts: crate::COUNTS,
        webhook_delay: None,
        webhook_url: Some(mailbox.url.clone().into()),
        hang: crate::HANG,
        ..CloudbedsOptions::default()
    };
    (options.limit, options.limit_window) = limit.unwrap_or(crate::UNLIMITED);
    let sandbox = CloudbedsSandbox::start(options).await.expect("it starts");
    Box::new(Cloudbeds { sandbox, mailbox })
}

#[async_trait]
impl Vendor for Cloudbeds {
    fn name(&self) -> &'static str {
        "cloudbeds"
    }

    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn base_url(&self) -> &str {
        self.sandbox.base_url()
    }

    fn property_id(&self) -> String {
        self.sandbox.property_id()
    }

    fn provider(&self, door: &Door<'_>) -> Option<Arc<dyn PmsProvider>> {
        let mut config = CloudbedsConfig::new(door.base_url);
        config.property_id = door.elsewhere.then(|| "999999".to_owned());
        let token = match door.key {
            Key::Good | Key::Ended => "sandbox-refresh-token",
            Key::Wrong => WRONG,
        };
        let mut credentials = json!({"client_id": "sandbox-client",
            "client_secret": "sandbox-client-secret", "refresh_token": token});
        if door.key == Key::Ended {
            credentials["access_token"] = json!("ended");
            credentials["expires_at"] = json!(Utc::now() + TimeDelta::hours(1));
        }
        let credentials = SecretString::from(credentials.to_string());
        let credentials = CloudbedsCredentials::parse(&credentials).expect("credentials");
        Some(Arc::new(CloudbedsProvider::new(
            config,
            credentials,
            door.http.clone(),
            None,
        )))
    }

    fn inject(&self, fault: Fault) {
        self.sandbox.inject(fault).expect("there is such a fault");
    }

    fn id(&self, record: &Value) -> String {
        let id = record.get("reservationID").unwrap_or(&record["guestID"]);
        id.as_str().expect("an id").to_owned()
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
        let merged = json!({"isMerged": true, "newGuestID": into});
        vendor.patch(&format!("guests/{from}"), merged).await;
        true
    }

    async fn plain_read(&self) -> RequestBuilder {
        let url = format!("{}/api/v1.3/{}", self.base_url(), WORDS.plain_read);
        http().get(url).header("x-api-key", "cbat_sandbox")
    }

    fn asks_for_tokens(&self) -> Option<&'static str> {
        Some("access_token")
    }

    fn keeps_plain_key(&self) -> bool {
        true
    }

    fn secrets(&self) -> Vec<String> {
        [
            "sandbox-client-secret",
            "sandbox-refresh",
            "sandbox-access",
            WRONG,
        ]
        .map(str::to_owned)
        .into()
    }
}
