//! A hotel with one WhatsApp app and two Mews integrations, whose store can be made to fail.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use secrecy::SecretString;
use stayzr_core::{
    Error, Result,
    clock::SystemClock,
    ids::{OrganizationId, PropertyId},
    port::inbox::{Acceptance, Delivery, Endpoint, EndpointAuth, EndpointKey, Endpoints, Inbox},
    queue::Lease,
    tenant::TenantScope,
    uuid::Uuid,
};
use stayzr_webhooks::receiver::{Observation, Receiver};
use tokio::sync::{Notify, Semaphore};

pub(crate) const APP_SECRET: &str = "f3c1a7e0b4d94f0d";
pub(crate) const OTHER_APP_SECRET: &str = "00b1d0c2e94a4c57";
pub(crate) const VERIFY_TOKEN: &str = "tok-9f2";
pub(crate) const TOKEN: &str = "mews-9f0c1d7e";
pub(crate) const RESEND_SECRET: &str = "whsec_BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSY=";
/// User and password of Postmark's webhooks.
pub(crate) const POSTMARK: &str = "postmark:pm-S3cr3t:with-colon";
/// An account at Stripe and Razorpay.
pub(crate) const ACCOUNT: &str = "aurora";
/// Mews with a token in the URL.
pub(crate) const INTEGRATION: &str = "0190b7c2-0000-7000-8000-000000000001";
/// Mews behind a signing relay.
pub(crate) const RELAY: &str = "0190b7c2-0000-7000-8000-000000000002";
/// Nobody's.
pub(crate) const STRANGER: &str = "0190b7c2-0000-7000-8000-000000000009";

pub(crate) struct House {
    pub(crate) scope: TenantScope,
    store: Arc<Store>,
    seen: Arc<Mutex<Vec<String>>>,
}

struct Store {
    scope: TenantScope,
    deliveries: Mutex<Vec<Delivery>>,
    store_fails: AtomicBool,
    lookup_fails: AtomicBool,
    no_secrets: AtomicBool,
    commits: Arc<Semaphore>,
    begun: Notify,
}

impl House {
    pub(crate) fn new() -> Self {
        let scope = TenantScope::property(
            OrganizationId::from(Uuid::from_u128(1)),
            PropertyId::from(Uuid::from_u128(2)),
        );
        let store = Store {
            scope,
            deliveries: Mutex::default(),
            store_fails: AtomicBool::new(false),
            lookup_fails: AtomicBool::new(false),
            no_secrets: AtomicBool::new(false),
            commits: Arc::new(Semaphore::new(1000)),
            begun: Notify::new(),
        };
        Self {
            scope,
            store: Arc::new(store),
            seen: Arc::default(),
        }
    }

    /// A receiver whose observer writes down what it sees.
    pub(crate) fn receiver(&self) -> Receiver {
        let seen = self.seen.clone();
        let observer = move |seen_now: &Observation<'_>| {
            let secret = seen_now
                .secret_index
                .map(|index| format!(" secret {index}"));
            seen.lock().unwrap().push(format!(
                "{} {} {} {}{}",
                seen_now.provider,
                seen_now.verdict.as_str(),
                seen_now.reason,
                seen_now.status.as_u16(),
                secret.unwrap_or_default(),
            ));
        };
        Receiver::new(
            self.store.clone(),
            self.store.clone(),
            Arc::new(SystemClock),
        )
        .with_observer(Arc::new(observer))
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn stored(&self) -> Vec<Delivery> {
        self.store.deliveries.lock().unwrap().clone()
    }

    pub(crate) fn store_fails(&self, fails: bool) {
        self.store.store_fails.store(fails, Ordering::SeqCst);
    }

    pub(crate) fn lookup_fails(&self) {
        self.store.lookup_fails.store(true, Ordering::SeqCst);
    }

    pub(crate) fn forget_secrets(&self) {
        self.store.no_secrets.store(true, Ordering::SeqCst);
    }

    /// Lets no commit end until a permit is added.
    pub(crate) fn hold_commits(&self) -> Arc<Semaphore> {
        self.store.commits.forget_permits(1000);
        self.store.commits.clone()
    }

    /// Waits until a commit has begun.
    pub(crate) async fn commit_begun(&self) {
        self.store.begun.notified().await;
    }
}

#[async_trait]
impl Endpoints for Store {
    async fn endpoint(&self, key: &EndpointKey) -> Result<Option<Endpoint>> {
        if self.lookup_fails.load(Ordering::SeqCst) {
            return Err(Error::unavailable("endpoints", "the database is down"));
        }
        let list = |secrets: &[&str]| {
            if self.no_secrets.load(Ordering::SeqCst) {
                return vec![SecretString::from("")];
            }
            secrets
                .iter()
                .map(|secret| SecretString::from(*secret))
                .collect()
        };
        let (scope, auth) = match key {
            EndpointKey::Whatsapp => (
                None,
                EndpointAuth::MetaHub {
                    app_secrets: list(&[APP_SECRET, OTHER_APP_SECRET]),
                    verify_token: VERIFY_TOKEN.into(),
                },
            ),
            EndpointKey::Pms {
                provider,
                integration_id,
            } if provider == "mews" => {
                let auth = match integration_id.to_string().as_str() {
                    INTEGRATION => EndpointAuth::UrlToken {
                        tokens: list(&[TOKEN]),
                    },
                    RELAY => EndpointAuth::HmacSha256 {
                        secrets: list(&[TOKEN]),
                    },
                    _ => return Ok(None),
                };
                (Some(self.scope), auth)
            }
            EndpointKey::Pms {
                provider,
                integration_id,
            } if provider == "cloudbeds" && integration_id.to_string() == INTEGRATION => {
                let secrets = list(&[TOKEN]);
                (Some(self.scope), EndpointAuth::SecretPath { secrets })
            }
            EndpointKey::Resend => {
                let secrets = list(&[RESEND_SECRET]);
                (None, EndpointAuth::StandardWebhooks { secrets })
            }
            EndpointKey::Postmark | EndpointKey::PostmarkInbound => {
                let credentials = list(&[POSTMARK]);
                (None, EndpointAuth::Postmark { credentials })
            }
            EndpointKey::Stripe { account_id } if account_id == ACCOUNT => {
                let secrets = list(&[TOKEN]);
                (Some(self.scope), EndpointAuth::Stripe { secrets })
            }
            EndpointKey::Razorpay { account_id } if account_id == ACCOUNT => {
                let secrets = list(&[TOKEN]);
                (Some(self.scope), EndpointAuth::Razorpay { secrets })
            }
            EndpointKey::Pms { .. } | EndpointKey::Stripe { .. } | EndpointKey::Razorpay { .. } => {
                return Ok(None);
            }
        };
        Ok(Some(Endpoint {
            key: key.clone(),
            scope,
            auth,
        }))
    }
}

#[async_trait]
impl Inbox for Store {
    async fn accept_delivery(&self, delivery: Delivery) -> Result<Acceptance> {
        self.begun.notify_one();
        let _permit = self.commits.acquire().await.unwrap();
        if self.store_fails.load(Ordering::SeqCst) {
            return Err(Error::unavailable("inbox.accept", "the disk is full"));
        }
        let mut deliveries = self.deliveries.lock().unwrap();
        let known = |stored: &Delivery| {
            (&stored.endpoint, &stored.dedupe_id) == (&delivery.endpoint, &delivery.dedupe_id)
        };
        if delivery.dedupe_id.is_some() && deliveries.iter().any(known) {
            return Ok(Acceptance::Duplicate);
        }
        deliveries.push(delivery);
        Ok(Acceptance::Stored)
    }

    async fn delivery(&self, lease: &Lease) -> Result<Delivery> {
        Err(Error::not_found("inbox.delivery", "not asked for here").with("job", lease.job_id))
    }
}
