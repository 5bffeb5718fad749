use std::process::ExitCode;

use stayzr_core::model::ChangeSource;

use super::{
    Cli, args::Command, bench, change, channel, check, config, conflict, demo, eval, init,
    integration, knowledge, migrate, output::Output, property, provider, queue, serve, sync, token,
    webhook,
};
use crate::{
    compose::{Foundation, Opening},
    config::{Sources, load},
    failure::Failure,
    telemetry,
};

/// Runs a command: 0 for success, 1 for failure (2, for wrong use, comes from the parser).
pub async fn run(cli: Cli) -> ExitCode {
    let output = Output { json: cli.json };
    match dispatch(&cli, output).await {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(cli: &Cli, output: Output) -> Result<ExitCode, Failure> {
    let done = |()| ExitCode::SUCCESS;
    match &cli.command {
        Command::Demo(args) => demo::run(cli, args, output).await.map(done),
        Command::Serve(args) => serve::run(cli, args).await.map(done),
        Command::Init { name, another } => init::run(cli, name, *another, output).await.map(done),
        Command::Property(command) => property::run(cli, command, output).await.map(done),
        Command::Integration(command) => integration::run(cli, command, output).await.map(done),
        Command::Channel(command) => channel::run(cli, command, output).await.map(done),
        Command::Check { offline } => check::run(cli, *offline, output).await,
        Command::Migrate { pending } => migrate::run(cli, *pending, output).await.map(done),
        Command::Config(command) => config::run(cli, command, output).map(done),
        Command::Token(command) => token::run(cli, command, output).await.map(done),
        Command::Queue(command) => queue::run(cli, command, output).await.map(done),
        Command::Sync(command) => sync::run(cli, command, output).await.map(done),
        Command::Conflict(command) => conflict::run(cli, command, output).await.map(done),
        Command::Change(command) => change::run(cli, command, output).await.map(done),
        Command::Provider(command) => provider::run(cli, command, output).await.map(done),
        Command::Knowledge(command) => knowledge::run(cli, command, output).await.map(done),
        Command::Webhook(command) => webhook::run(cli, command, output).await,
        Command::Eval(command) => eval::run(command, output).await.map(done),
        Command::Bench => bench::run(cli, output).await.map(done),
    }
}

/// Who changes something from the command line, as the journal names it.
pub(super) fn staff() -> ChangeSource {
    ChangeSource::Staff {
        actor: "command line".to_owned(),
    }
}

/// The foundation of a command that works on the store.
pub(super) async fn foundation(cli: &Cli, opening: Opening) -> Result<Foundation, Failure> {
    let config = load(&Sources::of_process(cli.config.clone()))?;
    telemetry::start(&config.telemetry, telemetry::Quiet::Yes);
    Foundation::open(config, opening).await
}
