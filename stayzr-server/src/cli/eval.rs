use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Subcommand;
use serde::de::DeserializeOwned;
use stayzr_agents::{
    eval::{grounding, retrieval, router},
    knowledge::OfflineEmbedder,
    model::embedder::Embedder,
};

use stayzr_core::clock::SystemClock;

use super::output::Output;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum EvalCommand {
    /// How well the right passages are found; each query sees its property's documents only.
    #[command(
        after_help = "Example:\n  stayzr eval retrieval --documents docs.json --queries queries.json --json"
    )]
    Retrieval {
        /// Documents: [{"property","name","id","title","text"}].
        #[arg(long, value_name = "FILE")]
        documents: PathBuf,
        /// Queries: [{"id","property","text","history","gold"}].
        #[arg(long, value_name = "FILE")]
        queries: PathBuf,
        /// The embedder.
        #[arg(long, default_value = "offline", value_parser = ["offline"])]
        embedder: String,
    },
    /// How well messages are routed; a case is right if the chosen specialist is in `accept`.
    #[command(after_help = "Example:\n  stayzr eval router --cases cases.json --json")]
    Router {
        /// Cases: [{"text","accept","escalate"}].
        #[arg(long, value_name = "FILE")]
        cases: PathBuf,
        /// The model.
        #[arg(long, default_value = "offline", value_parser = ["offline"])]
        model: String,
    },
    /// How well replies that nothing supports are blocked.
    #[command(after_help = "Example:\n  stayzr eval grounding --cases cases.json --json")]
    Grounding {
        /// Cases: [{"kind","source","reply","grounded"}].
        #[arg(long, value_name = "FILE")]
        cases: PathBuf,
    },
}

pub(crate) async fn run(command: &EvalCommand, output: Output) -> Result<(), Failure> {
    match command {
        EvalCommand::Retrieval {
            documents, queries, ..
        } => {
            let documents: Vec<retrieval::EvalDocument> = read(documents)?;
            let queries: Vec<retrieval::EvalQuery> = read(queries)?;
            let embedder: Arc<dyn Embedder> = Arc::new(OfflineEmbedder);
            let report = retrieval::evaluate(&documents, &queries, embedder).await?;
            output.result(&report, || {
                format!(
                    "n {}  hit@1 {:.3}  hit@5 {:.3}  mrr@5 {:.3}  recall@5 {:.3}  foreign {}  p50 {:.1} ms  p99 {:.1} ms",
                    report.n,
                    report.hit_at_1,
                    report.hit_at_5,
                    report.mrr_at_5,
                    report.recall_at_5,
                    report.foreign_results,
                    report.p50_ms,
                    report.p99_ms
                )
            })
        }
        EvalCommand::Router { cases, .. } => {
            let cases: Vec<router::RouterCase> = read(cases)?;
            let report = router::evaluate(&cases, None, &SystemClock).await;
            output.result(&report, || {
                format!(
                    "n {}  accuracy {:.3}  escalation precision {:.3}  recall {:.3}",
                    report.n,
                    report.accuracy,
                    report.escalation_precision,
                    report.escalation_recall
                )
            })
        }
        EvalCommand::Grounding { cases } => {
            let cases: Vec<grounding::GroundingCase> = read(cases)?;
            let report = grounding::evaluate(&cases);
            output.result(&report, || {
                format!(
                    "n {}  false blocks {:.3}  caught {:.3}",
                    report.n, report.false_block_rate, report.catch_rate
                )
            })
        }
    }
}

/// A file of cases.
fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = super::secret::read(path)?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(
            "malformed_file",
            format!("{} cannot be read: {error}", path.display()),
        )
    })
}
