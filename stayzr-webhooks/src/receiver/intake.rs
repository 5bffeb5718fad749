use std::{borrow::Cow, sync::Arc, time::Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header::CONTENT_TYPE, request::Parts};
use http_body::Body;
use http_body_util::Full;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use stayzr_core::{
    Error,
    clock::Clock,
    ids::DeliveryId,
    mask,
    port::inbox::{Acceptance, Delivery, Endpoint, EndpointAuth, EndpointKey, Endpoints, Inbox},
};

use super::{
    answer::{Answer, Refusal},
    body::Limits,
    gate::Gate,
    group::GroupCommit,
    observe::{Observation, ReceiverObserver},
};
use crate::{
    channels::{
        postmark::PostmarkCredentials,
        resend::StandardWebhooks,
        whatsapp::{MetaHandshake, MetaHub},
    },
    endpoints::{
        cloudbeds::SecretPath,
        mews::{MewsSignature, MewsUrlToken, without_tokens},
        payment,
        razorpay::RazorpaySignature,
        stripe::StripeSignature,
    },
    mac,
    request::SignedRequest,
    secrets::Secrets,
    verifier::{Accepted, Verified, Verifier},
};

/// Takes webhooks in: verified, stored, and only then acknowledged.
///
/// Cheap to clone. [`Receiver::handle`] takes one request for an endpoint that the host's routes
/// have found; as a [`tower::Service`] it reads the [`EndpointKey`] from the request's extensions
/// or else from the path, by [`super::endpoint_key`].
///
/// A hotel takes WhatsApp's webhooks on hyper:
///
/// ```no_run
/// use std::sync::Arc;
///
/// use hyper_util::{rt::{TokioExecutor, TokioIo}, server::conn::auto, service::TowerToHyperService};
/// use stayzr_core::{clock::SystemClock, port::inbox::{Endpoints, Inbox}};
/// use stayzr_webhooks::receiver::{Observation, Receiver};
///
/// # async fn example(keys: Arc<dyn Endpoints>, store: Arc<dyn Inbox>) -> std::io::Result<()> {
/// let receiver = Receiver::new(keys, store, Arc::new(SystemClock))
///     .with_observer(Arc::new(|seen: &Observation<'_>| {
///         tracing::debug!(provider = seen.provider, reason = seen.reason, "counted");
///     }));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// loop {
///     let (stream, _) = listener.accept().await?;
///     let receiver = TowerToHyperService::new(receiver.clone());
///     tokio::spawn(async move {
///         let server = auto::Builder::new(TokioExecutor::new());
///         let _ = server.serve_connection(TokioIo::new(stream), receiver).await;
///     });
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Receiver {
    endpoints: Arc<dyn Endpoints>,
    inbox: Arc<GroupCommit>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    gate: Gate,
    observer: Option<Arc<dyn ReceiverObserver>>,
}

impl Receiver {
    /// A receiver that asks `endpoints` for keys and owners and stores in `inbox`.
    pub fn new(
        endpoints: Arc<dyn Endpoints>,
        inbox: Arc<dyn Inbox>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let limits = Limits::default();
        Self {
            endpoints,
            inbox: GroupCommit::new(inbox),
            clock,
            gate: Gate::new(&limits),
            limits,
            observer: None,
        }
    }

    /// Sets how much of a request is taken, and how many at a time. Clones made before keep a place
    /// of their own.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.gate = Gate::new(&limits);
        self.limits = limits;
        self
    }

    /// Sets who learns what was decided.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn ReceiverObserver>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Takes one request for an endpoint. 200 is answered only after the delivery and its job are
    /// committed.
    pub async fn handle<B>(&self, key: EndpointKey, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body,
    {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let answer = match self.take(&key, &parts, body).await {
            Ok(answer) | Err(answer) => answer,
        };
        self.tell(Some(&key), answer, started)
    }

    /// Answers a request whose path leads to no endpoint.
    pub(super) fn nowhere(&self) -> Response<Full<Bytes>> {
        let answer = Answer::refused(Refusal::UnknownEndpoint, 0);
        self.tell(None, answer, Instant::now())
    }

    async fn take<B>(&self, key: &EndpointKey, parts: &Parts, body: B) -> Result<Answer, Answer>
    where
        B: Body,
    {
        let whatsapp = *key == EndpointKey::Whatsapp;
        let handshake = parts.method == Method::GET && whatsapp;
        if !handshake && parts.method != Method::POST {
            let allow = if whatsapp { "GET, POST" } else { "POST" };
            return Err(Answer::refused(Refusal::MethodNotAllowed { allow }, 0));
        }
        let mut place = self.gate.enter()?;
        let body = if handshake {
            Bytes::new()
        } else {
            let headers = &parts.headers;
            self.limits.read(key, headers, body, &mut place).await?
        };
        let endpoint = match self.endpoints.endpoint(key).await {
            Ok(Some(endpoint)) => endpoint,
            Ok(None) => return Err(Answer::refused(Refusal::UnknownEndpoint, body.len())),
            Err(error) => return Err(unavailable(&error, body.len())),
        };
        self.decide(endpoint, parts, &body, handshake)
            .await
            .map_err(Answer::at_known_endpoint)
    }

    async fn decide(
        &self,
        endpoint: Endpoint,
        parts: &Parts,
        body: &Bytes,
        handshake: bool,
    ) -> Result<Answer, Answer> {
        let request = SignedRequest {
            method: &parts.method,
            target: parts
                .uri
                .path_and_query()
                .map_or("/", |target| target.as_str()),
            headers: &parts.headers,
            body,
        };
        match self.verify(&endpoint.auth, &request, handshake)? {
            Accepted::Challenge(text) => Ok(Answer::challenge(text)),
            Accepted::Delivery(verified) => {
                self.store(endpoint, &parts.headers, body, verified).await
            }
        }
    }

    fn verify(
        &self,
        auth: &EndpointAuth,
        request: &SignedRequest<'_>,
        handshake: bool,
    ) -> Result<Accepted, Answer> {
        let (verifier, secrets): (&dyn Verifier, &[SecretString]) = match auth {
            EndpointAuth::MetaHub { verify_token, .. } if handshake => {
                (&MetaHandshake, std::slice::from_ref(verify_token))
            }
            EndpointAuth::MetaHub { app_secrets, .. } => (&MetaHub, app_secrets),
            EndpointAuth::UrlToken { tokens } => (&MewsUrlToken, tokens),
            EndpointAuth::SecretPath { secrets } => (&SecretPath, secrets),
            EndpointAuth::HmacSha256 { secrets } => (&MewsSignature, secrets),
            EndpointAuth::StandardWebhooks { secrets } => (&StandardWebhooks, secrets),
            EndpointAuth::Postmark { credentials } => (&PostmarkCredentials, credentials),
            EndpointAuth::Stripe { secrets } => (&StripeSignature, secrets),
            EndpointAuth::Razorpay { secrets } => (&RazorpaySignature, secrets),
        };
        let secrets = Secrets::new(secrets).map_err(|error| {
            tracing::error!(%error, "a webhook endpoint has no usable secret");
            Answer::refused(Refusal::Misconfigured, request.body.len())
        })?;
        verifier
            .verify(request, secrets, self.clock.now())
            .map_err(|rejection| Answer::rejected(rejection, request.body.len()))
    }

    async fn store(
        &self,
        endpoint: Endpoint,
        headers: &HeaderMap,
        body: &Bytes,
        verified: Verified,
    ) -> Result<Answer, Answer> {
        let kept = match &endpoint.key {
            EndpointKey::Pms { provider, .. } if provider == "mews" => without_tokens(body),
            EndpointKey::Stripe { .. } | EndpointKey::Razorpay { .. } => {
                Cow::Owned(payment::recordable(body))
            }
            _ => Cow::Borrowed(&body[..]),
        };
        let delivery = Delivery {
            id: DeliveryId::generate(&*self.clock),
            endpoint: endpoint.key,
            scope: endpoint.scope,
            dedupe_id: verified.dedupe_id,
            content_type: text(headers, CONTENT_TYPE.as_str()),
            body: mask::mask_cards(&kept).into_owned(),
            sha256: mac::hex(&Sha256::digest(body)),
            received_at: self.clock.now(),
            traceparent: text(headers, "traceparent").filter(|trace| is_traceparent(trace)),
        };
        let reason = match self.inbox.accept(delivery).await {
            Ok(Acceptance::Stored) => "ok",
            Ok(Acceptance::Duplicate) => "duplicate",
            Err(error) => return Err(unavailable(&error, body.len())),
        };
        Ok(Answer::taken(reason, verified.secret_index, body.len()))
    }

    fn tell(
        &self,
        key: Option<&EndpointKey>,
        answer: Answer,
        started: Instant,
    ) -> Response<Full<Bytes>> {
        let observation = Observation {
            endpoint: key,
            provider: match key {
                Some(EndpointKey::Whatsapp) => "whatsapp",
                Some(key) if answer.endpoint_exists => key.source(),
                _ => "unknown",
            },
            verdict: answer.verdict,
            reason: answer.reason,
            status: answer.status,
            secret_index: answer.secret_index,
            body_bytes: answer.body_bytes,
            elapsed: started.elapsed(),
        };
        tracing::info!(
            provider = observation.provider,
            verdict = observation.verdict.as_str(),
            reason = observation.reason,
            status = observation.status.as_u16(),
            secret_index = observation.secret_index,
            body_bytes = observation.body_bytes,
            "webhook"
        );
        if let Some(observer) = &self.observer {
            observer.observe(&observation);
        }
        answer.into_response()
    }
}

fn unavailable(error: &Error, body_bytes: usize) -> Answer {
    tracing::error!(%error, "a webhook could not be stored; its sender will try again");
    Answer::refused(Refusal::StoreUnavailable, body_bytes)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Whether a value has the form of W3C trace context: `00-<32 hex>-<16 hex>-<2 hex>`.
fn is_traceparent(value: &str) -> bool {
    let parts: Vec<_> = value.split('-').collect();
    let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    matches!(parts[..], [version, trace, span, flags]
        if [version.len(), trace.len(), span.len(), flags.len()] == [2, 32, 16, 2])
        && parts.iter().all(|part| hex(part))
}
