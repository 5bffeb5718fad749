//! What goes wrong on the way is told by its kind.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use stayzr_core::{ErrorKind, limit::LocalLimiter, transform::EntityKind};
use stayzr_pms::{
    PageQuery, PmsProvider, PushOutcome,
    config::ProviderConfig,
    http::VendorHttp,
    providers::cloudbeds::{CloudbedsConfig, CloudbedsCredentials, CloudbedsProvider, QUOTA},
    sandbox::{CloudbedsOptions, CloudbedsSandbox},
};
use tokio::sync::mpsc;

use crate::common::{change, house, options, quick_http, text};

/// An endpoint that takes webhooks.
pub async fn listener() -> (String, mpsc::UnboundedReceiver<(String, Bytes)>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let sender = sender.clone();
            let service = service_fn(move |request: http::Request<Incoming>| {
                let sender = sender.clone();
                async move {
                    let path = request.uri().path().to_owned();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    sender.send((path, body)).unwrap();
                    Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::new())))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, receiver)
}

fn room_types() -> PageQuery {
    PageQuery {
        kind: EntityKind::RoomType,
        changed: None,
        position: None,
    }
}

#[tokio::test]
async fn a_read_is_tried_again_and_then_told_by_its_kind() {
    for (fault, kind) in [
        ("error_500", ErrorKind::Unavailable),
        ("rate_limit", ErrorKind::RateLimited),
        ("malformed", ErrorKind::Unavailable),
        ("html", ErrorKind::Invalid),
        ("error_401", ErrorKind::Unauthorized),
        ("error_403", ErrorKind::Forbidden),
    ] {
        let house = house().await;
        house.provider.check().await.unwrap();
        house.fault(fault, "getRoomTypes", 10);
        let error = house.provider.fetch_page(&room_types()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        let retried = matches!(kind, ErrorKind::Unavailable | ErrorKind::RateLimited);
        let calls = house.recorder.calls("getRoomTypes").len();
        assert_eq!(calls > 1, retried, "{fault}: {calls}");
    }
    let house = house().await;
    house.fault("error_503", "getRoomTypes", 2);
    assert_eq!(
        house
            .provider
            .fetch_page(&room_types())
            .await
            .unwrap()
            .records
            .len(),
        5
    );
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_ambiguous_and_sent_once() {
    for fault in ["cut", "malformed", "error_500", "error_503"] {
        let house = house().await;
        let guest = text(&house.get("guests").await[0], "guestID");
        house.fault(fault, "putGuest", 1);
        let push = change(
            EntityKind::Guest,
            &guest,
            &[("email", json!("a@b.example"))],
        );
        let outcome = house.provider.push(&push).await.unwrap();
        assert!(
            matches!(outcome, PushOutcome::Ambiguous(_)),
            "{fault}: {outcome:?}"
        );
        assert_eq!(house.recorder.calls("putGuest").len(), 1, "{fault}");
    }
}

#[tokio::test]
async fn a_complaint_with_200_is_an_error_that_says_what_cloudbeds_said() {
    let house = house().await;
    let push = change(EntityKind::Guest, "404", &[("email", json!("a@b.example"))]);
    let error = house.provider.push(&push).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        format!("{error:?}").contains("Guest not found"),
        "{error:?}"
    );
}

#[tokio::test]
async fn invariant_p_a_refused_key_is_in_no_error() {
    let sandbox = CloudbedsSandbox::start(options()).await.unwrap();
    let provider = CloudbedsProvider::new(
        CloudbedsConfig::new(sandbox.base_url()),
        CloudbedsCredentials::api_key("cbat_wrong-key"),
        quick_http(),
        None,
    );
    let error = provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(!format!("{error:?} {provider:?}").contains("cbat_wrong-key"));
}

#[tokio::test]
async fn invariant_g_no_window_of_the_vendor_sees_more_than_its_limit() {
    let sandbox = CloudbedsSandbox::start(CloudbedsOptions {
        webhook_delay: None,
        ..CloudbedsOptions::default()
    })
    .await
    .unwrap();
    let http = VendorHttp::from_config(
        &ProviderConfig::default(),
        Arc::new(LocalLimiter::new(QUOTA)),
    )
    .unwrap();
    let provider = Arc::new(CloudbedsProvider::new(
        CloudbedsConfig::new(sandbox.base_url()),
        CloudbedsCredentials::api_key("cbat_sandbox"),
        http,
        None,
    ));
    provider.check().await.unwrap();
    let calls = (0..8).map(|_| {
        let provider = Arc::clone(&provider);
        tokio::spawn(async move { provider.fetch_page(&room_types()).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
    let url = format!("{}/_sandbox/stats", sandbox.base_url());
    let stats: serde_json::Value = client.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(stats["refused_by_limit"], 0, "{stats}");
    assert!(stats["most_in_window"].as_u64().unwrap() <= 5, "{stats}");
}

#[tokio::test]
async fn the_sandbox_refuses_above_the_limit_in_the_vendors_envelope() {
    let sandbox = CloudbedsSandbox::start(CloudbedsOptions::default())
        .await
        .unwrap();
    let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
    let mut refused = 0;
    for _ in 0..8 {
        let url = format!("{}/api/v1.3/getHotels", sandbox.base_url());
        let answer = client
            .get(url)
            .header("x-api-key", "cbat_sandbox")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let body: serde_json::Value = answer.json().await.unwrap();
        refused += usize::from(body["success"] == false);
    }
    assert!(refused >= 1, "{refused}");
}
