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
        let names: Vec<String> = EntityKind::ALL.iter().map(ToString::to_string).collect();
        let keys = json!({"type": "object", "additionalProperties": {"type": ["string", "null"]}});
        let mapped: Map<String, Value> = names
            .iter()
            .map(|kind| (kind.clone(), keys.clone()))
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
                "api_version": {"type": ["string", "null"]},
                "authentication": {"enum": [
                    "tokens", "api_key", "oauth2", "password", "client_credentials", null
                ]},
                "entities": {"anyOf": [
                    {"type": "null"},
                    {"type": "array", "uniqueItems": true, "items": {"enum": names}}
                ]},
                "mappings": {"type": "object", "additionalProperties": false, "properties": mapped},
                "rate_limit": {"anyOf": [{"type": "null"}, object(json!({"calls": positive, "per_seconds": positive}))]},
                "retry": object(json!({"retries": count, "first_wait_ms": count, "patience_seconds": count})),
                "timeouts": object(json!({"connect_seconds": positive, "call_seconds": positive})),
                "max_body_bytes": positive,
                "webhook": {"enum": ["url_token", "hmac_sha256", "poll"]},
                "sync_interval_seconds": positive,
                "events_interval_seconds": positive,
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
    fn the_published_schema_is_this_one() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../docs/provider-config.schema.json"
        );
        let published: Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(
            published,
            ProviderConfig::schema(),
            "`stayzr provider schema > docs/provider-config.schema.json` writes it"
        );
    }

    #[test]
    fn the_schema_takes_what_is_read_and_refuses_what_is_not() {
        let schema = jsonschema::validator_for(&ProviderConfig::schema()).unwrap();
        for value in [
            serde_json::to_value(ProviderConfig::default()).unwrap(),
            json!({"api_version": "v1.3", "authentication": "oauth2", "entities": ["guest", "room"],
                "mappings": {"guest": {"notes": "specialRequests", "phone": null}}}),
        ] {
            assert!(schema.is_valid(&value), "{value}");
            assert!(ProviderConfig::parse(&value).is_ok(), "{value}");
        }
        for value in [
            json!({"authentication": "magic"}),
            json!({"entities": ["invoice"]}),
            json!({"mappings": {"invoice": {}}}),
            json!({"base_uri": "https://x"}),
        ] {
            assert!(!schema.is_valid(&value), "{value}");
            assert!(ProviderConfig::parse(&value).is_err(), "{value}");
        }
    }

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
