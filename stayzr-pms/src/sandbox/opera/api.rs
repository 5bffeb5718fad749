use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, Method, header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{
    super::{
        fault::{Fault, FaultKind, FaultPlan},
        server::{Asked, Handler, Reply},
    },
    OperaOptions, control,
    read::{Query, Reader},
    state::Hotel,
    write::{Done, Writer},
};

/// What a read answers: a body, or nothing.
pub(super) type Answer = Result<Option<Value>, Refusal>;

/// Why a call is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    title: String,
}

impl Refusal {
    pub(super) fn invalid(title: String) -> Self {
        Self { status: 400, title }
    }

    pub(super) fn missing() -> Self {
        let title = "Resource not found".to_owned();
        Self { status: 404, title }
    }
}

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
    pub(super) options: OperaOptions,
    state_file: Option<PathBuf>,
}

/// Operations by method and path, in which `*` stands for any part.
const OPERATIONS: [(&str, &str, &str); 17] = [
    ("getHotels", "GET", "ent/config/v1/hotels"),
    ("getHotel", "GET", "ent/config/v1/hotels/*"),
    ("getRoomTypes", "GET", "rm/config/v1/hotels/*/roomTypes"),
    ("getRooms", "GET", "rm/config/v1/hotels/*/rooms"),
    (
        "getHousekeepingOverview",
        "GET",
        "hsk/v1/hotels/*/housekeepingOverview",
    ),
    (
        "putRoomRelatedStatus",
        "PUT",
        "hsk/v1/hotels/*/rooms/status",
    ),
    ("getProfiles", "GET", "crm/v1/profiles"),
    ("getProfilesByIds", "GET", "crm/v1/profilesByIds"),
    ("getProfile", "GET", "crm/v1/profiles/*"),
    ("postProfile", "POST", "crm/v1/profiles"),
    ("putProfile", "PUT", "crm/v1/profiles/*"),
    (
        "getHotelReservations",
        "GET",
        "rsv/v1/hotels/*/reservations",
    ),
    ("getReservation", "GET", "rsv/v1/hotels/*/reservations/*"),
    ("putReservation", "PUT", "rsv/v1/hotels/*/reservations/*"),
    (
        "postRoomAssignment",
        "POST",
        "fof/v1/hotels/*/reservations/*/roomAssignments",
    ),
    (
        "getBusinessEvents",
        "GET",
        "int/v1/externalSystem/*/hotels/*/businessEvents",
    ),
    ("getToken", "POST", "oauth/v1/tokens"),
];

impl Vendor {
    pub(super) fn new(hotel: Hotel, options: OperaOptions) -> Self {
        Self {
            running: Mutex::new(Running {
                hotel,
                faults: FaultPlan::default(),
                calls: VecDeque::new(),
            }),
            state_file: options.state_file.clone(),
            options,
        }
    }

    pub(super) fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.options.clock.now()
    }

    /// Keeps the hotel, where a file was named. A change is on disk before it is answered.
    pub(super) fn keep(&self, hotel: &Hotel) {
        if let Some(path) = &self.state_file
            && let Err(error) = hotel.save(path)
        {
            tracing::warn!(%error, "the sandbox cannot keep its state");
        }
    }

    fn call(&self, asked: &Asked) -> Reply {
        let path = asked.path.trim_matches('/');
        let Some((operation, parts)) = route(&asked.method, path) else {
            return self.refuse(&Refusal::missing());
        };
        let mut running = self.running();
        if operation != "getToken"
            && let Err(reply) = self.let_in(&running.hotel, asked, operation, &parts)
        {
            return reply;
        }
        if !self.within_limit(&mut running) {
            return self.bare(429);
        }
        let calls = &mut running.hotel.tally.calls;
        *calls.entry(operation.to_owned()).or_default() += 1;
        let reads = asked.method == Method::GET && operation != "getBusinessEvents";
        let fault = running.faults.take(operation, reads);
        if let Some((kind, fault)) = &fault
            && let Some(reply) = self.before_effect(*kind, fault)
        {
            return reply;
        }
        let kind = fault.map(|(kind, _)| kind);
        let stale = kind == Some(FaultKind::StaleRead);
        let reply = self.perform(&mut running.hotel, operation, &parts, asked, stale);
        match kind {
            Some(FaultKind::Cut) => Reply::Cut,
            Some(FaultKind::Timeout) => Reply::Hang(self.options.hang),
            Some(FaultKind::Malformed) => halved(reply),
            _ => reply,
        }
    }

    fn perform(
        &self,
        hotel: &mut Hotel,
        operation: &str,
        parts: &[String],
        asked: &Asked,
        stale: bool,
    ) -> Reply {
        let query = Query::parse(&asked.query);
        let last = parts.last().map(String::as_str).unwrap_or_default();
        if operation == "getToken" {
            return self.grant(hotel, asked);
        }
        if operation == "getBusinessEvents" {
            let taken = hotel.take_events(query.number("limit"));
            self.keep(hotel);
            return self.read(Ok(taken));
        }
        if asked.method != Method::GET {
            let Ok(body) = serde_json::from_slice::<Value>(&asked.body) else {
                return self.refuse(&Refusal::invalid("The body is no JSON".to_owned()));
            };
            let system = asked.headers.get("x-externalsystem");
            let system = system.and_then(|system| system.to_str().ok());
            let writer = Writer {
                now: self.now(),
                is_own: system == Some(self.options.external_system.as_str()),
            };
            let done = match operation {
                "putRoomRelatedStatus" => writer.room_status(hotel, &body),
                "postProfile" => writer.post_profile(hotel, &body),
                "putProfile" => writer.put_profile(hotel, last, &body),
                "putReservation" => writer.put_reservation(hotel, last, &body),
                _ => writer.assign_room(hotel, last, &body),
            };
            self.keep(hotel);
            return self.written(done);
        }
        let reader = Reader {
            hotel,
            query: &query,
            stale,
            now: self.now(),
            largest: self.options.largest_page,
        };
        self.read(match operation {
            "getHotels" => reader.hotels(),
            "getHotel" => Ok(Some(json!({"hotelConfigInfo": hotel.config}))),
            "getRoomTypes" => reader.room_types(),
            "getRooms" => reader.rooms(),
            "getHousekeepingOverview" => reader.board(),
            "getProfiles" => reader.profiles(),
            "getProfilesByIds" => reader.profiles_by_ids(),
            "getProfile" => reader.profile(last),
            "getHotelReservations" => reader.reservations(),
            _ => reader.reservation(last),
        })
    }

    /// Gives a token for either grant.
    fn grant(&self, hotel: &mut Hotel, asked: &Asked) -> Reply {
        let options = &self.options;
        let header = |name: &str| {
            asked
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let pair = format!(
            "{}:{}",
            options.client_id,
            options.client_secret.expose_secret()
        );
        let basic = format!("Basic {}", STANDARD.encode(pair));
        if header("authorization") != Some(basic.as_str())
            || header("x-app-key") != Some(options.app_key.expose_secret())
        {
            return self.bare(401);
        }
        let form = Query::parse(&String::from_utf8_lossy(&asked.body));
        let good = match form.one("grant_type") {
            Some("password") => {
                form.one("username") == Some(options.username.as_str())
                    && form.one("password") == Some(options.password.expose_secret())
            }
            Some("client_credentials") => {
                form.one("scope")
                    .is_some_and(|scope| scope.starts_with("urn:opc:"))
                    && header("enterpriseid") == Some(options.enterprise_id.as_str())
            }
            _ => {
                return self.dated(Reply::json(
                    400,
                    &json!({"error": "unsupported_grant_type"}),
                ));
            }
        };
        if !good {
            let body = json!({"error": "invalid_grant", "error_description": "Refused"});
            return self.dated(Reply::json(402, &body));
        }
        let token = format!("sandbox-token-{}", hotel.number());
        let life = TimeDelta::from_std(options.token_life).unwrap_or_default();
        hotel.token = Some((token.clone(), self.now() + life));
        self.keep(hotel);
        self.dated(Reply::json(
            200,
            &json!({"access_token": token, "expires_in": life.num_seconds(),
                "token_type": "Bearer", "oracle_tk_context": "user_assertion"}),
        ))
    }

    /// Lets in who has a good token and the application's key, and asks about this hotel.
    fn let_in(
        &self,
        hotel: &Hotel,
        asked: &Asked,
        operation: &str,
        parts: &[String],
    ) -> Result<(), Reply> {
        let header = |name: &str| {
            asked
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let bearer = header("authorization").and_then(|text| text.strip_prefix("Bearer "));
        let good = hotel
            .token
            .as_ref()
            .is_some_and(|(token, until)| bearer == Some(token.as_str()) && self.now() < *until);
        if !good || header("x-app-key") != Some(self.options.app_key.expose_secret()) {
            return Err(self.bare(401));
        }
        let forbidden = || {
            let title = "Unauthorized to access the resource".to_owned();
            self.refuse(&Refusal { status: 403, title })
        };
        // Which part of the path names the hotel: the first, or with events the second.
        let in_path = match operation {
            "getBusinessEvents" => {
                if parts.first() != Some(&self.options.external_system) {
                    return Err(forbidden());
                }
                parts.get(1)
            }
            _ if asked.path.starts_with("/crm/") => None,
            _ => parts.first(),
        };
        let named = header("x-hotelid") == Some(hotel.hotel_id.as_str());
        if !named || in_path.is_some_and(|id| *id != hotel.hotel_id) {
            return Err(forbidden());
        }
        Ok(())
    }

    /// Counts a call; a sliding window.
    fn within_limit(&self, running: &mut Running) -> bool {
        let now = self.now();
        let window = TimeDelta::from_std(self.options.limit_window).unwrap_or_default();
        while running.calls.front().is_some_and(|at| *at + window <= now) {
            running.calls.pop_front();
        }
        if running.calls.len() >= self.options.limit {
            running.hotel.tally.refused_by_limit += 1;
            return false;
        }
        running.calls.push_back(now);
        let tally = &mut running.hotel.tally;
        tally.most_in_window = tally.most_in_window.max(running.calls.len());
        true
    }

    fn before_effect(&self, kind: FaultKind, fault: &Fault) -> Option<Reply> {
        match kind {
            // The gateway says these without a body.
            FaultKind::Error(status @ (401 | 502 | 503)) => Some(self.bare(status)),
            FaultKind::Error(status) => {
                let title = "An error was asked for".to_owned();
                Some(self.refuse(&Refusal { status, title }))
            }
            FaultKind::RateLimit => {
                let reply = self.bare(429);
                let wait = fault.retry_after.as_deref();
                Some(
                    match wait.and_then(|wait| HeaderValue::from_str(wait).ok()) {
                        Some(wait) => with_header(reply, header::RETRY_AFTER, wait),
                        None => reply,
                    },
                )
            }
            FaultKind::CutBefore => Some(Reply::Cut),
            FaultKind::Html => Some(Reply::Answer {
                status: 200,
                headers: http::HeaderMap::from_iter([(
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("text/html"),
                )]),
                body: b"<!doctype html><title>Welcome</title>".to_vec(),
            }),
            FaultKind::StaleRead | FaultKind::Cut | FaultKind::Timeout | FaultKind::Malformed => {
                None
            }
        }
    }

    fn read(&self, answer: Answer) -> Reply {
        match answer {
            Ok(Some(body)) => self.dated(Reply::json(200, &body)),
            Ok(None) => self.bare(204),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn written(&self, done: Done) -> Reply {
        match done {
            Ok((body, None)) => self.dated(Reply::json(200, &body)),
            Ok((body, Some(at))) => {
                let reply = self.dated(Reply::json(201, &body));
                match HeaderValue::from_str(&at) {
                    Ok(at) => with_header(reply, header::LOCATION, at),
                    Err(_) => reply,
                }
            }
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        let body = json!({"type": "about:blank", "title": refusal.title,
            "status": refusal.status, "o:errorCode": "SANDBOX"});
        self.dated(Reply::json(refusal.status, &body))
    }

    fn bare(&self, status: u16) -> Reply {
        self.dated(Reply::Answer {
            status,
            headers: http::HeaderMap::new(),
            body: Vec::new(),
        })
    }

    /// The vendor's clock, which an answer carries.
    fn dated(&self, reply: Reply) -> Reply {
        let date = self.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        match HeaderValue::from_str(&date) {
            Ok(date) => with_header(reply, header::DATE, date),
            Err(_) => reply,
        }
    }
}

/// The operation of a path, and what stands in its open parts.
fn route(method: &Method, path: &str) -> Option<(&'static str, Vec<String>)> {
    let given: Vec<&str> = path.split('/').collect();
    OPERATIONS.iter().find_map(|(operation, by, pattern)| {
        let wanted: Vec<&str> = pattern.split('/').collect();
        let fits = method.as_str() == *by
            && wanted.len() == given.len()
            && wanted
                .iter()
                .zip(&given)
                .all(|(want, part)| *want == "*" || want == part);
        let open = wanted.iter().zip(&given).filter(|(want, _)| **want == "*");
        fits.then(|| {
            (
                *operation,
                open.map(|(_, part)| (*part).to_owned()).collect(),
            )
        })
    })
}

fn with_header(mut reply: Reply, name: header::HeaderName, value: HeaderValue) -> Reply {
    if let Reply::Answer { headers, .. } = &mut reply {
        headers.insert(name, value);
    }
    reply
}

fn halved(mut reply: Reply) -> Reply {
    if let Reply::Answer { body, .. } = &mut reply {
        body.truncate(body.len() / 2);
    }
    reply
}

#[async_trait]
impl Handler for Vendor {
    async fn handle(&self, asked: Asked) -> Reply {
        match asked.path.strip_prefix("/_sandbox/") {
            Some(path) => control::handle(self, path, &asked),
            None => self.call(&asked),
        }
    }
}
