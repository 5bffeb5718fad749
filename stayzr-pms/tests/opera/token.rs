//! One token for everybody, whichever way an environment gives it.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use stayzr_core::{ErrorKind, transform::EntityKind};
use stayzr_pms::{
    PageQuery, PmsProvider,
    providers::opera::{OperaCredentials, OperaProvider},
    sandbox::{OperaOptions, OperaSandbox},
};

use crate::{
    common::{config, credentials, options, quick_http, user},
    recorder::Recorder,
};

const ROOM_TYPES: PageQuery = PageQuery {
    kind: EntityKind::RoomType,
    changed: None,
    position: None,
};

async fn connected(
    options: OperaOptions,
    credentials: OperaCredentials,
) -> (OperaSandbox, Recorder, Arc<OperaProvider>) {
    let sandbox = OperaSandbox::start(options).await.unwrap();
    let recorder = Recorder::start(sandbox.base_url()).await;
    let provider = OperaProvider::new(config(&recorder.base_url), credentials, quick_http());
    (sandbox, recorder, Arc::new(provider))
}

#[tokio::test]
async fn both_grants_let_in() {
    for grant in [
        json!({"username": "SANDBOX_USER", "password": "sandbox-password"}),
        json!({"enterprise_id": "SANDBOX"}),
    ] {
        let (_sandbox, recorder, provider) = connected(options(), credentials(grant)).await;
        assert_eq!(provider.check().await.unwrap().id, "SAND01");
        assert_eq!(recorder.wrong(), [""; 0]);
    }
}

#[tokio::test]
async fn a_hundred_waiters_ask_for_one_token() {
    let (_sandbox, recorder, provider) = connected(options(), user()).await;
    let calls = (0..100).map(|_| {
        let provider = Arc::clone(&provider);
        tokio::spawn(async move { provider.fetch_page(&ROOM_TYPES).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(recorder.calls("POST", "/tokens").len(), 1);
}

#[tokio::test]
async fn a_hundred_waiters_hear_of_one_refusal() {
    let wrong = credentials(json!({"username": "SANDBOX_USER", "password": "wrong-password"}));
    let (_sandbox, recorder, provider) = connected(options(), wrong).await;
    let calls = (0..100).map(|_| {
        let provider = Arc::clone(&provider);
        async move { provider.fetch_page(&ROOM_TYPES).await }
    });
    let mut calls: Vec<_> = calls.map(tokio::spawn).collect();
    for call in &mut calls {
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert!(!format!("{error:?}").contains("wrong-password"));
    }
    assert_eq!(recorder.calls("POST", "/tokens").len(), 1);
}

#[tokio::test]
async fn a_token_that_ends_is_followed_by_another_before_it_is_refused() {
    let short = OperaOptions {
        // Renewed a sixth before its end: at once.
        token_life: Duration::from_secs(1),
        ..options()
    };
    let (_sandbox, recorder, provider) = connected(short, user()).await;
    provider.check().await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), async {
        while recorder.calls("POST", "/tokens").len() < 2 {
            provider.fetch_page(&ROOM_TYPES).await.unwrap();
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_token_that_is_refused_is_asked_for_once_more() {
    let (sandbox, recorder, provider) = connected(options(), user()).await;
    provider.check().await.unwrap();
    let fault = stayzr_pms::sandbox::Fault {
        kind: "error_401".to_owned(),
        operation: Some("getRoomTypes".to_owned()),
        count: 1,
        retry_after: None,
    };
    sandbox.inject(fault).unwrap();
    assert_eq!(
        provider
            .fetch_page(&ROOM_TYPES)
            .await
            .unwrap()
            .records
            .len(),
        5
    );
    assert_eq!(recorder.calls("GET", "/roomTypes").len(), 2);
}

#[tokio::test]
async fn every_call_names_the_hotel_the_application_and_us() {
    let (_sandbox, recorder, provider) = connected(options(), user()).await;
    provider.fetch_page(&ROOM_TYPES).await.unwrap();
    let headers = recorder.last("GET", "/roomTypes").headers;
    assert_eq!(headers["x-hotelid"], "SAND01");
    assert_eq!(headers["x-externalsystem"], "STAYZR");
    assert_eq!(headers["x-app-key"], "41ecd082-8997-4c69-af34-2f72b83645ff");
    assert!(headers.contains_key("x-request-id"));
}
