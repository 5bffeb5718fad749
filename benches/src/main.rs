//! Benchmarks as programs: each measures Stayzr and a named baseline in the same run, interleaved,
//! and prints both with their ratio.
//!
//! `cargo run --release -p stayzr-benches -- NAME [--json]`, where NAME is `intake`, `startup`,
//! `sync` or `verify`.

mod intake;
mod postgres;
mod report;
mod startup;
mod sync;
mod verify;

use std::process::ExitCode;

use report::Report;

fn main() -> ExitCode {
    let mut json = false;
    let mut names = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => json = true,
            name => names.push(name.to_owned()),
        }
    }
    let run: fn() -> Result<Report, String> = match names.as_slice() {
        [name] if name == "intake" => intake::run,
        [name] if name == "startup" => startup::run,
        [name] if name == "sync" => sync::run,
        [name] if name == "verify" => verify::run,
        _ => {
            report::complain("name one benchmark: intake, startup, sync, verify");
            return ExitCode::from(2);
        }
    };
    match run() {
        Ok(report) => {
            report.print(json);
            ExitCode::SUCCESS
        }
        Err(why) => {
            report::complain(&why);
            ExitCode::FAILURE
        }
    }
}
