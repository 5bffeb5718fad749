//! The receiver: nothing is acknowledged before it is stored, and nothing unproven is stored.
#![cfg(feature = "receiver")]
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

mod support;

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use secrecy::SecretString;
use stayzr_core::port::inbox::EndpointKey;
use stayzr_webhooks::{
    channels::{
        postmark::PostmarkCredentials,
        resend::StandardWebhooks,
        whatsapp::{MetaHandshake, MetaHub},
    },
    endpoints::{mews::MewsSignature, razorpay::RazorpaySignature, stripe::StripeSignature},
    receiver::{Limits, Receiver},
};
use support::{
    ACCOUNT, APP_SECRET, House, INTEGRATION, OTHER_APP_SECRET, POSTMARK, RELAY, RESEND_SECRET,
    STRANGER, TOKEN, VERIFY_TOKEN,
};
use tower::ServiceExt;

const BODY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;

fn whatsapp(body: &[u8]) -> http::request::Builder {
    let signature = MetaHub::sign(&SecretString::from(APP_SECRET), body);
    Request::post("/webhooks/whatsapp")
        .header("content-type", "application/json")
        .header(MetaHub::HEADER, signature)
}

fn full(request: http::request::Builder, body: &[u8]) -> Request<Full<Bytes>> {
    request.body(Full::from(body.to_vec())).unwrap()
}

/// Status, content type and body of an answer, and its Retry-After.
struct Answer {
    status: StatusCode,
    content_type: String,
    retry_after: Option<String>,
    body: String,
}

async fn ask<B>(receiver: &Receiver, request: Request<B>) -> Answer
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    let response = receiver.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let header = |name: &str| Some(parts.headers.get(name)?.to_str().unwrap().to_owned());
    Answer {
        status: parts.status,
        content_type: header("content-type").unwrap_or_default(),
        retry_after: header("retry-after"),
        body: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
    }
}

async fn code(receiver: &Receiver, request: Request<Full<Bytes>>) -> (u16, String) {
    let answer = ask(receiver, request).await;
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer.content_type, "application/problem+json");
    assert_eq!(problem["status"], answer.status.as_u16());
    (
        answer.status.as_u16(),
        problem["code"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn invariant_a_an_authentic_delivery_is_stored_before_it_is_acknowledged() {
    let house = House::new();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = full(whatsapp(BODY).header("traceparent", trace), BODY);
    let answer = ask(&house.receiver(), request).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""));

    let [delivery] = &house.stored()[..] else {
        panic!("one delivery")
    };
    assert_eq!(delivery.endpoint, EndpointKey::Whatsapp);
    assert_eq!(delivery.body, BODY);
    assert_eq!(delivery.content_type.as_deref(), Some("application/json"));
    assert_eq!(delivery.traceparent.as_deref(), Some(trace));
    assert_eq!((&delivery.scope, &delivery.dedupe_id), (&None, &None));
}

#[tokio::test]
async fn invariant_a_a_delivery_that_cannot_be_stored_is_not_acknowledged() {
    let house = House::new();
    house.store_fails(true);
    let answer = ask(&house.receiver(), full(whatsapp(BODY), BODY)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.retry_after.is_some());
    assert!(answer.body.contains("store_unavailable"));

    house.store_fails(false);
    let answer = ask(&house.receiver(), full(whatsapp(BODY), BODY)).await;
    assert_eq!(answer.status, StatusCode::OK, "the sender tries again");
    assert_eq!(house.stored().len(), 1);
}

#[tokio::test]
async fn invariant_a_the_answer_waits_for_the_commit() {
    let house = House::new();
    let commit = house.hold_commits();
    let receiver = house.receiver();
    let mut asked = tokio::spawn(async move { ask(&receiver, full(whatsapp(BODY), BODY)).await });
    house.commit_begun().await;
    assert!(
        tokio::time::timeout(Duration::from_millis(50), &mut asked)
            .await
            .is_err(),
        "answered before the commit"
    );
    commit.add_permits(1);
    assert_eq!(asked.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn keys_that_cannot_be_looked_up_are_tried_again() {
    let house = House::new();
    house.lookup_fails();
    let answer = ask(&house.receiver(), full(whatsapp(BODY), BODY)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(house.stored().is_empty());
}

#[tokio::test]
async fn what_is_not_proven_is_refused_by_reason_and_not_stored() {
    let house = House::new();
    let receiver = house.receiver();
    let signature = MetaHub::sign(&SecretString::from(APP_SECRET), BODY);
    let bare = || Request::post("/webhooks/whatsapp");
    for (request, expected) in [
        (full(bare(), BODY), (401, "missing_signature")),
        (
            full(bare().header(MetaHub::HEADER, "sha256=1"), BODY),
            (400, "malformed_signature"),
        ),
        (
            full(whatsapp(BODY).header(MetaHub::HEADER, &signature), BODY),
            (400, "duplicate_header"),
        ),
        (full(whatsapp(BODY), b"{}"), (401, "signature_mismatch")),
        (
            full(Request::post(mews(INTEGRATION, "")), b"{}"),
            (401, "bad_token"),
        ),
        (
            full(Request::post(mews(INTEGRATION, "?token=no")), b"{}"),
            (401, "bad_token"),
        ),
        (
            full(Request::post(mews(STRANGER, "?token=no")), b"{}"),
            (404, "unknown_endpoint"),
        ),
        (
            full(Request::post("/webhooks/pms/mews/7?token=no"), b"{}"),
            (404, "unknown_endpoint"),
        ),
        (
            full(Request::post("/elsewhere"), b"{}"),
            (404, "unknown_endpoint"),
        ),
        (
            full(Request::delete("/webhooks/whatsapp"), b""),
            (405, "method_not_allowed"),
        ),
        (
            full(Request::get(mews(INTEGRATION, "")), b""),
            (405, "method_not_allowed"),
        ),
    ] {
        let line = format!("{} {}", request.method(), request.uri());
        let (status, reason) = code(&receiver, request).await;
        assert_eq!((status, reason.as_str()), expected, "{line}");
    }
    assert!(house.stored().is_empty());
}

fn mews(integration: &str, rest: &str) -> String {
    format!("/webhooks/pms/mews/{integration}{rest}")
}

#[tokio::test]
async fn each_integration_has_one_mode_and_its_owner() {
    let house = House::new();
    let receiver = house.receiver();
    let body = br#"{"EnterpriseId":"851df8c8","Events":[]}"#;
    let by_query = full(
        Request::post(mews(INTEGRATION, &format!("?token={TOKEN}"))),
        body,
    );
    let by_path = full(Request::post(mews(INTEGRATION, &format!("/{TOKEN}"))), body);
    let signature = MewsSignature::sign(&SecretString::from(TOKEN), body);
    let signed = |integration| {
        let request = Request::post(mews(integration, "")).header("X-Signature", &signature);
        full(request, body)
    };
    assert_eq!(ask(&receiver, by_query).await.status, StatusCode::OK);
    assert_eq!(ask(&receiver, by_path).await.status, StatusCode::OK);
    assert_eq!(ask(&receiver, signed(RELAY)).await.status, StatusCode::OK);
    assert_eq!(
        ask(&receiver, signed(INTEGRATION)).await.status,
        StatusCode::UNAUTHORIZED
    );

    let stored = house.stored();
    assert_eq!(stored.len(), 3);
    assert!(
        stored
            .iter()
            .all(|delivery| delivery.scope == Some(house.scope))
    );
}

#[tokio::test]
async fn every_scheme_has_its_path() {
    let house = House::new();
    let receiver = house.receiver();
    let now = stayzr_core::chrono::Utc::now().timestamp();
    let body = br#"{"id":"evt_1","data":{"object":{"id":"ch_1","card":{"last4":"4242"}}}}"#;
    let resend = |id: &str| {
        let signature = StandardWebhooks::sign(&RESEND_SECRET.into(), id, now, body).unwrap();
        Request::post("/webhooks/email/resend")
            .header("svix-id", id)
            .header("svix-timestamp", now)
            .header("svix-signature", signature)
    };
    let postmark = |path: &str| {
        let value = PostmarkCredentials::sign(&POSTMARK.into());
        Request::post(format!("/webhooks/email/{path}")).header("authorization", value)
    };
    let payment = |provider: &str| {
        let path = format!("/webhooks/payments/{provider}/{ACCOUNT}");
        let key = SecretString::from(TOKEN);
        Request::post(path)
            .header(
                StripeSignature::HEADER,
                StripeSignature::sign(&key, now, body),
            )
            .header(
                RazorpaySignature::HEADER,
                RazorpaySignature::sign(&key, body),
            )
            .header(RazorpaySignature::ID_HEADER, "evt_1")
    };
    let cloudbeds = format!("/webhooks/pms/cloudbeds/{INTEGRATION}/{TOKEN}");
    for request in [
        resend("msg_1"),
        resend("msg_1"),
        resend("msg_2"),
        postmark("postmark"),
        postmark("postmark-inbound"),
        payment("stripe"),
        payment("stripe"),
        payment("razorpay"),
        payment("razorpay"),
        Request::post(cloudbeds),
    ] {
        let request = full(request, body);
        let path = request.uri().path().to_owned();
        assert_eq!(
            ask(&receiver, request).await.status,
            StatusCode::OK,
            "{path}"
        );
    }
    assert_eq!(
        house.seen(),
        [
            "resend accept ok 200 secret 0",
            "resend accept duplicate 200 secret 0",
            "resend accept ok 200 secret 0",
            "postmark accept ok 200 secret 0",
            "postmark accept ok 200 secret 0",
            "stripe accept ok 200 secret 0",
            "stripe accept duplicate 200 secret 0",
            "razorpay accept ok 200 secret 0",
            "razorpay accept duplicate 200 secret 0",
            "cloudbeds accept ok 200 secret 0",
        ]
    );
    for delivery in house.stored() {
        let payment = matches!(
            delivery.endpoint,
            EndpointKey::Stripe { .. } | EndpointKey::Razorpay { .. }
        );
        let kept = String::from_utf8(delivery.body).unwrap();
        assert_eq!(
            kept.contains("4242"),
            !payment,
            "no card data of payments: {kept}"
        );
        assert!(kept.contains("ch_1"));
    }

    for (path, expected) in [
        ("/webhooks/email/sendgrid", 404),
        ("/webhooks/payments/stripe/nobody", 404),
        ("/webhooks/payments/stripe/", 404),
        ("/webhooks/payments/adyen/aurora", 404),
        ("/webhooks/payments/stripe/aurora", 400),
        ("/webhooks/payments/razorpay/aurora", 401),
        ("/webhooks/email/postmark", 401),
        ("/webhooks/email/resend", 401),
    ] {
        let (status, _) = code(&receiver, full(Request::post(path), b"{}")).await;
        assert_eq!(status, expected, "{path}");
    }
}

#[tokio::test]
async fn a_host_with_paths_of_its_own_names_the_endpoint() {
    let house = House::new();
    let mut request = full(whatsapp(BODY), BODY);
    *request.uri_mut() = "/hooks/meta".parse().unwrap();
    request.extensions_mut().insert(EndpointKey::Whatsapp);
    assert_eq!(ask(&house.receiver(), request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_handshake_is_answered_in_plain_text_and_stores_nothing() {
    let house = House::new();
    let uri = |token: &str| {
        let query = MetaHandshake::sign(&SecretString::from(token), "1158201444");
        format!("/webhooks/whatsapp?{query}")
    };
    let answer = ask(
        &house.receiver(),
        full(Request::get(uri(VERIFY_TOKEN)), b""),
    )
    .await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::OK, "1158201444")
    );
    assert!(answer.content_type.starts_with("text/plain"));

    let refused = code(&house.receiver(), full(Request::get(uri("wrong")), b"")).await;
    assert_eq!(refused, (403, "handshake_refused".to_owned()));
    assert!(house.stored().is_empty());
}

#[tokio::test]
async fn a_previous_app_secret_still_verifies_and_is_told() {
    let house = House::new();
    let signature = MetaHub::sign(&SecretString::from(OTHER_APP_SECRET), BODY);
    let request = Request::post("/webhooks/whatsapp").header(MetaHub::HEADER, signature);
    assert_eq!(
        ask(&house.receiver(), full(request, BODY)).await.status,
        StatusCode::OK
    );
    assert_eq!(house.seen(), ["whatsapp accept ok 200 secret 1"]);
}

#[tokio::test]
async fn invariant_p_card_numbers_are_masked_and_the_hash_is_of_the_bytes_as_they_came() {
    let house = House::new();
    let body = br#"{"text":"my card is 4111 1111 1111 1111, thanks"}"#;
    assert_eq!(
        ask(&house.receiver(), full(whatsapp(body), body))
            .await
            .status,
        StatusCode::OK
    );
    let [delivery] = &house.stored()[..] else {
        panic!("one delivery")
    };
    let kept = String::from_utf8(delivery.body.clone()).unwrap();
    assert!(!kept.contains("4111 1111"), "{kept}");
    assert!(kept.contains("thanks"));
    // printf of the body above piped into sha256sum
    assert_eq!(
        delivery.sha256,
        "00c635c81f9811b600fa619016acd9026bae5529654dcfe3fc14a59b90458a88"
    );
}

#[tokio::test]
async fn invariant_p_a_live_access_token_of_mews_is_not_stored() {
    let house = House::new();
    let body = br#"{"Action":"IntegrationCreated","Data":{"AccessToken":"live-token"}}"#;
    let request = full(
        Request::post(mews(INTEGRATION, &format!("?token={TOKEN}"))),
        body,
    );
    assert_eq!(ask(&house.receiver(), request).await.status, StatusCode::OK);
    let [delivery] = &house.stored()[..] else {
        panic!("one delivery")
    };
    let kept = String::from_utf8(delivery.body.clone()).unwrap();
    assert!(!kept.contains("live-token"), "{kept}");
    assert!(kept.contains("IntegrationCreated"), "{kept}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_without_being_read_to_its_end() {
    let house = House::new();
    let limits = Limits {
        whatsapp_bytes: 64,
        other_bytes: 32,
        ..Limits::default()
    };
    let receiver = house.receiver().with_limits(limits);
    let exact = vec![b' '; 64];
    assert_eq!(
        ask(&receiver, full(whatsapp(&exact), &exact)).await.status,
        StatusCode::OK
    );

    let over = vec![b' '; 65];
    let refused = code(&receiver, full(whatsapp(&over), &over)).await;
    assert_eq!(refused, (413, "body_too_large".to_owned()));
    let request = full(Request::post(mews(INTEGRATION, "")), &[b' '; 33]);
    assert_eq!(code(&receiver, request).await.0, 413);

    let declared = whatsapp(b"")
        .header("content-length", "65")
        .body(Never)
        .unwrap();
    assert_eq!(
        ask(&receiver, declared).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );

    // Pieces of undeclared length: the answer comes with the first one too many, long before the
    // last, which never comes.
    let piece = || Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[0; 40])));
    let pieces = repeated(piece).take(3).chain(futures::stream::pending());
    let endless = whatsapp(b"").body(StreamBody::new(pieces)).unwrap();
    assert_eq!(
        ask(&receiver, endless).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(house.stored().len(), 1);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let house = House::new();
    let limits = Limits {
        body_timeout: Duration::from_millis(20),
        ..Limits::default()
    };
    let receiver = house.receiver().with_limits(limits);
    let answer = ask(&receiver, whatsapp(BODY).body(Never).unwrap()).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);

    let broken = repeated(|| Err::<Frame<Bytes>, _>("connection reset"));
    let broken = whatsapp(BODY).body(StreamBody::new(broken)).unwrap();
    assert_eq!(ask(&receiver, broken).await.status, StatusCode::BAD_REQUEST);
    assert!(house.stored().is_empty());
}

#[tokio::test]
async fn an_endpoint_without_a_secret_takes_nothing() {
    let house = House::new();
    house.forget_secrets();
    let body = b"{}";
    let signature = MetaHub::sign(&SecretString::from(""), body);
    let request = Request::post("/webhooks/whatsapp").header(MetaHub::HEADER, signature);
    let answer = ask(&house.receiver(), full(request, body)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("endpoint_misconfigured"));
    assert!(house.stored().is_empty());
}

#[tokio::test]
async fn strangers_cannot_make_up_labels_and_secrets_are_not_told() {
    let house = House::new();
    let receiver = house.receiver();
    let made_up = format!("/webhooks/pms/made-up/{STRANGER}?token=guess");
    for request in [
        full(Request::post(made_up), b"{}"),
        full(Request::post(mews(INTEGRATION, "?token=guess")), b"{}"),
        full(
            Request::post(mews(INTEGRATION, &format!("?token={TOKEN}"))),
            b"{}",
        ),
        full(Request::post("/nowhere"), b"{}"),
    ] {
        let answer = ask(&receiver, request).await;
        assert!(
            !answer.body.contains("guess") && !answer.body.contains(TOKEN),
            "{}",
            answer.body
        );
    }
    assert_eq!(
        house.seen(),
        [
            "unknown reject unknown_endpoint 404",
            "mews reject bad_token 401",
            "mews accept ok 200 secret 0",
            "unknown reject unknown_endpoint 404",
        ]
    );
}

#[tokio::test]
async fn it_serves_as_it_is_on_hyper() {
    use hyper_util::{rt::TokioIo, service::TowerToHyperService};

    let house = House::new();
    let (client, server) = tokio::io::duplex(1 << 16);
    let service = TowerToHyperService::new(house.receiver());
    let serving = tokio::spawn(
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(server), service),
    );
    let signature = MetaHub::sign(&SecretString::from(APP_SECRET), BODY);
    let head = format!(
        "POST /webhooks/whatsapp HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
         content-length: {}\r\nX-Hub-Signature-256: {signature}\r\n\r\n",
        BODY.len()
    );
    let (mut read, mut write) = tokio::io::split(client);
    tokio::io::AsyncWriteExt::write_all(&mut write, head.as_bytes())
        .await
        .unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut write, BODY)
        .await
        .unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut read, &mut answer)
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    serving.await.unwrap().unwrap();
    assert_eq!(house.stored().len(), 1);
}

/// A body of which nothing ever arrives.
struct Never;

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::Poll::Pending
    }
}

/// An endless stream of what `next` makes.
fn repeated<T>(next: impl Fn() -> T + Send + 'static) -> impl futures::Stream<Item = T> + Send {
    futures::stream::repeat_with(next)
}
