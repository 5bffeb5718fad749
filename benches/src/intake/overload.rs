//! More is offered than can be stored: whoever is not taken is told so at once, nobody who was taken is
//! lost, and memory stays where it was.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use stayzr_core::{
    Result as CoreResult,
    clock::SystemClock,
    port::inbox::{Acceptance, Delivery, Inbox},
    queue::Lease,
};
use tokio::task::JoinSet;

use super::{
    Database, body, broken,
    client::{Answer, Connection, Load},
    handlers::{Handler, serve},
    request,
};
use crate::report::Measurement;

/// Deliveries that the store takes in a second.
const STORED_PER_SECOND: u32 = 500;

/// Requests that are offered in a second, whether earlier ones were answered or not.
const OFFERED_PER_SECOND: u32 = 5_000;

/// For how long.
const TIME: Duration = Duration::from_secs(6);

/// Memory may grow by so much, in MiB: client and server, whose bodies alone would be 30 MiB.
const MEBIBYTES: f64 = 128.0;

/// A store that takes its time for each delivery.
struct Slow(Arc<dyn Inbox>);

#[async_trait]
impl Inbox for Slow {
    async fn accept_delivery(&self, delivery: Delivery) -> CoreResult<Acceptance> {
        tokio::time::sleep(Duration::from_secs(1) / STORED_PER_SECOND).await;
        self.0.accept_delivery(delivery).await
    }

    async fn accept_deliveries(&self, deliveries: Vec<Delivery>) -> Vec<CoreResult<Acceptance>> {
        let count = u32::try_from(deliveries.len()).unwrap_or(u32::MAX);
        tokio::time::sleep(Duration::from_secs(1) * count / STORED_PER_SECOND).await;
        self.0.accept_deliveries(deliveries).await
    }

    async fn delivery(&self, lease: &Lease) -> CoreResult<Delivery> {
        self.0.delivery(lease).await
    }
}

pub(super) async fn measure<D: Database>() -> Result<Vec<Measurement>, String> {
    let database = D::open().await?;
    let slow = Arc::new(Slow(database.inbox()));
    let serving = serve(Handler::receiver(slow, Arc::new(SystemClock))).await?;
    let before = resident()?;
    let peak = Arc::new(AtomicU64::new(before));
    let watching = tokio::spawn(watch(peak.clone()));
    let load = offer(serving.address).await;
    watching.abort();
    let load = load?;
    let stored = database.stored().await?;
    if stored < load.taken {
        return Err(format!(
            "under overload {} were acknowledged and {stored} stored",
            load.taken
        ));
    }
    database.close().await?;
    let grown = peak.load(Ordering::SeqCst).saturating_sub(before) / 1024;
    #[allow(
        clippy::cast_precision_loss,
        reason = "far fewer than 2^52 of either are counted"
    )]
    let (grown, offered) = (grown as f64, (load.taken + load.refused) as f64);
    if grown > MEBIBYTES {
        return Err(format!("under overload memory grew by {grown} MiB"));
    }
    let name = |what: &str| format!("{} under overload: {what}", D::NAME);
    Ok(vec![
        Measurement {
            name: name("offered, each answered by 200 or 503"),
            stayzr: offered / TIME.as_secs_f64(),
            baseline: f64::from(OFFERED_PER_SECOND),
            baseline_name: "planned",
            unit: "requests/s",
        },
        Measurement {
            name: name("acknowledged, and all of it stored"),
            stayzr: load.rate(),
            baseline: f64::from(STORED_PER_SECOND),
            baseline_name: "what the store takes",
            unit: "requests/s",
        },
        Measurement {
            name: name("memory grown"),
            stayzr: grown,
            baseline: MEBIBYTES,
            baseline_name: "bound",
            unit: "MiB",
        },
    ])
}

/// Offers requests by the clock, each on a connection that is free.
async fn offer(address: SocketAddr) -> Result<Load, String> {
    let request: Arc<[u8]> = request(&body("a message", 1024)).into();
    let idle: Arc<Mutex<Vec<Connection>>> = Arc::default();
    let whole: Arc<Mutex<Load>> = Arc::default();
    let mut asking = JoinSet::new();
    let started = Instant::now();
    let mut offered = 0_u32;
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    while started.elapsed() < TIME {
        tick.tick().await;
        let due = started.elapsed().as_secs_f64() * f64::from(OFFERED_PER_SECOND);
        while f64::from(offered) < due {
            offered += 1;
            let (request, idle, whole) = (request.clone(), idle.clone(), whole.clone());
            asking.spawn(async move {
                let asked = Instant::now();
                let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let (answer, connection) = ask(address, free, &request).await?;
                idle.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
                let mut load = whole.lock().unwrap_or_else(PoisonError::into_inner);
                load.count(answer, asked.elapsed())
            });
        }
        while let Some(done) = asking.try_join_next() {
            done.map_err(broken)??;
        }
    }
    while let Some(done) = asking.join_next().await {
        done.map_err(broken)??;
    }
    let mut load = std::mem::take(&mut *whole.lock().unwrap_or_else(PoisonError::into_inner));
    load.elapsed = started.elapsed();
    Ok(load)
}

/// Asks on a connection that is kept or, where the server has closed it meanwhile, on a new one.
async fn ask(
    address: SocketAddr,
    free: Option<Connection>,
    request: &[u8],
) -> Result<(Answer, Connection), String> {
    if let Some(mut connection) = free
        && let Ok(answer) = connection.ask(request).await
    {
        return Ok((answer, connection));
    }
    let mut connection = Connection::open(address).await?;
    let answer = connection.ask(request).await?;
    Ok((answer, connection))
}

async fn watch(peak: Arc<AtomicU64>) {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    loop {
        tick.tick().await;
        if let Ok(now) = resident() {
            peak.fetch_max(now, Ordering::SeqCst);
        }
    }
}

/// Memory of this process, in KiB, as Linux counts it.
fn resident() -> Result<u64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(broken)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let digits = line.unwrap_or_default().trim().trim_end_matches(" kB");
    digits.parse().map_err(broken)
}
