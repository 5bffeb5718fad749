use serde_json::{Map, Value, json};
use stayzr_core::transform::EntityKind;

use super::{CONFIG_VERSION, ProviderConfig};

impl ProviderConfig {
    /// The JSON Schema (draft 2020-12) of the configuration.
    pub fn schema() -> Value {
        let strategy =
            json!({"enum": ["REMOTE_WINS", "LOCAL_WINS", "MERGE_FIELDS", "MANUAL_REVIEW"]});
        let count = json!({"type": "integer", "minimum": 0});
        let positive = json!({"type": "integer", "minimum": 1});
        let conflicts = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "strategy": strategy,
                "fields": {"type": "object", "additionalProperties": strategy}
            }
        });
        let kinds: Map<String, Value> = EntityKind::ALL
            .into_iter()
            .map(|kind| (kind.to_string(), conflicts.clone()))
            .collect();
        let object = |properties: Value| json!({"type": "object", "additionalProperties": false, "properties": properties});
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Configuration of a PMS provider",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "version": {"const": CONFIG_VERSION},
                "base_url": {"type": ["string", "null"], "pattern": "^https?://"},
                "rate_limit": {"anyOf": [{"type": "null"}, object(json!({"calls": positive, "per_seconds": positive}))]},
                "retry": object(json!({"retries": count, "first_wait_ms": count, "patience_seconds": count})),
                "timeouts": object(json!({"connect_seconds": positive, "call_seconds": positive})),
                "max_body_bytes": positive,
                "webhook": {"enum": ["url_token", "hmac_sha256", "poll"]},
                "sync_interval_seconds": positive,
                "reconcile": object(json!({
                    "interval_seconds": positive,
                    "max_missing_share": {"type": "number", "minimum": 0, "maximum": 1},
                    "min_missing": count
                })),
                "conflicts": {"type": "object", "additionalProperties": false, "properties": kinds},
                "vendor": {"type": "object"}
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_names_exactly_the_keys_that_are_read() {
        let schema = ProviderConfig::schema();
        let written = serde_json::to_value(ProviderConfig::default()).unwrap();
        for (path, value) in [
            ("/properties", &written),
            ("/properties/retry/properties", &written["retry"]),
            ("/properties/timeouts/properties", &written["timeouts"]),
            ("/properties/reconcile/properties", &written["reconcile"]),
        ] {
            let named: Vec<&String> = schema
                .pointer(path)
                .unwrap()
                .as_object()
                .unwrap()
                .keys()
                .collect();
            let mut read: Vec<&String> = value.as_object().unwrap().keys().collect();
            read.sort();
            let mut named = named;
            named.sort();
            assert_eq!(named, read, "{path}");
        }
    }
}
