//! What an organization configures for a provider, and whether an integration works.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    Report, ensure, ensure_eq, ensure_kind,
    fixture::{hotel, sister},
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::IntegrationId,
    model::{Integration, IntegrationStatus, ProviderDocument},
    port::Store,
};

/// Runs every scenario.
pub async fn run<S: Store + ?Sized>(store: &S, clock: &ManualClock) -> Report {
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "provider_document::takes_the_place_of_the_one_before",
        takes_the_place_of_the_one_before(store, clock),
    )
    .await;
    r.scenario(
        "provider_document::only_the_version_that_was_seen_is_replaced",
        only_the_version_that_was_seen_is_replaced(store, clock),
    )
    .await;
    r.scenario(
        "provider_document::invariant_t_is_the_organizations_own",
        is_the_organizations_own(store, clock),
    )
    .await;
    r.scenario(
        "provider_document::a_status_is_set_and_nothing_else",
        a_status_is_set_and_nothing_else(store, clock),
    )
    .await;
    report
}

/// It is stored in place of what was there, with its version counted and its birth kept.
pub async fn takes_the_place_of_the_one_before<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let scope = hotel.scope;
    let none = store.provider_document(scope, "mews").await?;
    ensure_eq(none, None, "none where nothing is")?;
    let config = json!({ "z": 1, "a": [true, null, 1.5], "strategy": { "guest": "é" } });
    let first = store
        .put_provider_document(scope, "mews", config.clone(), None)
        .await?;
    let mut expected = ProviderDocument {
        organization_id: scope.organization_id,
        provider: "mews".to_owned(),
        version: 1,
        config,
        created_at: clock.now(),
        updated_at: clock.now(),
    };
    ensure_eq(&first, &expected, "the first")?;
    clock.advance(TimeDelta::seconds(5));
    expected.config = json!({});
    expected.version = 2;
    expected.updated_at = clock.now();
    let second = store
        .put_provider_document(scope, "mews", json!({}), None)
        .await?;
    ensure_eq(&second, &expected, "its version counted")?;
    let other = store
        .put_provider_document(scope, "cloudbeds", json!({ "limit": 5 }), None)
        .await?;
    let found = store.provider_documents(scope).await?;
    ensure_eq(found, vec![other, expected.clone()], "by their names")?;
    let found = store.provider_document(scope, "mews").await?;
    ensure_eq(found, Some(expected), "as it is read")
}

/// Who names the version that he saw does not write over what somebody else stored since.
pub async fn only_the_version_that_was_seen_is_replaced<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let hotel = hotel(store, clock).await?;
    let put = async |n: i64, seen| {
        let config = json!({ "n": n });
        store
            .put_provider_document(hotel.scope, "mews", config, seen)
            .await
    };
    let refused = put(0, Some(1)).await.map(drop);
    ensure_kind(refused, ErrorKind::Conflict, "there is none yet")?;
    let first = put(1, Some(0)).await?;
    ensure_eq(first.version, 1, "none was there")?;
    let refused = put(2, Some(0)).await.map(drop);
    ensure_kind(refused, ErrorKind::Conflict, "there is one by now")?;
    let second = put(3, Some(1)).await?;
    ensure_eq(second.version, 2, "the one that was seen")?;
    let refused = put(4, Some(1)).await.map(drop);
    ensure_kind(refused, ErrorKind::Conflict, "it was replaced")?;
    let stored = store.provider_document(hotel.scope, "mews").await?;
    ensure_eq(stored, Some(second), "and stays")?;
    let third = put(5, None).await?;
    ensure_eq(third.version, 3, "whatever was there")
}

/// It is the organization's, whatever the property of the scope; another's is not found.
pub async fn is_the_organizations_own<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let owner = hotel(store, clock).await?;
    let sister = sister(store, &owner, clock).await?;
    let stranger = hotel(store, clock).await?;
    let ours = store
        .put_provider_document(owner.property_scope(), "mews", json!({ "ours": 1 }), None)
        .await?;
    for scope in [stranger.scope, stranger.property_scope()] {
        let found = store.provider_document(scope, "mews").await?;
        ensure_eq(found, None, "another organization's")?;
        let found = store.provider_documents(scope).await?;
        ensure(found.is_empty(), "nor in a list")?;
    }
    let theirs = store
        .put_provider_document(stranger.scope, "mews", json!({ "theirs": 1 }), None)
        .await?;
    ensure_eq(theirs.version, 1, "each counts its own")?;
    for scope in [owner.scope, owner.property_scope(), sister.property_scope()] {
        let found = store.provider_document(scope, "mews").await?;
        ensure_eq(found.as_ref(), Some(&ours), "the organization's own")?;
        let found = store.provider_documents(scope).await?;
        ensure_eq(found, vec![ours.clone()], "in the list")?;
    }
    Ok(())
}

/// Whether an integration works is set alone; false if it is not there.
pub async fn a_status_is_set_and_nothing_else<S: Store + ?Sized>(
    store: &S,
    clock: &ManualClock,
) -> Result<()> {
    let owner = hotel(store, clock).await?;
    let sister = sister(store, &owner, clock).await?;
    let stranger = hotel(store, clock).await?;
    clock.advance(TimeDelta::seconds(5));
    let (id, status) = (owner.integration.id, IntegrationStatus::Unauthorized);
    for scope in [stranger.scope, sister.property_scope()] {
        let set = store.set_integration_status(scope, id, status).await?;
        ensure(!set, "not somebody else's")?;
    }
    let unknown = IntegrationId::generate(clock);
    let set = store
        .set_integration_status(owner.scope, unknown, status)
        .await?;
    ensure(!set, "nor one nobody knows")?;
    let found = store.integration(owner.scope, id).await?;
    ensure_eq(found.as_ref(), Some(&owner.integration), "which stays")?;
    for _ in 0..2 {
        let set = store
            .set_integration_status(owner.property_scope(), id, status)
            .await?;
        ensure(set, "its own is set, and again")?;
    }
    let expected = Integration {
        status,
        updated_at: clock.now(),
        ..owner.integration
    };
    let found = store.integration(owner.scope, id).await?;
    ensure_eq(found, Some(expected), "and nothing else of it")
}
