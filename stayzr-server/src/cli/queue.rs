use clap::{Args, Subcommand};
use serde_json::json;
use stayzr_core::{
    ids::JobId,
    port::PageRequest,
    queue::{Job, JobFilter},
    tenant::TenantScope,
};

use super::{
    Cli,
    args::Organization,
    output::{Output, table},
    run::foundation,
    select,
};
use crate::{compose::Opening, failure::Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Lists jobs, the newest first.
    #[command(
        alias = "ls",
        after_help = "Examples:\n  stayzr queue list --status FAILED\n  stayzr queue list --queue pms_sync_queue --json"
    )]
    List(ListArgs),
    /// Shows a job with its payload and last error.
    #[command(after_help = "Example:\n  stayzr queue show ID")]
    Show(JobArgs),
    /// Puts a failed job back.
    #[command(after_help = "Example:\n  stayzr queue retry ID")]
    Retry(JobArgs),
    /// Ends a waiting job.
    #[command(after_help = "Example:\n  stayzr queue cancel ID")]
    Cancel(JobArgs),
    /// Every queue in figures.
    #[command(after_help = "Example:\n  stayzr queue stats")]
    Stats(Organization),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only of this queue.
    #[arg(long)]
    queue: Option<String>,
    /// Only of this status.
    #[arg(long)]
    status: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    organization: Organization,
}

#[derive(Debug, Args)]
pub(crate) struct JobArgs {
    /// The job's id.
    job: JobId,
    #[command(flatten)]
    organization: Organization,
}

pub(crate) async fn run(cli: &Cli, command: &QueueCommand, output: Output) -> Result<(), Failure> {
    let base = foundation(cli, Opening::Existing).await?;
    let store = base.store.as_ref();
    let which = match command {
        QueueCommand::List(args) => &args.organization,
        QueueCommand::Show(args) | QueueCommand::Retry(args) | QueueCommand::Cancel(args) => {
            &args.organization
        }
        QueueCommand::Stats(organization) => organization,
    };
    let organization = select::organization(store, which.organization.as_deref()).await?;
    let scope = TenantScope::organization(organization.id);
    match command {
        QueueCommand::List(args) => {
            let filter = JobFilter {
                queue: args.queue.as_deref().map(str::parse).transpose()?,
                status: args.status.as_deref().map(str::parse).transpose()?,
            };
            let page = PageRequest {
                limit: args.limit,
                cursor: None,
            };
            let jobs = store.jobs(scope, &filter, &page).await?;
            output.result(&jobs, || {
                let rows: Vec<Vec<String>> = jobs.items.iter().map(row).collect();
                table(&["ID", "QUEUE", "STATUS", "ATTEMPTS", "LAST ERROR"], &rows)
            })
        }
        QueueCommand::Show(args) => {
            let job = store.job(scope, args.job).await?;
            let job =
                job.ok_or_else(|| Failure::new("not_found", "there is no job with this id"))?;
            output.result(&job, || {
                serde_json::to_string_pretty(&job).unwrap_or_default()
            })
        }
        QueueCommand::Retry(args) => {
            let job = store.retry(scope, args.job).await?;
            output.result(&job, || format!("{} waits again", job.id))
        }
        QueueCommand::Cancel(args) => {
            let job = store.cancel(scope, args.job).await?;
            output.result(&job, || format!("{} is cancelled", job.id))
        }
        QueueCommand::Stats(_) => {
            let stats = store.stats(scope).await?;
            output.result(&json!({"queues": stats}), || {
                let rows: Vec<Vec<String>> = stats
                    .iter()
                    .map(|queue| {
                        let oldest = queue.oldest_seconds;
                        vec![
                            queue.queue.to_string(),
                            queue.pending.to_string(),
                            queue.processing.to_string(),
                            queue.failed.to_string(),
                            oldest.map_or_else(String::new, |seconds| format!("{seconds:.0} s")),
                        ]
                    })
                    .collect();
                table(
                    &["QUEUE", "PENDING", "PROCESSING", "FAILED", "OLDEST DUE"],
                    &rows,
                )
            })
        }
    }
}

fn row(job: &Job) -> Vec<String> {
    vec![
        job.id.to_string(),
        job.queue.to_string(),
        job.status.as_str().to_owned(),
        format!("{}/{}", job.attempts, job.max_attempts),
        job.last_error.clone().unwrap_or_default(),
    ]
}
