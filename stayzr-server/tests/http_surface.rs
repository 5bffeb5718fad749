//! The API as its callers meet it, over HTTP, on an embedded store.

mod common;

use common::{Server, property, send};
use http::Method;
use secrecy::ExposeSecret;
use serde_json::json;
use stayzr_core::tenant::Role;
use stayzr_server::setup::new_token;
use stayzr_webhooks::{channels::resend::StandardWebhooks, endpoints::stripe::StripeSignature};

#[tokio::test]
async fn health_readiness_and_metrics_need_no_token() {
    let server = Server::start().await;
    let health = send(server.client.get(server.url("/health"))).await;
    assert_eq!(health.status, 200);
    let ready = send(server.client.get(server.url("/ready"))).await;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.body["dependencies"][0]["status"], "ok");
    assert_eq!(ready.body["queues"].as_array().map(Vec::len), Some(4));
    let metrics = send(server.client.get(server.url("/metrics"))).await;
    let text = metrics.body.as_str().expect("text");
    assert!(text.contains("stayzr_queue_oldest_job_seconds{queue=\"webhook_inbox\"} 0"));
    assert!(text.contains("route=\"/health\""));
    server.app.stop().await;
}

#[tokio::test]
async fn an_unknown_route_and_a_wrong_method_have_codes() {
    let server = Server::start().await;
    let nowhere = server.get("/api/v1/nowhere").await;
    assert_eq!(
        (nowhere.status.as_u16(), nowhere.code()),
        (404, "route_not_found")
    );
    let wrong = send(server.request(Method::PUT, "/api/v1/properties")).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code()),
        (405, "method_not_allowed")
    );
    assert_eq!(wrong.headers["allow"], "GET, POST");
    for answer in [&nowhere, &wrong] {
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.headers.contains_key("x-request-id"));
    }
    server.app.stop().await;
}

#[tokio::test]
async fn a_request_id_is_handed_back() {
    let server = Server::start().await;
    let request = server
        .request(Method::GET, "/health")
        .header("x-request-id", "mine-1");
    assert_eq!(send(request).await.headers["x-request-id"], "mine-1");
    server.app.stop().await;
}

#[tokio::test]
async fn without_a_token_that_is_known_nothing_is_shown() {
    let server = Server::start().await;
    let url = server.url("/api/v1/guests");
    let nobody = send(server.client.get(&url)).await;
    assert_eq!(
        (nobody.status.as_u16(), nobody.code()),
        (401, "unauthorized")
    );
    assert_eq!(nobody.headers["www-authenticate"], "Bearer");
    let stranger = send(server.client.get(&url).bearer_auth("stz_wrong")).await;
    assert_eq!(stranger.status, 401);
    let basic = send(server.client.get(&url).basic_auth("a", Some("b"))).await;
    assert_eq!(basic.status, 401);
    let twice = server
        .request(Method::GET, "/api/v1/guests")
        .header("authorization", "Bearer other");
    assert_eq!(send(twice).await.code(), "duplicate_header");
    server.app.stop().await;
}

#[tokio::test]
async fn invariant_t_a_choice_is_only_among_ones_own_organizations() {
    let server = Server::start().await;
    let (mine, theirs) = (server.mine.organization, server.theirs.organization);
    let path = "/api/v1/organizations/current";
    let header = |id: String| {
        server
            .request(Method::GET, path)
            .header("x-organization-id", id)
    };
    assert_eq!(send(header(mine.to_string())).await.status, 200);
    for refused in [
        header(theirs.to_string()),
        server.request(Method::GET, &format!("{path}?organization_id={theirs}")),
        server
            .request(Method::GET, path)
            .header("cookie", format!("a=b; stayzr_organization={theirs}")),
    ] {
        let answer = send(refused).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (403, "forbidden"));
    }
    // The header goes before the query, the query before the cookie.
    let first = header(mine.to_string()).header("cookie", format!("stayzr_organization={theirs}"));
    assert_eq!(send(first).await.status, 200);
    assert_eq!(send(header("x".to_owned())).await.status, 400);
    server.app.stop().await;
}

#[tokio::test]
async fn invariant_t_another_organizations_ids_are_not_found() {
    let server = Server::start().await;
    let theirs = server.theirs.property;
    let item = format!("/api/v1/properties/{theirs}");
    assert_eq!(server.get(&item).await.code(), "not_found");
    assert_eq!(server.patch(&item, json!({"phone": "1"})).await.status, 404);
    for path in [
        format!("/api/v1/guests?property_id={theirs}"),
        format!("/api/v1/properties/{theirs}/changes"),
    ] {
        assert_eq!(server.get(&path).await.status, 404, "{path}");
    }
    let turn = json!({"property_id": theirs, "text": "Hello?"});
    assert_eq!(
        server.post("/api/v1/concierge/messages", turn).await.status,
        404
    );
    let document =
        json!({"property_id": theirs, "category": "c", "file_name": "f.txt", "content": "x"});
    assert_eq!(
        server
            .post("/api/v1/knowledge/documents", document)
            .await
            .status,
        404
    );
    assert_eq!(server.get("/api/v1/guests/not-a-uuid").await.status, 404);
    let mine = server.get("/api/v1/properties").await;
    assert_eq!(mine.body["items"].as_array().map(Vec::len), Some(1));
    server.app.stop().await;
}

#[tokio::test]
async fn invariant_t_a_token_bound_to_a_property_sees_that_one_alone() {
    let server = Server::start().await;
    let (store, clock) = (&server.app.state.store, server.app.state.clock.as_ref());
    let organization = server.mine.organization;
    let other = property(store.as_ref(), clock, organization, "Other house")
        .await
        .id;
    let third = property(store.as_ref(), clock, organization, "Third house")
        .await
        .id;
    let bound = |properties| new_token(clock, "stz", "desk", organization, Role::Staff, properties);
    let (one, stored) = bound(vec![server.mine.property]);
    store.create_token(stored).await.expect("a token");
    let (two, stored) = bound(vec![server.mine.property, other]);
    store.create_token(stored).await.expect("a token");
    let get = async |token: &str, path: &str| {
        send(server.client.get(server.url(path)).bearer_auth(token)).await
    };
    let one = one.expose_secret();
    let properties = get(one, "/api/v1/properties").await;
    assert_eq!(properties.body["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        get(one, &format!("/api/v1/properties/{other}"))
            .await
            .status,
        404
    );
    assert_eq!(
        get(one, &format!("/api/v1/guests?property_id={other}"))
            .await
            .status,
        404
    );
    let two = two.expose_secret();
    assert_eq!(get(two, "/api/v1/guests").await.code(), "property_required");
    assert_eq!(
        get(two, &format!("/api/v1/guests?property_id={other}"))
            .await
            .status,
        200
    );
    assert_eq!(
        get(two, &format!("/api/v1/guests?property_id={third}"))
            .await
            .status,
        404
    );
    // Staff do not set up.
    let refused = send(
        server
            .client
            .get(server.url("/api/v1/channels"))
            .bearer_auth(one),
    )
    .await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (403, "forbidden")
    );
    server.app.stop().await;
}

#[tokio::test]
async fn bad_bodies_get_a_position_or_a_limit() {
    let server = Server::start_with(&[("server.max_body_bytes", "2048")]).await;
    let post = |body: &'static str| {
        send(
            server
                .request(Method::POST, "/api/v1/knowledge/search")
                .body(body),
        )
    };
    let broken = post("{\n  \"query\": ]").await;
    assert_eq!((broken.status.as_u16(), broken.code()), (400, "invalid"));
    assert_eq!(
        (&broken.body["line"], &broken.body["column"]),
        (&json!(2), &json!(12))
    );
    assert_eq!(post("").await.status, 400);
    assert_eq!(post("{\"limit\": 3}").await.status, 400);
    let nul = post("{\"query\": \"a\\u0000b\"}").await;
    assert_eq!((nul.status.as_u16(), nul.code()), (400, "invalid"));
    let long = server
        .request(Method::POST, "/api/v1/knowledge/search")
        .body(" ".repeat(4096));
    let long = send(long).await;
    assert_eq!((long.status.as_u16(), long.code()), (413, "body_too_large"));
    server.app.stop().await;
}

#[tokio::test]
async fn lists_come_in_pages_with_checked_limits() {
    let server = Server::start().await;
    let (store, clock) = (&server.app.state.store, server.app.state.clock.as_ref());
    for number in 0..4 {
        let name = format!("House {number}");
        property(store.as_ref(), clock, server.mine.organization, &name).await;
    }
    let mut path = "/api/v1/properties?limit=2".to_owned();
    let mut ids = std::collections::BTreeSet::new();
    let mut pages = 0;
    loop {
        let page = server.get(&path).await;
        assert_eq!(page.status, 200);
        for item in page.body["items"].as_array().expect("items") {
            assert!(ids.insert(item["id"].to_string()), "an item came twice");
            assert_eq!(item["external_refs"], json!([]));
        }
        pages += 1;
        match page.body["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/properties?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!((ids.len(), pages), (5, 3));
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=1&limit=2",
        "cursor=%21",
    ] {
        let answer = server.get(&format!("/api/v1/properties?{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (400, "invalid"),
            "{query}"
        );
    }
    server.app.stop().await;
}

#[tokio::test]
async fn an_edit_is_checked_journalled_and_refused_when_stale() {
    let server = Server::start().await;
    let path = format!("/api/v1/properties/{}", server.mine.property);
    let edited = server
        .patch(&path, json!({"check_in": "15:00", "version": 1}))
        .await;
    assert_eq!(edited.status, 200, "{edited:?}");
    assert_eq!(
        (&edited.body["check_in"], &edited.body["version"]),
        (&json!("15:00"), &json!(2))
    );
    let stale = server
        .patch(&path, json!({"check_in": "16:00", "version": 1}))
        .await;
    assert_eq!((stale.status.as_u16(), stale.code()), (409, "conflict"));
    let unknown = server.patch(&path, json!({"chekin": "16:00"})).await;
    assert!(
        unknown.body["detail"].to_string().contains("chekin"),
        "{unknown:?}"
    );
    let changes = server.get(&format!("{path}/changes")).await;
    let line = &changes.body["items"][0];
    assert_eq!(
        (&line["field"], &line["new"]),
        (&json!("check_in"), &json!("15:00"))
    );
    assert_eq!(line["source"], json!({"kind": "staff", "actor": "admin"}));
    server.app.stop().await;
}

#[tokio::test]
async fn a_repeated_post_with_a_key_happens_once() {
    let server = Server::start().await;
    let new = |name: &str, key: &str| {
        let body = json!({"name": name, "time_zone": "Europe/Lisbon", "currency": "EUR"});
        server
            .request(Method::POST, "/api/v1/properties")
            .header("idempotency-key", key)
            .body(body.to_string())
    };
    let first = send(new("Annex", "k-1")).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = send(new("Annex", "\"k-1\"")).await;
    assert_eq!(again.status, 201);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.body, again.body);
    let other = send(new("Barn", "k-1")).await;
    assert_eq!(
        (other.status.as_u16(), other.code()),
        (422, "idempotency_key_reused")
    );
    assert_eq!(send(new("Barn", "has space")).await.status, 400);
    let all = server.get("/api/v1/properties").await;
    assert_eq!(all.body["items"].as_array().map(Vec::len), Some(2));
    server.app.stop().await;
}

#[tokio::test]
async fn a_question_is_answered_from_what_was_taken_in() {
    let server = Server::start().await;
    let property = server.mine.property;
    let document = server
        .post(
            "/api/v1/knowledge/documents",
            json!({"property_id": property, "category": "breakfast", "file_name": "breakfast.md",
                "content_type": "text/markdown",
                "content": "# Breakfast\n\nBreakfast is served from 07:15 to 10:45 in the winter garden."}),
        )
        .await;
    assert_eq!(document.status, 201, "{document:?}");
    assert!(document.body.get("content").is_none());
    let found = server
        .post(
            "/api/v1/knowledge/search",
            json!({"property_id": property, "query": "When is breakfast?", "limit": 3}),
        )
        .await;
    assert_eq!(
        found.body["results"][0]["file_name"], "breakfast.md",
        "{found:?}"
    );
    let turn = server
        .post(
            "/api/v1/concierge/messages",
            json!({"property_id": property, "text": "When is breakfast?"}),
        )
        .await;
    assert_eq!(turn.body["status"], "answered", "{turn:?}");
    assert!(turn.body["reply"].to_string().contains("07:15"));
    let conversation = turn.body["conversation_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/api/v1/conversations/{conversation}");
    let shown = server.get(&path).await;
    assert_eq!(shown.body["messages"].as_array().map(Vec::len), Some(2));

    // A person takes over: the machine is silent until it is released.
    let reply = server
        .post(
            &format!("{path}/messages"),
            json!({"text": "Hello from the desk"}),
        )
        .await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(server.get(&path).await.body["status"], "handed_off");
    let muted = server
        .post(
            "/api/v1/concierge/messages",
            json!({"property_id": property, "conversation_id": conversation, "text": "And lunch?"}),
        )
        .await;
    assert_eq!(muted.body["status"], "muted", "{muted:?}");
    assert_eq!(
        server
            .post(&format!("{path}/release"), json!({}))
            .await
            .body["status"],
        "open"
    );

    let id = document.body["id"].as_str().expect("an id");
    let path = format!("/api/v1/knowledge/documents/{id}");
    assert_eq!(
        send(server.request(Method::DELETE, &path)).await.status,
        204
    );
    assert_eq!(
        send(server.request(Method::DELETE, &path)).await.status,
        404
    );
    server.app.stop().await;
}

#[tokio::test]
async fn webhooks_are_verified_before_anything_else() {
    let server = Server::start().await;
    let path = "/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=42&hub.verify_token=";
    let good = send(
        server
            .client
            .get(server.url(&format!("{path}verify-token"))),
    )
    .await;
    assert_eq!((good.status.as_u16(), good.body), (200, json!(42)));
    let bad = send(server.client.get(server.url(&format!("{path}guess")))).await;
    assert_eq!(bad.status, 403);
    let forged = server
        .client
        .post(server.url("/webhooks/whatsapp"))
        .header("x-hub-signature-256", format!("sha256={}", "0".repeat(64)))
        .body("{}");
    let forged = send(forged).await;
    assert_eq!(
        (forged.status.as_u16(), forged.code()),
        (401, "signature_mismatch")
    );
    let id = uuid::Uuid::now_v7();
    let unknown = server
        .client
        .post(server.url(&format!("/webhooks/pms/mews/{id}?token=x")))
        .body("{}");
    let unknown = send(unknown).await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.code()),
        (404, "unknown_endpoint")
    );
    for answer in [forged, unknown, bad] {
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.headers.contains_key("x-request-id"));
    }
    server.app.stop().await;
}

#[tokio::test]
async fn email_and_payment_providers_have_their_endpoints_once_configured() {
    let bare = Server::start().await;
    for path in ["email/resend", "email/postmark", "payments/stripe/aurora"] {
        let url = bare.url(&format!("/webhooks/{path}"));
        let answer = send(bare.client.post(url).body("{}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (404, "unknown_endpoint")
        );
    }
    bare.app.stop().await;

    let organization = uuid::Uuid::now_v7();
    let accounts = format!(
        "[{{ id = \"aurora\", provider = \"stripe\", organization = \"{organization}\", \
         signing_secrets = [\"whsec_a\"] }}]"
    );
    let resend = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let server = Server::start_with(&[
        ("workers.enabled", "false"),
        ("channels.resend.signing_secret", resend),
        ("channels.postmark.username", "postmark"),
        ("channels.postmark.password", "pm:pass"),
        ("payments.accounts", accounts.as_str()),
    ])
    .await;
    let now = chrono::Utc::now().timestamp();
    let body =
        r#"{"id":"evt_1","type":"charge.succeeded","data":{"object":{"card":{"last4":"4242"}}}}"#;
    let told = r#"{"type":"email.delivered","RecordType":"Delivery"}"#;
    let post = |path: &str| {
        let body = if path.contains("payments") {
            body
        } else {
            told
        };
        server.client.post(server.url(path)).body(body)
    };
    let signature =
        StandardWebhooks::sign(&resend.into(), "msg_1", now, told.as_bytes()).expect("a secret");
    let email = || {
        post("/webhooks/email/resend")
            .header("svix-id", "msg_1")
            .header("svix-timestamp", now)
            .header("svix-signature", &signature)
    };
    let paid = StripeSignature::sign(&"whsec_a".into(), now, body.as_bytes());
    for (request, status) in [
        (email(), 200),
        (email(), 200),
        (
            post("/webhooks/email/postmark").basic_auth("postmark", Some("pm:pass")),
            200,
        ),
        (
            post("/webhooks/email/postmark-inbound").basic_auth("postmark", Some("no")),
            401,
        ),
        (post("/webhooks/payments/razorpay/aurora"), 404),
        (post("/webhooks/payments/stripe/aurora"), 400),
    ] {
        assert_eq!(send(request).await.status, status);
    }
    let metrics = send(server.client.get(server.url("/metrics"))).await;
    let text = metrics.body.as_str().expect("text");
    assert!(text.contains("provider=\"resend\",verdict=\"accept\",reason=\"duplicate\""));
    assert!(
        text.contains("stayzr_webhook_secrets_total{provider=\"resend\",secret_index=\"0\"} 2")
    );

    let request = post("/webhooks/payments/stripe/aurora").header(StripeSignature::HEADER, &paid);
    assert_eq!(send(request).await.status, 200);
    assert!(server.stored().contains("charge.succeeded"));
    assert!(!server.stored().contains("4242"), "no card data is stored");
    let store = server.app.state.store.clone();
    server.app.stop().await;
    // What was refused is noted by the time the server has stopped.
    let refused = store.refused(10).await.expect("refusals");
    let noted: Vec<_> = refused
        .iter()
        .map(|refused| {
            (
                refused.source.as_str(),
                refused.reason.as_str(),
                refused.status,
            )
        })
        .collect();
    assert_eq!(
        noted,
        [
            ("stripe", "missing_header", 400),
            ("unknown", "unknown_endpoint", 404),
            ("postmark", "bad_credentials", 401),
        ]
    );
}
