use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use stayzr_webhooks::{Secrets as WebhookSecrets, channels::resend::StandardWebhooks};

use super::senders::{Channels, Payments};
use crate::failure::Failure;

/// The whole configuration. Every key has its default in the embedded file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP server and its folder.
    pub server: Server,
    /// The database.
    pub store: Store,
    /// Work on the queues.
    pub workers: Workers,
    /// What processes share beside the database.
    pub cache: Cache,
    /// The knowledge index.
    pub knowledge: Knowledge,
    /// The chat model.
    pub model: Model,
    /// The embedder.
    pub embedder: Embedder,
    /// Encryption at rest.
    pub secrets: Secrets,
    /// Channels to guests.
    pub channels: Channels,
    /// Payment providers.
    pub payments: Payments,
    /// Logs.
    pub telemetry: Telemetry,
    /// API tokens.
    pub auth: Auth,
}

/// The HTTP server and its folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder for the embedded database and the master key.
    pub data_dir: PathBuf,
    /// Address under which vendors reach the server; empty for the one listened on.
    pub public_url: String,
    /// Origins of web pages that may call the API.
    pub cors_origins: Vec<String>,
    /// After so many seconds a request is answered with 504.
    pub request_timeout_seconds: u64,
    /// The longest body of an API request, in bytes.
    pub max_body_bytes: usize,
    /// How long begun work may go on after a signal to stop, in seconds.
    pub drain_seconds: u64,
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// `sqlite://…` or `postgres://…`; empty for a file in the data folder.
    pub url: SecretString,
    /// Another user for migrations; empty for the same.
    pub migrate_url: SecretString,
    /// Schema on PostgreSQL.
    pub schema: String,
    /// Connections to the database, at least 1.
    pub max_connections: u32,
    /// Whether the schema is brought up to date at start.
    pub auto_migrate: bool,
}

/// Work on the queues.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workers {
    /// Jobs at the same time in each queue, at least 1.
    pub concurrency: usize,
    /// Milliseconds between two looks at an idle queue, at least 10.
    pub poll_milliseconds: u64,
    /// How long a lease holds, in seconds, at least 3; renewed at a third of that.
    pub lease_seconds: u64,
    /// Whether this process works on the queues.
    pub enabled: bool,
}

/// What processes share beside the database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// `redis://…` or `rediss://…`; empty for none.
    pub redis_url: SecretString,
}

/// The knowledge index.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knowledge {
    /// `embedded` or `qdrant`.
    pub index: String,
    /// Address of Qdrant's gRPC endpoint.
    pub qdrant_url: String,
    /// Its key, where it asks for one.
    pub qdrant_api_key: SecretString,
}

/// The chat model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// `offline`, `gemini`, `openai`, `deepseek` or `openai_compatible`.
    pub provider: String,
    /// The model's name; empty for the provider's default.
    pub name: String,
    /// Another address of the API; empty for the vendor's.
    pub base_url: String,
    /// The key.
    pub api_key: SecretString,
    /// Who answers when the provider is down or says what nothing supports: `offline`, or `none`
    /// for a person at once.
    pub fallback: String,
}

/// The embedder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedder {
    /// `offline`, `gemini`, `openai` or `openai_compatible`.
    pub provider: String,
    /// The model's name; empty for the provider's default.
    pub name: String,
    /// Another address of the API; empty for the vendor's.
    pub base_url: String,
    /// The key; empty for the model's, where both have the same provider.
    pub api_key: SecretString,
    /// Numbers in a vector of a hosted embedder, at least 1.
    pub dimension: u32,
}

/// Encryption at rest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// 32 bytes in base64; empty for the file in the data folder.
    pub master_key: SecretString,
}

/// Logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// A level, or a filter of `tracing`.
    pub log: String,
    /// `text` or `json`.
    pub format: String,
}

/// API tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// What tokens begin with.
    pub token_prefix: String,
}

/// Which database a URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreBackendKind {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A database URL whose scheme is known.
#[derive(Debug, Clone)]
pub struct StoreUrl {
    /// Which database.
    pub kind: StoreBackendKind,
    /// The URL; it may hold a password.
    pub url: SecretString,
}

impl Config {
    /// Checks what types alone cannot, and that this build has what the configuration selects.
    pub fn validate(&self) -> Result<(), Failure> {
        self.store_url()?;
        at_least(
            "store.max_connections",
            u64::from(self.store.max_connections),
            1,
        )?;
        at_least("workers.concurrency", self.workers.concurrency as u64, 1)?;
        at_least(
            "workers.poll_milliseconds",
            self.workers.poll_milliseconds,
            10,
        )?;
        at_least("workers.lease_seconds", self.workers.lease_seconds, 3)?;
        at_least(
            "server.request_timeout_seconds",
            self.server.request_timeout_seconds,
            1,
        )?;
        at_least(
            "server.max_body_bytes",
            self.server.max_body_bytes as u64,
            1024,
        )?;
        one_of(
            "telemetry.format",
            &self.telemetry.format,
            &["text", "json"],
        )?;
        one_of(
            "knowledge.index",
            &self.knowledge.index,
            &["embedded", "qdrant"],
        )?;
        one_of("model.fallback", &self.model.fallback, &["offline", "none"])?;
        self.validate_models()?;
        if !self.server.public_url.is_empty() {
            url("server.public_url", &self.server.public_url)?;
        }
        url(
            "channels.whatsapp.base_url",
            &self.channels.whatsapp.base_url,
        )?;
        self.validate_webhooks()?;
        for origin in &self.server.cors_origins {
            http::HeaderValue::from_str(origin)
                .map_err(|_| invalid("server.cors_origins", "holds a value that is no origin"))?;
        }
        let redis = self.cache.redis_url.expose_secret();
        if !redis.is_empty() {
            built(cfg!(feature = "redis"), "cache.redis_url", "redis")?;
            if !["redis://", "rediss://"]
                .iter()
                .any(|scheme| redis.starts_with(scheme))
            {
                return Err(invalid(
                    "cache.redis_url",
                    "must begin with redis:// or rediss://",
                ));
            }
        }
        if self.knowledge.index == "qdrant" {
            built(
                cfg!(feature = "qdrant"),
                "knowledge.index = \"qdrant\"",
                "qdrant",
            )?;
            required("knowledge.qdrant_url", &self.knowledge.qdrant_url)?;
        }
        Ok(())
    }

    /// A secret that could never verify is found at start, not by a sender who is refused.
    fn validate_webhooks(&self) -> Result<(), Failure> {
        let resend = self.channels.resend.signing_secrets();
        if let Ok(secrets) = WebhookSecrets::new(&resend)
            && StandardWebhooks::check(secrets).is_err()
        {
            return Err(invalid(
                "channels.resend.signing_secret",
                "must be whsec_ and base64, as Resend shows it",
            ));
        }
        let postmark = &self.channels.postmark;
        if postmark.username.contains(':') {
            return Err(invalid(
                "channels.postmark.username",
                "may not hold a colon",
            ));
        }
        if postmark.username.is_empty() != postmark.password.expose_secret().is_empty() {
            return Err(invalid(
                "channels.postmark",
                "needs both username and password, or neither",
            ));
        }
        if postmark.token.expose_secret().contains(':') {
            return Err(invalid("channels.postmark.token", "may not hold a colon"));
        }
        let mut names = BTreeSet::new();
        for account in &self.payments.accounts {
            let key = format!("payments.accounts ({})", account.id);
            one_of(&key, &account.provider, &["stripe", "razorpay"])?;
            let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            if account.id.is_empty() || !account.id.bytes().all(word) {
                return Err(invalid(&key, "needs an id of letters, digits, _ and -"));
            }
            if !names.insert((&account.provider, &account.id)) {
                return Err(invalid(&key, "is there twice"));
            }
            if WebhookSecrets::new(&account.signing_secrets).is_err() {
                return Err(invalid(&key, "needs signing_secrets, none of them empty"));
            }
        }
        Ok(())
    }

    fn validate_models(&self) -> Result<(), Failure> {
        let (model, embedder) = (&self.model, &self.embedder);
        let chat = [
            "offline",
            "gemini",
            "openai",
            "deepseek",
            "openai_compatible",
        ];
        let vectors = ["offline", "gemini", "openai", "openai_compatible"];
        one_of("model.provider", &model.provider, &chat)?;
        one_of("embedder.provider", &embedder.provider, &vectors)?;
        at_least("embedder.dimension", embedder.dimension.into(), 1)?;
        let model_key = model.api_key.expose_secret();
        let shared_key = match embedder.provider == model.provider {
            true => model_key,
            false => "",
        };
        let embedder_keys = [embedder.api_key.expose_secret(), shared_key];
        for (section, provider, url, keys) in [
            ("model", &model.provider, &model.base_url, [model_key, ""]),
            (
                "embedder",
                &embedder.provider,
                &embedder.base_url,
                embedder_keys,
            ),
        ] {
            if provider == "offline" {
                continue;
            }
            let what = format!("{section}.provider = \"{provider}\"");
            built(cfg!(feature = "genai"), &what, "genai")?;
            if provider == "openai_compatible" {
                required(&format!("{section}.base_url"), url)?;
            } else if keys.iter().all(|key| key.is_empty()) {
                required(&format!("{section}.api_key"), "")?;
            }
        }
        if !matches!(model.provider.as_str(), "offline" | "gemini") {
            required("model.name", &model.name)?;
        }
        Ok(())
    }

    /// The database, the embedded one where none is named.
    pub fn store_url(&self) -> Result<StoreUrl, Failure> {
        let url = self.store.url.expose_secret();
        if url.is_empty() {
            let path = self.server.data_dir.join("stayzr.db");
            return Ok(StoreUrl {
                kind: StoreBackendKind::Sqlite,
                url: format!("sqlite://{}", path.display()).into(),
            });
        }
        let kind = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => StoreBackendKind::Sqlite,
            Some("postgres" | "postgresql") => {
                built(
                    cfg!(feature = "postgres"),
                    "a store.url of PostgreSQL",
                    "postgres",
                )?;
                StoreBackendKind::Postgres
            }
            _ => {
                return Err(invalid(
                    "store.url",
                    "must begin with sqlite:// or postgres://",
                ));
            }
        };
        Ok(StoreUrl {
            kind,
            url: self.store.url.clone(),
        })
    }

    /// After how long a request is answered with 504.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.server.request_timeout_seconds)
    }
}

fn invalid(key: &str, why: &str) -> Failure {
    Failure::new("invalid_value", format!("configuration: {key} {why}"))
}

fn at_least(key: &str, value: u64, least: u64) -> Result<(), Failure> {
    if value < least {
        return Err(invalid(
            key,
            &format!("is {value}, it must be at least {least}"),
        ));
    }
    Ok(())
}

fn one_of(key: &str, value: &str, known: &[&str]) -> Result<(), Failure> {
    if known.contains(&value) {
        return Ok(());
    }
    Err(invalid(
        key,
        &format!("is \"{value}\", it must be one of {known:?}"),
    ))
}

fn url(key: &str, value: &str) -> Result<(), Failure> {
    match reqwest::Url::parse(value) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        _ => Err(invalid(key, "must be an http:// or https:// address")),
    }
}

fn required(key: &str, value: &str) -> Result<(), Failure> {
    if value.is_empty() {
        return Err(invalid(key, "is needed and not set"));
    }
    Ok(())
}

fn built(present: bool, what: &str, feature: &str) -> Result<(), Failure> {
    if present {
        return Ok(());
    }
    Err(Failure::new(
        "not_built_in",
        format!(
            "{what} needs a server built with the cargo feature `{feature}`: cargo build -p stayzr-server --features {feature}"
        ),
    ))
}
