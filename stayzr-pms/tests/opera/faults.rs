//! What goes wrong on the way is told by its kind.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use stayzr_core::{ErrorKind, limit::LocalLimiter, transform::EntityKind};
use stayzr_pms::{
    PageQuery, PmsProvider, PushOutcome,
    config::ProviderConfig,
    http::VendorHttp,
    providers::opera::{OperaProvider, QUOTA},
    sandbox::{OperaOptions, OperaSandbox},
};

use crate::common::{change, config, house, id, user};

const ROOM_TYPES: PageQuery = PageQuery {
    kind: EntityKind::RoomType,
    changed: None,
    position: None,
};

#[tokio::test]
async fn a_read_is_tried_again_and_then_told_by_its_kind() {
    for (fault, kind) in [
        ("error_500", ErrorKind::Unavailable),
        ("error_503", ErrorKind::Unavailable),
        ("rate_limit", ErrorKind::RateLimited),
        ("malformed", ErrorKind::Unavailable),
        ("half", ErrorKind::Unavailable),
        ("html", ErrorKind::Invalid),
        ("error_400", ErrorKind::Invalid),
        ("error_401", ErrorKind::Unauthorized),
        ("error_403", ErrorKind::Forbidden),
    ] {
        let house = house().await;
        house.provider.check().await.unwrap();
        house.fault(fault, "getRoomTypes", 10);
        let error = house.provider.fetch_page(&ROOM_TYPES).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        let retried = matches!(kind, ErrorKind::Unavailable | ErrorKind::RateLimited);
        let calls = house.recorder.calls("GET", "/roomTypes").len();
        let least = if retried { 4 } else { 1 };
        assert!(
            calls >= least && (retried || calls <= 2),
            "{fault}: {calls}"
        );
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_ambiguous_and_sent_once() {
    for fault in ["cut", "malformed", "half", "error_500"] {
        let house = house().await;
        let guest = id(&house.get("guests").await[0]);
        house.fault(fault, "putProfile", 1);
        let push = change(EntityKind::Guest, &guest, &[("last_name", json!("Once"))]);
        let outcome = house.provider.push(&push).await.unwrap();
        let unclear = matches!(outcome, PushOutcome::Ambiguous(_));
        assert!(unclear, "{fault}: {outcome:?}");
        assert_eq!(house.recorder.calls("PUT", &guest).len(), 1, "{fault}");
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_not_seen_above() {
    for fault in [
        "slow_20",
        "half",
        "malformed",
        "cut",
        "expired_token",
        "rate_limit",
    ] {
        let house = house().await;
        house.provider.check().await.unwrap();
        house.fault(fault, "getRoomTypes", 1);
        let page = house.provider.fetch_page(&ROOM_TYPES).await.unwrap();
        assert_eq!(page.records.len(), 5, "{fault}");
        let calls = house.recorder.calls("GET", "/roomTypes").len();
        assert_eq!(calls, if fault == "slow_20" { 1 } else { 2 }, "{fault}");
        let tokens = house.recorder.calls("POST", "/tokens").len();
        assert_eq!(
            tokens,
            if fault == "expired_token" { 2 } else { 1 },
            "{fault}"
        );
    }
}

#[tokio::test]
async fn another_hotels_code_is_forbidden() {
    let house = house().await;
    let mut config = config(&house.recorder.base_url);
    config.hotel_id = "OTHER".to_owned();
    let provider = OperaProvider::new(config, user(), crate::common::quick_http());
    let error = provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("hotel's code"), "{error}");
}

#[tokio::test]
async fn invariant_g_no_window_of_the_vendor_sees_more_than_its_limit() {
    let sandbox = OperaSandbox::start(OperaOptions::default()).await.unwrap();
    let limiter = Arc::new(LocalLimiter::new(QUOTA));
    let http = VendorHttp::from_config(&ProviderConfig::default(), limiter).unwrap();
    let provider = OperaProvider::new(config(sandbox.base_url()), user(), http);
    let provider = Arc::new(provider);
    let calls = (0..80).map(|_| {
        let provider = Arc::clone(&provider);
        tokio::spawn(async move { provider.fetch_page(&ROOM_TYPES).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
    let url = format!("{}/_sandbox/stats", sandbox.base_url());
    let stats: serde_json::Value = client.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(stats["refused_by_limit"], 0, "{stats}");
    assert!(stats["most_in_window"].as_u64().unwrap() <= 50, "{stats}");
}
