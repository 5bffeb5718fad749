use clap::{Args, Subcommand, ValueEnum};
use stayzr_core::{model::RunMode, tenant::TenantScope};

use super::{Cli, args::Organization, output::Output, run::foundation, select};
use crate::{compose::Opening, failure::Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum SyncCommand {
    /// Reads from the PMS in this process and says what changed.
    #[command(
        after_help = "Examples:\n  stayzr sync run --mode backfill\n  stayzr sync run --integration ID --mode incremental --json"
    )]
    Run(RunArgs),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Backfill,
    Incremental,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The connection, by id or provider [default: the only one].
    #[arg(long, value_name = "ID")]
    integration: Option<String>,
    /// What to read.
    #[arg(long, value_enum, default_value = "incremental")]
    mode: Mode,
    #[command(flatten)]
    organization: Organization,
}

pub(crate) async fn run(cli: &Cli, command: &SyncCommand, output: Output) -> Result<(), Failure> {
    let SyncCommand::Run(args) = command;
    let base = foundation(cli, Opening::Existing).await?;
    let store = base.store.as_ref();
    let named = args.organization.organization.as_deref();
    let organization = select::organization(store, named).await?;
    let scope = TenantScope::organization(organization.id);
    let integration = select::integration(store, scope, args.integration.as_deref()).await?;
    let scope = TenantScope::property(organization.id, integration.property_id);
    let mode = match args.mode {
        Mode::Backfill => RunMode::Backfill,
        Mode::Incremental => RunMode::Incremental,
    };
    let run = base.engine.run(scope, integration.id, mode, None).await?;
    output.result(&run, || {
        format!(
            "{} read, {} made, {} changed, {} unchanged, {} put aside, {} conflicts",
            run.read, run.created, run.updated, run.unchanged, run.parked, run.conflicts
        )
    })
}
