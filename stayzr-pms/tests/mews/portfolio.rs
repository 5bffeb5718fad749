//! Several properties by one token.

use serde_json::json;
use stayzr_core::{ErrorKind, transform::EntityKind};
use stayzr_pms::{
    PmsProvider,
    providers::mews::{MewsConfig, MewsCredentials, MewsProvider, wire::EnterprisesGetAll},
    sandbox::{HotelProfile, MewsSandbox, SandboxOptions},
};

use crate::common::{Desk, all, applied, change, id, quick_http, start};

async fn two() -> MewsSandbox {
    let sister = HotelProfile {
        slug: "sister".to_owned(),
        name: "Sister Hotel".to_owned(),
        ..HotelProfile::default()
    };
    start(SandboxOptions {
        sisters: vec![sister],
        ..SandboxOptions::default()
    })
    .await
}

fn of(sandbox: &MewsSandbox, enterprise: Option<&str>) -> MewsProvider {
    let mut config = MewsConfig::new(sandbox.base_url());
    config.enterprise_id = enterprise.map(str::to_owned);
    let credentials = MewsCredentials::new("sandbox-client-token", "sandbox-access-token");
    MewsProvider::new(config, credentials, quick_http())
}

#[tokio::test]
async fn each_property_of_a_portfolio_is_read_and_written_by_its_own_id() {
    let sandbox = two().await;
    let whole = of(&sandbox, None);
    let known = whole
        .client()
        .list(EnterprisesGetAll::default())
        .await
        .unwrap();
    assert_eq!(known.len(), 2);
    let sister = known
        .iter()
        .find(|known| known.name.as_deref() == Some("Sister Hotel"))
        .unwrap();
    let (ours, theirs) = (
        of(&sandbox, Some(&sandbox.enterprise_id())),
        of(&sandbox, Some(&sister.id)),
    );
    assert_eq!(ours.check().await.unwrap().name, "Sandbox Hotel");
    assert_eq!(theirs.check().await.unwrap().name, "Sister Hotel");
    for kind in ours.capabilities().read.clone() {
        let (ours, theirs) = (all(&ours, kind, None).await, all(&theirs, kind, None).await);
        assert_eq!((&ours.parked, &theirs.parked), (&Vec::new(), &Vec::new()));
        assert!(!theirs.records.is_empty(), "{kind}");
        let shared = ours.records.iter().filter(|record| {
            theirs
                .records
                .iter()
                .any(|other| other.external_id == record.external_id)
        });
        assert_eq!(shared.count(), 0, "{kind}");
    }
    let room = all(&theirs, EntityKind::Room, None).await.records.remove(0);
    let push = change(
        EntityKind::Room,
        &room.external_id,
        &[("condition", json!("out_of_service"))],
    );
    let written = applied(theirs.push(&push).await.unwrap());
    assert_eq!(written.fields.text("condition"), Some("out_of_service"));
    let elsewhere = ours.push(&push).await.unwrap_err();
    assert_eq!(elsewhere.kind(), ErrorKind::Invalid);
    let rooms = Desk(&sandbox).get("rooms").await;
    let touched = rooms
        .as_array()
        .unwrap()
        .iter()
        .any(|own| id(own) == room.external_id);
    assert!(!touched);
}

#[tokio::test]
async fn a_portfolio_without_a_property_says_what_to_set() {
    let sandbox = two().await;
    let error = of(&sandbox, None).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("enterprise_id"), "{error}");
    let error = of(&sandbox, Some("another")).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
