//! Hosted models and Qdrant behind the server's HTTP API, chosen by configuration alone. The
//! provider and Qdrant are fakes on this machine.

#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "shared with the tests of the adapter"
)]
#[path = "../../stayzr-agents/tests/fake_qdrant/mod.rs"]
mod fake_qdrant;
#[allow(dead_code, reason = "shared with the tests of the adapter")]
#[path = "../../stayzr-agents/tests/provider/mod.rs"]
mod provider;

use fake_qdrant::FakeQdrant;
use provider::{Answer, FakeProvider, Received};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use stayzr_core::{
    clock::Clock, ids::OrganizationId, model::Organization, port::Store, tenant::Role,
};
use stayzr_server::{
    compose::{App, Foundation, Opening},
    config::{Sources, load},
    http::bind,
    setup::{NewProperty, add_property, new_token},
};
use stayzr_tests::client::{Api, http};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9/v1beta";
const OFFLINE: &str = "offline-extractive-1";
const GEMINI: &str = "gemini-3.8-flash-002";
const HOUSE: &str = "# Breakfast\nBreakfast is served from 7:00 to 10:30.\n";
/// What a guest reads where nothing can be searched; it has no claim and offers a person.
const CANNOT_LOOK: &str = "I can't look that up at the moment. Shall I ask a colleague?";
const REPLY: &str = "Good morning! Breakfast is served from 7:00 to 10:30.";

/// A hotel in a folder; servers come and go over it.
struct Hotel {
    folder: tempfile::TempDir,
    property: String,
    token: String,
}

/// One server over a hotel.
struct Running {
    app: App,
    api: Api,
    property: String,
}

impl Hotel {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let base = foundation(&folder, &[]).await;
        let (store, clock): (&dyn Store, &dyn Clock) = (base.store.as_ref(), base.clock.as_ref());
        let organization = Organization {
            id: OrganizationId::generate(clock),
            name: "Casas do Norte".to_owned(),
            created_at: clock.now(),
        };
        let id = organization.id;
        let (token, stored) = new_token(clock, "stz", "admin", id, Role::Admin, Vec::new());
        store
            .create_organization(organization, stored)
            .await
            .expect("an organization");
        let new = NewProperty {
            name: "Casa do Rio".to_owned(),
            time_zone: "Europe/Lisbon".to_owned(),
            currency: "EUR".parse().expect("a currency"),
            country_code: Some("PT".to_owned()),
        };
        let property = add_property(store, clock, id, new)
            .await
            .expect("a property");
        Self {
            folder,
            property: property.id.to_string(),
            token: token.expose_secret().to_owned(),
        }
    }

    async fn serve(&self, flags: &[(&str, &str)]) -> Running {
        let base = foundation(&self.folder, flags).await;
        let bound = bind(base.config.server.listen).await.expect("a free port");
        let app = base.start(bound).expect("a server");
        let api = Api {
            http: http(),
            base: app.public_url.clone(),
            token: self.token.clone(),
        };
        Running {
            app,
            api,
            property: self.property.clone(),
        }
    }

    async fn serve_with_house(&self, flags: &[(&str, &str)]) -> Running {
        let server = self.serve(flags).await;
        let (status, body) = server.put(HOUSE).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        server
    }
}

async fn foundation(folder: &tempfile::TempDir, flags: &[(&str, &str)]) -> Foundation {
    let mut sources = Sources::default()
        .flag("server.data_dir", folder.path().display().to_string())
        .flag("server.listen", "127.0.0.1:0");
    for (key, value) in flags {
        sources = sources.flag(key, *value);
    }
    let config = load(&sources).expect("a configuration");
    Foundation::open(config, Opening::Prepare)
        .await
        .expect("a foundation")
}

impl Running {
    async fn put(&self, content: &str) -> (StatusCode, Value) {
        let body = json!({
            "property_id": self.property, "category": "general", "file_name": "house.md",
            "content": content,
        });
        let path = "/api/v1/knowledge/documents";
        self.api.call(Method::POST, path, Some(body)).await
    }

    async fn search(&self, query: &str) -> (StatusCode, Value) {
        let body = json!({"property_id": self.property, "query": query});
        let path = "/api/v1/knowledge/search";
        self.api.call(Method::POST, path, Some(body)).await
    }

    /// What the guest is told, as the turn shows it.
    async fn ask(&self, text: &str) -> Value {
        let body = json!({"property_id": self.property, "text": text});
        let path = "/api/v1/concierge/messages";
        let (status, turn) = self.api.call(Method::POST, path, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{turn}");
        turn
    }

    async fn ready(&self) -> (StatusCode, Value) {
        self.api.call(Method::GET, "/ready", None).await
    }
}

fn gemini(url: &str) -> [(&str, &str); 3] {
    [
        ("model.provider", "gemini"),
        ("model.base_url", url),
        ("model.api_key", "test-key"),
    ]
}

fn gemini_vectors(url: &str) -> [(&str, &str); 4] {
    [
        ("embedder.provider", "gemini"),
        ("embedder.base_url", url),
        ("embedder.api_key", "test-key"),
        ("embedder.dimension", "3"),
    ]
}

/// A hosted model that routes, looks up, and then says this.
async fn talker(reply: &'static str) -> FakeProvider {
    FakeProvider::answering(move |call| {
        let sent = call.body.to_string();
        let part = if sent.contains("You sort messages of hotel guests") {
            json!({"text": r#"{"specialist": "knowledge", "intent": "breakfast", "confidence": 0.9}"#})
        } else if sent.contains("functionResponse") {
            json!({"text": reply})
        } else {
            json!({"functionCall": {"name": "search_knowledge", "args": {"query": "breakfast hours"}}})
        };
        Answer::json(&json!({
            "candidates": [{"index": 0, "finishReason": "STOP",
                "content": {"role": "model", "parts": [part]}}],
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
            "modelVersion": GEMINI,
        }))
    })
    .await
}

/// A hosted embedder for which texts are about breakfast, the pool, or something else.
async fn embedder() -> FakeProvider {
    FakeProvider::answering(|call| {
        let vector = |request: &Value| {
            let text = request["content"].to_string().to_lowercase();
            match (text.contains("breakfast"), text.contains("pool")) {
                (true, _) => json!({"values": [2.0, 0.0, 0.0]}),
                (_, true) => json!({"values": [0.0, 2.0, 0.0]}),
                _ => json!({"values": [0.0, 0.0, 2.0]}),
            }
        };
        let requests = call.body["requests"].as_array().expect("a batch");
        let vectors: Vec<Value> = requests.iter().map(vector).collect();
        Answer::json(&json!({"embeddings": vectors}))
    })
    .await
}

fn broken(status: u16) -> impl Fn(&Received) -> Answer {
    move |_| {
        Answer::error(
            status,
            &json!({"error": {"code": status, "message": "secret-of-theirs"}}),
        )
    }
}

#[tokio::test]
async fn a_hosted_model_answers_after_it_looked_something_up() {
    let provider = talker(REPLY).await;
    let hotel = Hotel::new().await;
    let server = hotel.serve_with_house(&gemini(&provider.url)).await;
    let turn = server.ask("When is breakfast?").await;
    assert_eq!(turn["reply"], REPLY, "{turn}");
    assert_eq!(turn["status"], "answered");
    assert_eq!(turn["model"], GEMINI);
    assert_eq!(turn["tool_calls"][0]["tool"], "search_knowledge");
    assert_eq!(turn["tool_calls"][0]["ok"], true);
    // Routed, asked for a tool, answered.
    assert_eq!(
        turn["usage"],
        json!({"input_tokens": 30, "output_tokens": 15})
    );
    let received = provider.received();
    assert_eq!(received.len(), 3);
    assert!(
        received
            .iter()
            .all(|call| call.key.as_deref() == Some("test-key"))
    );
    assert!(
        received[2].body.to_string().contains("7:00 to 10:30"),
        "the model read the passage"
    );
    server.app.stop().await;
}

#[tokio::test]
async fn a_hosted_model_that_fails_is_never_the_guests_problem() {
    for status in [400, 401, 404, 429, 500] {
        let provider = FakeProvider::answering(broken(status)).await;
        quoted_instead(&provider.url).await;
        assert!(!provider.received().is_empty());
    }
    quoted_instead(NOWHERE).await;
}

async fn quoted_instead(url: &str) {
    let hotel = Hotel::new().await;
    let server = hotel.serve_with_house(&gemini(url)).await;
    let turn = server.ask("When is breakfast?").await;
    assert_eq!(turn["status"], "answered", "{turn}");
    assert_eq!(turn["model"], OFFLINE);
    let reply = turn["reply"].as_str().expect("a reply");
    assert!(reply.contains("7:00 to 10:30"), "{reply}");
    assert!(!turn.to_string().contains("secret-of-theirs"), "{turn}");
    server.app.stop().await;
}

#[tokio::test]
async fn without_a_fallback_a_person_takes_over() {
    let mut flags = gemini(NOWHERE).to_vec();
    flags.push(("model.fallback", "none"));
    let hotel = Hotel::new().await;
    let server = hotel.serve_with_house(&flags).await;
    let turn = server.ask("When is breakfast?").await;
    assert_eq!(turn["status"], "handed_off", "{turn}");
    let reply = turn["reply"].as_str().expect("the line that hands over");
    assert!(!reply.contains("7:00"), "{reply}");
    server.app.stop().await;
}

#[tokio::test]
async fn invariant_h_a_price_that_a_hosted_model_invents_does_not_reach_the_guest() {
    let provider = talker("Breakfast is served from 7:00 to 10:30 and costs 99 EUR.").await;
    let hotel = Hotel::new().await;
    let server = hotel.serve_with_house(&gemini(&provider.url)).await;
    let turn = server.ask("When is breakfast?").await;
    // Ids hold digits of their own: the reply may not name the figure, the turn not the price.
    assert!(!turn["reply"].to_string().contains("99"), "{turn}");
    assert!(!turn.to_string().contains("99 EUR"), "{turn}");
    assert_eq!(turn["model"], OFFLINE);
    assert_eq!(turn["status"], "answered");
    assert!(
        turn["reply"]
            .as_str()
            .is_some_and(|reply| reply.contains("7:00 to 10:30")),
        "{turn}"
    );
    let id = turn["conversation_id"].as_str().expect("an id");
    let shown = server.api.get(&format!("/api/v1/conversations/{id}")).await;
    assert!(!shown["messages"].to_string().contains("99 EUR"), "{shown}");
    assert_eq!(
        provider.received().len(),
        4,
        "it was asked to mend its reply"
    );
    server.app.stop().await;
}

#[tokio::test]
async fn documents_and_questions_are_embedded_by_the_hosted_embedder() {
    let provider = embedder().await;
    let hotel = Hotel::new().await;
    let server = hotel.serve(&gemini_vectors(&provider.url)).await;
    let (status, body) = server
        .put(&format!(
            "{HOUSE}# Pool\nThe pool is open from 9:00 to 20:00.\n"
        ))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    let documents = &provider.received()[0];
    assert_eq!(
        documents.path,
        "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    );
    assert_eq!(
        documents.body["requests"][0]["taskType"],
        "RETRIEVAL_DOCUMENT"
    );
    assert_eq!(documents.body["requests"][0]["outputDimensionality"], 3);

    let (status, body) = server.search("When does the pool open?").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["results"][0]["heading"], "Pool", "{body}");
    let questions = &provider.received()[1];
    assert_eq!(questions.body["requests"][0]["taskType"], "RETRIEVAL_QUERY");
    server.app.stop().await;
}

#[tokio::test]
async fn passages_of_another_embedder_are_refused_in_clear_words() {
    let hotel = Hotel::new().await;
    let server = hotel.serve(&[]).await;
    assert_eq!(server.put(HOUSE).await.0, StatusCode::CREATED);
    server.app.stop().await;

    let provider = embedder().await;
    let server = hotel.serve(&gemini_vectors(&provider.url)).await;
    let other = "# Pool\nFrom 9:00 to 20:00.\n";
    let body = json!({"property_id": hotel.property, "category": "pool", "file_name": "pool.md",
        "content": other});
    let path = "/api/v1/knowledge/documents";
    let put = server.api.call(Method::POST, path, Some(body)).await;
    for (status, body) in [put, server.search("When is breakfast?").await] {
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        let detail = body["detail"].as_str().expect("a sentence");
        assert!(detail.contains("another embedder"), "{detail}");
    }
    // Nor does a guest see it.
    let turn = server.ask("When is breakfast?").await;
    assert_eq!(turn["reply"], CANNOT_LOOK, "{turn}");
    server.app.stop().await;
}

#[tokio::test]
async fn an_embedder_that_refuses_the_servers_key_does_not_blame_the_callers() {
    for status in [400, 401, 403, 404, 500] {
        let provider = FakeProvider::answering(broken(status)).await;
        let hotel = Hotel::new().await;
        let server = hotel.serve(&gemini_vectors(&provider.url)).await;
        for (answered, body) in [server.put(HOUSE).await, server.search("breakfast?").await] {
            assert_eq!(
                answered,
                StatusCode::SERVICE_UNAVAILABLE,
                "{status}: {body}"
            );
            assert_eq!(body["code"], "unavailable");
            assert!(!body.to_string().contains("secret-of-theirs"), "{body}");
        }
        server.app.stop().await;
    }
}

#[tokio::test]
async fn qdrant_is_chosen_by_configuration() {
    let qdrant = FakeQdrant::start().await;
    let flags = [
        ("knowledge.index", "qdrant"),
        ("knowledge.qdrant_url", &*qdrant.url),
    ];
    let hotel = Hotel::new().await;
    let server = hotel.serve(&flags).await;
    let (status, body) = server.put(HOUSE).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    let (status, body) = server.search("When is breakfast?").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["results"][0]["heading"], "Breakfast", "{body}");
    assert!(!qdrant.indexed_fields("stayzr_knowledge").is_empty());

    let turn = server.ask("When is breakfast?").await;
    assert!(
        turn["reply"]
            .as_str()
            .is_some_and(|reply| reply.contains("7:00")),
        "{turn}"
    );

    let (status, body) = server.ready().await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(dependency(&body, "qdrant")["status"], "ok");
    server.app.stop().await;
}

#[tokio::test]
async fn the_server_starts_without_qdrant_and_says_what_is_down() {
    let flags = [
        ("knowledge.index", "qdrant"),
        ("knowledge.qdrant_url", "http://127.0.0.1:9"),
    ];
    let hotel = Hotel::new().await;
    let server = hotel.serve(&flags).await;
    let (status, body) = server.ready().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    assert_eq!(dependency(&body, "qdrant")["status"], "down");
    assert_eq!(dependency(&body, "store")["status"], "ok");

    for (status, body) in [server.search("breakfast?").await, server.put(HOUSE).await] {
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
        assert_eq!(body["code"], "unavailable");
        let detail = body["detail"].as_str().expect("a sentence");
        assert!(detail.contains("Qdrant"), "{detail}");
    }
    let turn = server.ask("When is breakfast?").await;
    assert_eq!(turn["reply"], CANNOT_LOOK, "{turn}");
    // All that needs no search goes on.
    server.api.get("/api/v1/conversations").await;
    server.app.stop().await;
}

fn dependency<'a>(ready: &'a Value, name: &str) -> &'a Value {
    let all = ready["dependencies"].as_array().expect("dependencies");
    all.iter()
        .find(|one| one["name"] == name)
        .expect("it is asked")
}
