//! [`crate::port::setup::Setup`], and what [`crate::port::directory::Directory`] says of it.

use chrono::TimeDelta;

use super::{Report, sample};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::{ApiTokenId, ChannelAccountId, IntegrationId},
    model::{IntegrationStatus, Property, RunMode, RunStatus, SyncRun},
    port::{
        PageRequest,
        directory::{Directory, IntegrationQuery},
        entities::{Entities, EntitiesExt},
        setup::Setup,
        sync::{Cursor, PageWrite, SyncStore},
    },
    tenant::Role,
    transform::EntityKind,
};

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Setup + Directory + SyncStore + Entities + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "setup::a_token_is_somebody_until_revoked",
        a_token_is_somebody_until_revoked(store, clock),
    )
    .await;
    r.scenario(
        "setup::a_property_name_is_unique_in_its_organization",
        a_property_name_is_unique_in_its_organization(store, clock),
    )
    .await;
    r.scenario(
        "setup::an_integration_has_one_owner",
        an_integration_has_one_owner(store, clock),
    )
    .await;
    r.scenario(
        "setup::a_removed_integration_leaves_rows",
        a_removed_integration_leaves_rows(store, clock),
    )
    .await;
    r.scenario(
        "setup::a_channel_account_has_one_owner",
        a_channel_account_has_one_owner(store, clock),
    )
    .await;
    report
}

/// An organization comes with its first token, which names its principal; a revoked token is
/// nobody.
pub async fn a_token_is_somebody_until_revoked<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + Directory + Entities + ?Sized,
{
    let organization = sample::organization(clock);
    let first = sample::token(clock, organization.id);
    store
        .create_organization(organization.clone(), first.clone())
        .await?;
    let scope = crate::tenant::TenantScope::organization(organization.id);
    let found = store.organization(organization.id).await?;
    assert_eq!(found.as_ref(), Some(&organization));
    assert!(store.organizations().await?.contains(&organization));

    let mut second = sample::token(clock, organization.id);
    second.principal.role = Role::Staff;
    second.principal.property_ids = vec![crate::ids::PropertyId::generate(clock)];
    store.create_token(second.clone()).await?;
    for token in [&first, &second] {
        let principal = store.principal(&token.hash).await?;
        assert_eq!(principal.as_ref(), Some(&token.principal));
    }
    assert_eq!(store.principal("no such hash").await?, None);

    let stranger = sample::widened(sample::tenant(store, clock).await);
    let id = second.principal.token_id;
    assert!(!store.revoke_token(stranger, id).await?);
    assert!(store.revoke_token(scope, id).await?);
    assert!(!store.revoke_token(scope, id).await?);
    assert_eq!(store.principal(&second.hash).await?, None);
    let unknown = ApiTokenId::generate(clock);
    assert!(!store.revoke_token(scope, unknown).await?);
    Ok(())
}

/// A name of a property is unique in its organization, not beyond.
pub async fn a_property_name_is_unique_in_its_organization<S>(
    store: &S,
    clock: &ManualClock,
) -> Result<()>
where
    S: Setup + Entities + ?Sized,
{
    let ours = sample::tenant(store, clock).await;
    let theirs = sample::tenant(store, clock).await;
    let property = sample::property(clock, ours.organization_id);
    store.create_property(property.clone()).await?;
    let mut twin = sample::property(clock, ours.organization_id);
    twin.name.clone_from(&property.name);
    let error = store
        .create_property(twin.clone())
        .await
        .expect_err("the name is taken");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    twin.organization_id = theirs.organization_id;
    store.create_property(twin).await?;

    let read: Property = store
        .entity(sample::widened(ours), property.id.uuid())
        .await?;
    assert_eq!(read, property);
    Ok(())
}

/// An integration is found by its id and by the vendor's ids, whatever its status; the vendor's
/// property is connected once.
pub async fn an_integration_has_one_owner<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + Directory + SyncStore + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let stranger = sample::tenant(store, clock).await;
    let integration = sample::integration(clock, scope);
    store.create_integration(integration.clone()).await?;
    let mut twin = sample::integration(clock, stranger);
    twin.account.clone_from(&integration.account);
    let error = store
        .create_integration(twin)
        .await
        .expect_err("the vendor's property is connected");
    assert_eq!(error.kind(), ErrorKind::Conflict);

    clock.advance(TimeDelta::seconds(1));
    let changed = crate::model::Integration {
        status: IntegrationStatus::Disabled,
        sealed: "sealed anew".to_owned(),
        settings: serde_json::json!({"z": 1, "a": [true, null, 1.5]}),
        updated_at: clock.now(),
        ..integration.clone()
    };
    store.update_integration(changed.clone()).await?;
    let read = store.integration(scope, integration.id).await?;
    assert_eq!(read.as_ref(), Some(&changed));
    assert_eq!(store.integrations(scope).await?, [changed]);
    assert_eq!(store.integration(stranger, integration.id).await?, None);
    assert!(store.integrations(stranger).await?.is_empty());

    let remote = IntegrationQuery::Remote {
        provider: integration.provider.clone(),
        account: integration.account.clone(),
        remote_property_id: integration.remote_property_id.clone(),
    };
    for query in [IntegrationQuery::Id(integration.id), remote] {
        let owner = store.integration_owner(&query).await?.expect("somebody's");
        assert_eq!(owner.id, integration.id);
        assert_eq!(owner.scope, scope);
        assert_eq!(owner.provider, integration.provider);
        assert_eq!(owner.account, integration.account);
    }
    let unknown = IntegrationQuery::Id(IntegrationId::generate(clock));
    assert_eq!(store.integration_owner(&unknown).await?, None);
    let error = store
        .update_integration(sample::integration(clock, scope))
        .await
        .expect_err("it was never stored");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    Ok(())
}

/// A removed integration takes its mappings, cursors and runs with it; rows stay.
pub async fn a_removed_integration_leaves_rows<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + SyncStore + Entities + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let stranger = sample::tenant(store, clock).await;
    let integration = sample::integration(clock, scope);
    store.create_integration(integration.clone()).await?;
    let room = sample::row(&sample::room(clock, scope, "101"));
    let run = SyncRun {
        id: crate::ids::SyncRunId::generate(clock),
        organization_id: scope.organization_id,
        integration_id: integration.id,
        mode: RunMode::Backfill,
        status: RunStatus::Running,
        read: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        parked: 0,
        conflicts: 0,
        unknown: 0,
        gone: 0,
        error: None,
        started_at: clock.now(),
        finished_at: None,
    };
    store.begin_run(scope, &run).await?;
    let mut page = PageWrite::new(scope, integration.id);
    page.rows = vec![crate::port::sync::RowWrite::Insert(room.clone())];
    page.mappings = vec![sample::mapping(
        clock,
        integration.id,
        EntityKind::Room,
        "r-1",
        room.id,
    )];
    page.cursor = Some(Cursor {
        integration_id: integration.id,
        entity: EntityKind::Room,
        mode: RunMode::Backfill,
        position: None,
        watermark: Some(clock.now()),
    });
    store.apply_page(page).await?;

    let id = integration.id;
    assert!(!store.delete_integration(stranger, id).await?);
    assert!(store.delete_integration(scope, id).await?);
    assert!(!store.delete_integration(scope, id).await?);
    let mapped = store
        .mappings_of(scope, id, EntityKind::Room, &[room.id])
        .await?;
    assert!(mapped.is_empty());
    let cursor = store
        .cursor(scope, id, EntityKind::Room, RunMode::Backfill)
        .await?;
    assert_eq!(cursor, None);
    let runs = store.runs(scope, id, &PageRequest::default()).await?;
    assert!(runs.items.is_empty());
    let left = store.row(scope, EntityKind::Room, room.id).await?;
    assert_eq!(left, Some(room));
    Ok(())
}

/// A channel account is found by its address, which is taken once.
pub async fn a_channel_account_has_one_owner<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + Directory + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let stranger = sample::tenant(store, clock).await;
    let account = sample::channel_account(clock, scope);
    store.create_channel_account(account.clone()).await?;
    let mut twin = sample::channel_account(clock, stranger);
    twin.address.clone_from(&account.address);
    let error = store
        .create_channel_account(twin)
        .await
        .expect_err("the address is taken");
    assert_eq!(error.kind(), ErrorKind::Conflict);

    let owner = store
        .channel_owner(account.channel, &account.address)
        .await?
        .expect("somebody's");
    assert_eq!((owner.id, owner.scope), (account.id, scope));
    assert_eq!(
        store.channel_accounts(scope).await?,
        std::slice::from_ref(&account)
    );
    assert!(store.channel_accounts(stranger).await?.is_empty());
    let unknown = ChannelAccountId::generate(clock);
    for (scope, id, there) in [
        (stranger, account.id, false),
        (scope, unknown, false),
        (scope, account.id, true),
    ] {
        let removed = store.delete_channel_account(scope, id).await?;
        assert_eq!(removed, there);
    }
    let gone = store
        .channel_owner(account.channel, &account.address)
        .await?;
    assert_eq!(gone, None);
    Ok(())
}
