use serde_json::Value;
use stayzr_core::Result;

use super::ProviderConfig;

impl ProviderConfig {
    /// The configuration of one connection: what its organization configured for the provider,
    /// with the connection's own settings on top. Objects are merged key by key; any other value
    /// of the settings stands in place of the document's. Either may be `null`.
    ///
    /// [`stayzr_core::ErrorKind::Invalid`] names the key that means nothing, and under `layer`
    /// whether it stands in the provider's `document` or in the connection's `settings`.
    ///
    /// ```
    /// use serde_json::json;
    /// use stayzr_pms::config::ProviderConfig;
    ///
    /// let document = json!({"sync_interval_seconds": 60, "retry": {"retries": 1}});
    /// let settings = json!({"retry": {"first_wait_ms": 10}});
    /// let config = ProviderConfig::layered(&document, &settings).unwrap();
    /// assert_eq!(config.sync_interval_seconds, 60);
    /// assert_eq!((config.retry.retries, config.retry.first_wait_ms), (1, 10));
    /// ```
    pub fn layered(document: &Value, settings: &Value) -> Result<Self> {
        for (layer, value) in [("document", document), ("settings", settings)] {
            Self::parse(value).map_err(|error| error.with("layer", layer))?;
        }
        Self::parse(&Self::layer(document, settings))
    }

    /// The two layers of [`ProviderConfig::layered`] as one value, unchecked.
    pub fn layer(document: &Value, settings: &Value) -> Value {
        match (document, settings) {
            (_, Value::Null) => document.clone(),
            (Value::Object(below), Value::Object(above)) => {
                let mut whole = below.clone();
                for (key, value) in above {
                    let value = match below.get(key) {
                        // A null says "the default", which is not the document's.
                        Some(under) if !value.is_null() => Self::layer(under, value),
                        _ => value.clone(),
                    };
                    whole.insert(key.clone(), value);
                }
                Value::Object(whole)
            }
            _ => settings.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stayzr_core::transform::{ConflictStrategy, EntityKind};

    use super::*;

    #[test]
    fn settings_of_a_connection_stand_on_top_of_the_providers_document() {
        let document = json!({
            "base_url": "https://api.example.com",
            "conflicts": {"guest": {"strategy": "MANUAL_REVIEW", "fields": {"notes": "LOCAL_WINS"}}},
            "vendor": {"languages": ["en"]}
        });
        let settings = json!({
            "base_url": null,
            "conflicts": {"guest": {"fields": {"notes": "REMOTE_WINS", "email": "LOCAL_WINS"}}},
            "vendor": {"languages": ["pt"]}
        });

        let config = ProviderConfig::layered(&document, &settings).unwrap();

        let guest = &config.conflicts[&EntityKind::Guest];
        assert_eq!(guest.strategy, Some(ConflictStrategy::ManualReview));
        assert_eq!(guest.fields["notes"], ConflictStrategy::RemoteWins);
        assert_eq!(guest.fields["email"], ConflictStrategy::LocalWins);
        assert_eq!(config.vendor["languages"], json!(["pt"]));
        assert_eq!(config.base_url, None, "a null is the default");
        let alone = ProviderConfig::layered(&Value::Null, &Value::Null).unwrap();
        assert_eq!(alone, ProviderConfig::default());
    }

    #[test]
    fn a_layer_that_cannot_be_read_is_named_with_its_key() {
        let wrong = json!({"sync_interval_second": 5});
        for (document, settings, layer) in [
            (&wrong, &Value::Null, "document"),
            (&Value::Null, &wrong, "settings"),
        ] {
            let error = ProviderConfig::layered(document, settings).unwrap_err();
            assert_eq!(error.kind(), stayzr_core::ErrorKind::Invalid);
            let context = error.context();
            assert!(context.contains(&("layer", layer.to_owned())));
            assert!(context.contains(&("key", "sync_interval_second".to_owned())));
        }
    }
}
