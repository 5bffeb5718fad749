//! Setting up a hotel over the API and keeping it equal with its vendor, against a sandbox of Mews.

mod common;

use std::time::Duration;

use common::{Answer, Server, send};
use http::Method;
use serde_json::{Value, json};
use stayzr_pms::sandbox::{Counts, MewsSandbox, SandboxOptions};

async fn sandbox() -> MewsSandbox {
    let options = SandboxOptions {
        counts: Counts {
            rooms: 5,
            guests: 6,
            reservations: 8,
        },
        webhook_delay: None,
        ..SandboxOptions::default()
    };
    MewsSandbox::start(options).await.expect("a sandbox")
}

fn connection(server: &Server, sandbox: &MewsSandbox, access_token: &str) -> Value {
    json!({
        "property_id": server.mine.property,
        "provider": "mews",
        "settings": {
            "base_url": sandbox.base_url(),
            "retry": {"first_wait_ms": 10},
            "vendor": {"history_start": "2025-06-01T00:00:00Z"},
        },
        "credentials": {"client_token": "sandbox-client-token", "access_token": access_token},
    })
}

async fn connect(server: &Server, sandbox: &MewsSandbox) -> Answer {
    let body = connection(server, sandbox, "sandbox-access-token");
    let added = server.post("/api/v1/integrations", body).await;
    assert_eq!(added.status, 201, "{added:?}");
    added
}

/// Asks until it is so, for at most ten seconds.
async fn until(server: &Server, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..200 {
        last = server.get(path).await.body;
        if so(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} never came to it: {last}");
}

#[tokio::test]
async fn credentials_that_the_vendor_refuses_are_not_stored() {
    let (server, sandbox) = (Server::start().await, sandbox().await);
    let body = connection(&server, &sandbox, "wrong");
    let refused = server.post("/api/v1/integrations", body).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "vendor_refused")
    );
    assert!(!refused.body.to_string().contains("sandbox-client-token"));
    let mut body = connection(&server, &sandbox, "sandbox-access-token");
    body["settings"]["base_uri"] = json!("typo");
    let refused = server.post("/api/v1/integrations", body).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (400, "invalid"));
    let mut body = connection(&server, &sandbox, "sandbox-access-token");
    body["provider"] = json!("protel");
    let refused = server.post("/api/v1/integrations", body).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "unsupported")
    );
    let mut body = connection(&server, &sandbox, "sandbox-access-token");
    body["webhook_secret"] = json!("");
    let refused = server.post("/api/v1/integrations", body).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (400, "invalid"));
    let all = server.get("/api/v1/integrations").await;
    assert_eq!(all.body["items"], json!([]));
    server.app.stop().await;
}

#[tokio::test]
async fn invariant_p_secrets_go_in_and_never_come_out() {
    let (server, sandbox) = (Server::start().await, sandbox().await);
    let added = connect(&server, &sandbox).await;
    let id = added.body["id"].as_str().expect("an id").to_owned();
    let channel = server
        .post(
            "/api/v1/channels",
            json!({"property_id": server.mine.property, "channel": "whatsapp",
                "address": "106540352242922", "access_token": "meta-access-token"}),
        )
        .await;
    assert_eq!(channel.status, 201, "{channel:?}");
    for path in ["integrations", &format!("integrations/{id}"), "channels"] {
        let shown = server.get(&format!("/api/v1/{path}")).await;
        assert_eq!(shown.status, 200, "{path}");
        let text = shown.body.to_string();
        for secret in ["access-token", "client-token", "sealed", "whk_"] {
            assert!(!text.contains(secret), "{path} shows {secret}: {text}");
        }
    }
    // Once, when it is made, the webhook's URL is told.
    assert!(
        added.body["webhook"]["url"]
            .to_string()
            .contains("?token=whk_")
    );
    server.app.stop().await;
}

#[tokio::test]
async fn a_hotel_is_read_edited_and_told_of_changes() {
    let (server, sandbox) = (Server::start().await, sandbox().await);
    let added = connect(&server, &sandbox).await;
    let id = added.body["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/integrations/{id}");
    let run = server
        .post(&format!("{path}/sync"), json!({"mode": "backfill"}))
        .await;
    assert_eq!(run.status, 202, "{run:?}");
    let wrong = server
        .post(&format!("{path}/sync"), json!({"mode": "targeted"}))
        .await;
    assert_eq!(wrong.status, 400);
    until(&server, &format!("{path}/runs"), |runs| {
        runs["items"][0]["status"] == "completed"
    })
    .await;
    for (noun, count) in [("rooms", 5), ("guests", 6), ("reservations", 8)] {
        let list = server.get(&format!("/api/v1/{noun}")).await;
        let items = list.body["items"].as_array().expect("items").clone();
        assert_eq!(items.len(), count, "{noun}");
        assert!(
            items
                .iter()
                .all(|item| item["external_refs"][0]["integration_id"] == id)
        );
    }

    // A change there arrives through the URL that the vendor was given.
    let guests = server.get("/api/v1/guests?limit=1").await;
    let guest = guests.body["items"][0].clone();
    let guest_path = format!("/api/v1/guests/{}", guest["id"].as_str().expect("an id"));
    let there = guest["external_refs"][0]["id"].as_str().expect("an id");
    let there = format!("{}/_sandbox/guests/{there}", sandbox.base_url());
    let url = added.body["webhook"]["url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    sandbox.set_webhook(Some(url.clone().into()));
    let changed = server
        .client
        .patch(&there)
        .body(json!({"Notes": "Late arrival"}).to_string());
    assert_eq!(send(changed).await.status, 200);
    sandbox.deliver().await;
    until(&server, &guest_path, |guest| {
        guest["notes"] == "Late arrival"
    })
    .await;

    // An edit here arrives there.
    let edited = server
        .patch(&guest_path, json!({"phone": "+351 912 345 678"}))
        .await;
    assert_eq!(edited.status, 200, "{edited:?}");
    let mut record = Value::Null;
    for _ in 0..200 {
        record = send(server.client.get(&there)).await.body;
        if record["Phone"] == "+351 912 345 678" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(record["Phone"], "+351 912 345 678");

    // A secret can be replaced; the one before it still verifies.
    let patched = server
        .patch(&path, json!({"webhook_secret": "second-secret"}))
        .await;
    assert_eq!(patched.status, 200, "{patched:?}");
    let event = json!({"EnterpriseId": sandbox.enterprise_id(), "Events": []}).to_string();
    let base = server.url(&format!("/webhooks/pms/mews/{id}"));
    for (target, status) in [
        (format!("{base}?token=second-secret"), 200),
        (format!("{base}/second-secret"), 200),
        (url, 200),
        (format!("{base}?token=guess"), 401),
        (base.replace("/mews/", "/opera/"), 404),
    ] {
        let answer = send(server.client.post(&target).body(event.clone())).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    }

    // Disabled, it is not read any more; removed, it is gone.
    let disabled = server.patch(&path, json!({"status": "disabled"})).await;
    assert_eq!(disabled.body["status"], "disabled");
    assert_eq!(
        send(server.request(Method::DELETE, &path)).await.status,
        204
    );
    assert_eq!(server.get(&path).await.status, 404);
    server.app.stop().await;
}

#[tokio::test]
async fn invariant_t_another_organizations_set_up_is_out_of_reach() {
    let (server, sandbox) = (Server::start().await, sandbox().await);
    let added = connect(&server, &sandbox).await;
    let id = added.body["id"].as_str().expect("an id");
    let as_them = |method: Method, path: String| {
        server
            .client
            .request(method, server.url(&path))
            .bearer_auth(&server.theirs.token)
    };
    let path = format!("/api/v1/integrations/{id}");
    assert_eq!(send(as_them(Method::GET, path.clone())).await.status, 404);
    assert_eq!(
        send(as_them(Method::DELETE, path.clone())).await.status,
        404
    );
    let patch =
        as_them(Method::PATCH, path.clone()).body(json!({"status": "disabled"}).to_string());
    assert_eq!(send(patch).await.status, 404);
    let sync = as_them(Method::POST, format!("{path}/sync"));
    let sync = sync.body(json!({"mode": "backfill"}).to_string());
    assert_eq!(send(sync).await.status, 404);
    assert_eq!(
        send(as_them(Method::GET, format!("{path}/runs")))
            .await
            .status,
        404
    );
    server.app.stop().await;
}
