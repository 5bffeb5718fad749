//! Setting up a hotel over the API. Secrets go in and never come out.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use stayzr_core::{
    ids::{ChannelAccountId, IntegrationId, PropertyId},
    model::IntegrationStatus,
    port::Store,
};

use crate::{
    http::{Call, Handled, Problem, json as answer, no_content, page_of},
    setup::{self, IntegrationChange, NewChannel, NewIntegration, NewProperty},
    subscription::Subscriptions,
};

pub(super) async fn create_property(call: Call) -> Handled {
    let caller = call.caller()?;
    if !caller.principal.property_ids.is_empty() {
        return Err(Problem::of(stayzr_core::ErrorKind::Forbidden)
            .detail("a token that is bound to properties cannot make another"));
    }
    let new: NewProperty = call.json()?;
    let state = &call.state;
    let organization = caller.scope.organization_id;
    let property = setup::add_property(
        state.store.as_ref(),
        state.clock.as_ref(),
        organization,
        new,
    )
    .await?;
    answer(StatusCode::CREATED, &property)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntegrationBody {
    property_id: PropertyId,
    provider: String,
    #[serde(default)]
    settings: Value,
    credentials: Value,
    webhook_secret: Option<String>,
}

pub(super) async fn create_integration(call: Call) -> Handled {
    let body: IntegrationBody = call.json()?;
    let scope = call.scope_of(body.property_id).await?;
    let state = &call.state;
    let new = NewIntegration {
        property_id: body.property_id,
        provider: body.provider,
        settings: body.settings,
        credentials: body.credentials.to_string().into(),
        webhook_secret: body.webhook_secret.map(Into::into),
    };
    let added = setup::add_integration(
        state.store.as_ref(),
        state.clock.as_ref(),
        &state.providers,
        scope,
        new,
        &state.public_url,
    )
    .await
    .map_err(refused_by_vendor)?;
    let url = setup::webhook_url(&state.public_url, &added.integration, &added.webhook_secret);
    let mut shown = json!(added.integration);
    shown["webhook"] = json!({"url": url, "mode": added.mode});
    shown["subscribed"] = match added.subscribed {
        Ok(events) => json!(events),
        Err(error) => {
            tracing::warn!(%error, integration_id = %added.integration.id,
                "the vendor could not be told where to post its webhooks");
            json!([])
        }
    };
    answer(StatusCode::CREATED, &shown)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntegrationPatch {
    status: Option<IntegrationStatus>,
    settings: Option<Value>,
    credentials: Option<Value>,
    webhook_secret: Option<String>,
}

pub(super) async fn change_integration(call: Call) -> Handled {
    let id: IntegrationId = call.id("id", "integration")?;
    let body: IntegrationPatch = call.json()?;
    if body.status == Some(IntegrationStatus::Unauthorized) {
        return Err(Problem::invalid("`status` must be active or disabled"));
    }
    let state = &call.state;
    let found = state.store.integration(call.scope()?, id).await?;
    let integration = found.ok_or_else(|| Problem::not_found("integration"))?;
    let change = IntegrationChange {
        status: body.status,
        settings: body.settings,
        credentials: body.credentials.map(|json| json.to_string().into()),
        webhook_secret: body.webhook_secret.map(Into::into),
    };
    let changed = setup::change_integration(
        state.store.as_ref(),
        state.clock.as_ref(),
        &state.providers,
        integration,
        change,
        &state.public_url,
    )
    .await
    .map_err(refused_by_vendor)?;
    answer(StatusCode::OK, &changed)
}

/// What the vendor says about its credentials says nothing about the caller's.
pub(super) fn refused_by_vendor(error: stayzr_core::Error) -> Problem {
    use stayzr_core::ErrorKind::{Forbidden, Unauthorized};
    if matches!(error.kind(), Unauthorized | Forbidden) {
        return Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "vendor_refused",
            "The vendor refuses these credentials",
        )
        .detail(error.message().to_owned());
    }
    error.into()
}

pub(super) async fn delete_integration(call: Call) -> Handled {
    let id: IntegrationId = call.id("id", "integration")?;
    let state = &call.state;
    let store: &dyn Store = state.store.as_ref();
    let found = store.integration(call.scope()?, id).await?;
    let integration = found.ok_or_else(|| Problem::not_found("integration"))?;
    let subscriptions = Subscriptions {
        store,
        providers: &state.providers,
        public_url: &state.public_url,
    };
    if let Err(error) = subscriptions.end(&integration).await {
        // Whoever removes a connection may have lost its credentials; what is posted still is refused.
        tracing::warn!(%error, integration_id = %id, "subscriptions at the vendor could not be ended");
    }
    match store.delete_integration(call.scope()?, id).await? {
        true => Ok(no_content()),
        false => Err(Problem::not_found("integration")),
    }
}

pub(super) async fn channels(call: Call) -> Handled {
    let page = call.query.page()?;
    let all = call.state.store.channel_accounts(call.scope()?).await?;
    let items = page_of(all, &page, |account| account.id.to_string())?;
    answer(StatusCode::OK, &items)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelBody {
    property_id: PropertyId,
    channel: String,
    address: String,
    access_token: String,
    #[serde(default)]
    settings: Value,
}

pub(super) async fn create_channel(call: Call) -> Handled {
    let body: ChannelBody = call.json()?;
    if body.channel != "whatsapp" {
        return Err(Problem::invalid("`channel` must be whatsapp"));
    }
    let scope = call.scope_of(body.property_id).await?;
    let state = &call.state;
    let new = NewChannel {
        property_id: body.property_id,
        address: body.address,
        access_token: body.access_token.into(),
        settings: body.settings,
    };
    let account = setup::add_whatsapp(
        state.store.as_ref(),
        state.clock.as_ref(),
        state.providers.codec(),
        scope,
        new,
    )
    .await?;
    answer(StatusCode::CREATED, &account)
}

pub(super) async fn delete_channel(call: Call) -> Handled {
    let id: ChannelAccountId = call.id("id", "channel")?;
    let store = &call.state.store;
    match store.delete_channel_account(call.scope()?, id).await? {
        true => Ok(no_content()),
        false => Err(Problem::not_found("channel")),
    }
}
