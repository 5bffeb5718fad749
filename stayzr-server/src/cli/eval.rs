use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Subcommand;
use serde::de::DeserializeOwned;
use stayzr_agents::{eval::retrieval, knowledge::OfflineEmbedder, model::embedder::Embedder};

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
