//! What [`Directory`] promises beside claims.

use super::{
    Report, ensure_eq,
    fixture::{hotel, integration},
};
use crate::{
    Result,
    clock::{Clock, ManualClock},
    ids::{ApiTokenId, IntegrationId},
    model::{Channel, Integration, IntegrationStatus},
    port::{
        directory::{ChannelOwner, Directory, IntegrationOwner, IntegrationQuery},
        setup::{NewToken, Setup},
    },
    tenant::{Principal, Role, hash_token},
};

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario("directory::knows_tokens", knows_tokens(store, clock))
        .await;
    r.scenario(
        "directory::knows_channel_accounts",
        knows_channel_accounts(store, clock),
    )
    .await;
    r.scenario(
        "directory::knows_integrations",
        knows_integrations(store, clock),
    )
    .await;
    report
}

/// Who is this token? A revoked token is nobody.
pub async fn knows_tokens<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let first = store.principal(&hotel.token_hash).await?;
    ensure_eq(first.as_ref(), Some(&hotel.principal), "the first token")?;
    let staff = Principal {
        token_id: ApiTokenId::generate(clock),
        name: "front desk".to_owned(),
        organization_id: hotel.scope.organization_id,
        role: Role::Staff,
        property_ids: vec![hotel.property_id],
    };
    let hash = hash_token(&clock.uuid().to_string());
    let token = NewToken {
        principal: staff.clone(),
        hash: hash.clone(),
    };
    store.create_token(token).await?;
    ensure_eq(
        store.principal(&hash).await?,
        Some(staff.clone()),
        "another token",
    )?;
    let unknown = hash_token(&clock.uuid().to_string());
    ensure_eq(store.principal(&unknown).await?, None, "nobody's token")?;
    store.revoke_token(hotel.scope, staff.token_id).await?;
    ensure_eq(
        store.principal(&hash).await?,
        None,
        "a revoked token is nobody",
    )?;
    let first = store.principal(&hotel.token_hash).await?;
    ensure_eq(first, Some(hotel.principal), "the others stay")
}

/// Whose is the account with this address?
pub async fn knows_channel_accounts<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let owner = ChannelOwner {
        id: hotel.account.id,
        scope: hotel.property_scope(),
    };
    let address = &hotel.account.address;
    let found = store.channel_owner(Channel::Whatsapp, address).await?;
    ensure_eq(found, Some(owner), "its organization and property")?;
    let found = store.channel_owner(Channel::Api, address).await?;
    ensure_eq(found, None, "of another channel")?;
    let unknown = clock.uuid().to_string();
    let found = store.channel_owner(Channel::Whatsapp, &unknown).await?;
    ensure_eq(found, None, "nobody's")
}

/// Whose is this integration? A disabled one is still somebody's.
pub async fn knows_integrations<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let theirs = &hotel.integration;
    let owner = IntegrationOwner {
        id: theirs.id,
        scope: hotel.property_scope(),
        provider: theirs.provider.clone(),
        account: theirs.account.clone(),
    };
    let by_id = IntegrationQuery::Id(theirs.id);
    let remote = |of: &Integration| IntegrationQuery::Remote {
        provider: of.provider.clone(),
        account: of.account.clone(),
        remote_property_id: of.remote_property_id.clone(),
    };
    for query in [&by_id, &remote(theirs)] {
        let found = store.integration_owner(query).await?;
        ensure_eq(
            found.as_ref(),
            Some(&owner),
            "by id and by what the vendor names",
        )?;
    }
    let disabled = Integration {
        status: IntegrationStatus::Disabled,
        ..theirs.clone()
    };
    store.update_integration(disabled).await?;
    let found = store.integration_owner(&by_id).await?;
    ensure_eq(found, Some(owner), "a disabled one")?;
    let unknown = IntegrationQuery::Id(IntegrationId::generate(clock));
    ensure_eq(
        store.integration_owner(&unknown).await?,
        None,
        "nobody's id",
    )?;
    let other = integration(hotel.scope.organization_id, hotel.property_id, clock);
    let same_account = Integration {
        account: theirs.account.clone(),
        ..other
    };
    let found = store.integration_owner(&remote(&same_account)).await?;
    ensure_eq(found, None, "another property of the same vendor account")
}
