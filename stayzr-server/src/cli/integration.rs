use std::path::PathBuf;

use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use stayzr_core::{model::Integration, tenant::TenantScope};
use stayzr_pms::{PmsProvider, RemoteProperty, engine::Connect};

use super::{
    Cli,
    args::Organization,
    output::{Output, table},
    run::foundation,
    secret, select,
};
use crate::{
    compose::{Foundation, Opening},
    failure::Failure,
    setup::{NewIntegration, add_integration, webhook_url},
};

#[derive(Debug, Subcommand)]
pub(crate) enum IntegrationCommand {
    /// Connects a hotel to its PMS: asks the vendor, then stores the credentials sealed.
    #[command(
        after_help = "Credentials come from a JSON file, from the environment \
(STAYZR_MEWS_CLIENT_TOKEN, STAYZR_MEWS_ACCESS_TOKEN, STAYZR_CLOUDBEDS_API_KEY), or from a prompt.

Examples:
  stayzr integration add mews --property \"Aurelia Porto\"
  stayzr integration add mews --property \"Aurelia Porto\" --credentials-file mews.json
  stayzr integration add mews --property P --base-url https://api.mews-demo.com --webhook poll"
    )]
    Add(AddArgs),
    /// Lists connections.
    #[command(alias = "ls", after_help = "Example:\n  stayzr integration list")]
    List(Organization),
    /// Asks the vendor whether the stored credentials still work.
    #[command(after_help = "Example:\n  stayzr integration check ID")]
    Check(OneArgs),
    /// Removes a connection with its mappings; guests and reservations stay.
    #[command(after_help = "Example:\n  stayzr integration remove ID")]
    Remove(OneArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The provider: cloudbeds, mews.
    provider: String,
    /// The hotel, by id or name.
    #[arg(long, value_name = "ID|NAME")]
    property: String,
    /// JSON file with the credentials, for Mews {"client_token": …, "access_token": …},
    /// for Cloudbeds {"api_key": …}.
    #[arg(long, value_name = "FILE")]
    credentials_file: Option<PathBuf>,
    /// Another address of the vendor's API.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// How the vendor tells of changes: `url_token`, `hmac_sha256` or poll.
    #[arg(long, default_value = "url_token", value_parser = ["url_token", "hmac_sha256", "poll"])]
    webhook: String,
    /// Seconds between two incremental runs.
    #[arg(long, value_name = "SECONDS")]
    sync_interval: Option<u64>,
    #[command(flatten)]
    organization: Organization,
}

#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    /// The connection, by id or by provider where that is unique.
    integration: String,
    #[command(flatten)]
    organization: Organization,
}

pub(crate) async fn run(
    cli: &Cli,
    command: &IntegrationCommand,
    output: Output,
) -> Result<(), Failure> {
    let base = foundation(cli, Opening::Existing).await?;
    match command {
        IntegrationCommand::Add(args) => add(&base, args, output).await,
        IntegrationCommand::List(which) => list(&base, which, output).await,
        IntegrationCommand::Check(args) => {
            let (scope, integration) = one(&base, args).await?;
            let remote = ask(&base, scope, &integration).await?;
            output.result(
                &json!({"integration_id": integration.id, "remote": remote}),
                || {
                    format!(
                        "{} answers: {} ({})",
                        integration.provider, remote.name, remote.id
                    )
                },
            )
        }
        IntegrationCommand::Remove(args) => {
            let (scope, integration) = one(&base, args).await?;
            base.store.delete_integration(scope, integration.id).await?;
            output.result(&json!({"removed": integration.id}), || {
                format!("removed {}", integration.id)
            })
        }
    }
}

/// Asks the vendor who we are with the stored credentials.
pub(crate) async fn ask(
    base: &Foundation,
    scope: TenantScope,
    integration: &Integration,
) -> Result<RemoteProperty, Failure> {
    let provider = base.providers.connect(scope, integration).await?;
    Ok(PmsProvider::check(provider.as_ref()).await?)
}

async fn one(base: &Foundation, args: &OneArgs) -> Result<(TenantScope, Integration), Failure> {
    let store = base.store.as_ref();
    let named = args.organization.organization.as_deref();
    let organization = select::organization(store, named).await?;
    let scope = TenantScope::organization(organization.id);
    let integration = select::integration(store, scope, Some(&args.integration)).await?;
    Ok((scope, integration))
}

async fn add(base: &Foundation, args: &AddArgs, output: Output) -> Result<(), Failure> {
    let store = base.store.as_ref();
    let named = args.organization.organization.as_deref();
    let organization = select::organization(store, named).await?;
    let scope = TenantScope::organization(organization.id);
    let property = select::property(store, scope, Some(&args.property)).await?;
    let mut settings = Map::new();
    settings.insert("webhook".into(), json!(args.webhook));
    if let Some(url) = &args.base_url {
        settings.insert("base_url".into(), json!(url));
    }
    if let Some(seconds) = args.sync_interval {
        settings.insert("sync_interval_seconds".into(), json!(seconds));
    }
    let new = NewIntegration {
        property_id: property.id,
        provider: args.provider.clone(),
        settings: Value::Object(settings),
        credentials: credentials(args)?,
        webhook_secret: None,
    };
    let scope = TenantScope::property(organization.id, property.id);
    let added = add_integration(store, base.clock.as_ref(), &base.providers, scope, new).await?;
    let public = base.config.server.public_url.trim_end_matches('/');
    let public = match public {
        "" => format!("http://{}", base.config.server.listen),
        url => url.to_owned(),
    };
    let url = webhook_url(&public, &added.integration, &added.webhook_secret);
    let mut shown = json!(added.integration);
    shown["remote"] = json!(added.remote);
    shown["webhook"] = json!({
        "mode": added.mode, "url": url, "secret": added.webhook_secret.expose_secret(),
    });
    output.result(&shown, || {
        format!(
            "{} is connected to {} at {} ({})\nintegration {}\nwebhook URL, to be entered at the vendor; it holds a secret:\n  {url}\nnext:\n  stayzr sync run --integration {} --mode backfill",
            property.name,
            added.remote.name,
            added.integration.provider,
            added.remote.id,
            added.integration.id,
            added.integration.id
        )
    })
}

fn credentials(args: &AddArgs) -> Result<SecretString, Failure> {
    if let Some(path) = &args.credentials_file {
        return Ok(secret::read(path)?.into());
    }
    match args.provider.as_str() {
        "cloudbeds" => {
            let key = secret::ask("STAYZR_CLOUDBEDS_API_KEY", "Cloudbeds API key")?;
            let json = json!({"api_key": key.expose_secret()});
            Ok(json.to_string().into())
        }
        "mews" => {
            let client = secret::ask("STAYZR_MEWS_CLIENT_TOKEN", "Mews client token")?;
            let access = secret::ask("STAYZR_MEWS_ACCESS_TOKEN", "Mews access token")?;
            let json = json!({
                "client_token": client.expose_secret(),
                "access_token": access.expose_secret(),
            });
            Ok(json.to_string().into())
        }
        other => Err(Failure::new(
            "unsupported",
            format!(
                "there is no provider \"{other}\"; there are: {}",
                crate::providers::NAMES.join(", ")
            ),
        )),
    }
}

async fn list(base: &Foundation, which: &Organization, output: Output) -> Result<(), Failure> {
    let store = base.store.as_ref();
    let organization = select::organization(store, which.organization.as_deref()).await?;
    let scope = TenantScope::organization(organization.id);
    let all = store.integrations(scope).await?;
    output.result(&json!({"items": all}), || {
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|integration| {
                vec![
                    integration.id.to_string(),
                    integration.provider.clone(),
                    integration.property_id.to_string(),
                    integration.remote_property_id.clone(),
                    format!("{:?}", integration.status).to_lowercase(),
                ]
            })
            .collect();
        table(&["ID", "PROVIDER", "PROPERTY", "THERE", "STATUS"], &rows)
    })
}
