//! Logs, on standard error.

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::Telemetry;

/// Whether only what goes wrong is logged, as in commands that end by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quiet {
    /// Warnings and errors, unless the configuration asks for something else than `info`.
    Yes,
    /// What the configuration says.
    No,
}

/// Starts logging. The process's choice, so only the binary and its commands call it; a second
/// call changes nothing.
pub fn start(telemetry: &Telemetry, quiet: Quiet) {
    let wanted = match (quiet, telemetry.log.as_str()) {
        (Quiet::Yes, "info") => "warn",
        (_, wanted) => wanted,
    };
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match telemetry.format.as_str() {
        "json" => logs.json().try_init(),
        _ => logs.with_ansi(false).try_init(),
    };
}
