//! What goes wrong at the vendor, and what the caller is told.

use serde_json::json;
use stayzr_core::{ErrorKind, transform::EntityKind};
use stayzr_pms::{
    PageQuery, PmsProvider, PushOutcome,
    providers::mews::{MewsConfig, MewsCredentials, MewsProvider},
    sandbox::{Fault, SandboxOptions},
};

use crate::common::{
    Desk, all, applied, change, fault, id, one, provider, provider_at, quick_http, sandbox, start,
};

const ALL_ROOMS: PageQuery = PageQuery {
    kind: EntityKind::Room,
    changed: None,
    position: None,
};

#[tokio::test]
async fn invariant_g_a_limit_that_is_reached_is_waited_for() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    for retry_after in [None, Some("1"), Some("Thu, 01 Jan 1970 00:00:00 GMT")] {
        sandbox
            .inject(Fault {
                retry_after: retry_after.map(str::to_owned),
                ..fault("rate_limit", "resources/getAll", 1)
            })
            .unwrap();
        let started = std::time::Instant::now();
        let page = provider.fetch_page(&ALL_ROOMS).await.unwrap();
        assert_eq!(page.records.len(), 40);
        if retry_after == Some("1") {
            assert!(started.elapsed().as_millis() >= 1000);
        }
    }
}

#[tokio::test]
async fn a_limit_that_stays_reached_ends_as_such() {
    let sandbox = start(SandboxOptions {
        limit: 3,
        limit_window: std::time::Duration::from_secs(120),
        ..SandboxOptions::default()
    })
    .await;
    let error = provider(&sandbox).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    let wait = error.retry_after().unwrap();
    assert!((100..=121).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn reads_survive_faults_that_pass() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    provider.check().await.unwrap();
    for kind in [
        "error_500",
        "error_502",
        "error_503",
        "error_504",
        "cut",
        "cut_before",
        "malformed",
    ] {
        sandbox.inject(fault(kind, "resources", 2)).unwrap();
        let page = provider.fetch_page(&ALL_ROOMS).await;
        assert_eq!(page.unwrap().records.len(), 40, "{kind}");
    }
    sandbox.inject(fault("error_500", "resources", 4)).unwrap();
    let error = provider.fetch_page(&ALL_ROOMS).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("attempts=4"), "{error}");
}

#[tokio::test]
async fn invariant_p_refused_tokens_are_explained_and_never_shown() {
    let sandbox = sandbox().await;
    for (client, access) in [
        ("wrong-secret-1", "sandbox-access-token"),
        ("sandbox-client-token", "wrong-secret-2"),
    ] {
        let provider = MewsProvider::new(
            MewsConfig::new(sandbox.base_url()),
            MewsCredentials::new(client, access),
            quick_http(),
        );
        let error = provider.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        let shown = format!("{error} {error:?} {provider:?}");
        assert!(
            shown.contains("check ClientToken and AccessToken"),
            "{shown}"
        );
        for secret in [client, access] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_and_a_hotel_that_forbids_say_what_to_do() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    provider.check().await.unwrap();
    sandbox
        .inject(fault("expired_token", "configuration", 1))
        .unwrap();
    let error = provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("is enabled in Mews"), "{error}");
    sandbox.inject(fault("error_403", "services", 1)).unwrap();
    let error = provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    let said = format!("{error} {:?}", error.context());
    assert!(
        said.contains("does not allow") && said.contains("An error was asked for"),
        "{said}"
    );
    sandbox.inject(fault("error_401", "services", 1)).unwrap();
    let error = provider.check().await.unwrap_err();
    assert!(
        error.to_string().contains("may use this operation"),
        "{error}"
    );
    provider.check().await.unwrap();
}

#[tokio::test]
async fn a_wrong_address_says_what_to_do() {
    let sandbox = sandbox().await;
    sandbox.inject(fault("html", "configuration", 1)).unwrap();
    let error = provider(&sandbox).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("web page"), "{error}");

    let error = provider_at(&format!("{}/wrong", sandbox.base_url()))
        .check()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("check base_url"), "{error}");

    let error = provider_at("not an address").check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);

    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = provider_at(&format!("http://{free}"))
        .check()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("no connection"), "{error}");
}

#[tokio::test]
async fn a_read_that_takes_too_long_is_a_timeout_that_can_be_tried_later() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    provider.check().await.unwrap();
    let ids = [id(&Desk(&sandbox).get("rooms").await[0])];
    sandbox.inject(fault("timeout", "resources", 1)).unwrap();
    let error = provider
        .fetch_ids(EntityKind::Room, &ids)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_vendor_that_says_nothing_is_not_asked_for_ever_less() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    provider.check().await.unwrap();
    sandbox
        .inject(fault("timeout", "reservations", 50))
        .unwrap();
    let now = chrono::Utc::now();
    let query = PageQuery {
        kind: EntityKind::Reservation,
        changed: Some((now - chrono::TimeDelta::days(80), now)),
        position: None,
    };
    let error = provider.fetch_page(&query).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable());
    let calls = Desk(&sandbox).stats().await["calls"].clone();
    assert_eq!(calls["reservations/getAll/2023-06-06"], 3, "{calls}");
}

#[tokio::test]
async fn a_query_that_is_too_heavy_is_asked_in_parts_and_nothing_is_missing() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    let now = chrono::Utc::now();
    let span = Some((now - chrono::TimeDelta::days(80), now));
    let whole = all(&provider, EntityKind::Reservation, span).await;
    sandbox
        .inject(fault("error_408", "reservations/getAll", 3))
        .unwrap();
    let parts = all(&provider, EntityKind::Reservation, span).await;
    let ids = |page: &stayzr_pms::RecordPage| -> std::collections::BTreeSet<String> {
        page.records
            .iter()
            .map(|record| record.external_id.clone())
            .collect()
    };
    assert!(whole.records.len() > 100);
    assert_eq!(ids(&parts), ids(&whole));
}

#[tokio::test]
async fn a_write_that_may_have_happened_is_ambiguous_and_is_not_repeated() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    provider.check().await.unwrap();
    let guest = id(&desk.get("guests").await[0]);
    for (number, kind) in [
        "cut",
        "cut_before",
        "malformed",
        "error_500",
        "error_502",
        "error_503",
        "error_504",
        "timeout",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("Name{number}");
        sandbox.inject(fault(kind, "customers/update", 1)).unwrap();
        let push = change(EntityKind::Guest, &guest, &[("first_name", json!(name))]);
        let outcome = provider.push(&push).await.unwrap();
        assert!(
            matches!(outcome, PushOutcome::Ambiguous(_)),
            "{kind}: {outcome:?}"
        );
        let calls = desk.stats().await["calls"]["customers/update"].clone();
        assert_eq!(calls, number + 1, "{kind}");
        // Looking tells what happened.
        let happened = matches!(kind, "cut" | "malformed" | "timeout");
        let read = one(&provider, EntityKind::Guest, &guest).await.unwrap();
        assert_eq!(
            read.fields.text("first_name") == Some(&name),
            happened,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_write_that_was_not_let_through_is_repeated() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let guest = id(&desk.get("guests").await[0]);
    let limit = fault("rate_limit", "customers/update", 2);
    sandbox.inject(limit).unwrap();
    let push = change(EntityKind::Guest, &guest, &[("first_name", json!("Late"))]);
    let record = applied(provider.push(&push).await.unwrap());
    assert_eq!(record.fields.text("first_name"), Some("Late"));
}

#[tokio::test]
async fn a_stale_read_has_an_older_version() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let guest = id(&desk.get("guests").await[0]);
    let path = format!("guests/{guest}");
    desk.patch(&path, json!({"FirstName": "First"})).await;
    desk.patch(&path, json!({"FirstName": "Second"})).await;
    let fresh = one(&provider, EntityKind::Guest, &guest).await.unwrap();
    sandbox
        .inject(fault("stale_read", "customers/getAll", 1))
        .unwrap();
    let stale = one(&provider, EntityKind::Guest, &guest).await.unwrap();
    assert_eq!(fresh.fields.text("first_name"), Some("Second"));
    assert_eq!(stale.fields.text("first_name"), Some("First"));
    assert!(stale.version < fresh.version);
}

#[tokio::test]
async fn a_stale_read_after_a_write_does_not_hide_the_write() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let booked = id(&desk.reservation(|one| one["State"] == "Confirmed").await);
    let push = change(
        EntityKind::Reservation,
        &booked,
        &[("purpose", json!("Student"))],
    );
    provider.check().await.unwrap();
    sandbox
        .inject(fault("stale_read", "reservations/getAll", 1))
        .unwrap();
    let record = applied(provider.push(&push).await.unwrap());
    assert_eq!(record.fields.text("purpose"), Some("Student"));

    let cancel = change(
        EntityKind::Reservation,
        &booked,
        &[("status", json!("cancelled"))],
    );
    sandbox
        .inject(fault("stale_read", "reservations/getAll", 1))
        .unwrap();
    let outcome = provider.push(&cancel).await.unwrap();
    assert!(matches!(outcome, PushOutcome::Ambiguous(_)), "{outcome:?}");
}
