use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use serde_json::json;
use stayzr_core::{
    clock::Clock,
    ids::DeliveryId,
    port::{
        Store,
        inbox::{Delivery, DeliveryRecord, REFUSED_KEPT},
    },
};
use stayzr_webhooks::manifest::verify_manifest_file;

use super::{
    Cli,
    output::{Output, table},
    run::foundation,
    trigger::{TriggerArgs, trigger},
};
use crate::{
    compose::Opening,
    config::{Sources, load},
    failure::Failure,
};

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Signs and posts an example event.
    #[command(
        after_help = "Signed with what is configured: whatsapp.message, whatsapp.status; resend.delivered, resend.bounced, \
resend.received; postmark.delivery, postmark.bounce, postmark.inbound; stripe.payment, razorpay.payment (--set account=ID).
Posted to a URL that holds the secret: mews.guest, mews.reservation, mews.room; cloudbeds.guest, \
cloudbeds.reservation, cloudbeds.room.
Signed with the secret of STAYZR_WEBHOOK_SECRET: agent.call (--set agent_id=ID), and the events of Mews where a relay \
signs them.

Examples:
  stayzr webhook trigger whatsapp.message --set phone_number_id=106540352242922 --set text=\"When is breakfast?\"
  stayzr webhook trigger mews.guest --set enterprise_id=E --set id=C --url \"http://…/webhooks/pms/mews/ID?token=T\"
  stayzr webhook trigger cloudbeds.reservation --set property_id=12 --set id=R --url \"http://…/webhooks/pms/cloudbeds/ID/T\"
  stayzr webhook trigger resend.bounced --set to=guest@example.com"
    )]
    Trigger(TriggerArgs),
    /// Lists the last deliveries, the newest first, and the last requests that were refused, with the
    /// verdict and why.
    #[command(
        alias = "ls",
        after_help = "Examples:\n  stayzr webhook list\n  stayzr webhook list --limit 200 --json"
    )]
    List {
        /// At most so many of either.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Shows a stored delivery with its body, or a refused request.
    #[command(after_help = "Example:\n  stayzr webhook show ID")]
    Show {
        /// The delivery.
        delivery: DeliveryId,
    },
    /// Processes a stored delivery again, as it was stored. What came of it before is recognised.
    #[command(after_help = "Example:\n  stayzr webhook replay ID")]
    Replay {
        /// The delivery.
        delivery: DeliveryId,
    },
    /// Verifies recorded requests by their own clock and secrets, offline.
    #[command(after_help = "Example:\n  stayzr webhook verify --manifest manifest.json --json")]
    Verify {
        /// Manifest with the recorded requests; bodies are beside it.
        #[arg(long, value_name = "FILE")]
        manifest: PathBuf,
    },
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
        WebhookCommand::List { limit } => {
            let base = foundation(cli, Opening::Existing).await?;
            list(base.store.as_ref(), *limit, output).await
        }
        WebhookCommand::Show { delivery } => {
            let base = foundation(cli, Opening::Existing).await?;
            show(base.store.as_ref(), *delivery, output).await
        }
        WebhookCommand::Replay { delivery } => {
            let base = foundation(cli, Opening::Existing).await?;
            replay(base.store.as_ref(), base.clock.as_ref(), *delivery, output).await
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

async fn list(store: &dyn Store, limit: u32, output: Output) -> Result<ExitCode, Failure> {
    let taken = store.deliveries(None, limit).await?;
    let refused = store.refused(limit).await?;
    output.result(&json!({"items": taken, "refused": refused}), || {
        let status = |record: &DeliveryRecord| {
            record
                .status
                .map_or_else(String::new, |status| status.as_str().to_owned())
        };
        let mut rows: Vec<(DeliveryId, Vec<String>)> = taken
            .iter()
            .map(|record| {
                let why = record.last_error.clone().unwrap_or_default();
                let source = record.endpoint.source().to_owned();
                let row = [record.received_at.to_rfc3339(), source, "accept".to_owned()];
                (record.id, [&row[..], &[status(record), why]].concat())
            })
            .collect();
        rows.extend(refused.iter().map(|refused| {
            let verdict = format!("{} {}", refused.verdict, refused.status);
            let row = [refused.at.to_rfc3339(), refused.source.clone(), verdict];
            (
                refused.id,
                [&row[..], &[String::new(), refused.reason.clone()]].concat(),
            )
        }));
        rows.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        let rows: Vec<Vec<String>> = rows
            .into_iter()
            .map(|(id, row)| [vec![id.to_string()], row].concat())
            .collect();
        table(&["ID", "CAME", "FROM", "VERDICT", "STATUS", "WHY"], &rows)
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn show(store: &dyn Store, id: DeliveryId, output: Output) -> Result<ExitCode, Failure> {
    if let Some(delivery) = store.stored_delivery(None, id).await? {
        let body = String::from_utf8_lossy(&delivery.body);
        let shown = json!({
            "id": delivery.id, "verdict": "accept", "endpoint": delivery.endpoint,
            "organization_id": delivery.scope.map(|scope| scope.organization_id),
            "dedupe_id": delivery.dedupe_id, "content_type": delivery.content_type,
            "received_at": delivery.received_at, "sha256": delivery.sha256,
            "traceparent": delivery.traceparent, "body": body,
        });
        output.result(&shown, || {
            let head = serde_json::to_string_pretty(&shown["endpoint"]).unwrap_or_default();
            format!(
                "{} {} accept\n{head}\n{body}",
                delivery.id, delivery.received_at
            )
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let refused = store.refused(REFUSED_KEPT).await?;
    let refused = refused.into_iter().find(|refused| refused.id == id);
    let refused = refused.ok_or_else(unknown)?;
    output.result(&refused, || {
        serde_json::to_string_pretty(&refused).unwrap_or_default()
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn replay(
    store: &dyn Store,
    clock: &dyn Clock,
    id: DeliveryId,
    output: Output,
) -> Result<ExitCode, Failure> {
    let stored = store.stored_delivery(None, id).await?.ok_or_else(unknown)?;
    let again = Delivery {
        id: DeliveryId::generate(clock),
        // Asked for: not a repetition by the sender.
        dedupe_id: None,
        ..stored
    };
    let new = again.id;
    store.accept_delivery(again).await?;
    output.result(&json!({"id": new, "replay_of": id}), || {
        format!("{new} waits to be processed, as {id} was stored")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn unknown() -> Failure {
    Failure::new(
        "not_found",
        "there is no delivery with this id: see stayzr webhook list",
    )
}
