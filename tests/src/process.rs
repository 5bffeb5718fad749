//! The built command `stayzr` as a process: started, watched, killed.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use serde_json::Value;

/// The command, built from the current sources with what the workspace's tests switch on, or the one
/// that `STAYZR_TEST_BINARY` names, such as a packaged one.
///
/// # Panics
///
/// If it does not build.
pub fn stayzr() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("STAYZR_TEST_BINARY") {
        Some(path) => path.into(),
        None => build("stayzr-server", "stayzr"),
    })
}

/// Builds a program of the workspace from the current sources and says where it is.
///
/// # Panics
///
/// If it does not build.
pub fn build(package: &str, program: &str) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    // What cargo tells a test about its own package would make build scripts run again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
            "CARGO_PRIMARY_",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        {
            build.env_remove(&*name);
        }
    }
    let output = build
        .args(["build", "--package", package, "--bin", program])
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{program} does not build");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == program)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the executable")
}

/// Runs the command to its end.
///
/// # Panics
///
/// If it cannot be started.
pub fn run(args: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(stayzr())
        .args(args)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the command starts")
}

/// A running demo, killed at the end.
#[derive(Debug)]
pub struct Demo {
    child: Child,
    folder: PathBuf,
    /// How long it took from start to `demo.json`.
    pub ready_after: Duration,
    /// What `demo.json` says.
    pub json: Value,
}

impl Demo {
    /// Starts `stayzr demo` on a free port with its data in `folder`, and waits until it is ready.
    ///
    /// # Panics
    ///
    /// If it ends, or is not ready within a minute.
    pub fn start(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let program = stayzr();
        let file = folder.join("demo.json");
        // The demo removes an earlier one itself, but not before this process would look.
        let _ = std::fs::remove_file(&file);
        let started = Instant::now();
        let log = std::fs::File::create(folder.join("demo.log")).expect("the folder is writable");
        let child = Command::new(program)
            .args(["demo", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .expect("the command starts");
        let mut demo = Self {
            child,
            folder: folder.to_owned(),
            ready_after: Duration::ZERO,
            json: Value::Null,
        };
        loop {
            if let Some(json) = read_json(&file) {
                demo.ready_after = started.elapsed();
                demo.json = json;
                return demo;
            }
            if let Some(status) = demo.child.try_wait().expect("the process can be asked") {
                panic!("the demo ended with {status}:\n{}", demo.log());
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the demo is not ready after a minute:\n{}",
                demo.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        let mut text = String::new();
        if let Ok(mut file) = std::fs::File::open(self.folder.join("demo.log")) {
            let _ = file.read_to_string(&mut text);
        }
        text
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    ///
    /// # Panics
    ///
    /// If the process is not ours to kill.
    pub fn kill(mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process ends");
    }

    /// SIGTERM, then waits for a graceful end and returns whether it was one.
    ///
    /// # Panics
    ///
    /// If `kill` cannot be run.
    pub fn terminate(mut self) -> bool {
        Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `stayzr serve`, killed at the end.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `http://host:port`.
    pub base: String,
}

impl Server {
    /// Starts the server on a free port with this environment and waits until it answers.
    ///
    /// # Panics
    ///
    /// If it ends, or does not answer within half a minute.
    pub fn start(environment: &[(&str, &str)]) -> Self {
        let program = stayzr();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a bound address").to_string();
        drop(listener);
        let mut child = Command::new(program)
            .args(["serve", "--listen", &address])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(&address).is_err() {
            if let Some(status) = child.try_wait().expect("the process can be asked") {
                panic!("the server ended with {status}");
            }
            assert!(Instant::now() < deadline, "the server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            child,
            base: format!("http://{address}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_json(file: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}
