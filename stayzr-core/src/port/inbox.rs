//! The webhook inbox: stored before it is acknowledged.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Result,
    ids::{DeliveryId, IntegrationId},
    queue::{Lease, NewJob, Queue},
    tenant::TenantScope,
};

/// Where a webhook was delivered to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EndpointKey {
    /// The one endpoint of the WhatsApp app; a delivery may hold several tenants' events.
    Whatsapp,
    /// The endpoint of a PMS integration; it serves a whole vendor account.
    Pms {
        /// The provider's name.
        provider: String,
        /// The integration.
        integration_id: IntegrationId,
    },
    /// Resend: what became of emails, and emails received.
    Resend,
    /// Postmark: what became of emails.
    Postmark,
    /// Postmark: emails received.
    PostmarkInbound,
    /// Stripe, for one of the accounts that are configured here.
    Stripe {
        /// The account's name here.
        account_id: String,
    },
    /// Razorpay, for one of the accounts that are configured here.
    Razorpay {
        /// The account's name here.
        account_id: String,
    },
}

impl EndpointKey {
    /// Who sends: `whatsapp`, the name of the PMS provider, `resend`, `postmark`, `stripe` or
    /// `razorpay`.
    pub fn source(&self) -> &str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::Pms { provider, .. } => provider,
            Self::Resend => "resend",
            Self::Postmark | Self::PostmarkInbound => "postmark",
            Self::Stripe { .. } => "stripe",
            Self::Razorpay { .. } => "razorpay",
        }
    }
}

/// How deliveries to an endpoint prove who sent them.
#[derive(Debug, Clone)]
pub enum EndpointAuth {
    /// Meta: HMAC-SHA256 in `X-Hub-Signature-256`, keyed with the app secret, and a GET handshake
    /// with the verify token.
    MetaHub {
        /// App secrets: the current first, then previous ones.
        app_secrets: Vec<SecretString>,
        /// The token of the handshake.
        verify_token: SecretString,
    },
    /// Mews general webhooks: a token in the URL.
    UrlToken {
        /// Tokens: the current first, then previous ones.
        tokens: Vec<SecretString>,
    },
    /// Cloudbeds: a secret as the last segment of the path.
    SecretPath {
        /// Secrets: the current first, then previous ones.
        secrets: Vec<SecretString>,
    },
    /// A signing relay in front of Mews: base64 of HMAC-SHA256 in `X-Signature`.
    HmacSha256 {
        /// Secrets: the current first, then previous ones.
        secrets: Vec<SecretString>,
    },
    /// Standard Webhooks, as Svix and Resend send them: HMAC-SHA256 over id, timestamp and body.
    StandardWebhooks {
        /// `whsec_…`: the current first, then previous ones.
        secrets: Vec<SecretString>,
    },
    /// Postmark: `Authorization: Basic`, or a header with a token.
    Postmark {
        /// `user:password`, or a token without a colon: the current first, then previous ones.
        credentials: Vec<SecretString>,
    },
    /// Stripe: HMAC-SHA256 over timestamp and body in `Stripe-Signature`.
    Stripe {
        /// `whsec_…`: the current first, then previous ones.
        secrets: Vec<SecretString>,
    },
    /// Razorpay: HMAC-SHA256 in `X-Razorpay-Signature`.
    Razorpay {
        /// Secrets: the current first, then previous ones.
        secrets: Vec<SecretString>,
    },
}

/// An endpoint: its keys and its owner.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Which one.
    pub key: EndpointKey,
    /// The owner, where there is just one.
    pub scope: Option<TenantScope>,
    /// How deliveries prove who sent them.
    pub auth: EndpointAuth,
}

/// Knows which endpoint has which keys and owner.
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// The endpoint, or none if there is no such thing.
    async fn endpoint(&self, key: &EndpointKey) -> Result<Option<Endpoint>>;
}

/// A verified delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id; its job in [`crate::queue::Queue::WebhookInbox`] has the same.
    pub id: DeliveryId,
    /// Where it was delivered to.
    pub endpoint: EndpointKey,
    /// Whose it is, once known.
    pub scope: Option<TenantScope>,
    /// The sender's id of the delivery, where the scheme has one. A second delivery with it to
    /// the same endpoint is not stored again.
    pub dedupe_id: Option<String>,
    /// The content type, as sent.
    pub content_type: Option<String>,
    /// The verified bytes with card numbers masked.
    pub body: Vec<u8>,
    /// SHA-256 of the bytes as they came, in hexadecimal.
    pub sha256: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// W3C trace context of the request, to be linked, not followed.
    pub traceparent: Option<String>,
}

impl Delivery {
    /// The job that is stored with it; it has the delivery's id.
    pub fn job(&self) -> NewJob {
        NewJob {
            queue: Queue::WebhookInbox,
            scope: self.scope,
            payload: json!({ "delivery_id": self.id }),
            key: None,
            dedupe_key: None,
            priority: 0,
            max_attempts: 5,
            run_at: None,
            traceparent: self.traceparent.clone(),
        }
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// Stored, and its job waits.
    Stored,
    /// It was stored before.
    Duplicate,
}

/// The inbox.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores a delivery and its job, durably, before it returns. A delivery with a `dedupe_id`
    /// that its endpoint has seen is a [`Acceptance::Duplicate`] and stores nothing.
    async fn accept_delivery(&self, delivery: Delivery) -> Result<Acceptance>;

    /// The same for several deliveries, in as few commits as the store can, which is what makes
    /// many requests at once cheap. Each has an answer of its own, in their order; every one that
    /// is [`Acceptance::Stored`] is durable before this returns.
    async fn accept_deliveries(&self, deliveries: Vec<Delivery>) -> Vec<Result<Acceptance>> {
        let mut answers = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            answers.push(self.accept_delivery(delivery).await);
        }
        answers
    }

    /// The delivery of a job that is held.
    async fn delivery(&self, lease: &Lease) -> Result<Delivery>;
}
