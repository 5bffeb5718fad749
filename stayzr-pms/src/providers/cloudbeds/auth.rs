use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::{HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use stayzr_core::{Error, Result};

use super::{
    config::{LIMIT, PARTNER_LIMIT},
    token::{CredentialStore, OAuth},
};
use crate::{
    config::RateLimit,
    http::{VendorAuth, VendorCall, VendorHttp, redact},
};

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
    known: Known,
}

/// Everything that must not be seen.
pub(super) type Known = Arc<RwLock<Vec<SecretString>>>;

enum Grant {
    Key(SecretString),
    OAuth(Box<OAuth>),
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
        let known = Arc::new(RwLock::new(secrets(&credentials)));
        let grant = match credentials {
            CloudbedsCredentials::ApiKey(key) => Grant::Key(key.api_key),
            CloudbedsCredentials::OAuth(tokens) => {
                let url = format!("{root}/access_token");
                let known = Arc::clone(&known);
                let oauth = OAuth::new(tokens, http, url, key.clone(), store, known);
                Grant::OAuth(Box::new(oauth))
            }
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
}

pub(super) fn secrets(credentials: &CloudbedsCredentials) -> Vec<SecretString> {
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
                let token = oauth.token().await?;
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
        oauth.renew().await?;
        Ok(true)
    }

    fn redact(&self, text: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        redact(text, known.iter().map(ExposeSecret::expose_secret))
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
