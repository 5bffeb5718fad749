use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError, Weak},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::{HeaderValue, Method, header};
use serde_json::{Value, json};

use super::{
    super::{
        fault::{Fault, FaultKind, FaultPlan},
        server::{Asked, Handler, Reply},
    },
    OperaOptions, control,
    read::{Query, Reader},
    route::route,
    state::Hotel,
    write::{Done, Writer},
};

/// What a read answers: a body, or nothing.
pub(super) type Answer = Result<Option<Value>, Refusal>;

/// Why a call is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) title: String,
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
    pub(super) calls: VecDeque<DateTime<Utc>>,
    /// Whether somebody reads the stream.
    pub(super) reader: bool,
    /// The code that the stream is to be closed with.
    pub(super) hang_up: Option<u16>,
}

/// The simulated vendor.
pub(super) struct Vendor {
    running: Mutex<Running>,
    pub(super) options: OperaOptions,
    state_file: Option<PathBuf>,
    pub(super) myself: Weak<Vendor>,
}

impl Vendor {
    pub(super) fn new(hotel: Hotel, options: OperaOptions, myself: Weak<Self>) -> Self {
        Self {
            myself,
            running: Mutex::new(Running {
                hotel,
                faults: FaultPlan::default(),
                calls: VecDeque::new(),
                reader: false,
                hang_up: None,
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
        if let Some((FaultKind::ExpiredToken, _)) = &fault {
            running.hotel.token = None;
        }
        if let Some((kind, fault)) = &fault
            && let Some(reply) = self.before_effect(*kind, fault)
        {
            return reply;
        }
        let kind = fault.map(|(kind, _)| kind);
        let stale = kind == Some(FaultKind::StaleRead);
        let Running { hotel, faults, .. } = &mut *running;
        let reply = self.perform(hotel, faults, operation, &parts, asked, stale);
        reply.bent(kind, self.options.hang)
    }

    fn perform(
        &self,
        hotel: &mut Hotel,
        faults: &mut FaultPlan,
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
            let taken = hotel.take_events(query.number("limit"), faults);
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

    /// Lets the stream be read, or what was asked for happen in its place.
    fn streamed(&self, asked: Asked) -> Reply {
        let fault = self.running().faults.take("subscriptions", false);
        let refused = fault.and_then(|(kind, fault)| self.before_effect(kind, &fault));
        refused.unwrap_or_else(|| self.subscribe(asked))
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
            FaultKind::ExpiredToken => Some(self.bare(401)),
            FaultKind::StaleRead
            | FaultKind::Cut
            | FaultKind::Timeout
            | FaultKind::Malformed
            | FaultKind::Half
            | FaultKind::Slow(_)
            | FaultKind::Events(_) => None,
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

    pub(super) fn refuse(&self, refusal: &Refusal) -> Reply {
        let body = json!({"type": "about:blank", "title": refusal.title,
            "status": refusal.status, "o:errorCode": "SANDBOX"});
        self.dated(Reply::json(refusal.status, &body))
    }

    pub(super) fn bare(&self, status: u16) -> Reply {
        self.dated(Reply::Answer {
            status,
            headers: http::HeaderMap::new(),
            body: Vec::new(),
        })
    }

    /// The vendor's clock, which an answer carries.
    pub(super) fn dated(&self, reply: Reply) -> Reply {
        let date = self.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        match HeaderValue::from_str(&date) {
            Ok(date) => with_header(reply, header::DATE, date),
            Err(_) => reply,
        }
    }
}

fn with_header(mut reply: Reply, name: header::HeaderName, value: HeaderValue) -> Reply {
    if let Reply::Answer { headers, .. } = &mut reply {
        headers.insert(name, value);
    }
    reply
}

#[async_trait]
impl Handler for Vendor {
    async fn handle(&self, asked: Asked) -> Reply {
        match asked.path.strip_prefix("/_sandbox/") {
            Some(path) => control::handle(self, path, &asked),
            None if asked.path == "/subscriptions" => self.streamed(asked),
            None => self.call(&asked),
        }
    }
}
