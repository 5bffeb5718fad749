//! The product as its users meet it: the built command, started as a process, over HTTP. One test,
//! run on SQLite and on PostgreSQL with nothing but a URL changed.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use stayzr_tests::{
    client::{Api, eventually, http},
    process::Demo,
    servers::TestDatabase,
};

/// A hotel of the demo and what is needed to play its guests, its staff and its vendor.
struct Hotel {
    api: Api,
    demo: Value,
    property: Value,
}

impl Hotel {
    fn new(demo: &Value, organization: usize, property: usize) -> Self {
        let organization = &demo["organizations"][organization];
        Self {
            api: Api {
                http: http(),
                base: text(&demo["base_url"]),
                token: text(&organization["api_token"]),
            },
            demo: demo.clone(),
            property: organization["properties"][property].clone(),
        }
    }

    fn id(&self) -> String {
        text(&self.property["id"])
    }

    async fn list(&self, noun: &str) -> Vec<Value> {
        self.api
            .all(&format!("/api/v1/{noun}?property_id={}", self.id()))
            .await
    }

    /// A guest of this hotel with a telephone number and a reservation.
    async fn guest(&self) -> Value {
        let reservations = self.list("reservations").await;
        let staying = reservations
            .iter()
            .find(|reservation| {
                reservation["status"] == "confirmed" && reservation["guest_id"].is_string()
            })
            .expect("a confirmed reservation");
        self.api
            .get(&format!("/api/v1/guests/{}", text(&staying["guest_id"])))
            .await
    }

    async fn sandbox(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/_sandbox/{path}", text(&self.property["sandbox_url"]));
        let mut request = self.api.http.request(method, &url);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await.expect("the sandbox answers");
        let status = response.status();
        let body = response.text().await.expect("the body arrives");
        assert!(status.is_success(), "{url}: {status} {body}");
        serde_json::from_str(&body).unwrap_or(Value::Null)
    }

    /// A guest's WhatsApp message, signed as Meta signs.
    async fn whatsapp(&self, from: &str, id: &str, words: &str) -> StatusCode {
        let body =
            json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{
            "field": "messages", "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "15550783881",
                             "phone_number_id": self.property["whatsapp_phone_number_id"]},
                "contacts": [{"profile": {"name": "Guest"}, "wa_id": from}],
                "messages": [{"from": from, "id": id, "type": "text",
                    "timestamp": chrono::Utc::now().timestamp().to_string(),
                    "text": {"body": words}}]}}]}]})
            .to_string();
        let secret = text(&self.demo["whatsapp"]["app_secret"]);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
        mac.update(body.as_bytes());
        let signature: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.api
            .http
            .post(text(&self.demo["whatsapp"]["webhook_url"]))
            .header("content-type", "application/json")
            .header("x-hub-signature-256", format!("sha256={signature}"))
            .body(body)
            .send()
            .await
            .expect("the server answers")
            .status()
    }

    async fn outbox(&self) -> Vec<Value> {
        self.api.all("/api/v1/outbox").await
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a string: {value}"))
        .to_owned()
}

fn external_id(row: &Value) -> String {
    text(&row["external_refs"][0]["id"])
}

fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

async fn the_whole_product(demo: &Demo) {
    let porto = Hotel::new(&demo.json, 0, 0);
    let innsbruck = Hotel::new(&demo.json, 0, 1);
    let edinburgh = Hotel::new(&demo.json, 1, 0);
    let vendors = [&porto, &innsbruck, &edinburgh].map(|hotel| text(&hotel.property["provider"]));
    assert_eq!(vendors, ["mews", "opera", "cloudbeds"]);
    hotels_are_synchronised(&[&porto, &innsbruck, &edinburgh]).await;
    a_guest_is_answered_from_the_hotels_own_knowledge(&porto).await;
    a_change_at_the_vendor_arrives_through_a_webhook(&porto).await;
    invariant_b_a_staff_edit_survives_webhooks_and_stale_reads(&porto).await;
    invariant_t_another_organization_sees_none_of_it(&porto, &edinburgh).await;
    bad_input_gets_a_clear_answer(&porto).await;
    invariant_p_no_secret_and_no_message_is_logged(demo);
}

async fn hotels_are_synchronised(hotels: &[&Hotel]) {
    let (mut rooms, mut guests, mut reservations) = (0, 0, 0);
    for hotel in hotels {
        let (here_rooms, here_guests, here_reservations) = (
            hotel.list("rooms").await,
            hotel.list("guests").await,
            hotel.list("reservations").await,
        );
        let provider = &hotel.property["provider"];
        assert!(
            here_rooms
                .iter()
                .all(|room| room["external_refs"][0]["provider"] == *provider)
        );
        rooms += here_rooms.len();
        guests += here_guests.len();
        reservations += here_reservations.len();
        let documents = hotel
            .api
            .all(&format!(
                "/api/v1/knowledge/documents?property_id={}",
                hotel.id()
            ))
            .await;
        assert!(documents.len() >= 12, "{} documents", documents.len());
    }
    assert!(rooms >= 60, "{rooms} rooms");
    assert!(guests >= 200, "{guests} guests");
    assert!(reservations >= 300, "{reservations} reservations");
}

async fn a_guest_is_answered_from_the_hotels_own_knowledge(hotel: &Hotel) {
    let question = "When is breakfast on weekdays, and what is the wifi password policy?";
    let id = format!("wamid.{}", uuid::Uuid::now_v7().simple());
    let from = "16505550123";
    assert_eq!(hotel.whatsapp(from, &id, question).await, 200);
    // Meta delivers more than once.
    assert_eq!(hotel.whatsapp(from, &id, question).await, 200);
    let reply = eventually("a reply in the outbox", async || {
        hotel.outbox().await.into_iter().find(|item| {
            item["to"].as_str().is_some_and(|to| digits(to) == from)
                && ["sent", "delivered", "read"]
                    .iter()
                    .any(|status| item["status"] == *status)
        })
    })
    .await;
    let answer = text(&reply["text"]);
    assert!(answer.contains("07:00"), "{answer}");
    assert!(
        answer.contains("key-card sleeve") || answer.contains("key card sleeve"),
        "{answer}"
    );
    let citations = reply["citations"].as_array().expect("citations");
    assert!(
        citations
            .iter()
            .any(|citation| citation["file_name"] == "breakfast.md"),
        "{reply}"
    );
    assert!(
        citations
            .iter()
            .any(|citation| citation["file_name"] == "wifi.md"),
        "{reply}"
    );
    assert!(
        reply["vendor_message_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("wamid."))
    );

    let conversation = hotel
        .api
        .get(&format!(
            "/api/v1/conversations/{}",
            text(&reply["conversation_id"])
        ))
        .await;
    let messages = conversation["messages"].as_array().expect("messages");
    assert_eq!(
        messages
            .iter()
            .filter(|message| message["direction"] == "inbound")
            .count(),
        1,
        "the second delivery is the same message: {conversation}"
    );
}

async fn a_change_at_the_vendor_arrives_through_a_webhook(hotel: &Hotel) {
    let guest = hotel.guest().await;
    let changed = json!({"Notes": "Allergic to feathers."});
    hotel
        .sandbox(
            Method::PATCH,
            &format!("guests/{}", external_id(&guest)),
            Some(changed),
        )
        .await;
    hotel.sandbox(Method::POST, "deliver", None).await;
    let path = format!("/api/v1/guests/{}", text(&guest["id"]));
    eventually("the vendor's change here", async || {
        (hotel.api.get(&path).await["notes"] == "Allergic to feathers.").then_some(())
    })
    .await;
    let changes = hotel.api.get(&format!("{path}/changes")).await;
    let line = &changes["items"][0];
    assert_eq!(line["field"], "notes");
    assert_eq!(line["new"], "Allergic to feathers.");
    assert_eq!(line["source"]["kind"], "vendor");
}

async fn invariant_b_a_staff_edit_survives_webhooks_and_stale_reads(hotel: &Hotel) {
    let guest = hotel.guest().await;
    let id = text(&guest["id"]);
    let there = external_id(&guest);
    let path = format!("/api/v1/guests/{id}");

    // The vendor refuses writes for a moment, so that a webhook comes before the push.
    hotel
        .sandbox(
            Method::POST,
            "faults",
            Some(json!({"kind": "error_503", "operation": "customers/update", "count": 2})),
        )
        .await;
    let phone = "+351 912 345 678";
    let (status, edited) = hotel
        .api
        .call(Method::PATCH, &path, Some(json!({"phone": phone})))
        .await;
    assert_eq!(status, 200, "{edited}");
    assert_eq!(edited["phone"], phone);
    let loyalty = json!({"LoyaltyCode": "AURELIA-7"});
    hotel
        .sandbox(Method::PATCH, &format!("guests/{there}"), Some(loyalty))
        .await;
    hotel.sandbox(Method::POST, "deliver", None).await;
    eventually("the vendor's other field here", async || {
        (hotel.api.get(&path).await["loyalty_code"] == "AURELIA-7").then_some(())
    })
    .await;
    assert_eq!(
        hotel.api.get(&path).await["phone"],
        phone,
        "a webhook overwrote the edit"
    );

    eventually("the edit at the vendor", async || {
        let record = hotel
            .sandbox(Method::GET, &format!("guests/{there}"), None)
            .await;
        (record["Phone"] == phone).then_some(())
    })
    .await;

    // A read replica of the vendor lags behind our write.
    hotel
        .sandbox(
            Method::POST,
            "faults",
            Some(json!({"kind": "stale_read", "operation": "customers/getAll", "count": 3})),
        )
        .await;
    let integration = text(&hotel.property["integration_id"]);
    let (status, run) = hotel
        .api
        .call(
            Method::POST,
            &format!("/api/v1/integrations/{integration}/sync"),
            Some(json!({"mode": "incremental"})),
        )
        .await;
    assert!(status.is_success(), "{status} {run}");
    let runs = format!("/api/v1/integrations/{integration}/runs");
    let before = hotel.api.get(&runs).await["items"]
        .as_array()
        .map_or(0, Vec::len);
    eventually("the run ends", async || {
        let runs = hotel.api.get(&runs).await;
        let all_over = runs["items"].as_array().is_some_and(|items| {
            items.len() >= before && items.iter().all(|run| run["status"] != "running")
        });
        let idle = hotel
            .api
            .get("/api/v1/jobs?queue=pms_sync_queue&status=PENDING")
            .await["items"]
            .as_array()
            .is_some_and(Vec::is_empty);
        (all_over && idle).then_some(())
    })
    .await;
    assert_eq!(
        hotel.api.get(&path).await["phone"],
        phone,
        "a stale read overwrote the edit"
    );
    let record = hotel
        .sandbox(Method::GET, &format!("guests/{there}"), None)
        .await;
    assert_eq!(record["Phone"], phone, "the edit was undone at the vendor");
}

async fn invariant_t_another_organization_sees_none_of_it(mine: &Hotel, other: &Hotel) {
    let guest = mine.guest().await;
    let conversation = mine.api.all("/api/v1/conversations").await[0].clone();
    let document = mine.api.all("/api/v1/knowledge/documents").await[0].clone();
    for path in [
        format!("guests/{}", text(&guest["id"])),
        format!("guests/{}/changes", text(&guest["id"])),
        format!("properties/{}", mine.id()),
        format!("conversations/{}", text(&conversation["id"])),
        format!(
            "integrations/{}/runs",
            text(&mine.property["integration_id"])
        ),
    ] {
        let (status, body) = other
            .api
            .call(Method::GET, &format!("/api/v1/{path}"), None)
            .await;
        assert_eq!(status, 404, "{path}: {body}");
        assert_eq!(body["code"], "not_found", "{path}");
    }
    let (status, _) = other
        .api
        .call(
            Method::PATCH,
            &format!("/api/v1/guests/{}", text(&guest["id"])),
            Some(json!({"notes": "mine now"})),
        )
        .await;
    assert_eq!(status, 404);
    let (status, _) = other
        .api
        .call(
            Method::DELETE,
            &format!("/api/v1/knowledge/documents/{}", text(&document["id"])),
            None,
        )
        .await;
    assert_eq!(status, 404);

    // A header only chooses among one's own organizations.
    let organization = text(&mine.demo["organizations"][0]["id"]);
    let response = other
        .api
        .http
        .get(format!("{}/api/v1/guests", other.api.base))
        .bearer_auth(&other.api.token)
        .header("x-organization-id", &organization)
        .send()
        .await
        .expect("the server answers");
    assert_eq!(response.status(), 403);

    let mine_ids: Vec<Value> = mine
        .api
        .all("/api/v1/guests")
        .await
        .iter()
        .map(|guest| guest["id"].clone())
        .collect();
    let theirs = other.api.all("/api/v1/guests").await;
    assert!(!theirs.is_empty());
    assert!(theirs.iter().all(|guest| !mine_ids.contains(&guest["id"])));
    assert!(
        other.outbox().await.is_empty(),
        "replies of one organization stand in another's outbox"
    );

    let (status, found) = other
        .api
        .call(
            Method::POST,
            "/api/v1/knowledge/search",
            Some(json!({"property_id": other.id(), "query": "When is breakfast?", "limit": 10})),
        )
        .await;
    assert_eq!(status, 200, "{found}");
    assert!(!found.to_string().contains("Sala do Douro"), "{found}");
}

async fn bad_input_gets_a_clear_answer(hotel: &Hotel) {
    let client = &hotel.api.http;
    let base = &hotel.api.base;
    let post = |url: String, body: Vec<u8>| {
        client
            .post(url)
            .header("content-type", "application/json")
            .body(body)
    };
    let problem = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.expect("the server answers");
        let status = response.status().as_u16();
        let kind = response.headers()["content-type"]
            .to_str()
            .unwrap_or_default()
            .to_owned();
        assert!(response.headers().contains_key("x-request-id"));
        let body: Value =
            serde_json::from_str(&response.text().await.unwrap_or_default()).unwrap_or(Value::Null);
        assert_eq!(kind, "application/problem+json", "{status} {body}");
        (status, text(&body["code"]))
    };

    let broken = post(
        format!("{base}/api/v1/knowledge/search"),
        b"{\"query\": ".to_vec(),
    )
    .bearer_auth(&hotel.api.token);
    assert_eq!(problem(broken).await, (400, "invalid".to_owned()));

    let huge = post(
        format!("{base}/api/v1/knowledge/search"),
        vec![b' '; 40 << 20],
    )
    .bearer_auth(&hotel.api.token);
    assert_eq!(problem(huge).await.0, 413);

    let nobody = client.get(format!("{base}/api/v1/guests"));
    assert_eq!(problem(nobody).await, (401, "unauthorized".to_owned()));

    let forged = post(text(&hotel.demo["whatsapp"]["webhook_url"]), b"{}".to_vec())
        .header("x-hub-signature-256", format!("sha256={}", "0".repeat(64)));
    assert_eq!(
        problem(forged).await,
        (401, "signature_mismatch".to_owned())
    );

    let unknown = post(
        format!("{base}/webhooks/pms/mews/{}?token=x", uuid::Uuid::now_v7()),
        b"{}".to_vec(),
    );
    assert_eq!(problem(unknown).await, (404, "unknown_endpoint".to_owned()));

    let unknown_organization = client
        .get(format!("{base}/api/v1/guests"))
        .bearer_auth(&hotel.api.token)
        .header("x-organization-id", uuid::Uuid::now_v7().to_string());
    assert_eq!(
        problem(unknown_organization).await,
        (403, "forbidden".to_owned())
    );

    let guest = hotel.guest().await;
    let (status, body) = hotel
        .api
        .call(
            Method::PATCH,
            &format!("/api/v1/guests/{}", text(&guest["id"])),
            Some(json!({"phone_number": "1"})),
        )
        .await;
    assert_eq!(status, 400, "{body}");
    assert!(
        body["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("phone_number")),
        "{body}"
    );
}

fn invariant_p_no_secret_and_no_message_is_logged(demo: &Demo) {
    let log = demo.log();
    for secret in [
        text(&demo.json["organizations"][1]["properties"][0]["webhook"]["secret"]),
        "What is the wifi password policy".to_owned(),
        "Allergic to feathers".to_owned(),
    ] {
        // What is printed for the operator at start names credentials; log lines never do.
        let lines: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("INFO") || line.contains("WARN") || line.contains("ERROR"))
            .filter(|line| line.contains(&secret))
            .collect();
        assert!(lines.is_empty(), "{lines:#?}");
    }
}

/// Acknowledged means durable: killed between the acknowledgement and the processing, the effect is
/// there after a restart, once. Ten deliveries arrive at once and the kill follows the last
/// acknowledgement, so that most of them are still unprocessed.
async fn invariant_a_an_acknowledged_webhook_survives_a_kill(
    folder: &Path,
    environment: &[(&str, &str)],
) {
    for round in 0..3 {
        let demo = Demo::start(folder, environment);
        let hotel = std::sync::Arc::new(Hotel::new(&demo.json, 0, 1));
        let senders: Vec<String> = (0..10)
            .map(|number| format!("1650555{:04}", 2000 + round * 100 + number))
            .collect();
        let mut deliveries = tokio::task::JoinSet::new();
        for from in senders.clone() {
            let hotel = std::sync::Arc::clone(&hotel);
            deliveries.spawn(async move {
                let id = format!("wamid.KILL{from}");
                let status = hotel.whatsapp(&from, &id, "Where can I park my car?").await;
                (from, status)
            });
        }
        let acknowledged = deliveries.join_all().await;
        demo.kill();
        assert!(
            acknowledged.iter().all(|(_, status)| *status == 200),
            "{acknowledged:?}"
        );

        let demo = Demo::start(folder, environment);
        let hotel = Hotel::new(&demo.json, 0, 1);
        for (from, _) in &acknowledged {
            let conversation = eventually("the message after the restart", async || {
                let item = hotel
                    .outbox()
                    .await
                    .into_iter()
                    .find(|item| item["to"].as_str().is_some_and(|to| digits(to) == *from))?;
                let path = format!("/api/v1/conversations/{}", text(&item["conversation_id"]));
                Some(hotel.api.get(&path).await)
            })
            .await;
            let messages = conversation["messages"].as_array().expect("messages");
            let count = |direction| {
                messages
                    .iter()
                    .filter(|message| message["direction"] == direction)
                    .count()
            };
            assert_eq!(
                (count("inbound"), count("outbound")),
                (1, 1),
                "{conversation}"
            );
        }
        assert!(demo.terminate(), "the server drains on SIGTERM");
    }
}

async fn run(environment: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let demo = Demo::start(folder.path(), environment);
    the_whole_product(&demo).await;
    let first = demo.json.clone();
    assert!(demo.terminate(), "the server drains on SIGTERM");

    let again = Demo::start(folder.path(), environment);
    for pointer in [
        "/organizations/0/id",
        "/organizations/0/api_token",
        "/organizations/0/properties/0/id",
        "/organizations/1/properties/0/integration_id",
        "/organizations/1/properties/0/webhook/secret",
        "/whatsapp/app_secret",
    ] {
        assert_eq!(
            first.pointer(pointer),
            again.json.pointer(pointer),
            "{pointer}"
        );
        assert!(first.pointer(pointer).is_some(), "{pointer}");
    }
    assert!(again.terminate(), "the server drains on SIGTERM");
    invariant_a_an_acknowledged_webhook_survives_a_kill(folder.path(), environment).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_product_on_sqlite() {
    run(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_product_on_postgres() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let url = database.url();
    run(&[("STAYZR__STORE__URL", &url)]).await;
    database.drop_database().await;
}
