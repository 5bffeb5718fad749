use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use stayzr_core::ids::OrganizationId;

/// Channels to guests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channels {
    /// WhatsApp.
    pub whatsapp: Whatsapp,
    /// Email through Resend.
    pub resend: Resend,
    /// Email through Postmark.
    pub postmark: Postmark,
}

/// WhatsApp.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whatsapp {
    /// App secret of the Meta app.
    pub app_secret: SecretString,
    /// App secrets that were replaced and still verify.
    pub previous_app_secrets: Vec<SecretString>,
    /// The token of Meta's handshake.
    pub verify_token: SecretString,
    /// Address of the Cloud API.
    pub base_url: String,
    /// Version of the Cloud API, such as `v25.0`.
    pub api_version: String,
}

/// Email through Resend.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resend {
    /// `whsec_…` of the webhook; empty for none.
    pub signing_secret: SecretString,
    /// Secrets that were replaced and still verify.
    pub previous_signing_secrets: Vec<SecretString>,
}

/// Email through Postmark.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postmark {
    /// User of the webhook's URL; empty for none.
    pub username: String,
    /// His password.
    pub password: SecretString,
    /// Passwords that were replaced and still verify.
    pub previous_passwords: Vec<SecretString>,
    /// The value of the webhook's header `X-Stayzr-Webhook-Token`; empty for none.
    pub token: SecretString,
}

impl Postmark {
    /// What webhooks are known by: the current first.
    pub fn credentials(&self) -> Vec<SecretString> {
        let password = std::iter::once(&self.password).chain(&self.previous_passwords);
        password
            .filter(|_| !self.username.is_empty())
            .map(|password| format!("{}:{}", self.username, password.expose_secret()).into())
            .chain(given(&self.token).cloned())
            .collect()
    }
}

impl Resend {
    /// What webhooks are signed with: the current first.
    pub fn signing_secrets(&self) -> Vec<SecretString> {
        given(&self.signing_secret)
            .chain(&self.previous_signing_secrets)
            .cloned()
            .collect()
    }
}

/// A secret, if it is set.
fn given(secret: &SecretString) -> impl Iterator<Item = &SecretString> {
    Some(secret)
        .filter(|secret| !secret.expose_secret().is_empty())
        .into_iter()
}

/// Payment providers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payments {
    /// Accounts whose webhooks are recorded.
    pub accounts: Vec<PaymentAccount>,
}

/// An account at a payment provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentAccount {
    /// Its name in the webhook's URL: letters, digits, `_` and `-`.
    pub id: String,
    /// `stripe` or `razorpay`.
    pub provider: String,
    /// The organization that it belongs to.
    pub organization: OrganizationId,
    /// Secrets of the webhook: the current first, then those that were replaced and still verify.
    pub signing_secrets: Vec<SecretString>,
}
