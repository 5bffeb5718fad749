//! What a synchronisation costs: first reads and unchanged reads of a hotel's guests, beside the
//! loop that takes one transaction for each record and, on PostgreSQL, beside `COPY` of the same
//! rows.
//!
//! Pages come from memory and nothing limits them, so that the engine and the store are measured.
//! `STAYZR_BENCH_RECORDS` (100,000) and `STAYZR_BENCH_ROUNDS` (3) say how much;
//! `STAYZR_BENCH_POSTGRES_URL` names a server, where none answers the measurements on PostgreSQL
//! are left out and said so.

mod hotel;
mod lite;
mod server;
mod vendor;

use std::{fmt::Display, hint::black_box, time::Instant};

use crate::report::{Measurement, Report, complain, median};

use self::{hotel::Hotel, lite::Lite, server::Server};

/// So many records go through the loops: their rate does not depend on how many there are.
const LOOP: usize = 500;

/// A hotel in a database, and the loops that its engine is compared with.
trait Database: Sized {
    /// The hotel.
    fn hotel(&self) -> &Hotel;

    /// Stores [`LOOP`] guests as the engine does, one transaction each: records a second.
    async fn create_by_loop(&self) -> Result<f64, String>;

    /// Looks [`LOOP`] stored guests up and compares them, one transaction each: records a second.
    async fn compare_by_loop(&self) -> Result<f64, String>;

    /// What stands in every table that a synchronisation writes but cursors and runs.
    async fn written(&self) -> Result<String, String>;

    /// Leaves nothing behind.
    async fn close(self) -> Result<(), String>;
}

pub(crate) fn run() -> Result<Report, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(broken)?;
    runtime.block_on(measure())
}

async fn measure() -> Result<Report, String> {
    let records = setting("STAYZR_BENCH_RECORDS", 100_000).max(LOOP);
    let rounds = setting("STAYZR_BENCH_ROUNDS", 3).max(1);
    let mut found = Found::default();
    let mut copies = Vec::new();
    let mut on_server = Found::default();
    let reachable = Server::reachable().await;
    if !reachable {
        complain("no PostgreSQL server answers: the measurements on it are left out");
    }
    for _ in 0..rounds {
        let (lite, loops) = (Lite::open(records).await?, Lite::open(0).await?);
        found.round(&lite, &loops).await?;
        lite.close().await?;
        loops.close().await?;
        if reachable {
            let (server, loops) = (Server::open(records).await?, Server::open(0).await?);
            on_server.round(&server, &loops).await?;
            copies.push(server.copy().await?);
            server.close().await?;
            loops.close().await?;
        }
    }
    let mut results = found.results("SQLite");
    if reachable {
        results.push(Measurement {
            name: "PostgreSQL: first read".to_owned(),
            stayzr: median(&mut on_server.first.clone()),
            baseline: median(&mut copies),
            baseline_name: "COPY of the same guest and mapping rows",
            unit: "records/s",
        });
        results.extend(on_server.results("PostgreSQL"));
    }
    Ok(Report {
        bench: "sync",
        results,
    })
}

/// What the rounds on one database came to.
#[derive(Default)]
struct Found {
    first: Vec<f64>,
    unchanged: Vec<f64>,
    created_by_loop: Vec<f64>,
    compared_by_loop: Vec<f64>,
    resident_early: Vec<f64>,
    resident_late: Vec<f64>,
}

impl Found {
    async fn round<D: Database>(&mut self, engine: &D, loops: &D) -> Result<(), String> {
        let (rate, first) = engine.hotel().read_everything().await.map_err(broken)?;
        self.first.push(rate);
        self.created_by_loop.push(loops.create_by_loop().await?);
        if first.created != first.read {
            return Err(format!("{} of {} were made", first.created, first.read));
        }
        engine.hotel().vendor.take_resident();
        let before = engine.written().await?;
        let (rate, again) = engine.hotel().read_everything().await.map_err(broken)?;
        if again.unchanged != first.read || engine.written().await? != before {
            return Err("an unchanged record was written".to_owned());
        }
        self.unchanged.push(rate);
        self.compared_by_loop.push(engine.compare_by_loop().await?);
        let (early, late) = engine.hotel().vendor.take_resident();
        self.resident_early.push(early);
        self.resident_late.push(late);
        Ok(())
    }

    fn results(&mut self, database: &str) -> Vec<Measurement> {
        let by_loop = "one transaction a record";
        vec![
            Measurement {
                name: format!("{database}: first read"),
                stayzr: median(&mut self.first),
                baseline: median(&mut self.created_by_loop),
                baseline_name: by_loop,
                unit: "records/s",
            },
            Measurement {
                name: format!("{database}: unchanged"),
                stayzr: median(&mut self.unchanged),
                baseline: median(&mut self.compared_by_loop),
                baseline_name: by_loop,
                unit: "records/s",
            },
            Measurement {
                name: format!("{database}: memory at the end of unchanged"),
                stayzr: median(&mut self.resident_late),
                baseline: median(&mut self.resident_early),
                baseline_name: "at its beginning",
                unit: "MiB",
            },
        ]
    }
}

/// What the loop does with a record that it looked up.
fn compare(number: usize, stored: &str) {
    let record = vendor::record(number);
    black_box(record.fields.hash() == stored);
}

fn rate(records: usize, started: Instant) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let records = records as f64;
    records / started.elapsed().as_secs_f64()
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

fn broken(error: impl Display) -> String {
    error.to_string()
}
