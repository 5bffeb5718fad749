use std::sync::Arc;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use secrecy::SecretString;
use serde_json::{Value, json};
use stayzr_pms::{
    PmsProvider,
    providers::opera::{OperaConfig, OperaCredentials, OperaProvider},
    sandbox::{Fault, OperaOptions, OperaSandbox},
};
use stayzr_tests::client::http;

use crate::vendor::{Door, Key, Limit, Vendor, WRONG, Words};

pub struct Opera {
    sandbox: OperaSandbox,
}

const WORDS: Words = Words {
    list_rooms: "getRooms",
    list_reservations: "getHotelReservations",
    plain_read: "getRoomTypes",
    change_guest: "putProfile",
    create_guest: "postProfile",
    create_note: "",
    email: "email",
    phone: "phoneNumber",
    last_name: "surname",
    status: "reservationStatus",
    expected: "Reserved",
};

const APP_KEY: &str = "41ecd082-8997-4c69-af34-2f72b83645ff";

pub async fn start(limit: Option<Limit>) -> Box<dyn Vendor> {
    let mut options = OperaOptions {
        counts: crate::COUNTS,
        hang: crate::HANG,
        ..OperaOptions::default()
    };
    (options.limit, options.limit_window) = limit.unwrap_or(crate::UNLIMITED);
    let sandbox = OperaSandbox::start(options).await.expect("it starts");
    Box::new(Opera { sandbox })
}

impl Opera {
    fn at(door: &Door<'_>) -> OperaProvider {
        let hotel = if door.elsewhere { "OTHER1" } else { "SAND01" };
        let mut config = OperaConfig::new(door.base_url, hotel);
        config.external_system = Some("STAYZR".to_owned());
        let secret = match door.key {
            Key::Good | Key::Ended => "sandbox-client-secret",
            Key::Wrong => WRONG,
        };
        let credentials = json!({"client_id": "sandbox-client", "client_secret": secret,
            "app_key": APP_KEY, "username": "SANDBOX_USER", "password": "sandbox-password"});
        let credentials = SecretString::from(credentials.to_string());
        let credentials = OperaCredentials::parse(&credentials).expect("credentials");
        OperaProvider::new(config, credentials, door.http.clone())
    }
}

#[async_trait]
impl Vendor for Opera {
    fn name(&self) -> &'static str {
        "opera"
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
        if door.key == Key::Ended {
            let vendor: &dyn Vendor = self;
            vendor.fault("expired_token", WORDS.list_reservations, 1);
        }
        Some(Arc::new(Self::at(door)))
    }

    fn inject(&self, fault: Fault) {
        self.sandbox.inject(fault).expect("there is such a fault");
    }

    fn id(&self, record: &Value) -> String {
        let ids = record
            .get("reservationIdList")
            .unwrap_or(&record["profileIdList"]);
        ids[0]["id"].as_str().expect("an id").to_owned()
    }

    fn field(&self, guest: &Value, name: &str) -> Value {
        let place = match name {
            "email" => "/emails/emailInfo/0/email/emailAddress",
            "phoneNumber" => "/telephones/telephoneInfo/0/telephone/phoneNumber",
            "surname" => "/customer/personName/0/surname",
            _ => "",
        };
        let details = guest.get("profileDetails").unwrap_or(guest);
        details.pointer(place).cloned().unwrap_or_default()
    }

    async fn told(&self, provider: &dyn PmsProvider) -> Vec<Vec<u8>> {
        let desk = provider.desk().expect("it has one");
        let mut bodies = Vec::new();
        while let Some(batch) = desk.next_events(None).await.expect("it may be polled") {
            bodies.push(batch.body);
        }
        bodies
    }

    async fn merge(&self, _: &str, _: &str) -> bool {
        false
    }

    async fn plain_read(&self) -> RequestBuilder {
        let form = "grant_type=password&username=SANDBOX_USER&password=sandbox-password";
        let sent = http()
            .post(format!("{}/oauth/v1/tokens", self.base_url()))
            .basic_auth("sandbox-client", Some("sandbox-client-secret"))
            .header("x-app-key", APP_KEY)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = sent.send().await.expect("a token");
        let text = answer.text().await.expect("a body");
        let token: Value = serde_json::from_str(&text).expect("JSON");
        let token = token["access_token"].as_str().expect("a token").to_owned();
        http()
            .get(format!(
                "{}/rm/config/v1/hotels/SAND01/roomTypes",
                self.base_url()
            ))
            .bearer_auth(token)
            .header("x-app-key", APP_KEY)
            .header("x-hotelid", "SAND01")
    }

    fn asks_for_tokens(&self) -> Option<&'static str> {
        Some("getToken")
    }

    fn keeps_plain_key(&self) -> bool {
        false
    }

    fn secrets(&self) -> Vec<String> {
        [
            "sandbox-client-secret",
            "sandbox-password",
            "sandbox-token",
            APP_KEY,
            WRONG,
        ]
        .map(str::to_owned)
        .into()
    }
}
