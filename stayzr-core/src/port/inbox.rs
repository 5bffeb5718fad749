//! The webhook inbox: stored before it is acknowledged.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Result,
    ids::{DeliveryId, IntegrationId, OrganizationId},
    queue::{JobStatus, Lease, NewJob, Queue},
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

/// A delivery as it stands in the inbox, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// Its id, and its job's.
    pub id: DeliveryId,
    /// Where it was delivered to.
    pub endpoint: EndpointKey,
    /// Whose it is, where that was known when it came.
    pub organization_id: Option<OrganizationId>,
    /// The sender's id of the delivery, where the scheme has one.
    pub dedupe_id: Option<String>,
    /// The size of what is stored, in bytes.
    pub body_bytes: u64,
    /// SHA-256 of the bytes as they came, in hexadecimal.
    pub sha256: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Where its job stands; none once the job is past its keep.
    pub status: Option<JobStatus>,
    /// Why its job failed last.
    pub last_error: Option<String>,
}

/// A request that was refused: nothing of what it carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// Who seemed to send: [`EndpointKey::source`], or `unknown`.
    pub source: String,
    /// `reject`, or `error` for a fault on our side.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// The status that it was answered with.
    pub status: u16,
    /// The size of its body in bytes, as far as it was read.
    pub body_bytes: u64,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// What an operator sees of the inbox.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// The last deliveries, the newest first: those of one organization or, without a scope, all, also
    /// those that nobody owns yet. At most 1,000.
    async fn deliveries(
        &self,
        scope: Option<TenantScope>,
        limit: u32,
    ) -> Result<Vec<DeliveryRecord>>;

    /// A stored delivery, of one organization or of anybody; none if it is not there.
    async fn stored_delivery(
        &self,
        scope: Option<TenantScope>,
        id: DeliveryId,
    ) -> Result<Option<Delivery>>;

    /// Remembers refused requests. Only the last [`REFUSED_KEPT`] are kept.
    async fn remember_refused(&self, refused: Vec<RefusedDelivery>) -> Result<()>;

    /// The last refused requests, the newest first.
    async fn refused(&self, limit: u32) -> Result<Vec<RefusedDelivery>>;
}

/// So many refused requests are remembered.
pub const REFUSED_KEPT: u32 = 500;
