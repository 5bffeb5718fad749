//! Tokens that a hotel granted an application, and how they are renewed.

use std::{
    fmt,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Map;
use stayzr_core::{Error, Result, limit::Priority};
use tokio::sync::Mutex;

use super::{
    CloudbedsCredentials, OAuthTokens,
    auth::{Known, secrets},
    error::DIALECT,
};
use crate::http::{CallBody, Effect, VendorAuth, VendorCall, VendorHttp, redact};

/// A token is renewed this long before it ends, or a tenth of its life where that is shorter.
const AHEAD: TimeDelta = TimeDelta::seconds(60);

/// A call that was refused may have left with the token before the last renewal if that is not
/// longer ago than a call takes.
const LONGEST_CALL: Duration = Duration::from_secs(60);

/// Keeps what Cloudbeds gives in place of earlier tokens. A refresh may end the token that it was
/// made with, so that one which is not kept locks the connection out at the next start.
#[async_trait]
pub trait CredentialStore: Send + Sync + fmt::Debug {
    /// The credentials as they are kept now: another process may have renewed them.
    async fn current(&self) -> Result<Option<CloudbedsCredentials>>;

    /// Keeps these from now on. Called again with the next call to Cloudbeds if it fails.
    async fn keep(&self, credentials: &CloudbedsCredentials) -> Result<()>;
}

/// The tokens of a connection, renewed one at a time.
pub(super) struct OAuth {
    http: VendorHttp,
    url: String,
    key: String,
    store: Option<Arc<dyn CredentialStore>>,
    held: Mutex<Held>,
    known: Known,
}

struct Held {
    tokens: OAuthTokens,
    /// When the tokens came; only those that came while this runs.
    renewed: Option<Instant>,
    /// Renewed, and not kept yet.
    unkept: bool,
    ahead: TimeDelta,
}

impl OAuth {
    pub(super) fn new(
        tokens: OAuthTokens,
        http: VendorHttp,
        url: String,
        key: String,
        store: Option<Arc<dyn CredentialStore>>,
        known: Known,
    ) -> Self {
        Self {
            http,
            url,
            key,
            store,
            held: Mutex::new(Held {
                tokens,
                renewed: None,
                unkept: false,
                ahead: AHEAD,
            }),
            known,
        }
    }

    /// Another token, because this one was refused; not where it was renewed while the refused call
    /// was on its way.
    pub(super) async fn renew(&self) -> Result<()> {
        let mut held = self.held.lock().await;
        let just = held.renewed.is_some_and(|at| at.elapsed() < LONGEST_CALL);
        if !just {
            self.renew_held(&mut held).await?;
        }
        Ok(())
    }

    fn learn(&self, tokens: &OAuthTokens) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(secrets(&CloudbedsCredentials::OAuth(tokens.clone())));
        let surplus = known.len().saturating_sub(12);
        known.drain(..surplus);
    }

    /// An access token that is good for a call. Whoever comes while one is being renewed waits for
    /// that one.
    pub(super) async fn token(&self) -> Result<SecretString> {
        let mut held = self.held.lock().await;
        if !held.is_good() {
            self.renew_held(&mut held).await?;
        } else if held.unkept {
            held.keep(self.store.as_deref()).await;
        }
        held.tokens.access_token.clone().ok_or_else(|| {
            Error::internal(
                "cloudbeds.authorize",
                "there is no access token after a renewal",
            )
        })
    }

    async fn renew_held(&self, held: &mut Held) -> Result<()> {
        if let Some(store) = &self.store
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
        let granted = self.refresh(&held.tokens).await?;
        let life = TimeDelta::seconds(granted.expires_in.unwrap_or(3600).clamp(1, 366 * 86_400));
        held.tokens.access_token = Some(granted.access_token);
        held.tokens.expires_at = Some(Utc::now() + life);
        if let Some(next) = granted.refresh_token {
            held.tokens.refresh_token = next;
        }
        held.ahead = AHEAD.min(life / 10);
        held.renewed = Some(Instant::now());
        self.learn(&held.tokens);
        held.keep(self.store.as_deref()).await;
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
    async fn keep(&mut self, store: Option<&dyn CredentialStore>) {
        let Some(store) = store else {
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
    async fn refresh(&self, tokens: &OAuthTokens) -> Result<Granted> {
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
            key: &self.key,
            secrets: secrets(&CloudbedsCredentials::OAuth(tokens.clone())),
        };
        let answer = self.http.send(&call, &bare, &DIALECT).await?;
        Granted::deserialize(answer.body)
            .map_err(|_| Error::corrupt(operation, "the answer holds no access token"))
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
