use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use super::{
    change::ChangeCommand, channel::ChannelCommand, config::ConfigCommand,
    conflict::ConflictCommand, eval::EvalCommand, integration::IntegrationCommand,
    knowledge::KnowledgeCommand, property::PropertyCommand, provider::ProviderCommand,
    queue::QueueCommand, sync::SyncCommand, token::TokenCommand, webhook::WebhookCommand,
};

/// Connects hotels, their guests' messages and a concierge that knows the house.
#[derive(Debug, Parser)]
#[command(
    name = "stayzr",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Examples:
  stayzr demo                       the whole product with simulated vendors, nothing to install
  stayzr init \"Aurelia Collection\"  the first organization and an admin token
  stayzr serve                      the server
  stayzr check                      every dependency, one line each"
)]
pub struct Cli {
    /// Configuration file [default: stayzr.toml in this folder, if there is one].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print one JSON document on standard output.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which organization a command is about.
#[derive(Debug, Args)]
pub(crate) struct Organization {
    /// Organization by id or name [default: the only one].
    #[arg(long, value_name = "ID|NAME")]
    pub(crate) organization: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole stack with simulated vendors, two organizations and three hotels.
    #[command(after_help = "Examples:
  stayzr demo
  stayzr demo --data-dir /tmp/demo --listen 127.0.0.1:0
  stayzr demo --reset")]
    Demo(DemoArgs),
    /// The server.
    #[command(after_help = "Examples:
  stayzr serve
  stayzr serve --config /etc/stayzr.toml
  STAYZR__STORE__URL=postgres://stayzr@localhost/stayzr stayzr serve")]
    Serve(ServeArgs),
    /// The first organization and an admin token, printed once.
    #[command(after_help = "Example:\n  stayzr init \"Aurelia Collection\"")]
    Init {
        /// The organization's name.
        name: String,
        /// Make it although there is an organization already.
        #[arg(long)]
        another: bool,
    },
    /// Hotels.
    #[command(subcommand)]
    Property(PropertyCommand),
    /// Connections to property management systems.
    #[command(subcommand)]
    Integration(IntegrationCommand),
    /// Addresses that guests write to.
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// Configuration, migrations, dependencies, tenant isolation, clock, credentials: one line
    /// each, exit 1 if any fails.
    #[command(after_help = "Examples:\n  stayzr check\n  stayzr check --json")]
    Check {
        /// Do not ask the vendors.
        #[arg(long)]
        offline: bool,
    },
    /// Brings the database's schema up to date.
    #[command(after_help = "Examples:\n  stayzr migrate\n  stayzr migrate --pending")]
    Migrate {
        /// Only say what would run.
        #[arg(long)]
        pending: bool,
    },
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Jobs: what waits, what failed.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Synchronisation with the PMS.
    #[command(subcommand)]
    Sync(SyncCommand),
    /// What both sides changed differently, for a person to decide.
    #[command(subcommand)]
    Conflict(ConflictCommand),
    /// The journal of changes.
    #[command(subcommand)]
    Change(ChangeCommand),
    /// Vendors: what is configured for all connections to one.
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// What the concierge knows.
    #[command(subcommand)]
    Knowledge(KnowledgeCommand),
    /// Webhooks: send an example, verify recorded ones.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Measures retrieval, routing and grounding.
    #[command(subcommand)]
    Eval(EvalCommand),
    /// What this machine can do, as figures.
    #[command(after_help = "Example:\n  stayzr bench --json")]
    Bench,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder for data and demo.json.
    #[arg(long, value_name = "DIR", default_value = "./.stayzr-demo")]
    pub(crate) data_dir: PathBuf,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Begin anew: other ids, other secrets.
    #[arg(long)]
    pub(crate) reset: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Folder for the embedded database and the master key.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::*;

    fn leaves<'c>(command: &'c Command, path: String, found: &mut Vec<(String, &'c Command)>) {
        if command.get_subcommands().next().is_none() {
            found.push((path, command));
            return;
        }
        for inner in command.get_subcommands() {
            leaves(inner, format!("{path} {}", inner.get_name()), found);
        }
    }

    #[test]
    fn every_command_is_well_formed_and_shows_an_example() {
        let command = Cli::command();
        command.clone().debug_assert();
        let mut found = Vec::new();
        leaves(&command, "stayzr".to_owned(), &mut found);
        assert!(found.len() > 25, "{}", found.len());
        for (path, command) in found {
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains(&path)),
                "the help of `{path}` shows no example of it"
            );
            assert!(
                command.get_about().is_some(),
                "{path} does not say what it does"
            );
        }
    }

    #[test]
    fn lists_have_a_short_name_and_json_goes_anywhere() {
        for line in [
            "stayzr property ls",
            "stayzr --json queue ls --status FAILED",
            "stayzr integration list --json",
            "stayzr channel ls --organization Aurelia",
            "stayzr conflict ls --status all --entity guest",
            "stayzr change ls --refused",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
        for line in [
            "stayzr",
            "stayzr property",
            "stayzr queue show not-an-id",
            "stayzr conflict ls --entity guests",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
