//! What taking webhooks in costs, over HTTP with 64 connections: stored and acknowledged, beside the
//! same handler that stores by one durable insert for each request, and beside the same handler that
//! verifies and throws away. Then what happens when five thousand requests a second meet a store that
//! takes five hundred.
//!
//! Client and server share this machine and this process. `STAYZR_BENCH_ROUNDS` (3) says how often all
//! are measured, one after the other, and `STAYZR_BENCH_SECONDS` (3) for how long each;
//! `STAYZR_BENCH_POSTGRES_URL` names a server, where none answers the measurements on PostgreSQL are left
//! out and said so.

mod client;
mod handlers;
mod lite;
mod overload;
mod server;

use std::{fmt::Display, sync::Arc, time::Duration};

use secrecy::SecretString;
use stayzr_core::{clock::SystemClock, port::inbox::Inbox};
use stayzr_webhooks::channels::whatsapp::MetaHub;

use crate::report::{Measurement, Report, complain, median};

use self::{
    client::{Load, closed_loop},
    handlers::{Handler, serve},
    lite::Lite,
    server::Server,
};

/// Connections that ask, each as soon as it is answered.
const CONNECTIONS: usize = 64;

/// The longest wait of the slowest percent, in milliseconds.
const P99_MILLISECONDS: f64 = 50.0;

const SECRET: &str = "a secret of an app";

/// A database that deliveries are stored in.
trait Database: Sized {
    /// What it is called.
    const NAME: &'static str;

    /// A new and empty one.
    async fn open() -> Result<Self, String>;

    /// The inbox of the product.
    fn inbox(&self) -> Arc<dyn Inbox>;

    /// A handler's own table on the same database with the same settings: one durable insert each.
    fn plain(&self) -> Handler;

    /// Deliveries in the inbox.
    async fn stored(&self) -> Result<u64, String>;

    /// Leaves nothing behind.
    async fn close(self) -> Result<(), String>;
}

pub(crate) fn run() -> Result<Report, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(broken)?;
    let results = runtime.block_on(async {
        let mut results = compare::<Lite>().await?;
        results.extend(overload::measure::<Lite>().await?);
        if Server::reachable().await {
            results.extend(compare::<Server>().await?);
            results.extend(overload::measure::<Server>().await?);
        } else {
            complain("no PostgreSQL server answers: the measurements on it are left out");
        }
        Ok::<_, String>(results)
    })?;
    Ok(Report {
        bench: "intake",
        results,
    })
}

async fn compare<D: Database>() -> Result<Vec<Measurement>, String> {
    let rounds = setting("STAYZR_BENCH_ROUNDS", 3).max(1);
    let time = Duration::from_secs(setting("STAYZR_BENCH_SECONDS", 3).max(1));
    let request = request(&body("a message", 1024));
    let (mut ours, mut inserts, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
    let mut slowest: f64 = 0.0;
    for _ in 0..rounds {
        let database = D::open().await?;
        let receiver = Handler::receiver(database.inbox(), Arc::new(SystemClock));
        let load = measure(receiver, &request, time).await?;
        let stored = database.stored().await?;
        if stored != load.taken {
            return Err(format!("{} acknowledged, {stored} stored", load.taken));
        }
        slowest = slowest.max(load.percentile(0.99));
        ours.push(load.rate());
        inserts.push(measure(database.plain(), &request, time).await?.rate());
        nothing.push(measure(Handler::Discard, &request, time).await?.rate());
        database.close().await?;
    }
    let ours = median(&mut ours);
    let name = |what: &str| format!("{}: {what}", D::NAME);
    Ok(vec![
        Measurement {
            name: name("stored and acknowledged, 1 KiB"),
            stayzr: ours,
            baseline: median(&mut inserts),
            baseline_name: "one durable INSERT for each request",
            unit: "requests/s",
        },
        Measurement {
            name: name("stored and acknowledged, 1 KiB"),
            stayzr: ours,
            baseline: median(&mut nothing),
            baseline_name: "verified and thrown away",
            unit: "requests/s",
        },
        Measurement {
            name: name("slowest percent, worst round"),
            stayzr: slowest,
            baseline: P99_MILLISECONDS,
            baseline_name: "bound",
            unit: "ms",
        },
    ])
}

async fn measure(handler: Handler, request: &[u8], time: Duration) -> Result<Load, String> {
    let serving = serve(handler).await?;
    // What is opened, compiled and grown once is not measured.
    closed_loop(serving.address, request, CONNECTIONS, time / 10).await?;
    let warm = serving.taken();
    let mut load = closed_loop(serving.address, request, CONNECTIONS, time).await?;
    if load.refused > 0 {
        return Err(format!("{} requests were refused", load.refused));
    }
    load.taken += warm;
    load.counted = load.taken - warm;
    Ok(load)
}

/// A message of a guest whose delivery has so many bytes.
fn body(text: &str, bytes: usize) -> String {
    let with = |padding: usize| {
        serde_json::json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{
            "field": "messages", "value": {"messaging_product": "whatsapp",
            "metadata": {"phone_number_id": "106540352242922"},
            "contacts": [{"profile": {"name": "Ana Silva"}, "wa_id": "351912345678"}],
            "messages": [{"from": "351912345678", "id": "wamid.1", "timestamp": "1781000000",
                "type": "text", "text": {"body": format!("{text}{}", " ok".repeat(padding / 3))}}]}}]}]})
        .to_string()
    };
    with(bytes.saturating_sub(with(0).len()))
}

/// The whole request, signed.
fn request(body: &str) -> Vec<u8> {
    let signature = MetaHub::sign(&SecretString::from(SECRET), body.as_bytes());
    format!(
        "POST /webhooks/whatsapp HTTP/1.1\r\nhost: stayzr\r\ncontent-type: application/json\r\n\
         {}: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
        MetaHub::HEADER,
        body.len()
    )
    .into_bytes()
}

fn setting(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn broken(error: impl Display) -> String {
    error.to_string()
}
