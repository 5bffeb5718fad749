use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use stayzr_webhooks::manifest::verify_manifest_file;

use super::{
    Cli,
    output::Output,
    trigger::{TriggerArgs, trigger},
};
use crate::{
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
