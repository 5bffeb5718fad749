use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Response, Url, header::RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use stayzr_core::{
    Error, Result,
    clock::Clock,
    model::{Channel, ChannelAccount},
    port::outbound::{OutboundMessage, SendOutcome, Sender},
    retry::parse_retry_after,
};

use super::{
    error,
    wire::{Context, Text, TextMessage},
};

const OPERATION: &str = "whatsapp.messages.send";
/// The Cloud API's limit of a text body.
const MAX_CHARACTERS: usize = 4096;
/// So long after the guest's last message may anything but a template be sent.
const WINDOW: TimeDelta = TimeDelta::hours(24);
/// More of an answer is not read.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Where and how the Cloud API is called.
///
/// An account may have settings of its own, `base_url` and `api_version`, which win.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WhatsappConfig {
    /// The root of the Graph API: `https://graph.facebook.com`.
    pub base_url: String,
    /// The version of the Graph API: `v25.0`, served until July 2028.
    pub api_version: String,
    /// Seconds to wait for an answer; without one the outcome is ambiguous. 30 by default.
    pub timeout_seconds: u64,
}

impl Default for WhatsappConfig {
    fn default() -> Self {
        Self {
            base_url: "https://graph.facebook.com".to_owned(),
            api_version: "v25.0".to_owned(),
            timeout_seconds: 30,
        }
    }
}

/// Gives the access token of a channel account.
///
/// A closure that opens the sealed token is one:
///
/// ```
/// use secrecy::SecretString;
/// use stayzr_core::{Result, model::ChannelAccount};
/// use stayzr_webhooks::channels::whatsapp::AccessTokens;
///
/// fn is_one(_: impl AccessTokens) {}
/// is_one(|account: &ChannelAccount| -> Result<SecretString> {
///     Ok(SecretString::from(account.sealed.clone()))
/// });
/// ```
#[async_trait]
pub trait AccessTokens: Send + Sync {
    /// The access token. A retryable error leaves the message to be tried again, any other fails
    /// it; nothing was sent in either case.
    async fn access_token(&self, account: &ChannelAccount) -> Result<SecretString>;
}

#[async_trait]
impl<F> AccessTokens for F
where
    F: Fn(&ChannelAccount) -> Result<SecretString> + Send + Sync,
{
    async fn access_token(&self, account: &ChannelAccount) -> Result<SecretString> {
        self(account)
    }
}

/// Sends text messages through WhatsApp's Cloud API, each at most once.
///
/// The API has no idempotency key: whatever may have reached it and was not answered is
/// [`SendOutcome::Ambiguous`], and the status webhook, which carries the message's own id back,
/// resolves it. A text over 4,096 characters, or one outside the 24 hours after the guest's last
/// message, fails before anything is sent; nothing is cut or split. Neither texts nor tokens reach
/// errors or logs.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use secrecy::SecretString;
/// use stayzr_core::{clock::SystemClock, model::ChannelAccount};
/// use stayzr_webhooks::{
///     channels::whatsapp::{WhatsappConfig, WhatsappSender},
///     default_client,
/// };
///
/// let tokens = |account: &ChannelAccount| Ok(SecretString::from(account.sealed.clone()));
/// let sender = WhatsappSender::new(
///     &WhatsappConfig::default(),
///     Arc::new(tokens),
///     Arc::new(SystemClock),
///     default_client()?,
/// )?;
/// # Ok::<(), stayzr_core::Error>(())
/// ```
pub struct WhatsappSender {
    base_url: Url,
    api_version: String,
    timeout: Duration,
    tokens: Arc<dyn AccessTokens>,
    clock: Arc<dyn Clock>,
    client: reqwest::Client,
}

impl WhatsappSender {
    /// A sender. The client is [`crate::default_client`] or one of the host's, which should neither
    /// follow redirects nor retry. [`stayzr_core::ErrorKind::Invalid`] if the configuration is.
    pub fn new(
        config: &WhatsappConfig,
        tokens: Arc<dyn AccessTokens>,
        clock: Arc<dyn Clock>,
        client: reqwest::Client,
    ) -> Result<Self> {
        if config.timeout_seconds == 0 {
            return Err(Error::invalid(
                OPERATION,
                "timeout_seconds must be at least 1",
            ));
        }
        Ok(Self {
            base_url: base_url(&config.base_url)?,
            api_version: api_version(&config.api_version)?,
            timeout: Duration::from_secs(config.timeout_seconds),
            tokens,
            clock,
            client,
        })
    }

    /// `{base}/{version}/{phone number id}/messages`, by the account's settings where it has them.
    fn url(&self, account: &ChannelAccount) -> Result<Url> {
        let setting = |name| {
            account
                .settings
                .get(name)
                .and_then(serde_json::Value::as_str)
        };
        let mut url = match setting("base_url") {
            Some(url) => base_url(url)?,
            None => self.base_url.clone(),
        };
        let version = match setting("api_version") {
            Some(version) => api_version(version)?,
            None => self.api_version.clone(),
        };
        url.path_segments_mut()
            .map_err(|()| Error::invalid(OPERATION, "the base URL cannot have a path"))?
            .pop_if_empty()
            .extend([version.as_str(), account.address.as_str(), "messages"]);
        Ok(url)
    }

    async fn attempt(&self, outbound: &OutboundMessage) -> SendOutcome {
        if let Some(error) = obstacle(outbound, self.clock.now()) {
            return SendOutcome::Failed {
                error: error.to_owned(),
            };
        }
        let url = match self.url(&outbound.account) {
            Ok(url) => url,
            Err(error) => {
                return SendOutcome::Failed {
                    error: error.to_string(),
                };
            }
        };
        let token = match self.tokens.access_token(&outbound.account).await {
            Ok(token) => token,
            Err(error) if error.is_retryable() => {
                let after = error.retry_after().unwrap_or(Duration::from_secs(10));
                return SendOutcome::Retry {
                    error: error.to_string(),
                    after,
                };
            }
            Err(error) => {
                return SendOutcome::Failed {
                    error: error.to_string(),
                };
            }
        };
        let sent = self
            .client
            .post(url)
            .timeout(self.timeout)
            .bearer_auth(token.expose_secret())
            .json(&body(outbound))
            .send()
            .await;
        match sent {
            Ok(response) => read(response, self.clock.now()).await,
            Err(error) => not_answered(&error),
        }
    }
}

#[async_trait]
impl Sender for WhatsappSender {
    async fn send(&self, message: &OutboundMessage) -> SendOutcome {
        let outcome = self.attempt(message).await;
        let id = message.message.id;
        match &outcome {
            SendOutcome::Sent { .. } => {
                tracing::debug!(message_id = %id, "message taken by WhatsApp")
            }
            SendOutcome::Retry { error, .. }
            | SendOutcome::Failed { error }
            | SendOutcome::Ambiguous { error } => {
                tracing::warn!(message_id = %id, error, "message not taken by WhatsApp");
            }
        }
        outcome
    }
}

/// Why a message cannot be sent at all.
fn obstacle(outbound: &OutboundMessage, now: DateTime<Utc>) -> Option<&'static str> {
    let text = &outbound.message.text;
    if outbound.account.channel != Channel::Whatsapp {
        return Some("the account is not one of WhatsApp");
    }
    if outbound.to.is_empty() {
        return Some("the guest has no address on WhatsApp");
    }
    if text.trim().is_empty() {
        return Some("the message is empty");
    }
    if text.chars().count() > MAX_CHARACTERS {
        return Some("the message is longer than 4096 characters");
    }
    match outbound.last_inbound_at {
        Some(at) if now - at <= WINDOW => None,
        _ => Some("outside the 24 h window, needs a template"),
    }
}

fn body(outbound: &OutboundMessage) -> TextMessage<'_> {
    let to = outbound.to.as_str();
    let by_user_id = is_user_id(to);
    TextMessage {
        messaging_product: "whatsapp",
        recipient_type: "individual",
        to: (!by_user_id).then_some(to),
        recipient: by_user_id.then_some(to),
        kind: "text",
        text: Text {
            preview_url: false,
            body: &outbound.message.text,
        },
        context: outbound
            .in_reply_to
            .as_deref()
            .map(|message_id| Context { message_id }),
        biz_opaque_callback_data: outbound.message.id.to_string(),
    }
}

/// Whether an address is a business-scoped user id: a country code, a dot, and the rest.
fn is_user_id(address: &str) -> bool {
    let (country, rest) = address.split_once('.').unwrap_or_default();
    country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()) && !rest.is_empty()
}

async fn read(mut response: Response, now: DateTime<Utc>) -> SendOutcome {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|header| parse_retry_after(header.to_str().ok()?, now));
    let mut body = Vec::new();
    // An answer that breaks off is judged by what came of it: without an id, ambiguous.
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    error::outcome(status, retry_after, &body)
}

/// A request that got no answer: only one that never had a connection was certainly not taken.
fn not_answered(error: &reqwest::Error) -> SendOutcome {
    if error.is_builder() {
        return SendOutcome::Failed {
            error: "the request cannot be built".to_owned(),
        };
    }
    if error.is_connect() {
        let after = Duration::from_secs(5);
        return SendOutcome::Retry {
            error: "no connection to WhatsApp".to_owned(),
            after,
        };
    }
    let error = if error.is_timeout() {
        "no answer in time"
    } else {
        "the connection was lost"
    };
    SendOutcome::Ambiguous {
        error: error.to_owned(),
    }
}

fn base_url(url: &str) -> Result<Url> {
    let invalid = || Error::invalid(OPERATION, "the base URL is not an http or https URL");
    let url = Url::parse(url).map_err(|_| invalid())?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err(invalid())
    }
}

fn api_version(version: &str) -> Result<String> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    version
        .strip_prefix('v')
        .and_then(|numbers| numbers.split_once('.'))
        .filter(|(major, minor)| digits(major) && digits(minor))
        .map(|_| version.to_owned())
        .ok_or_else(|| Error::invalid(OPERATION, "the API version is not of the form v25.0"))
}
