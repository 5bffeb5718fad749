//! What an organization configures for a provider stands beneath the settings of its connections.

use serde_json::{Value, json};
use stayzr_core::{
    ErrorKind,
    model::{RunMode, RunStatus},
    port::PageRequest,
    transform::EntityKind::Guest,
};

use crate::hotel::{Hotel, furnish};

async fn hotel(document: Value, settings: Value) -> Hotel {
    let hotel = Hotel::with_settings(settings).await;
    furnish(&hotel.vendor);
    hotel
        .store
        .put_provider_document(hotel.everything(), "scripted", document, None)
        .await
        .unwrap();
    hotel
}

/// Who wins a field that both sides changed: the value here once both are synchronised.
async fn winner(hotel: &Hotel) -> Option<String> {
    hotel.backfill().await;
    hotel.edit(Guest, "ada", json!({"notes": "Ours"})).await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"notes": "Theirs"}));
    hotel.read(Guest, "ada").await;
    hotel.text(Guest, "ada", "notes").await
}

#[tokio::test]
async fn the_document_decides_conflicts_and_a_connections_settings_go_before_it() {
    let remote = json!({"conflicts": {"guest": {"strategy": "REMOTE_WINS"}}});
    let local = json!({"conflicts": {"guest": {"fields": {"notes": "LOCAL_WINS"}}}});

    let by_document = hotel(remote.clone(), Value::Null).await;
    let by_settings = hotel(remote, local).await;
    let by_nobody = hotel(json!({}), Value::Null).await;

    assert_eq!(winner(&by_document).await.as_deref(), Some("Theirs"));
    assert_eq!(winner(&by_settings).await.as_deref(), Some("Ours"));
    assert_eq!(winner(&by_nobody).await.as_deref(), Some("Ours"));
}

#[tokio::test]
async fn a_document_that_cannot_be_read_stops_its_connections_and_says_which_key() {
    let hotel = hotel(json!({"sync_interval": 60}), Value::Null).await;

    let error = hotel.run(RunMode::Incremental).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("sync_interval"), "{error}");
    assert!(hotel.vendor.take_calls().is_empty());
    let page = PageRequest::default();
    let runs = hotel
        .store
        .runs(hotel.everything(), hotel.integration_id, &page);
    let runs = runs.await.unwrap().items;
    assert_eq!(runs[0].status, RunStatus::Failed);
    let reason = runs[0].error.as_deref().unwrap();
    assert!(reason.contains("sync_interval"), "{reason}");
    assert!(reason.contains("document"), "{reason}");
}
