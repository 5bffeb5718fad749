//! Whether a vendor lets us in is seen on the integration.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use serde_json::json;
use stayzr_core::{
    ErrorKind,
    clock::SystemClock,
    ids::OrganizationId,
    model::{IntegrationStatus, Organization, RunMode},
    queue::{Handler, Queue},
    tenant::{Role, TenantScope},
};
use stayzr_pms::{
    engine::SyncJob,
    sandbox::{Fault, MewsSandbox, SandboxOptions},
};
use stayzr_server::{
    compose::{Foundation, Opening},
    config::{Sources, load},
    setup::{NewIntegration, NewProperty, add_integration, add_property, new_token},
    worker::SyncHandler,
};

#[tokio::test]
async fn credentials_that_are_refused_show_on_the_integration_until_they_are_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let sources = Sources::default().flag("server.data_dir", folder.path().display().to_string());
    let base = Foundation::open(load(&sources).unwrap(), Opening::Prepare)
        .await
        .unwrap();
    let (store, clock) = (base.store.clone(), base.clock.clone());
    let organization = OrganizationId::generate(&SystemClock);
    let (_, token) = new_token(&*clock, "stz", "a", organization, Role::Admin, Vec::new());
    let created_at = clock.now();
    let row = Organization {
        id: organization,
        name: "Aurelia".to_owned(),
        created_at,
    };
    store.create_organization(row, token).await.unwrap();
    let property = NewProperty {
        name: "House".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        currency: "EUR".parse().unwrap(),
        country_code: Some("PT".to_owned()),
    };
    let property = add_property(&*store, &*clock, organization, property)
        .await
        .unwrap();
    let sandbox = MewsSandbox::start(SandboxOptions::default()).await.unwrap();
    let scope = TenantScope::property(organization, property.id);
    let new = NewIntegration {
        property_id: property.id,
        provider: "mews".to_owned(),
        settings: json!({
            "base_url": sandbox.base_url(),
            "vendor": {"history_start": clock.now() - chrono::TimeDelta::days(700)}
        }),
        credentials: SecretString::from(
            r#"{"client_token": "sandbox-client-token", "access_token": "sandbox-access-token"}"#,
        ),
        webhook_secret: None,
    };
    let added = add_integration(
        &*store,
        &*clock,
        &base.providers,
        scope,
        new,
        "http://127.0.0.1:9",
    )
    .await
    .unwrap();
    let id = added.integration.id;
    let handler = SyncHandler {
        engine: base.engine.clone(),
        store: Arc::clone(&store),
    };
    let job = SyncJob::run(scope, id, RunMode::Incremental);
    store.enqueue(vec![job]).await.unwrap();
    let claimed = store
        .claim(Queue::PmsSyncQueue, "test", 1, Duration::from_secs(600))
        .await
        .unwrap()
        .remove(0);
    let status = async || store.integration(scope, id).await.unwrap().unwrap().status;

    let refusal = Fault {
        kind: "error_401".to_owned(),
        operation: Some("configuration/get".to_owned()),
        count: 1,
        retry_after: None,
    };
    sandbox.inject(refusal).unwrap();
    let error = handler.handle(claimed.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(status().await, IntegrationStatus::Unauthorized);

    handler.handle(claimed).await.unwrap();
    assert_eq!(status().await, IntegrationStatus::Active);
}
