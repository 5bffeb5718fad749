use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::{Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use stayzr_core::clock::Clock;

use super::{
    super::{
        deliver::Deliveries,
        fault::{FaultKind, FaultPlan},
        file,
        server::{Asked, Handler, Reply},
        window::Window,
    },
    control,
    list::Refusal,
    portfolio,
    read::{is_read, read},
    state::Hotel,
    write::{Moment, write},
};

/// What changes while the sandbox runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) hotel: Hotel,
    /// Other hotels of the same token.
    sisters: Vec<Hotel>,
    pub(super) faults: FaultPlan,
    pub(super) window: Window,
    requests: u64,
}

impl Running {
    fn hotels(&self) -> impl Iterator<Item = &Hotel> {
        std::iter::once(&self.hotel).chain(&self.sisters)
    }

    /// The hotel of which this holds; the first one if it holds of none.
    pub(super) fn find(&mut self, holds: impl Fn(&Hotel) -> bool) -> &mut Hotel {
        match self.sisters.iter().position(holds) {
            Some(index) => &mut self.sisters[index],
            None => &mut self.hotel,
        }
    }
}

/// The simulated vendor.
pub(super) struct Vendor {
    running: Mutex<Running>,
    pub(super) deliveries: Deliveries,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) webhook_delay: Option<Duration>,
    pub(super) webhook_retry: Duration,
    client_token: SecretString,
    access_token: SecretString,
    hang: Duration,
    state_file: Option<PathBuf>,
}

impl Vendor {
    pub(super) fn new(
        hotel: Hotel,
        sisters: Vec<Hotel>,
        options: &super::SandboxOptions,
        deliveries: Deliveries,
    ) -> Self {
        Self {
            running: Mutex::new(Running {
                hotel,
                sisters,
                faults: FaultPlan::default(),
                window: Window::new(options.limit, options.limit_window),
                requests: 0,
            }),
            deliveries,
            clock: Arc::clone(&options.clock),
            webhook_delay: options.webhook_delay,
            webhook_retry: options.webhook_retry,
            client_token: options.client_token.clone(),
            access_token: options.access_token.clone(),
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

    fn call(&self, operation: &str, asked: &Asked) -> Reply {
        let mut running = self.running();
        running.requests += 1;
        if asked.method != Method::POST || !is_operation(operation) {
            return self.refuse(&running, 404, "The requested resource does not exist.");
        }
        let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(&asked.body) else {
            return self.refuse(&running, 400, "Invalid JSON.");
        };
        if let Some(message) = self.stranger(&body) {
            return self.refuse(&running, 401, message);
        }
        let now = self.clock.now();
        if !running.window.admit(now) {
            let wait = running.window.wait_seconds(now).to_string();
            let reply = self.refuse(&running, 429, "Too many requests.");
            return reply.with_header(header::RETRY_AFTER, &wait);
        }
        *running
            .hotel
            .tally
            .calls
            .entry(operation.to_owned())
            .or_default() += 1;
        let fault = running.faults.take(operation, is_read(operation));
        let refuse = |status: u16| {
            let message = match status {
                401 => "Invalid AccessToken.",
                429 => "Too many requests.",
                _ => "An error was asked for.",
            };
            self.refuse(&running, status, message)
        };
        if let Some((kind, fault)) = &fault
            && let Some(reply) = kind.instead(fault, refuse)
        {
            return reply;
        }
        let kind = fault.map(|(kind, _)| kind);
        let result = self.perform(&mut running, operation, &body, kind);
        let reply = match result {
            Ok(answer) => self.dated(Reply::json(200, &answer)),
            Err(refusal) => self.refuse(&running, refusal.status, &refusal.message),
        };
        reply.bent(kind, self.hang)
    }

    fn perform(
        &self,
        running: &mut Running,
        operation: &str,
        body: &Map<String, Value>,
        fault: Option<FaultKind>,
    ) -> Result<Value, Refusal> {
        let stale = fault == Some(FaultKind::StaleRead);
        let moment = self.moment();
        if !running.sisters.is_empty()
            && let Some(answer) = portfolio::answer(running.hotels(), operation, body)
        {
            return answer;
        }
        let hotel = portfolio::meant(running, body);
        hotel.close_rooms(moment);
        if let Some(answer) = read(hotel, operation, body, stale, moment.at) {
            return answer;
        }
        let answer = write(hotel, operation, body, moment)
            .unwrap_or_else(|| Err(Refusal::invalid("operation")));
        if answer.is_ok() {
            self.keep(&running.hotel);
        }
        answer
    }

    /// What is wrong with the credentials, if anything is.
    fn stranger(&self, body: &Map<String, Value>) -> Option<&'static str> {
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("ClientToken") != self.client_token.expose_secret() {
            Some("Invalid ClientToken.")
        } else if text("AccessToken") != self.access_token.expose_secret() {
            Some("Invalid AccessToken.")
        } else if text("Client").is_empty() {
            Some("Invalid Client.")
        } else {
            None
        }
    }

    fn refuse(&self, running: &Running, status: u16, message: &str) -> Reply {
        let request = format!("SANDBOX:{:08}", running.requests);
        let body = json!({"Message": message, "RequestId": request});
        self.dated(Reply::json(status, &body))
    }

    fn dated(&self, reply: Reply) -> Reply {
        reply.dated(self.clock.now())
    }
}

const OPERATIONS: [&str; 51] = [
    "ageCategories/getAll",
    "companionships/getAll",
    "configuration/get",
    "customers/add",
    "customers/getAll",
    "customers/search",
    "customers/update",
    "departments/getAll",
    "enterprises/getAll",
    "messageThreads/add",
    "messageThreads/getAll",
    "messages/add",
    "messages/getAll",
    "orders/add",
    "productServiceOrders/getAll",
    "products/getAll",
    "products/getPricing",
    "rateGroups/getAll",
    "rates/getAll",
    "rates/getPricing",
    "reservationGroups/getAll",
    "reservations/add",
    "reservations/addCompanion",
    "reservations/addProduct",
    "reservations/cancel",
    "reservations/confirm",
    "reservations/deleteCompanion",
    "reservations/getAll/2023-06-06",
    "reservations/price",
    "reservations/process",
    "reservations/start",
    "reservations/update",
    "reservations/updateCustomer",
    "reservations/updateInterval",
    "resourceBlocks/add",
    "resourceBlocks/delete",
    "resourceBlocks/getAll",
    "resourceCategories/getAll",
    "resourceCategoryAssignments/getAll",
    "resources/getAll",
    "resources/update",
    "serviceOrderNotes/add",
    "serviceOrderNotes/delete",
    "serviceOrderNotes/getAll",
    "serviceOrderNotes/update",
    "services/getAll",
    "services/getAvailability",
    "services/getAvailability/2024-01-22",
    "tasks/add",
    "tasks/close",
    "tasks/getAll",
];

fn is_operation(operation: &str) -> bool {
    OPERATIONS.contains(&operation)
}

#[async_trait]
impl Handler for Vendor {
    async fn handle(&self, asked: Asked) -> Reply {
        if let Some(path) = asked.path.strip_prefix("/_sandbox/") {
            return control::handle(self, path, &asked).await;
        }
        let operation = asked
            .path
            .strip_prefix("/api/connector/v1/")
            .unwrap_or_default();
        self.call(operation, &asked)
    }
}
