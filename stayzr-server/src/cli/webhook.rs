use std::{path::PathBuf, process::ExitCode};

use chrono::Utc;
use clap::{Args, Subcommand};
use http::header::CONTENT_TYPE;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use stayzr_webhooks::{channels::whatsapp::MetaHub, manifest::verify_manifest_file};

use super::{Cli, output::Output};
use crate::{
    config::{Config, Sources, load},
    failure::Failure,
};

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Signs and posts an example event.
    #[command(
        after_help = "Names: whatsapp.message, whatsapp.status (signed with channels.whatsapp.app_secret), \
mews.guest, mews.reservation, mews.room (the URL holds the secret).

Examples:
  stayzr webhook trigger whatsapp.message --set phone_number_id=106540352242922 --set text=\"When is breakfast?\"
  stayzr webhook trigger mews.guest --set enterprise_id=E --set id=C --url \"http://…/webhooks/pms/mews/ID?token=T\""
    )]
    Trigger(TriggerArgs),
    /// Verifies recorded requests by their own clock and secrets, offline.
    #[command(after_help = "Example:\n  stayzr webhook verify --manifest manifest.json --json")]
    Verify {
        /// Manifest with the recorded requests; bodies are beside it.
        #[arg(long, value_name = "FILE")]
        manifest: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// Which event.
    #[arg(value_parser = ["whatsapp.message", "whatsapp.status", "mews.guest", "mews.reservation", "mews.room"])]
    name: String,
    /// Sets a value of the event; may be given more than once.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    values: Vec<String>,
    /// Where to post [default for WhatsApp: this server].
    #[arg(long)]
    url: Option<String>,
}

pub(crate) async fn run(
    cli: &Cli,
    command: &WebhookCommand,
    output: Output,
) -> Result<ExitCode, Failure> {
    match command {
        WebhookCommand::Trigger(args) => {
            let config = load(&Sources::of_process(cli.config.clone()))?;
            trigger(&config, args, output).await
        }
        WebhookCommand::Verify { manifest } => {
            let report = verify_manifest_file(manifest)?;
            output.result(&report, || {
                let mut text = format!("{} of {} agree", report.agree, report.n);
                for case in &report.disagree {
                    text.push_str(&format!(
                        "\n{}: expected {} {}, got {} {}",
                        case.id,
                        case.expected.verdict,
                        case.expected.reason,
                        case.got.verdict,
                        case.got.reason
                    ));
                }
                for (scheme, count) in &report.skipped {
                    text.push_str(&format!(
                        "\n{scheme}: {count} not judged, not in this build"
                    ));
                }
                text
            })?;
            Ok(match report.disagree.is_empty() {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            })
        }
    }
}

async fn trigger(config: &Config, args: &TriggerArgs, output: Output) -> Result<ExitCode, Failure> {
    let values = Values::parse(&args.values)?;
    let body = example(&args.name, &values)?.to_string();
    let whatsapp = args.name.starts_with("whatsapp.");
    let url = match (&args.url, whatsapp) {
        (Some(url), _) => url.clone(),
        (None, true) => format!("http://{}/webhooks/whatsapp", config.server.listen),
        (None, false) => {
            return Err(Failure::new(
                "invalid",
                "name the webhook URL of the integration with --url",
            ));
        }
    };
    let client = stayzr_webhooks::default_client()?;
    let mut request = client.post(&url).header(CONTENT_TYPE, "application/json");
    if whatsapp {
        let secret = &config.channels.whatsapp.app_secret;
        if secret.expose_secret().is_empty() {
            return Err(Failure::new(
                "credentials_missing",
                "channels.whatsapp.app_secret is not set: the event cannot be signed",
            ));
        }
        request = request.header(MetaHub::HEADER, MetaHub::sign(secret, body.as_bytes()));
    }
    let response = request.body(body.clone()).send().await.map_err(|error| {
        Failure::new(
            "unavailable",
            format!("nobody answers: {}", error.without_url()),
        )
    })?;
    let status = response.status().as_u16();
    let answer = response.text().await.unwrap_or_default();
    output.result(
        &json!({"status": status, "answer": answer, "sent": body}),
        || format!("{status} {answer}"),
    )?;
    Ok(match status {
        200..=299 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// What `--set` says.
struct Values(Vec<(String, String)>);

impl Values {
    fn parse(pairs: &[String]) -> Result<Self, Failure> {
        pairs
            .iter()
            .map(|pair| {
                pair.split_once('=')
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .ok_or_else(|| Failure::new("invalid", format!("\"{pair}\" is not KEY=VALUE")))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn get(&self, key: &str, default: &str) -> String {
        self.0
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map_or_else(|| default.to_owned(), |(_, value)| value.clone())
    }

    fn need(&self, key: &str) -> Result<String, Failure> {
        match self.get(key, "") {
            value if value.is_empty() => {
                Err(Failure::new("invalid", format!("set {key}: --set {key}=…")))
            }
            value => Ok(value),
        }
    }
}

fn example(name: &str, values: &Values) -> Result<Value, Failure> {
    let now = Utc::now().timestamp().to_string();
    if let Some(kind) = name.strip_prefix("mews.") {
        let discriminator = match kind {
            "guest" => "CustomerUpdated",
            "reservation" => "ServiceOrderUpdated",
            _ => "ResourceUpdated",
        };
        return Ok(json!({
            "EnterpriseId": values.need("enterprise_id")?,
            "IntegrationId": values.get("integration_id", "00000000-0000-0000-0000-000000000000"),
            "Events": [{"Discriminator": discriminator, "Value": {"Id": values.need("id")?}}],
        }));
    }
    let account = values.need("phone_number_id")?;
    let from = values.get("from", "16505550123");
    let fresh = format!("wamid.{}", uuid::Uuid::now_v7().simple());
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": account, "phone_number_id": account},
    });
    if name == "whatsapp.message" {
        value["contacts"] =
            json!([{"profile": {"name": values.get("name", "Guest")}, "wa_id": from}]);
        value["messages"] = json!([{
            "from": from, "id": values.get("id", &fresh), "timestamp": now, "type": "text",
            "text": {"body": values.get("text", "When is breakfast?")},
        }]);
    } else {
        value["statuses"] = json!([{
            "id": values.need("id")?, "status": values.get("status", "delivered"),
            "timestamp": now, "recipient_id": from,
        }]);
    }
    Ok(json!({"object": "whatsapp_business_account", "entry": [
        {"id": "0", "changes": [{"field": "messages", "value": value}]},
    ]}))
}
