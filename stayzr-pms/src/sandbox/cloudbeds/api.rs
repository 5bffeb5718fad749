use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::header;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use stayzr_core::clock::Clock;

use super::{
    super::{
        deliver::Deliveries,
        fault::{Fault, FaultKind, FaultPlan},
        file,
        server::{Asked, Handler, Reply},
        window::Window,
    },
    CloudbedsOptions, control,
    form::Form,
    oauth::{self, Application},
    read::{Answer, READS, read},
    state::{Hotel, Moment},
    write::{WRITES, write},
};

/// What every call's path starts with.
const ROOT: &str = "/api/v1.3/";

/// How it says that the limit is reached.
const BUSY: &str = "Too many requests: the rate limit is exceeded";

/// What changes while the sandbox runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) hotel: Hotel,
    pub(super) faults: FaultPlan,
    pub(super) window: Window,
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
                window: Window::new(options.limit, options.limit_window),
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
            hang: options.hang,
            state_file: options.state_file.clone(),
        }
    }

    pub(super) fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the hotel, where a file was named. A change is on disk before it is answered.
    pub(super) fn keep(&self, hotel: &Hotel) {
        file::keep(hotel, self.state_file.as_deref());
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
        if !running.window.admit(self.clock.now()) {
            return self.refuse(200, BUSY);
        }
        *running
            .hotel
            .tally
            .calls
            .entry(method.to_owned())
            .or_default() += 1;
        let fault = running.faults.take(method, READS.contains(&method));
        if let Some((kind, fault)) = &fault
            && let Some(reply) = self.instead(&mut running.hotel, *kind, fault)
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

    /// What is answered in place of an effect.
    fn instead(&self, hotel: &mut Hotel, kind: FaultKind, fault: &Fault) -> Option<Reply> {
        if kind == FaultKind::ExpiredToken {
            hotel.tokens.access = None;
        }
        kind.instead(fault, |status| match status {
            401 => self.stranger("The access token is invalid or has expired."),
            // Cloudbeds documents no status of its own for this; something in front of it may have one.
            429 if kind == FaultKind::RateLimit && fault.retry_after.is_none() => {
                self.refuse(200, BUSY)
            }
            429 => self.refuse(429, "Too many requests"),
            _ => self.refuse(status, "An error was asked for."),
        })
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

    fn dated(&self, reply: Reply) -> Reply {
        reply.dated(self.clock.now())
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
