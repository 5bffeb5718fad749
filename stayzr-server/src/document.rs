//! What an organization configures for a provider, and what one of its connections goes by.

use std::{fmt, path::Path};

use serde::Serialize;
use serde_json::Value;
use stayzr_core::{
    Error, Result, model::Integration, port::Store, tenant::TenantScope, transform::EntityKind,
};
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

/// A connection with what its organization configures for the provider beneath its settings, as
/// [`stayzr_pms::engine::Connect`] takes it.
pub async fn layered(
    store: &dyn Store,
    scope: TenantScope,
    integration: &Integration,
) -> Result<Integration> {
    let mut integration = integration.clone();
    let document = store
        .provider_document(scope, &integration.provider)
        .await?;
    if let Some(document) = document {
        integration.settings = ProviderConfig::layer(&document.config, &integration.settings);
        integration.updated_at = integration.updated_at.max(document.updated_at);
    }
    Ok(integration)
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

/// What is wrong in the text of a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The line, from 1, where it can be told.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// The known key that is most like an unknown one.
    pub nearest: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; the nearest known key is {nearest}"),
            None => Ok(()),
        }
    }
}

/// The language a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// JSON.
    Json,
    /// TOML.
    Toml,
}

impl Syntax {
    /// By the end of the file's name; JSON where that says nothing.
    pub fn of(file: &Path) -> Self {
        match file.extension() {
            Some(end) if end.eq_ignore_ascii_case("toml") => Self::Toml,
            _ => Self::Json,
        }
    }

    fn read(self, text: &str) -> std::result::Result<Value, Finding> {
        let finding = |line: Option<usize>, message: String| Finding {
            line,
            message,
            nearest: None,
        };
        let value = match self {
            Self::Json => serde_json::from_str(text)
                .map_err(|error| finding(Some(error.line()), format!("not JSON: {error}"))),
            Self::Toml => toml::from_str(text).map_err(|error| {
                let line = error.span().map(|span| line_at(text, span.start));
                finding(line, format!("not TOML: {}", error.message()))
            }),
        }?;
        match value {
            Value::Object(_) => Ok(value),
            _ => Err(finding(Some(1), "the document is not an object".to_owned())),
        }
    }
}

/// Reads the text of a document and checks it as [`check_document`] does. Without a provider its
/// own settings (`vendor`) are not checked.
pub fn read_document(
    provider: Option<&str>,
    text: &str,
    syntax: Syntax,
) -> std::result::Result<Value, Finding> {
    let value = syntax.read(text)?;
    let checked = match provider {
        Some(name) => check_document(name, &value),
        None => provider_config(&value).map(drop),
    };
    match checked {
        Ok(()) => Ok(value),
        Err(error) => Err(explain(&error, &value, text, syntax)),
    }
}

/// Finds the place and the remedy of what is refused.
fn explain(error: &Error, value: &Value, text: &str, syntax: Syntax) -> Finding {
    let key = error.context().iter().find(|(name, _)| *name == "key");
    let mut path: Vec<String> = match key {
        Some((_, key)) => key.split('.').map(str::to_owned).collect(),
        // Settings of the vendor are checked apart, and name no place of their own.
        None if value.get("vendor").is_some() => vec!["vendor".to_owned()],
        None => Vec::new(),
    };
    let message = error.to_string();
    let unknown =
        quoted(&message, "unknown field `").or_else(|| quoted(&message, "unknown variant `"));
    let mut known = Vec::new();
    if let Some(unknown) = unknown {
        if path.last().map(String::as_str) != Some(unknown) {
            path.push(unknown.to_owned());
        }
        let (_, expected) = message.split_once("expected").unwrap_or_default();
        known.extend(expected.split('`').skip(1).step_by(2).map(str::to_owned));
    } else if let [kinds, kind, fields, field] = path.as_slice()
        && kinds == "conflicts"
        && fields == "fields"
        && let Ok(kind) = kind.parse::<EntityKind>()
    {
        known.extend(kind.columns().iter().map(|column| column.name.to_owned()));
        known.retain(|column| column != field);
    }
    let last = path.last().map(String::as_str).unwrap_or_default();
    let nearest = known
        .into_iter()
        .min_by_key(|candidate| strsim::damerau_levenshtein(candidate, last));
    Finding {
        line: line_of(text, syntax, &path),
        message,
        nearest,
    }
}

fn quoted<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(start)?;
    rest.split('`').next()
}

/// The line where a path of keys ends, each key looked for behind the one above it; that of the
/// deepest key that is there.
fn line_of(text: &str, syntax: Syntax, path: &[String]) -> Option<usize> {
    let mut from = 0;
    let mut found = None;
    for key in path {
        let Some(at) = key_at(text, syntax, key, from).or_else(|| key_at(text, syntax, key, 0))
        else {
            break;
        };
        found = Some(line_at(text, at));
        from = at + key.len();
    }
    found
}

/// Where a key stands, as a key or else as a value: a word that is not known may be either.
fn key_at(text: &str, syntax: Syntax, key: &str, from: usize) -> Option<usize> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let mut as_value = None;
    for (at, _) in text.get(from..)?.match_indices(key) {
        let at = from + at;
        let end = at + key.len();
        let (before, after) = (&text[..at], &text[end..]);
        if before.bytes().next_back().is_some_and(is_word)
            || after.bytes().next().is_some_and(is_word)
        {
            continue;
        }
        let rest = after.trim_start_matches('"').trim_start();
        let ends_key = match syntax {
            Syntax::Json => rest.starts_with(':'),
            Syntax::Toml => rest.starts_with(['=', '.', ']']),
        };
        if ends_key {
            return Some(at);
        }
        as_value = as_value.or(Some(at));
    }
    as_value
}

fn line_at(text: &str, at: usize) -> usize {
    1 + text[..at.min(text.len())].matches('\n').count()
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

    #[test]
    fn a_finding_names_the_line_and_the_nearest_known_key() {
        let json = "{\n  \"retry\": {\n    \"retries\": 2,\n    \"first_wait\": 10\n  }\n}";
        let toml = "sync_interval_seconds = 60\n\n[conflicts.guest.fields]\nnick_name = \"LOCAL_WINS\"\nfirst_nam = \"LOCAL_WINS\"\n";
        let vendor =
            "{\n  \"base_url\": \"https://x\",\n  \"vendor\": {\n    \"hotelid\": \"H\"\n  }\n}";
        for (provider, text, syntax, line, nearest) in [
            ("mews", json, Syntax::Json, 4, Some("first_wait_ms")),
            (
                "mews",
                "{\n\"webhok\": 1}",
                Syntax::Json,
                2,
                Some("webhook"),
            ),
            (
                "mews",
                "{\n\"webhook\":\n\"pol\"}",
                Syntax::Json,
                3,
                Some("poll"),
            ),
            ("opera", vendor, Syntax::Json, 4, Some("hotel_id")),
            ("mews", "{\n\n\"retry\" 1}", Syntax::Json, 3, None),
            ("mews", "a = 1\nb", Syntax::Toml, 2, None),
        ] {
            let found = read_document(Some(provider), text, syntax).unwrap_err();
            assert_eq!(found.line, Some(line), "{found}");
            assert_eq!(found.nearest.as_deref(), nearest, "{found}");
        }
        let found = read_document(Some("mews"), toml, Syntax::Toml).unwrap_err();
        assert!(found.line.is_some_and(|line| line >= 4), "{found}");
        assert!(found.nearest.is_some(), "{found}");
        let fine = "sync_interval_seconds = 60\n[retry]\nretries = 1\n";
        let read = read_document(Some("mews"), fine, Syntax::Toml).unwrap();
        assert_eq!(read["retry"]["retries"], 1);
    }
}
