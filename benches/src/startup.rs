//! How long the server takes from its start to its first answer, and what it weighs idle, beside
//! the least that a process can do: a server that accepts a connection and answers `200`.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::report::{Measurement, Report, median};

const ROUNDS: usize = 7;
const BARE: &str = "STAYZR_BENCH_BARE_SERVER";

/// Starts both in turn, each on a free port and, for Stayzr, with an empty data folder.
pub(crate) fn run() -> Result<Report, String> {
    if let Ok(address) = std::env::var(BARE) {
        return bare_server(&address);
    }
    let server = built_server()?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let (mut our_memory, mut bare_memory) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let address = free_address()?;
        let mut command = Command::new(&server);
        command
            .arg("serve")
            .current_dir(folder.path())
            .env("STAYZR__SERVER__LISTEN", &address)
            .env("STAYZR__SERVER__DATA_DIR", folder.path().join("data"));
        let (seconds, memory) = start(command, &address)?;
        ours.push(seconds * 1e3);
        our_memory.push(memory);

        let address = free_address()?;
        let mut command = Command::new(&this);
        command.arg("startup").env(BARE, &address);
        let (seconds, memory) = start(command, &address)?;
        bare.push(seconds * 1e3);
        bare_memory.push(memory);
    }
    let measurement = |name: &str, ours: &mut [f64], bare: &mut [f64], unit| Measurement {
        name: name.to_owned(),
        stayzr: median(ours),
        baseline: median(bare),
        baseline_name: "a process that answers 200",
        unit,
    };
    Ok(Report {
        bench: "startup",
        results: vec![
            measurement(
                "start to first answer of /health",
                &mut ours,
                &mut bare,
                "ms",
            ),
            measurement(
                "resident memory, idle",
                &mut our_memory,
                &mut bare_memory,
                "MiB",
            ),
        ],
    })
}

/// Starts a server, waits for its first answer, lets it settle, and reads its resident memory.
fn start(mut command: Command, address: &str) -> Result<(f64, f64), String> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start a server: {error}"))?;
    let answered = wait_for_answer(&mut child, address, started);
    let memory = answered.is_ok().then(|| {
        std::thread::sleep(Duration::from_millis(500));
        resident_mebibytes(child.id())
    });
    let ended = child.kill().and_then(|()| child.wait());
    ended.map_err(|error| error.to_string())?;
    Ok((answered?, memory.flatten().unwrap_or(f64::NAN)))
}

fn wait_for_answer(child: &mut Child, address: &str, started: Instant) -> Result<f64, String> {
    while started.elapsed() < Duration::from_secs(30) {
        if answers(address) {
            return Ok(started.elapsed().as_secs_f64());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("a server ended at once: {status}"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err("a server did not answer within 30 s".to_owned())
}

fn answers(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let request = format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

fn resident_mebibytes(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes / 1024.0)
}

fn free_address() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener
        .local_addr()
        .map(|address| address.to_string())
        .map_err(|error| error.to_string())
}

/// The server built with the profile of this program.
fn built_server() -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let beside = this
        .parent()
        .unwrap_or_else(|| Path::new("."))
        .join("stayzr");
    if beside.is_file() {
        return Ok(beside);
    }
    Err("build the server first: cargo build --release -p stayzr-server".to_owned())
}

fn bare_server(address: &str) -> Result<Report, String> {
    let listener = TcpListener::bind(address).map_err(|error| error.to_string())?;
    for stream in listener.incoming() {
        let mut stream = stream.map_err(|error| error.to_string())?;
        let mut buffer = [0_u8; 1024];
        // A client that goes away is no reason to stop.
        if stream.read(&mut buffer).is_ok() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
    }
    Err("the listener closed".to_owned())
}
