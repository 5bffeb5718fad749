//! What an organization configures for all its connections to a vendor.

use http::StatusCode;
use serde_json::{Value, json};
use stayzr_pms::config::ProviderConfig;

use crate::{
    document::check_document,
    http::{Call, Handled, Problem, json as answer, page_of},
    providers::NAMES,
};

pub(super) async fn list(call: Call) -> Handled {
    let page = call.query.page()?;
    let all = call.state.store.provider_documents(call.scope()?).await?;
    let items = page_of(all, &page, |document| document.provider.clone())?;
    answer(StatusCode::OK, &items)
}

/// The stored document; an empty one, of version 0, where nothing is configured.
pub(super) async fn item(call: Call) -> Handled {
    let provider = provider(&call)?;
    let store = &call.state.store;
    match store.provider_document(call.scope()?, provider).await? {
        Some(document) => answer(StatusCode::OK, &document),
        None => answer(
            StatusCode::OK,
            &json!({
                "provider": provider,
                "version": 0,
                "config": {},
                "organization_id": call.scope()?.organization_id,
            }),
        ),
    }
}

/// Replaces the document, if it can be read; the next job goes by it. `version`, where given, must
/// be the version that was read.
pub(super) async fn put(call: Call) -> Handled {
    let provider = provider(&call)?;
    whole_organization(&call)?;
    let config: Value = call.json()?;
    if !config.is_object() {
        return Err(Problem::invalid(
            "the body must be the configuration itself, a JSON object",
        ));
    }
    check_document(provider, &config)?;
    let expected = "the whole number that was read";
    let version: Option<i64> = call.query.parsed("version", expected)?;
    let scope = call.scope()?;
    let stored = call
        .state
        .store
        .put_provider_document(scope, provider, config, version)
        .await?;
    answer(StatusCode::OK, &stored)
}

/// The JSON Schema of a document.
pub(super) async fn schema(_: Call) -> Handled {
    answer(StatusCode::OK, &ProviderConfig::schema())
}

fn provider(call: &Call) -> Result<&'static str, Problem> {
    let named = call.param("provider").unwrap_or_default();
    NAMES
        .into_iter()
        .find(|name| *name == named)
        .ok_or_else(|| {
            Problem::of(stayzr_core::ErrorKind::NotFound).detail(format!(
                "there is no such provider here; there are {}",
                NAMES.join(", ")
            ))
        })
}

/// The document is every hotel's, so a token of some hotels does not set it.
fn whole_organization(call: &Call) -> Result<(), Problem> {
    if call.caller()?.principal.property_ids.is_empty() {
        return Ok(());
    }
    Err(Problem::of(stayzr_core::ErrorKind::Forbidden)
        .detail("a token that is bound to properties cannot configure the whole organization"))
}
