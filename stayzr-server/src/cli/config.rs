use clap::Subcommand;
use serde_json::json;

use super::{Cli, output::Output};
use crate::{
    config::{DEFAULT_FILE, Sources, load},
    failure::Failure,
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// The commented default file.
    #[command(after_help = "Example:\n  stayzr config print > stayzr.toml")]
    Print,
    /// Reads file and environment and says whether they are valid.
    #[command(after_help = "Example:\n  stayzr config check --config stayzr.toml")]
    Check,
}

pub(crate) fn run(cli: &Cli, command: &ConfigCommand, output: Output) -> Result<(), Failure> {
    match command {
        ConfigCommand::Print => output.result(&json!({"default": DEFAULT_FILE}), || {
            DEFAULT_FILE.to_owned()
        }),
        ConfigCommand::Check => {
            load(&Sources::of_process(cli.config.clone()))?;
            output.result(&json!({"valid": true}), || {
                "the configuration is valid".to_owned()
            })
        }
    }
}
