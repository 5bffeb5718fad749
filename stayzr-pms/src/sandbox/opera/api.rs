use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::{Method, header};
use serde_json::{Value, json};

use super::{
    super::{
        fault::{FaultKind, FaultPlan},
        file,
        server::{Asked, Handler, Reply},
        window::Window,
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
    pub(super) window: Window,
    /// Whether somebody reads the stream.
    pub(super) reader: bool,
    /// The code that the stream is to be closed with.
    pub(super) hang_up: Option<u16>,
}

/// The simulated vendor.
pub(super) struct Vendor {
    running: Mutex<Running>,
    pub(super) options: OperaOptions,
    pub(super) myself: Weak<Vendor>,
}

impl Vendor {
    pub(super) fn new(hotel: Hotel, options: OperaOptions, myself: Weak<Self>) -> Self {
        Self {
            myself,
            running: Mutex::new(Running {
                hotel,
                faults: FaultPlan::default(),
                window: Window::new(options.limit, options.limit_window),
                reader: false,
                hang_up: None,
            }),
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
        file::keep(hotel, self.options.state_file.as_deref());
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
        if !running.window.admit(self.now()) {
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
            && let Some(reply) = kind.instead(fault, |status| self.fail(status))
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
                "postCancelReservation" => writer.cancel(hotel, last, &body),
                "postCheckIn" => writer.check_in(hotel, last, &body),
                "postCheckOut" => writer.check_out(hotel, last, &body),
                "postGuestMessages" => writer.guest_message(hotel, last, &body),
                "postServiceRequests" => writer.service_request(hotel, &body),
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
            "getHotelAvailability" => reader.availability(&self.options.hotel),
            _ => reader.reservation(last),
        })
    }

    /// Lets the stream be read, or what was asked for happen in its place.
    fn streamed(&self, asked: Asked) -> Reply {
        let fault = self.running().faults.take("subscriptions", false);
        let refused =
            fault.and_then(|(kind, fault)| kind.instead(&fault, |status| self.fail(status)));
        refused.unwrap_or_else(|| self.subscribe(asked))
    }

    fn fail(&self, status: u16) -> Reply {
        match status {
            // The gateway says these without a body.
            401 | 429 | 502 | 503 => self.bare(status),
            _ => {
                let title = "An error was asked for".to_owned();
                self.refuse(&Refusal { status, title })
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
                reply.with_header(header::LOCATION, &at)
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
        self.dated(Reply::empty(status))
    }

    pub(super) fn dated(&self, reply: Reply) -> Reply {
        reply.dated(self.now())
    }
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
