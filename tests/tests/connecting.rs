//! Hotels of every vendor connected with the command line: what is kept, what the vendor is told, and
//! what a refusal says to do.

use std::path::Path;

use serde_json::{Value, json};
use stayzr_pms::sandbox::{
    CloudbedsOptions, CloudbedsSandbox, Fault, MewsSandbox, OperaOptions, OperaSandbox,
    SandboxOptions,
};
use stayzr_tests::{
    client::http,
    command::{json as run, refused, text},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// An organization with a hotel, and nothing else.
struct House {
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data").display().to_string();
        let house = Self {
            folder,
            environment: vec![("STAYZR__SERVER__DATA_DIR", data)],
        };
        house.run(&["init", "Aurelia Collection"]);
        house.run(&[
            "property",
            "add",
            "Porto",
            "--time-zone",
            "Europe/Lisbon",
            "--currency",
            "EUR",
        ]);
        // The sandboxes let more calls through than the vendors do, and nobody waits for a second
        // attempt.
        let quick = json!({
            "rate_limit": {"calls": 100, "per_seconds": 1}, "retry": {"first_wait_ms": 1},
        });
        let quick = house.file("quick.json", &quick);
        for provider in ["cloudbeds", "mews", "opera"] {
            house.run(&["provider", "config", "set", provider, "--file", &quick]);
        }
        house
    }

    fn environment(&self) -> Vec<(&str, &str)> {
        let pairs = self.environment.iter();
        pairs.map(|(name, value)| (*name, value.as_str())).collect()
    }

    fn run(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.push("--json");
        run(&all, &self.environment())
    }

    fn file(&self, name: &str, content: &Value) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content.to_string()).expect("the file is written");
        path.display().to_string()
    }

    fn add(&self, provider: &str, base_url: &str, credentials: &Value, more: &[&str]) -> Value {
        let file = self.file("credentials.json", credentials);
        self.run(&adding(provider, base_url, &file, more))
    }

    fn refused(
        &self,
        (provider, base_url): (&str, &str),
        credentials: &Value,
        more: &[&str],
        code: &str,
    ) -> String {
        let file = self.file("credentials.json", credentials);
        let said = refused(
            &adding(provider, base_url, &file, more),
            &self.environment(),
            code,
        );
        let secrets = credentials.as_object().expect("an object").values();
        for secret in secrets.filter_map(Value::as_str) {
            assert!(!said.contains(secret), "{said}");
        }
        let none = self.run(&["integration", "list"]);
        assert_eq!(none["items"], json!([]), "nothing is saved: {said}");
        said
    }
}

fn adding<'a>(
    provider: &'a str,
    base_url: &'a str,
    file: &'a str,
    more: &[&'a str],
) -> Vec<&'a str> {
    let mut args = vec!["integration", "add", provider, "--property", "Porto"];
    args.extend(["--base-url", base_url, "--credentials-file", file]);
    args.extend(more);
    args
}

/// A page where an API was expected, as a proxy or a mistyped address gives it.
async fn a_web_page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(async move {
                let mut asked = vec![0; 8192];
                let _ = stream.read(&mut asked).await;
                let page = "<html><body>Welcome</body></html>";
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    page.len()
                );
                let _ = stream.write_all(format!("{head}{page}").as_bytes()).await;
            });
        }
    });
    format!("http://{address}")
}

/// No file of the folder holds any of these texts.
fn nowhere(folder: &Path, texts: &[&str]) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            nowhere(&path, texts);
            continue;
        }
        let content = std::fs::read(&path).expect("a file");
        for text in texts {
            let found = content
                .windows(text.len())
                .any(|window| window == text.as_bytes());
            assert!(!found, "{text} stands in {}", path.display());
        }
    }
}

/// The subscriptions that the sandbox of Cloudbeds holds.
async fn subscriptions(vendor: &CloudbedsSandbox) -> Vec<Value> {
    let url = format!("{}/api/v1.3/getWebhooks", vendor.base_url());
    let answer = http()
        .get(url)
        .header("x-api-key", "cbat_sandbox")
        .send()
        .await
        .expect("the sandbox answers");
    let body: Value = answer.json().await.expect("JSON");
    body["data"].as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotel_on_cloudbeds_is_subscribed_repaired_and_let_go() {
    let vendor = CloudbedsSandbox::start(CloudbedsOptions {
        limit: 100,
        ..CloudbedsOptions::default()
    })
    .await
    .expect("the sandbox starts");
    let house = House::new();
    let key = json!({"api_key": "cbat_sandbox"});
    let added = house.add("cloudbeds", vendor.base_url(), &key, &[]);
    let events = added["subscribed"].as_array().expect("events").len();
    assert!(events > 10, "{added}");
    let there = subscriptions(&vendor).await;
    assert_eq!(there.len(), events);
    let endpoint = text(&there[0]["subscriptionData"]["endpoint"]);
    assert_eq!(endpoint, text(&added["webhook"]["url"]));
    assert!(endpoint.ends_with(&text(&added["webhook"]["secret"])));

    let lost = text(&there[0]["id"]);
    let url = format!(
        "{}/api/v1.3/deleteWebhook?subscriptionID={lost}",
        vendor.base_url()
    );
    let deleted = http()
        .delete(url)
        .header("x-api-key", "cbat_sandbox")
        .send()
        .await
        .expect("the sandbox answers");
    assert!(deleted.status().is_success());
    let id = text(&added["id"]);
    let repaired = house.run(&["integration", "check", &id]);
    assert_eq!(repaired["subscribed"].as_array().map(Vec::len), Some(1));
    assert_eq!(subscriptions(&vendor).await.len(), events);

    let removed = house.run(&["integration", "remove", &id]);
    assert_eq!(removed["unsubscribed"], events);
    assert!(subscriptions(&vendor).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_cloudbeds_are_renewed_sealed_and_outlive_the_process() {
    let vendor = CloudbedsSandbox::start(CloudbedsOptions {
        limit: 100,
        ..CloudbedsOptions::default()
    })
    .await
    .expect("the sandbox starts");
    let house = House::new();
    let tokens = json!({
        "client_id": "sandbox-client", "client_secret": "sandbox-client-secret",
        "refresh_token": "sandbox-refresh-token",
    });
    let added = house.add(
        "cloudbeds",
        vendor.base_url(),
        &tokens,
        &["--webhook", "poll"],
    );
    let id = text(&added["id"]);
    // Each renewal ended the refresh token before, so that a process that had not kept the next one
    // would be locked out.
    for _ in 0..3 {
        vendor
            .inject(Fault {
                kind: "error_401".to_owned(),
                operation: Some("getHotels".to_owned()),
                count: 1,
                retry_after: None,
            })
            .expect("a fault");
        let checked = house.run(&["integration", "check", &id]);
        assert_eq!(checked["remote"]["name"], "Sandbox Hotel");
    }
    let stats = format!("{}/_sandbox/stats", vendor.base_url());
    let stats = http().get(stats).send().await.expect("the sandbox answers");
    let stats: Value = stats.json().await.expect("JSON");
    assert_eq!(stats["calls"]["access_token"], 4, "{stats}");
    std::fs::remove_file(house.folder.path().join("credentials.json")).expect("the file was there");
    nowhere(
        house.folder.path(),
        &["sandbox-client-secret", "sandbox-refresh-token"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cloudbeds_refuses_is_said_with_what_to_do() {
    let vendor = CloudbedsSandbox::start(CloudbedsOptions::default())
        .await
        .expect("the sandbox starts");
    let house = House::new();
    let base = vendor.base_url();
    let wrong = json!({"api_key": "cbat_somebody_elses"});
    let said = house.refused(("cloudbeds", base), &wrong, &[], "unauthorized");
    assert!(said.contains("check the API key"), "{said}");
    let revoked = json!({
        "client_id": "sandbox-client", "client_secret": "sandbox-client-secret",
        "refresh_token": "a-refresh-token-of-long-ago",
    });
    let said = house.refused(("cloudbeds", base), &revoked, &[], "unauthorized");
    assert!(said.contains("connect anew"), "{said}");
    let key = json!({"api_key": "cbat_sandbox"});
    let other = ["--vendor", "property_id=1"];
    let said = house.refused(("cloudbeds", base), &key, &other, "forbidden");
    assert!(said.contains("property"), "{said}");
    let page = a_web_page().await;
    let said = house.refused(("cloudbeds", &page), &key, &[], "invalid");
    assert!(said.contains("base_url"), "{said}");
    let said = house.refused(
        ("cloudbeds", "http://127.0.0.1:1"),
        &key,
        &[],
        "unavailable",
    );
    assert!(said.contains("base_url"), "{said}");
    let said = house.refused(("cloudbeds", base), &json!({"key": "cbat"}), &[], "invalid");
    assert!(said.contains("api_key"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotel_on_opera_is_connected_and_asked_for_changes() {
    let vendor = OperaSandbox::start(OperaOptions::default())
        .await
        .expect("the sandbox starts");
    let house = House::new();
    let base = vendor.base_url();
    let credentials = json!({
        "client_id": "sandbox-client", "client_secret": "sandbox-client-secret",
        "app_key": "41ecd082-8997-4c69-af34-2f72b83645ff",
        "username": "SANDBOX_USER", "password": "sandbox-password",
    });
    let hotel = ["--vendor", "hotel_id=SAND01"];

    let mut wrong = credentials.clone();
    wrong["password"] = json!("not-the-password");
    let said = house.refused(("opera", base), &wrong, &hotel, "unauthorized");
    assert!(
        said.contains("password") || said.contains("credentials"),
        "{said}"
    );
    let mut wrong = credentials.clone();
    wrong["app_key"] = json!("00000000-0000-0000-0000-000000000000");
    house.refused(("opera", base), &wrong, &hotel, "unauthorized");
    let other = ["--vendor", "hotel_id=OTHER"];
    let said = house.refused(("opera", base), &credentials, &other, "forbidden");
    assert!(said.contains("hotel"), "{said}");
    let said = house.refused(("opera", base), &credentials, &[], "invalid");
    assert!(said.contains("hotel_id"), "{said}");
    let posted = ["--vendor", "hotel_id=SAND01", "--webhook", "url_token"];
    let said = house.refused(("opera", base), &credentials, &posted, "invalid");
    assert!(said.contains("poll"), "{said}");
    let page = a_web_page().await;
    let said = house.refused(("opera", &page), &credentials, &hotel, "invalid");
    assert!(said.contains("base_url"), "{said}");

    let added = house.add("opera", base, &credentials, &hotel);
    assert_eq!(added["webhook"]["mode"], "poll", "{added}");
    let checked = house.run(&["integration", "check", "opera"]);
    assert_eq!(checked["remote"]["name"], "Sandbox Hotel", "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_mews_refuses_is_said_with_what_to_do() {
    let vendor = MewsSandbox::start(SandboxOptions::default())
        .await
        .expect("the sandbox starts");
    let house = House::new();
    let wrong = json!({"client_token": "sandbox-client-token", "access_token": "revoked-token"});
    let said = house.refused(("mews", vendor.base_url()), &wrong, &[], "unauthorized");
    assert!(said.contains("check"), "{said}");
    let good =
        json!({"client_token": "sandbox-client-token", "access_token": "sandbox-access-token"});
    let page = a_web_page().await;
    let said = house.refused(("mews", &page), &good, &[], "invalid");
    assert!(said.contains("base_url"), "{said}");
}

#[test]
fn a_wrong_configuration_is_shown_by_line_and_a_body_is_read_offline() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("the file is written");
        path.display().to_string()
    };
    let wrong = write(
        "mews.json",
        "{\n  \"retry\": {\n    \"retires\": 2\n  }\n}\n",
    );
    let said = refused(&["provider", "check", &wrong], &[], "invalid");
    assert!(said.contains("line 3"), "{said}");
    assert!(said.contains("the nearest known key is retries"), "{said}");
    let fine = write("opera.toml", "[vendor]\nhotel_id = \"HOTEL1\"\n");
    assert_eq!(
        run(&["provider", "check", &fine, "--json"], &[])["provider"],
        "opera"
    );

    let body = write(
        "body.json",
        r#"{"success": true, "data": {"reservationID": 7, "status": "abducted", "ufo": 1,
            "startDate": "2026-05-01", "endDate": "2026-05-03"}}"#,
    );
    let read = run(
        &[
            "provider",
            "parse",
            "cloudbeds",
            "getReservation",
            &body,
            "--json",
        ],
        &[],
    );
    let item = &read["items"][0];
    assert_eq!(item["records"][0]["external_id"], "7", "{read}");
    assert_eq!(item["unknown_fields"], json!(["ufo"]));
    assert_eq!(item["unknown_values"], json!(["status: abducted"]));
    assert!(
        item["tolerated"].to_string().contains("reservationID"),
        "{read}"
    );
    let page = write("page.json", "<html></html>");
    let args = ["provider", "parse", "mews", "customers.getAll", &page];
    refused(&args, &[], "not_readable");
}
