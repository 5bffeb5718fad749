//! The command `stayzr`.

use std::process::ExitCode;

use clap::Parser;
use stayzr_server::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    run(Cli::parse()).await
}
