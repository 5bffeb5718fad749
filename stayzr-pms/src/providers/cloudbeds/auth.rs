use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, json};
use sha2::{Digest, Sha256};
use stayzr_core::{Error, Result, limit::Priority};
use tokio::sync::Mutex;

use super::{
    config::{LIMIT, PARTNER_LIMIT},
    error::DIALECT,
};
use crate::{
    config::RateLimit,
    http::{CallBody, Effect, VendorAuth, VendorCall, VendorHttp, redact},
};

/// A token is renewed this long before it ends, or a tenth of its life where that is shorter.
const AHEAD: TimeDelta = TimeDelta::seconds(60);

/// A call that was refused may have left with the token before the last renewal if that is not
/// longer ago than a call takes.
const LONGEST_CALL: Duration = Duration::from_secs(60);

/// What lets a connection in at Cloudbeds. It does not print and does not serialise.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum CloudbedsCredentials {
    /// The API key of a property, `cbat_…`.
    ApiKey(ApiKey),
    /// The tokens that a hotel granted an application.
    OAuth(OAuthTokens),
}

/// The API key of a property.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// `cbat_…`.
    pub api_key: SecretString,
}

/// The tokens that a hotel granted an application.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthTokens {
    /// Names the application.
    pub client_id: String,
    /// Proves it.
    pub client_secret: SecretString,
    /// Gets the next access token.
    pub refresh_token: SecretString,
    /// The access token, where one is known.
    #[serde(default)]
    pub access_token: Option<SecretString>,
    /// When that ends.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Keeps what Cloudbeds gives in place of earlier tokens. A refresh may end the token that it was
/// made with, so that one which is not kept locks the connection out at the next start.
#[async_trait]
pub trait CredentialStore: Send + Sync + fmt::Debug {
    /// The credentials as they are kept now: another process may have renewed them.
    async fn current(&self) -> Result<Option<CloudbedsCredentials>>;

    /// Keeps these from now on. Called again with the next call to Cloudbeds if it fails.
    async fn keep(&self, credentials: &CloudbedsCredentials) -> Result<()>;
}

impl CloudbedsCredentials {
    /// The API key of a property.
    pub fn api_key(key: impl Into<String>) -> Self {
        Self::ApiKey(ApiKey {
            api_key: SecretString::from(key.into()),
        })
    }

    /// Reads `{"api_key": …}`, or `{"client_id", "client_secret", "refresh_token", "access_token"?,
    /// "expires_at"?}`. The error never quotes a value.
    pub fn parse(json: &SecretString) -> Result<Self> {
        serde_json::from_str(json.expose_secret()).map_err(|_| {
            Error::invalid(
                "cloudbeds.credentials",
                "must be a JSON object of api_key, or of client_id, client_secret and refresh_token",
            )
        })
    }

    /// What [`CloudbedsCredentials::parse`] reads, to be sealed.
    pub fn to_secret(&self) -> SecretString {
        let json = match self {
            Self::ApiKey(key) => json!({"api_key": key.api_key.expose_secret()}),
            Self::OAuth(tokens) => {
                let access = tokens.access_token.as_ref();
                json!({
                    "client_id": tokens.client_id,
                    "client_secret": tokens.client_secret.expose_secret(),
                    "refresh_token": tokens.refresh_token.expose_secret(),
                    "access_token": access.map(ExposeSecret::expose_secret),
                    "expires_at": tokens.expires_at,
                })
            }
        };
        SecretString::from(json.to_string())
    }

    /// A fingerprint of what Cloudbeds counts calls by: the key of a property, or the application.
    pub fn account(&self) -> String {
        match self {
            Self::ApiKey(key) => fingerprint(key.api_key.expose_secret()),
            Self::OAuth(tokens) => fingerprint(&tokens.client_id),
        }
    }

    /// The documented limit: the key of a property has half of a partner's.
    pub fn limit(&self) -> RateLimit {
        match self {
            Self::ApiKey(_) => LIMIT,
            Self::OAuth(_) => PARTNER_LIMIT,
        }
    }
}

fn fingerprint(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Adds key or token and the property to every call, and renews the token.
pub(super) struct CloudbedsAuth {
    key: String,
    grant: Grant,
    property: RwLock<Option<String>>,
    /// Everything that must not be seen.
    known: RwLock<Vec<SecretString>>,
}

enum Grant {
    Key(SecretString),
    OAuth(Box<OAuth>),
}

struct OAuth {
    http: VendorHttp,
    url: String,
    store: Option<Arc<dyn CredentialStore>>,
    held: Mutex<Held>,
}

struct Held {
    tokens: OAuthTokens,
    /// When the tokens came; only those that came while this runs.
    renewed: Option<Instant>,
    /// Renewed, and not kept yet.
    unkept: bool,
    ahead: TimeDelta,
}

impl CloudbedsAuth {
    /// Credentials for the API under `root`, with a place for renewed ones.
    pub(super) fn new(
        credentials: CloudbedsCredentials,
        http: VendorHttp,
        root: &str,
        store: Option<Arc<dyn CredentialStore>>,
    ) -> Self {
        let key = format!("cloudbeds:{}", credentials.account());
        let known = RwLock::new(secrets(&credentials));
        let grant = match credentials {
            CloudbedsCredentials::ApiKey(key) => Grant::Key(key.api_key),
            CloudbedsCredentials::OAuth(tokens) => Grant::OAuth(Box::new(OAuth {
                http,
                url: format!("{root}/access_token"),
                store,
                held: Mutex::new(Held {
                    tokens,
                    renewed: None,
                    unkept: false,
                    ahead: AHEAD,
                }),
            })),
        };
        Self {
            key,
            grant,
            property: RwLock::default(),
            known,
        }
    }

    /// The property that calls are about from now on.
    pub(super) fn set_property(&self, id: &str) {
        *self
            .property
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(id.to_owned());
    }

    pub(super) fn property(&self) -> Option<String> {
        self.property
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn learn(&self, tokens: &OAuthTokens) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(secrets(&CloudbedsCredentials::OAuth(tokens.clone())));
        let surplus = known.len().saturating_sub(12);
        known.drain(..surplus);
    }

    /// An access token that is good for a call. Whoever comes while one is being renewed waits for
    /// that one.
    async fn token(&self, oauth: &OAuth) -> Result<SecretString> {
        let mut held = oauth.held.lock().await;
        if !held.is_good() {
            self.renew_held(oauth, &mut held).await?;
        } else if held.unkept {
            held.keep(oauth).await;
        }
        held.tokens.access_token.clone().ok_or_else(|| {
            Error::internal(
                "cloudbeds.authorize",
                "there is no access token after a renewal",
            )
        })
    }

    async fn renew_held(&self, oauth: &OAuth, held: &mut Held) -> Result<()> {
        if let Some(store) = &oauth.store
            && let Some(CloudbedsCredentials::OAuth(kept)) = store.current().await?
            && kept.client_id == held.tokens.client_id
            && kept.refresh_token.expose_secret() != held.tokens.refresh_token.expose_secret()
            && !held.unkept
        {
            // Another process was here before.
            held.tokens = kept;
            held.renewed = Some(Instant::now());
            self.learn(&held.tokens);
            if held.is_good() {
                return Ok(());
            }
        }
        let granted = oauth.refresh(&self.key, &held.tokens).await?;
        let life = TimeDelta::seconds(granted.expires_in.unwrap_or(3600).clamp(1, 366 * 86_400));
        held.tokens.access_token = Some(granted.access_token);
        held.tokens.expires_at = Some(Utc::now() + life);
        if let Some(next) = granted.refresh_token {
            held.tokens.refresh_token = next;
        }
        held.ahead = AHEAD.min(life / 10);
        held.renewed = Some(Instant::now());
        self.learn(&held.tokens);
        held.keep(oauth).await;
        Ok(())
    }
}

impl Held {
    fn is_good(&self) -> bool {
        let ends = self.tokens.expires_at.map(|at| at - self.ahead);
        self.tokens.access_token.is_some() && ends.is_none_or(|ends| Utc::now() < ends)
    }

    /// Hands the tokens to whoever keeps them. A failure must not stop the call that has a good
    /// token now; it is tried again with the next one.
    async fn keep(&mut self, oauth: &OAuth) {
        let Some(store) = &oauth.store else {
            return;
        };
        let credentials = CloudbedsCredentials::OAuth(self.tokens.clone());
        let kept = store.keep(&credentials).await;
        self.unkept = kept.is_err();
        if let Err(error) = kept {
            tracing::error!(%error, "renewed tokens of Cloudbeds could not be kept");
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    refresh_token: Option<SecretString>,
}

impl OAuth {
    async fn refresh(&self, key: &str, tokens: &OAuthTokens) -> Result<Granted> {
        let operation = "cloudbeds.access_token";
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", tokens.client_id.as_str()),
            ("client_secret", tokens.client_secret.expose_secret()),
            ("refresh_token", tokens.refresh_token.expose_secret()),
        ];
        let call = VendorCall {
            method: Method::POST,
            body: CallBody::Form(
                fields
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            ),
            ..VendorCall::post(operation, self.url.clone(), Map::new())
        }
        // Where the answer is lost there is nothing to look up: the same token is all there is to try
        // again with.
        .with_effect(Effect::Read)
        .with_priority(Priority::High);
        let bare = Bare {
            key,
            secrets: secrets(&CloudbedsCredentials::OAuth(tokens.clone())),
        };
        let answer = self.http.send(&call, &bare, &DIALECT).await?;
        Granted::deserialize(answer.body)
            .map_err(|_| Error::corrupt(operation, "the answer holds no access token"))
    }
}

fn secrets(credentials: &CloudbedsCredentials) -> Vec<SecretString> {
    match credentials {
        CloudbedsCredentials::ApiKey(key) => vec![key.api_key.clone()],
        CloudbedsCredentials::OAuth(tokens) => {
            let mut secrets = vec![tokens.client_secret.clone(), tokens.refresh_token.clone()];
            secrets.extend(tokens.access_token.clone());
            secrets
        }
    }
}

impl fmt::Debug for CloudbedsAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudbedsAuth")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl VendorAuth for CloudbedsAuth {
    fn limit_key(&self) -> &str {
        &self.key
    }

    async fn authorize(&self, call: &mut VendorCall) -> Result<()> {
        let header = |text: String| {
            let mut value = HeaderValue::try_from(text).map_err(|_| {
                let what = "a credential holds what no header can";
                Error::invalid("cloudbeds.authorize", what)
            })?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        };
        match &self.grant {
            Grant::Key(key) => {
                let value = header(key.expose_secret().to_owned())?;
                call.headers.insert("x-api-key", value);
            }
            Grant::OAuth(oauth) => {
                let token = self.token(oauth).await?;
                let value = header(format!("Bearer {}", token.expose_secret()))?;
                call.headers.insert(header::AUTHORIZATION, value);
            }
        }
        if let Some(property) = self.property() {
            call.headers.insert("x-property-id", header(property)?);
        }
        Ok(())
    }

    async fn renew(&self) -> Result<bool> {
        let Grant::OAuth(oauth) = &self.grant else {
            return Ok(false);
        };
        let mut held = oauth.held.lock().await;
        let just = held.renewed.is_some_and(|at| at.elapsed() < LONGEST_CALL);
        if !just {
            self.renew_held(oauth, &mut held).await?;
        }
        Ok(true)
    }

    fn redact(&self, text: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        redact(text, known.iter().map(ExposeSecret::expose_secret))
    }
}

/// Calls that carry their credentials in the body.
struct Bare<'a> {
    key: &'a str,
    secrets: Vec<SecretString>,
}

impl fmt::Debug for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bare").finish_non_exhaustive()
    }
}

#[async_trait]
impl VendorAuth for Bare<'_> {
    fn limit_key(&self) -> &str {
        self.key
    }

    async fn authorize(&self, _: &mut VendorCall) -> Result<()> {
        Ok(())
    }

    fn redact(&self, text: &str) -> String {
        redact(text, self.secrets.iter().map(ExposeSecret::expose_secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_p_keys_and_tokens_never_print() {
        let key = CloudbedsCredentials::api_key("cbat_secret");
        let oauth = CloudbedsCredentials::parse(&SecretString::from(
            r#"{"client_id":"app","client_secret":"s-secret","refresh_token":"r-secret"}"#,
        ))
        .unwrap();
        let shown = format!("{key:?} {oauth:?}");
        assert!(
            !shown.contains("secret\"") && !shown.contains("_secret\""),
            "{shown}"
        );
        assert!(
            !shown.contains("s-secret") && !shown.contains("cbat_"),
            "{shown}"
        );
    }

    #[test]
    fn invariant_p_credentials_that_cannot_be_read_are_not_quoted() {
        for json in [
            r#"{"api_key":"cbat_secret","token":"x"}"#,
            r#"{"client_id":"a","client_secret":"cbat_secret"}"#,
        ] {
            let error = CloudbedsCredentials::parse(&SecretString::from(json)).unwrap_err();
            assert!(!format!("{error:?}").contains("cbat_secret"));
        }
    }

    #[test]
    fn what_is_sealed_is_what_is_read() {
        let tokens = CloudbedsCredentials::parse(&SecretString::from(
            r#"{"client_id":"a","client_secret":"s","refresh_token":"r","access_token":"t",
                "expires_at":"2026-03-01T00:00:00Z"}"#,
        ))
        .unwrap();
        for credentials in [tokens, CloudbedsCredentials::api_key("cbat_1")] {
            let text = credentials.to_secret();
            let again = CloudbedsCredentials::parse(&text).unwrap().to_secret();
            assert_eq!(text.expose_secret(), again.expose_secret());
        }
    }
}
