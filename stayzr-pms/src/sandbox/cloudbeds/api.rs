use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::{HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use stayzr_core::clock::Clock;

use super::{
    super::{
        fault::{Fault, FaultKind, FaultPlan},
        server::{Asked, Handler, Reply},
    },
    CloudbedsOptions, control,
    delivery::Deliveries,
    form::Form,
    oauth::{self, Application},
    read::{Answer, READS, read},
    state::{Hotel, Moment},
    write::{WRITES, write},
};

/// What every call's path starts with.
const ROOT: &str = "/api/v1.3/";

/// What changes while the sandbox runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) hotel: Hotel,
    pub(super) faults: FaultPlan,
    calls: VecDeque<DateTime<Utc>>,
}

/// The simulated vendor.
pub(super) struct Vendor {
    running: Mutex<Running>,
    pub(super) deliveries: Deliveries,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) webhook_delay: Option<Duration>,
    pub(super) webhook_retry: Duration,
    /// Where it is, once it listens.
    pub(super) base_url: OnceLock<String>,
    application: Application,
    api_key: SecretString,
    limit: usize,
    window: Duration,
    hang: Duration,
    state_file: Option<PathBuf>,
}

impl Vendor {
    pub(super) fn new(
        mut hotel: Hotel,
        options: &CloudbedsOptions,
        deliveries: Deliveries,
    ) -> Self {
        if hotel.tokens.refresh.is_empty() {
            options
                .refresh_token
                .expose_secret()
                .clone_into(&mut hotel.tokens.refresh);
        }
        Self {
            running: Mutex::new(Running {
                hotel,
                faults: FaultPlan::default(),
                calls: VecDeque::new(),
            }),
            deliveries,
            clock: Arc::clone(&options.clock),
            webhook_delay: options.webhook_delay,
            webhook_retry: options.webhook_retry,
            base_url: OnceLock::new(),
            application: Application {
                client_id: options.client_id.clone(),
                client_secret: options.client_secret.clone(),
                token_life: options.token_life,
            },
            api_key: options.api_key.clone(),
            limit: options.limit,
            window: options.limit_window,
            hang: options.hang,
            state_file: options.state_file.clone(),
        }
    }

    pub(super) fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the hotel, where a file was named. A change is on disk before it is answered.
    pub(super) fn keep(&self, hotel: &Hotel) {
        if let Some(path) = &self.state_file
            && let Err(error) = hotel.save(path)
        {
            tracing::warn!(%error, "the sandbox cannot keep its state");
        }
    }

    pub(super) fn moment(&self) -> Moment {
        let at = self.clock.now();
        let delay = self.webhook_delay.unwrap_or(Duration::ZERO);
        Moment {
            at,
            due: at + delay,
        }
    }

    fn call(&self, method: &str, asked: &Asked) -> Reply {
        let mut running = self.running();
        let Some(http_method) = http_method(method) else {
            return self.dated(Reply::json(
                404,
                &json!({"error": "not_found", "message": "No such route"}),
            ));
        };
        if asked.method.as_str() != http_method {
            return self.refuse(405, "Method not allowed");
        }
        let form = match http_method {
            "GET" | "DELETE" => Form::parse(&asked.query),
            _ if !is_form(asked) => return self.refuse(200, "The body must be form encoded"),
            _ => Form::parse(&String::from_utf8_lossy(&asked.body)),
        };
        if method != "access_token"
            && let Err(reply) = self.let_in(&running, asked, &form)
        {
            return reply;
        }
        if !self.within_limit(&mut running) {
            return self.refuse(200, "Too many requests: the rate limit is exceeded");
        }
        *running
            .hotel
            .tally
            .calls
            .entry(method.to_owned())
            .or_default() += 1;
        let fault = running.faults.take(method, READS.contains(&method));
        if let Some((kind, fault)) = &fault
            && let Some(reply) = self.before_effect(*kind, fault)
        {
            return reply;
        }
        let kind = fault.map(|(kind, _)| kind);
        let (status, result) = self.perform(&mut running, method, &form, kind);
        let reply = match result {
            Ok(answer) => self.dated(Reply::json(status, &answer)),
            Err(refusal) => self.refuse(200, &refusal.0),
        };
        reply.bent(kind, self.hang)
    }

    fn perform(
        &self,
        running: &mut Running,
        method: &str,
        form: &Form,
        fault: Option<FaultKind>,
    ) -> (u16, Answer) {
        let moment = self.moment();
        match method {
            "access_token" => {
                let hotel = &mut running.hotel;
                let (status, answer) = oauth::grant(hotel, &self.application, form, moment.at);
                self.keep(hotel);
                (status, Ok(answer))
            }
            "oauth/metadata" => {
                let url = self.base_url.get().cloned().unwrap_or_default();
                // The flag is a text here.
                let answer = json!({"success": "true", "data": {"api": {"url": url}}});
                (200, Ok(answer))
            }
            _ if READS.contains(&method) => {
                let stale = fault == Some(FaultKind::StaleRead);
                (200, read(&running.hotel, method, form, stale, moment.at))
            }
            _ => {
                let answer = write(&mut running.hotel, method, form, moment);
                if answer.is_ok() {
                    self.keep(&running.hotel);
                }
                (200, answer)
            }
        }
    }

    fn before_effect(&self, kind: FaultKind, fault: &Fault) -> Option<Reply> {
        match kind {
            FaultKind::Error(401) => {
                Some(self.stranger("The access token is invalid or has expired."))
            }
            FaultKind::Error(status) => Some(self.refuse(status, "An error was asked for.")),
            // Cloudbeds documents no status of its own for this; something in front of it may have one.
            FaultKind::RateLimit => Some(match &fault.retry_after {
                Some(wait) => with_retry_after(self.refuse(429, "Too many requests"), wait),
                None => self.refuse(200, "Too many requests: the rate limit is exceeded"),
            }),
            FaultKind::CutBefore => Some(Reply::Cut),
            FaultKind::Html => Some(page()),
            FaultKind::ExpiredToken => {
                Some(self.stranger("The access token is invalid or has expired."))
            }
            FaultKind::StaleRead
            | FaultKind::Cut
            | FaultKind::Timeout
            | FaultKind::Malformed
            | FaultKind::Half
            | FaultKind::Slow(_)
            | FaultKind::Events(_) => None,
        }
    }

    /// Lets in who has the key or a good token, and asks about this property.
    fn let_in(&self, running: &Running, asked: &Asked, form: &Form) -> Result<(), Reply> {
        let header = |name: &str| {
            let mut values = asked.headers.get_all(name).iter();
            let first = values.next()?.to_str().ok()?;
            values.next().is_none().then_some(first)
        };
        let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let token = header("x-api-key").or(bearer).unwrap_or_default();
        let hotel = &running.hotel;
        let known = token == self.api_key.expose_secret()
            || (bearer.is_some() && oauth::is_good(hotel, token, self.clock.now()));
        if !known {
            return Err(
                self.stranger("The resource owner or authorization server denied the request.")
            );
        }
        let named = [
            header("x-property-id"),
            form.text("propertyID"),
            form.text("propertyIDs"),
        ];
        let mut named = named.into_iter().flatten().flat_map(|ids| ids.split(','));
        if named.any(|id| id != hotel.property_id) {
            return Err(self.refuse(200, "You don't have access to this property"));
        }
        Ok(())
    }

    /// Counts a call; a sliding window.
    fn within_limit(&self, running: &mut Running) -> bool {
        let now = self.clock.now();
        let window = chrono::TimeDelta::from_std(self.window).unwrap_or_default();
        while running.calls.front().is_some_and(|at| *at + window <= now) {
            running.calls.pop_front();
        }
        if running.calls.len() >= self.limit {
            running.hotel.tally.refused_by_limit += 1;
            return false;
        }
        running.calls.push_back(now);
        let tally = &mut running.hotel.tally;
        tally.most_in_window = tally.most_in_window.max(running.calls.len());
        true
    }

    fn stranger(&self, message: &str) -> Reply {
        let body = json!({"error": "access_denied", "error_description": message});
        self.dated(Reply::json(401, &body))
    }

    fn refuse(&self, status: u16, message: &str) -> Reply {
        self.dated(Reply::json(
            status,
            &json!({"success": false, "message": message}),
        ))
    }

    /// The vendor's clock, which an answer carries.
    fn dated(&self, mut reply: Reply) -> Reply {
        let now = self.clock.now();
        let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let (Reply::Answer { headers, .. }, Ok(date)) =
            (&mut reply, HeaderValue::from_str(&date))
        {
            headers.insert(header::DATE, date);
        }
        reply
    }
}

/// The method of HTTP that a call is made with; none if there is no such call.
fn http_method(method: &str) -> Option<&'static str> {
    match method {
        "access_token" => Some("POST"),
        "oauth/metadata" => Some("GET"),
        _ if READS.contains(&method) => Some("GET"),
        _ => WRITES
            .iter()
            .find(|(name, _)| *name == method)
            .map(|(_, http_method)| *http_method),
    }
}

fn is_form(asked: &Asked) -> bool {
    let kind = asked.headers.get(header::CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

fn with_retry_after(mut reply: Reply, wait: &str) -> Reply {
    if let (Reply::Answer { headers, .. }, Ok(wait)) = (&mut reply, HeaderValue::from_str(wait)) {
        headers.insert(header::RETRY_AFTER, wait);
    }
    reply
}

fn page() -> Reply {
    typed(
        "text/html",
        b"<!doctype html><title>Welcome</title>".to_vec(),
    )
}

fn typed(kind: &'static str, body: Vec<u8>) -> Reply {
    Reply::Answer {
        status: 200,
        headers: http::HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            HeaderValue::from_static(kind),
        )]),
        body,
    }
}

#[async_trait]
impl Handler for Vendor {
    async fn handle(&self, asked: Asked) -> Reply {
        if let Some(path) = asked.path.strip_prefix("/_sandbox/") {
            return control::handle(self, path, &asked).await;
        }
        let method = asked.path.strip_prefix(ROOT).unwrap_or_default();
        self.call(method, &asked)
    }
}
