//! What must not be stored in the clear, and whose answers may be repeated to whom.

mod common;

use common::{Server, property, send};
use http::Method;
use secrecy::ExposeSecret;
use serde_json::json;
use stayzr_core::tenant::Role;
use stayzr_pms::sandbox::{MewsSandbox, SandboxOptions};
use stayzr_server::setup::new_token;

const CARD: &str = "4111 1111 1111 1111";

#[tokio::test]
async fn invariant_t_an_answer_is_not_repeated_to_a_token_of_another_property() {
    let server = Server::start().await;
    let (store, clock) = (&server.app.state.store, server.app.state.clock.as_ref());
    let organization = server.mine.organization;
    let other = property(store.as_ref(), clock, organization, "Other house").await;
    let (token, stored) = new_token(
        clock,
        "stz",
        "desk",
        organization,
        Role::Staff,
        vec![other.id],
    );
    store.create_token(stored).await.expect("a token");
    let body = json!({"property_id": server.mine.property, "text": "When is breakfast?"});
    let ask = |token: &str| {
        server
            .client
            .post(server.url("/api/v1/concierge/messages"))
            .bearer_auth(token)
            .header("idempotency-key", "one")
            .body(body.to_string())
    };
    assert_eq!(send(ask(&server.mine.token)).await.status, 200);
    let repeated = send(ask(&server.mine.token)).await;
    assert_eq!(repeated.headers["idempotency-replayed"], "true");
    let stranger = send(ask(token.expose_secret())).await;
    assert_eq!(
        (stranger.status.as_u16(), stranger.code()),
        (422, "idempotency_key_reused")
    );
    server.app.stop().await;
}

#[tokio::test]
async fn invariant_p_an_answer_that_is_remembered_is_not_stored_in_the_clear() {
    let server = Server::start().await;
    let options = SandboxOptions {
        webhook_delay: None,
        ..SandboxOptions::default()
    };
    let sandbox = MewsSandbox::start(options).await.expect("a sandbox");
    let body = json!({
        "property_id": server.mine.property,
        "provider": "mews",
        "settings": {
            "base_url": sandbox.base_url(),
            "vendor": {"history_start": "2025-06-01T00:00:00Z"},
        },
        "credentials": {
            "client_token": "sandbox-client-token",
            "access_token": "sandbox-access-token",
        },
    });
    let connect = || {
        server
            .request(Method::POST, "/api/v1/integrations")
            .header("idempotency-key", "one")
            .body(body.to_string())
    };
    let first = send(connect()).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = send(connect()).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.body, again.body);
    let url = first.body["webhook"]["url"].as_str().expect("a URL");
    let (_, token) = url.split_once("token=").expect("a token");
    assert!(
        !server.stored().contains(token),
        "the token of the webhook can be read in the store"
    );
    server.app.stop().await;
}

#[tokio::test]
async fn invariant_p_card_numbers_in_edits_and_documents_are_masked() {
    let server = Server::start().await;
    let mine = server.mine.property;
    let edited = server
        .patch(
            &format!("/api/v1/properties/{mine}"),
            json!({"phone": "+351 222 000 111", "name": format!("House {CARD}")}),
        )
        .await;
    assert_eq!(
        edited.body["name"], "House **** **** **** 1111",
        "{edited:?}"
    );
    assert_eq!(edited.body["phone"], "+351 222 000 111");
    let document = server
        .post(
            "/api/v1/knowledge/documents",
            json!({"property_id": mine, "category": "c", "file_name": "f.txt",
                "content": format!("The night desk keeps the card {CARD} for taxis.")}),
        )
        .await;
    assert_eq!(document.status, 201, "{document:?}");
    let id = document.body["id"].as_str().expect("an id");
    let shown = server
        .get(&format!("/api/v1/knowledge/documents/{id}"))
        .await;
    assert_eq!(
        shown.body["content"],
        "The night desk keeps the card **** **** **** 1111 for taxis."
    );
    assert!(!server.stored().contains(CARD));
    server.app.stop().await;
}

#[tokio::test]
async fn check_in_is_a_time_of_day() {
    let server = Server::start().await;
    let path = format!("/api/v1/properties/{}", server.mine.property);
    for wrong in ["99:99", "noon", "15", "24:00"] {
        let refused = server.patch(&path, json!({"check_in": wrong})).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (400, "invalid"),
            "{wrong}: {refused:?}"
        );
    }
    let taken = server.patch(&path, json!({"check_out": "11:30"})).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    server.app.stop().await;
}
