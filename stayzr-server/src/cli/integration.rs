use std::path::PathBuf;

use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use stayzr_core::{model::Integration, tenant::TenantScope};
use stayzr_pms::{PmsProvider, RemoteProperty, config::WebhookMode, engine::Connect};

use super::{
    Cli,
    args::Organization,
    output::{Output, table},
    run::foundation,
    secret, select,
};
use crate::{
    compose::{Foundation, Opening},
    document::layered,
    failure::Failure,
    setup::{NewIntegration, add_integration, webhook_url},
    subscription::Subscriptions,
};

#[derive(Debug, Subcommand)]
pub(crate) enum IntegrationCommand {
    /// Connects a hotel to its PMS: asks the vendor, then stores the credentials sealed.
    #[command(
        after_help = "Credentials come from a JSON file, from the environment, or from a prompt:
  mews       client_token, access_token
  cloudbeds  api_key; or, in a file alone, client_id, client_secret, refresh_token
  opera      client_id, client_secret, app_key, and username, password or enterprise_id
In the environment they are STAYZR_MEWS_CLIENT_TOKEN, STAYZR_CLOUDBEDS_API_KEY, and so on.

Examples:
  stayzr integration add mews --property \"Aurelia Porto\"
  stayzr integration add mews --property \"Aurelia Porto\" --credentials-file mews.json
  stayzr integration add mews --property P --base-url https://api.mews-demo.com --webhook poll
  stayzr integration add cloudbeds --property P --credentials-file cloudbeds.json
  stayzr integration add opera --property P --base-url https://GATEWAY --vendor hotel_id=HOTEL1"
    )]
    Add(AddArgs),
    /// Lists connections.
    #[command(alias = "ls", after_help = "Example:\n  stayzr integration list")]
    List(Organization),
    /// Asks the vendor whether the stored credentials still work, and subscribes again to what it
    /// no longer tells us.
    #[command(after_help = "Example:\n  stayzr integration check ID")]
    Check(OneArgs),
    /// Removes a connection with its mappings and its subscriptions at the vendor; guests and
    /// reservations stay.
    #[command(after_help = "Example:\n  stayzr integration remove ID")]
    Remove(OneArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The provider: cloudbeds, mews, opera.
    provider: String,
    /// The hotel, by id or name.
    #[arg(long, value_name = "ID|NAME")]
    property: String,
    /// JSON file with the credentials, such as {"client_token": …, "access_token": …} for Mews.
    #[arg(long, value_name = "FILE")]
    credentials_file: Option<PathBuf>,
    /// Another address of the vendor's API.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// How the vendor tells of changes [default: `url_token`, and poll for OPERA, which tells nobody].
    #[arg(long, value_parser = ["url_token", "hmac_sha256", "poll"])]
    webhook: Option<String>,
    /// A setting of the vendor, as docs of its provider name it: `hotel_id=HOTEL1`, or with JSON
    /// `past_days:=60`. May be given more than once.
    #[arg(long, value_name = "KEY=VALUE")]
    vendor: Vec<String>,
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
            let public_url = public_url(&base);
            let again = subscriptions(&base, &public_url).make(&integration).await?;
            let shown = json!({
                "integration_id": integration.id, "remote": remote, "subscribed": again,
            });
            output.result(&shown, || {
                let mut said = format!(
                    "{} answers: {} ({})",
                    integration.provider, remote.name, remote.id
                );
                if let Some(events) = again.filter(|events| !events.is_empty()) {
                    said.push_str(&format!("\nsubscribed again to {}", events.join(", ")));
                }
                said
            })
        }
        IntegrationCommand::Remove(args) => {
            let (scope, integration) = one(&base, args).await?;
            let public_url = public_url(&base);
            let ended = subscriptions(&base, &public_url).end(&integration).await;
            base.store.delete_integration(scope, integration.id).await?;
            // Whoever removes a connection may have lost its credentials.
            let left = ended.as_ref().err().map(ToString::to_string);
            let shown = json!({
                "removed": integration.id, "unsubscribed": ended.as_ref().ok(), "left": left,
            });
            output.result(&shown, || match left {
                None => format!("removed {}", integration.id),
                Some(why) => format!(
                    "removed {}; its subscriptions could not be ended at the vendor: {why}",
                    integration.id
                ),
            })
        }
    }
}

fn subscriptions<'b>(base: &'b Foundation, public_url: &'b str) -> Subscriptions<'b> {
    Subscriptions {
        store: base.store.as_ref(),
        providers: &base.providers,
        public_url,
    }
}

/// Under which address vendors reach the server, as far as the configuration says.
fn public_url(base: &Foundation) -> String {
    match base.config.server.public_url.trim_end_matches('/') {
        "" => format!("http://{}", base.config.server.listen),
        url => url.to_owned(),
    }
}

/// Asks the vendor who we are with the stored credentials.
pub(crate) async fn ask(
    base: &Foundation,
    scope: TenantScope,
    integration: &Integration,
) -> Result<RemoteProperty, Failure> {
    let whole = layered(base.store.as_ref(), scope, integration).await?;
    let provider = base.providers.connect(scope, &whole).await?;
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
    if let Some(mode) = &args.webhook {
        settings.insert("webhook".into(), json!(mode));
    }
    let vendor = vendor_settings(&args.vendor)?;
    if !vendor.is_empty() {
        settings.insert("vendor".into(), Value::Object(vendor));
    }
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
    let public = public_url(base);
    let clock = base.clock.as_ref();
    let added = add_integration(store, clock, &base.providers, scope, new, &public).await?;
    let url = webhook_url(&public, &added.integration, &added.webhook_secret);
    let mut shown = json!(added.integration);
    shown["remote"] = json!(added.remote);
    shown["webhook"] = json!({
        "mode": added.mode, "url": url, "secret": added.webhook_secret.expose_secret(),
    });
    let webhook = match (added.mode, &added.subscribed) {
        (WebhookMode::Poll, _) => "it is asked for changes".to_owned(),
        (_, Ok(Some(events))) => {
            shown["subscribed"] = json!(events);
            format!("it tells of {} kinds of events at {url}", events.len())
        }
        (_, Ok(None)) => {
            format!("webhook URL, to be entered at the vendor; it holds a secret:\n  {url}")
        }
        (_, Err(error)) => {
            shown["subscription_error"] = json!(error.to_string());
            format!(
                "it does not tell of changes yet: {error}\n  stayzr integration check {} tries again",
                added.integration.id
            )
        }
    };
    output.result(&shown, || {
        format!(
            "{} is connected to {} at {} ({})\nintegration {}\n{webhook}\nnext:\n  stayzr sync run --integration {} --mode backfill",
            property.name,
            added.remote.name,
            added.integration.provider,
            added.remote.id,
            added.integration.id,
            added.integration.id
        )
    })
}

/// `key=text` and `key:=JSON`.
fn vendor_settings(given: &[String]) -> Result<Map<String, Value>, Failure> {
    let refused = |pair: &str, why: &str| {
        Failure::new(
            "invalid",
            format!("--vendor {pair}: {why}; write KEY=TEXT, or KEY:=JSON"),
        )
    };
    let mut settings = Map::new();
    for pair in given {
        let (key, text) = pair
            .split_once('=')
            .ok_or_else(|| refused(pair, "there is no value"))?;
        let (key, value) = match key.strip_suffix(':') {
            Some(key) => {
                let value = serde_json::from_str(text);
                (
                    key,
                    value.map_err(|_| refused(pair, "the value is not JSON"))?,
                )
            }
            None => (key, json!(text)),
        };
        settings.insert(key.trim().to_owned(), value);
    }
    Ok(settings)
}

/// The credentials of a file, or of the environment and the prompt.
fn credentials(args: &AddArgs) -> Result<SecretString, Failure> {
    if let Some(path) = &args.credentials_file {
        return Ok(secret::read(path)?.into());
    }
    let provider = args.provider.as_str();
    let variable = |key: &str| format!("STAYZR_{provider}_{key}").to_ascii_uppercase();
    let mut asked: Vec<(&str, &str)> = match provider {
        "cloudbeds" => vec![("api_key", "Cloudbeds API key")],
        "mews" => vec![
            ("client_token", "Mews client token"),
            ("access_token", "Mews access token"),
        ],
        "opera" => vec![
            ("client_id", "client id of the OPERA application"),
            ("client_secret", "client secret of the OPERA application"),
            ("app_key", "application key of OPERA"),
        ],
        other => {
            return Err(Failure::new(
                "unsupported",
                format!(
                    "there is no provider \"{other}\"; there are: {}",
                    crate::providers::NAMES.join(", ")
                ),
            ));
        }
    };
    // An environment of OPERA has one of two grants.
    if provider == "opera" {
        match std::env::var(variable("enterprise_id")) {
            Ok(id) if !id.is_empty() => asked.push(("enterprise_id", "enterprise id of OPERA")),
            _ => asked.extend([
                ("username", "name of the OPERA integration user"),
                ("password", "password of the OPERA integration user"),
            ]),
        }
    }
    let mut credentials = Map::new();
    for (key, prompt) in asked {
        let secret = secret::ask(&variable(key), prompt)?;
        credentials.insert(key.to_owned(), json!(secret.expose_secret()));
    }
    Ok(Value::Object(credentials).to_string().into())
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
