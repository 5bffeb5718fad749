use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use stayzr_core::{Error, Result};

use crate::http::client_builder;

/// Sends webhooks to where they are wanted.
#[derive(Debug, Clone)]
pub(super) struct Messenger {
    client: reqwest::Client,
}

impl Messenger {
    /// A messenger that waits five seconds for a 2xx and follows 307 and 308, as Mews does.
    pub(super) fn new() -> Result<Self> {
        let redirects = reqwest::redirect::Policy::custom(|attempt| {
            let kept = matches!(attempt.status().as_u16(), 307 | 308);
            if kept && attempt.previous().len() < 4 {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        let client = client_builder(Duration::from_secs(2))?
            .redirect(redirects)
            .timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| {
                Error::internal("sandbox.webhook", "no HTTP client can be built").with_source(error)
            })?;
        Ok(Self { client })
    }

    /// Posts a body and returns the status; none if nobody answered in time.
    pub(super) async fn post(&self, url: &SecretString, body: &Value) -> Option<u16> {
        let sent = self
            .client
            .post(url.expose_secret())
            .json(body)
            .send()
            .await;
        sent.ok().map(|response| response.status().as_u16())
    }
}

/// Where webhooks go, and who brings them, one delivery at a time.
pub(super) struct Deliveries {
    target: Mutex<Option<SecretString>>,
    pub(super) messenger: Messenger,
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Deliveries {
    pub(super) fn new(target: Option<SecretString>) -> Result<Self> {
        Ok(Self {
            target: Mutex::new(target),
            messenger: Messenger::new()?,
            turn: tokio::sync::Mutex::new(()),
        })
    }

    pub(super) fn set(&self, target: Option<SecretString>) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    pub(super) fn target(&self) -> Option<SecretString> {
        self.target
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
