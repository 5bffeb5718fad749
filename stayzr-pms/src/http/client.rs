use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use stayzr_core::{
    Error, ErrorKind, Result,
    limit::{LONGEST_HOLD, Limiter},
    retry::{RetryPolicy, parse_retry_after},
};

use crate::config::ProviderConfig;

use super::{
    CallBody, Complaint, Dialect, Effect, VendorAnswer, VendorAuth, VendorCall, call::date_header,
};

/// The one way to a vendor.
///
/// Tried again are reads that met 429, a 5xx, a lost connection or an answer that is no JSON, and
/// writes that certainly did not happen: no connection, 429. A write that may have happened, be it
/// that the answer was lost or that it was any 5xx, ends as [`ErrorKind::Ambiguous`]: whoever asked
/// for it looks before it is sent again. A call that took too long is not tried again here, since
/// what helps is to ask for less.
#[derive(Clone)]
pub struct VendorHttp {
    client: reqwest::Client,
    limiter: Arc<dyn Limiter>,
    retry: RetryPolicy,
    timeout: Duration,
    max_body: usize,
}

impl fmt::Debug for VendorHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorHttp")
            .field("retry", &self.retry)
            .field("timeout", &self.timeout)
            .field("max_body", &self.max_body)
            .finish_non_exhaustive()
    }
}

impl VendorHttp {
    /// Calls through `client` under `limiter`: three retries, 30 s for a call, bodies of at most
    /// 32 MiB.
    pub fn new(client: reqwest::Client, limiter: Arc<dyn Limiter>) -> Self {
        Self {
            client,
            limiter,
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(30),
            max_body: 32 * 1024 * 1024,
        }
    }

    /// Calls as configured, through the default client.
    pub fn from_config(config: &ProviderConfig, limiter: Arc<dyn Limiter>) -> Result<Self> {
        let connect = Duration::from_secs(config.timeouts.connect_seconds);
        Ok(Self::new(super::default_client(connect)?, limiter)
            .with_retry(config.retry_policy())
            .with_timeout(Duration::from_secs(config.timeouts.call_seconds))
            .with_max_body(config.max_body_bytes))
    }

    /// The same with this policy of retries.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The same with this much time for a call, its body included.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same with bodies of at most this many bytes.
    #[must_use]
    pub fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sends a call, as often as the policy allows.
    pub async fn send(
        &self,
        call: &VendorCall,
        auth: &dyn VendorAuth,
        dialect: &Dialect,
    ) -> Result<VendorAnswer> {
        let mut attempt = 1;
        let mut renewed = false;
        loop {
            let error = match self.attempt(call, auth, dialect, attempt).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.kind() == ErrorKind::Unauthorized && !renewed {
                renewed = true;
                if auth.renew().await? {
                    continue;
                }
            }
            if error.kind() == ErrorKind::Timeout {
                return Err(error);
            }
            let wait = self.retry.next(attempt, &error, &mut rand::rng());
            let Some(wait) = wait else {
                return Err(error.with("attempts", attempt));
            };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        call: &VendorCall,
        auth: &dyn VendorAuth,
        dialect: &Dialect,
        attempt: u32,
    ) -> Result<VendorAnswer> {
        // Credentials may take a call of their own; what the limit lets through is sent at once.
        let request = self.request(call, auth).await?;
        self.limiter
            .acquire(auth.limit_key(), call.priority)
            .await?;
        let started = Instant::now();
        let received = self.receive(request, call).await;
        let took = started.elapsed();
        tracing::debug!(
            vendor = dialect.name,
            operation = %call.operation,
            attempt,
            status = received.as_ref().map_or(0, |(status, ..)| status.as_u16()),
            elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "vendor call"
        );
        let (status, headers, body) = received?;
        let exchange = Exchange {
            call,
            auth,
            dialect,
            status,
            headers: &headers,
        };
        match exchange.read(&body) {
            Ok(body) => Ok(VendorAnswer::new(status, headers, body, took)),
            Err(error) => {
                if asks_for_silence(&error) {
                    self.be_silent(auth, attempt, &error).await;
                }
                Err(error)
            }
        }
    }

    /// Holds back everybody who shares the credentials: as long as the vendor asks for, or where it
    /// names no time, as long as we would wait ourselves.
    async fn be_silent(&self, auth: &dyn VendorAuth, attempt: u32, refusal: &Error) {
        let wait = refusal
            .retry_after()
            .unwrap_or_else(|| self.retry.backoff.ceiling(attempt));
        // Where it cannot be noted no call is let through either, and the limiter has said why.
        if let Err(error) = self.limiter.hold(auth.limit_key(), wait).await {
            tracing::debug!(%error, "a vendor's silence could not be noted");
        }
    }

    async fn request(
        &self,
        call: &VendorCall,
        auth: &dyn VendorAuth,
    ) -> Result<reqwest::RequestBuilder> {
        let mut call = call.clone();
        auth.authorize(&mut call).await?;
        let request = self
            .client
            .request(call.method, call.url)
            .timeout(self.timeout)
            .header(header::ACCEPT, "application/json")
            .headers(call.headers)
            .query(&call.query);
        Ok(match call.body {
            CallBody::Empty => request,
            CallBody::Json(body) => request.json(&body),
            CallBody::Form(fields) => request.form(&fields),
        })
    }

    async fn receive(
        &self,
        request: reqwest::RequestBuilder,
        call: &VendorCall,
    ) -> Result<(StatusCode, HeaderMap, Bytes)> {
        let mut response = request
            .send()
            .await
            .map_err(|error| transport(call, error))?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| transport(call, error))?
        {
            if body.len() + chunk.len() > self.max_body {
                let error = Error::corrupt(call.operation.clone(), "the answer is too large")
                    .with("limit_bytes", self.max_body);
                return Err(after_arrival(call.effect, error));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((
            response.status(),
            std::mem::take(response.headers_mut()),
            body.freeze(),
        ))
    }
}

/// A failure below HTTP. Its text never holds the URL, whose query may hold a secret.
fn transport(call: &VendorCall, error: reqwest::Error) -> Error {
    let operation = call.operation.clone();
    let error = error.without_url();
    if error.is_builder() {
        return Error::invalid(operation, "the address cannot be called: check base_url")
            .with_source(error);
    }
    if error.is_connect() {
        return Error::unavailable(
            operation,
            "no connection to the vendor: check base_url and the network",
        )
        .with_source(error);
    }
    let lost = if error.is_timeout() {
        Error::new(
            ErrorKind::Timeout,
            operation,
            "the vendor did not answer in time",
        )
    } else {
        Error::unavailable(operation, "the connection was lost")
    };
    after_arrival(call.effect, lost.with_source(error))
}

/// What an error means once the call may have arrived.
fn after_arrival(effect: Effect, error: Error) -> Error {
    let certain = !matches!(
        error.kind(),
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Corrupt
    );
    if effect == Effect::Read || certain {
        return error;
    }
    let operation = error.operation().to_owned();
    let message = format!("it may have happened at the vendor: {}", error.message());
    Error::new(ErrorKind::Ambiguous, operation, message).with_source(error)
}

/// Whether everybody is to wait: the limit is reached, or the vendor named a time to a write that is
/// not tried again here and so cannot wait for it itself.
fn asks_for_silence(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::RateLimited => true,
        ErrorKind::Ambiguous => error.retry_after().is_some(),
        _ => false,
    }
}

/// One answer and what it answers.
struct Exchange<'a> {
    call: &'a VendorCall,
    auth: &'a dyn VendorAuth,
    dialect: &'a Dialect,
    status: StatusCode,
    headers: &'a HeaderMap,
}

impl Exchange<'_> {
    fn read(&self, body: &[u8]) -> Result<Value> {
        let parsed = if body.is_empty() {
            Ok(Value::Null)
        } else {
            serde_json::from_slice::<Value>(body)
        };
        let complaint = parsed
            .as_ref()
            .ok()
            .and_then(|value| (self.dialect.complaint)(self.status, value));
        if complaint.is_some() || !self.status.is_success() {
            return Err(self.refused(complaint.unwrap_or_default()));
        }
        match parsed {
            Ok(value) => Ok(value),
            Err(_) if self.is_page(body) => Err(self.error(
                ErrorKind::Invalid,
                "the answer is a web page, not JSON: base_url is not the address of the vendor's API",
            )),
            // A cut or garbled answer is worth another try.
            Err(error) => Err(after_arrival(
                self.call.effect,
                self.error(ErrorKind::Unavailable, "the answer is not valid JSON")
                    .with_source(error),
            )),
        }
    }

    fn refused(&self, complaint: Complaint) -> Error {
        let (kind, advice) = self
            .dialect
            .classify(self.status, complaint.code.as_deref());
        let mut error = self.error(kind, advice);
        for (key, value) in [
            ("code", complaint.code),
            ("vendor_says", complaint.message),
            ("vendor_request_id", complaint.request_id),
        ] {
            if let Some(value) = value {
                error = error.with(key, self.auth.redact(&value));
            }
        }
        // Even 503 may be said by a gateway behind which the write went on.
        error = after_arrival(self.call.effect, error);
        match self.retry_after() {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }

    fn error(&self, kind: ErrorKind, message: &'static str) -> Error {
        Error::new(kind, self.call.operation.clone(), message).with("status", self.status.as_u16())
    }

    fn retry_after(&self) -> Option<Duration> {
        let header = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        let now = date_header(self.headers).unwrap_or_else(Utc::now);
        // A year is a vendor's mistake: ask again before that.
        parse_retry_after(header, now).map(|wait| wait.min(LONGEST_HOLD))
    }

    fn is_page(&self, body: &[u8]) -> bool {
        let html = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("html"));
        html || body.trim_ascii_start().starts_with(b"<")
    }
}
