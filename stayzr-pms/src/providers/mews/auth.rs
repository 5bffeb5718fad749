use std::fmt;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use stayzr_core::{Error, Result};

use crate::http::{CallBody, VendorAuth, VendorCall, redact};

/// The two tokens of a connection to Mews. They do not print and do not serialise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MewsCredentials {
    /// Names the application; the same for all its properties.
    pub client_token: SecretString,
    /// Names the connection to a property.
    pub access_token: SecretString,
}

impl MewsCredentials {
    /// The two tokens.
    pub fn new(client_token: impl Into<String>, access_token: impl Into<String>) -> Self {
        Self {
            client_token: SecretString::from(client_token.into()),
            access_token: SecretString::from(access_token.into()),
        }
    }

    /// Reads `{"client_token": …, "access_token": …}`. The error never quotes a value.
    pub fn parse(json: &SecretString) -> Result<Self> {
        serde_json::from_str(json.expose_secret()).map_err(|_| {
            Error::invalid(
                "mews.credentials",
                "must be a JSON object of client_token and access_token",
            )
        })
    }

    /// A fingerprint of the application, whose webhooks all properties share.
    pub fn account(&self) -> String {
        fingerprint(&self.client_token)
    }
}

fn fingerprint(secret: &SecretString) -> String {
    let digest = Sha256::digest(secret.expose_secret().as_bytes());
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Puts the tokens into the body of every call, as Mews wants them.
pub(super) struct MewsAuth {
    credentials: MewsCredentials,
    client: String,
    key: String,
}

impl MewsAuth {
    pub(super) fn new(credentials: MewsCredentials, client: String) -> Self {
        let key = format!("mews:{}", fingerprint(&credentials.access_token));
        Self {
            credentials,
            client,
            key,
        }
    }
}

impl fmt::Debug for MewsAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MewsAuth")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl VendorAuth for MewsAuth {
    fn limit_key(&self) -> &str {
        &self.key
    }

    async fn authorize(&self, call: &mut VendorCall) -> Result<()> {
        let CallBody::Json(body) = &mut call.body else {
            return Err(Error::internal(
                "mews.authorize",
                "a call without a JSON body",
            ));
        };
        for (key, value) in [
            ("ClientToken", self.credentials.client_token.expose_secret()),
            ("AccessToken", self.credentials.access_token.expose_secret()),
            ("Client", self.client.as_str()),
        ] {
            body.insert(key.to_owned(), value.into());
        }
        Ok(())
    }

    fn redact(&self, text: &str) -> String {
        redact(
            text,
            [
                self.credentials.client_token.expose_secret(),
                self.credentials.access_token.expose_secret(),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_p_tokens_never_print() {
        let credentials = MewsCredentials::new("client-secret", "access-secret");
        let auth = MewsAuth::new(credentials.clone(), "Test 1.0.0".to_owned());
        let shown = format!(
            "{credentials:?} {auth:?} {}",
            auth.redact("bad access-secret")
        );
        assert!(!shown.contains("-secret"), "{shown}");
        assert!(!shown.contains("access-secret"), "{shown}");
    }

    #[test]
    fn invariant_p_credentials_that_cannot_be_read_are_not_quoted() {
        let json = SecretString::from(r#"{"client_token":"client-secret","token":"x"}"#);
        let error = format!("{:?}", MewsCredentials::parse(&json).unwrap_err());
        assert!(!error.contains("client-secret"), "{error}");
    }
}
