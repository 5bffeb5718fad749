use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use stayzr_core::tenant::TenantScope;

use super::{Cli, args::Organization, output::Output, run::foundation, secret, select};
use crate::{
    compose::{Foundation, Opening},
    document::check_document,
    failure::Failure,
};

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// What an organization configures for all its connections to a vendor.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Shows the stored document: who decides conflicts, intervals, limits.
    #[command(after_help = "Example:\n  stayzr provider config show mews")]
    Show(OneArgs),
    /// Replaces the document, if it can be read. The next job goes by it.
    #[command(after_help = "Example:
  echo '{\"conflicts\":{\"guest\":{\"strategy\":\"MANUAL_REVIEW\"}}}' > mews.json
  stayzr provider config set mews --file mews.json")]
    Set(SetArgs),
}

#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    /// The provider: mews.
    provider: String,
    #[command(flatten)]
    organization: Organization,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    one: OneArgs,
    /// JSON file with the document.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

pub(crate) async fn run(
    cli: &Cli,
    command: &ProviderCommand,
    output: Output,
) -> Result<(), Failure> {
    let ProviderCommand::Config(command) = command;
    let base = foundation(cli, Opening::Existing).await?;
    match command {
        ConfigCommand::Show(args) => {
            let scope = scope(&base, args).await?;
            let stored = base.store.provider_document(scope, &args.provider).await?;
            let shown = match stored {
                Some(stored) => json!(stored),
                None => {
                    // A provider that is not built in has no document either.
                    check_document(&args.provider, &json!({}))?;
                    json!({"provider": args.provider, "version": 0, "config": {}})
                }
            };
            output.result(&shown, || pretty(&shown["config"]))
        }
        ConfigCommand::Set(args) => {
            let scope = scope(&base, &args.one).await?;
            let config = read(&args.file)?;
            let provider = &args.one.provider;
            check_document(provider, &config)?;
            let stored = base
                .store
                .put_provider_document(scope, provider, config)
                .await?;
            output.result(&stored, || {
                format!(
                    "{provider}: version {} is stored; the next job goes by it",
                    stored.version
                )
            })
        }
    }
}

async fn scope(base: &Foundation, args: &OneArgs) -> Result<TenantScope, Failure> {
    let named = args.organization.organization.as_deref();
    let organization = select::organization(base.store.as_ref(), named).await?;
    Ok(TenantScope::organization(organization.id))
}

fn read(file: &std::path::Path) -> Result<Value, Failure> {
    let refused = |why: String| Failure::new("invalid", format!("{} {why}", file.display()));
    let config: Value = serde_json::from_str(&secret::read(file)?)
        .map_err(|error| refused(format!("is not JSON: {error}")))?;
    match config.is_object() {
        true => Ok(config),
        false => Err(refused("does not hold a JSON object".to_owned())),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
