//! What an organization configures for a provider, and what one of its connections goes by.

use serde_json::Value;
use stayzr_core::{Result, model::Integration, port::Store, tenant::TenantScope};
use stayzr_pms::{
    config::ProviderConfig,
    providers::{cloudbeds::CloudbedsConfig, mews::MewsConfig, opera::OperaConfig},
};

use crate::providers::{not_built_in, provider_config};

/// What a connection goes by: its own settings over what its organization configures for the
/// provider.
pub async fn connection_config(
    store: &dyn Store,
    scope: TenantScope,
    integration: &Integration,
) -> Result<ProviderConfig> {
    let document = store
        .provider_document(scope, &integration.provider)
        .await?;
    let document = document.map(|document| document.config).unwrap_or_default();
    ProviderConfig::layered(&document, &integration.settings)
}

/// Checks what an organization configures for a provider, with the provider's own settings;
/// [`stayzr_core::ErrorKind::Invalid`] names the key that is wrong.
pub fn check_document(name: &str, config: &Value) -> Result<()> {
    let config = provider_config(config)?;
    match name {
        "cloudbeds" => CloudbedsConfig::from_provider(&config).map(drop),
        "mews" => MewsConfig::from_provider(&config).map(drop),
        // A document is shared by hotels, which name their own code and gateway.
        "opera" => OperaConfig::check_shared(&config),
        other => Err(not_built_in(other)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_in_a_document_is_named() {
        for (document, key) in [
            (
                json!({"sync_intervall_seconds": 60}),
                "sync_intervall_seconds",
            ),
            (json!({"conflicts": {"guest": {"strategy": "ASK"}}}), "ASK"),
            (json!({"vendor": {"enterprise": "x"}}), "enterprise"),
            (
                json!({"conflicts": {"guest": {"fields": {"nickname": "LOCAL_WINS"}}}}),
                "conflicts.guest.fields.nickname",
            ),
        ] {
            let refused = check_document("mews", &document).unwrap_err().to_string();
            assert!(refused.contains(key), "{document}: {refused}");
        }
        assert!(check_document("mews", &json!({"sync_interval_seconds": 60})).is_ok());
    }
}
