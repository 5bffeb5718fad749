use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use stayzr_core::tenant::TenantScope;
use stayzr_pms::{Reading, config::ProviderConfig};

use super::{Cli, args::Organization, output::Output, run::foundation, secret, select};
use crate::{
    compose::{Foundation, Opening},
    document::{Syntax, check_document, read_document},
    failure::Failure,
    providers::{NAMES, Providers},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// What an organization configures for all its connections to a vendor.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Checks a provider's configuration in a file, and names the line and the key that is wrong.
    #[command(after_help = "Examples:
  stayzr provider check mews.json                 the provider is the file's name
  stayzr provider check hotel.toml --provider opera")]
    Check(CheckArgs),
    /// Prints the JSON Schema of a provider's configuration.
    #[command(after_help = "Example:\n  stayzr provider schema > provider-config.schema.json")]
    Schema,
    /// What Stayzr makes of a vendor's body, without asking the vendor: records or events, what it
    /// does not know, and what it tolerates.
    #[command(
        after_help = "The operation is named as the vendor names it; the longest known start of it counts.

Examples:
  stayzr provider parse mews reservations.getAll reservations.json
  stayzr provider parse cloudbeds getReservation answer.json --json
  stayzr provider parse opera getBusinessEvents events.json
  stayzr provider parse mews webhook.general delivery.json"
    )]
    Parse(ParseArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// JSON file, or TOML if its name ends so.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whose configuration it is [default: the provider that the file is named after].
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ParseArgs {
    /// The provider: cloudbeds, mews, opera.
    provider: String,
    /// The vendor's operation whose body it is.
    operation: String,
    /// Files with a JSON body each.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
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
    /// The provider: cloudbeds, mews, opera.
    provider: String,
    #[command(flatten)]
    organization: Organization,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    one: OneArgs,
    /// File with the document: JSON, or TOML if its name ends so.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Only in place of this version, as `show --json` has it; 0 where there is none.
    #[arg(long, value_name = "NUMBER")]
    if_version: Option<i64>,
}

pub(crate) async fn run(
    cli: &Cli,
    command: &ProviderCommand,
    output: Output,
) -> Result<(), Failure> {
    let command = match command {
        ProviderCommand::Config(command) => command,
        ProviderCommand::Check(args) => return check(args, output),
        ProviderCommand::Schema => {
            let schema = ProviderConfig::schema();
            return output.result(&schema, || pretty(&schema));
        }
        ProviderCommand::Parse(args) => return parse(args, output),
    };
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
            let provider = &args.one.provider;
            let config = read(Some(provider), &args.file)?;
            let stored = base
                .store
                .put_provider_document(scope, provider, config, args.if_version)
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

/// Reads a document; what is wrong in it is named with its file and line.
fn read(provider: Option<&str>, file: &Path) -> Result<Value, Failure> {
    let text = secret::read(file)?;
    read_document(provider, &text, Syntax::of(file))
        .map_err(|found| Failure::new("invalid", format!("{}: {found}", file.display())))
}

fn check(args: &CheckArgs, output: Output) -> Result<(), Failure> {
    let stem = args.file.file_stem().and_then(|stem| stem.to_str());
    let named = args.provider.as_deref();
    let provider = named.or_else(|| NAMES.into_iter().find(|name| Some(*name) == stem));
    read(provider, &args.file)?;
    let shown = json!({"file": args.file, "provider": provider, "ok": true});
    output.result(&shown, || match provider {
        Some(provider) => format!("{}: fine for {provider}", args.file.display()),
        None => format!(
            "{}: fine, but for `vendor`, which was not checked: name the provider with --provider",
            args.file.display()
        ),
    })
}

fn parse(args: &ParseArgs, output: Output) -> Result<(), Failure> {
    let mut items = Vec::new();
    for file in &args.files {
        let refused =
            |why: String| Failure::new("not_readable", format!("{}: {why}", file.display()));
        let body: Value = serde_json::from_str(&secret::read(file)?)
            .map_err(|error| refused(format!("not JSON: {error}")))?;
        let reading = Providers::read_body(&args.provider, &args.operation, &body)
            .map_err(|error| refused(Failure::from(error).message))?;
        items.push(shown(file, &reading));
    }
    let document = json!({
        "provider": args.provider, "operation": args.operation, "items": items,
    });
    output.result(&document, || pretty(&document["items"]))
}

/// A reading as JSON.
fn shown(file: &Path, reading: &Reading) -> Value {
    let records: Vec<Value> = reading
        .page
        .records
        .iter()
        .map(|record| {
            json!({
                "kind": record.kind,
                "external_id": record.external_id,
                "version": record.version,
                "fields": record.fields,
                "links": record.links,
                "merged_into": record.merged_into,
                "extra": record.extra,
                "unknown_values": record.unknown,
            })
        })
        .collect();
    let mut tolerated: Vec<String> = reading.tolerated.iter().cloned().collect();
    if reading.foreign > 0 {
        tolerated.push(format!(
            "{} elements are something else than a record of ours, and left out",
            reading.foreign
        ));
    }
    if reading.others > 0 {
        tolerated.push(format!(
            "{} elements of a list that is read and not kept",
            reading.others
        ));
    }
    let parked: Vec<Value> = reading
        .page
        .parked
        .iter()
        .map(|parked| {
            json!({
                "kind": parked.entity, "external_id": parked.external_id, "reason": parked.reason,
            })
        })
        .collect();
    let complaint = reading.complaint.as_ref().map(|complaint| {
        json!({
            "kind": complaint.kind.as_str(), "advice": complaint.advice,
            "vendor_says": complaint.says,
        })
    });
    json!({
        "file": file,
        "records": records,
        "events": reading.events,
        "unknown_fields": reading.kept,
        "unknown_values": reading.unknown,
        "tolerated": tolerated,
        "put_aside": parked,
        "complaint": complaint,
    })
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
