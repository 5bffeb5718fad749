use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use stayzr_agents::knowledge::{NewDocument, SearchRequest};
use stayzr_core::{ids::PropertyId, model::Document, tenant::TenantScope};

use super::{
    Cli,
    args::Organization,
    output::{Output, table},
    run::foundation,
    select,
};
use crate::{
    compose::{Foundation, Opening},
    failure::Failure,
};

#[derive(Debug, Subcommand)]
pub(crate) enum KnowledgeCommand {
    /// Takes files in (CSV, text, Markdown); folders with all such files in them. The category is
    /// the file's name without its ending.
    #[command(
        after_help = "Examples:\n  stayzr knowledge ingest --property \"Aurelia Porto\" ./porto/\n  stayzr knowledge ingest house-rules.md"
    )]
    Ingest(IngestArgs),
    /// Asks what the concierge would find.
    #[command(
        after_help = "Example:\n  stayzr knowledge search --property \"Aurelia Porto\" \"When is breakfast?\""
    )]
    Search(SearchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct IngestArgs {
    /// Files and folders.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The hotel, by id or name [default: the whole organization].
    #[arg(long, value_name = "ID|NAME")]
    property: Option<String>,
    #[command(flatten)]
    organization: Organization,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// The question.
    text: String,
    /// The hotel, by id or name [default: the whole organization].
    #[arg(long, value_name = "ID|NAME")]
    property: Option<String>,
    /// At most so many passages.
    #[arg(long, default_value_t = 5)]
    limit: usize,
    #[command(flatten)]
    organization: Organization,
}

pub(crate) async fn run(
    cli: &Cli,
    command: &KnowledgeCommand,
    output: Output,
) -> Result<(), Failure> {
    let base = foundation(cli, Opening::Existing).await?;
    match command {
        KnowledgeCommand::Ingest(args) => {
            let (scope, property) = scope(&base, &args.organization, &args.property).await?;
            let mut stored = Vec::new();
            for path in files(&args.paths)? {
                stored.push(ingest(&base, scope, property, &path).await?);
            }
            let shown: Vec<_> = stored
                .iter()
                .map(|document| {
                    json!({"id": document.id, "file_name": document.file_name, "category": document.category})
                })
                .collect();
            output.result(&json!({"documents": shown}), || {
                format!("{} documents taken in", stored.len())
            })
        }
        KnowledgeCommand::Search(args) => {
            let (scope, property) = scope(&base, &args.organization, &args.property).await?;
            let mut request = SearchRequest::new(property, args.text.clone());
            request.limit = args.limit;
            let results = base.knowledge.search(scope, &request).await?;
            output.result(&json!({"results": results}), || {
                let rows: Vec<Vec<String>> = results
                    .iter()
                    .map(|passage| {
                        let text = passage
                            .text
                            .split_whitespace()
                            .collect::<Vec<_>>()
                            .join(" ");
                        vec![
                            format!("{:.2}", passage.score),
                            format!("{:?}", passage.match_tier).to_lowercase(),
                            passage.file_name.clone(),
                            text.chars().take(100).collect(),
                        ]
                    })
                    .collect();
                table(&["SCORE", "TIER", "FILE", "PASSAGE"], &rows)
            })
        }
    }
}

/// Takes a file in under its own name.
pub(crate) async fn ingest(
    base: &Foundation,
    scope: TenantScope,
    property_id: Option<PropertyId>,
    path: &Path,
) -> Result<Document, Failure> {
    let content = std::fs::read(path).map_err(|error| {
        Failure::new(
            "file_not_readable",
            format!("{} cannot be read: {error}", path.display()),
        )
    })?;
    let name = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let document = NewDocument {
        property_id,
        category: name(path.file_stem()),
        file_name: name(path.file_name()),
        content_type: String::new(),
        content,
    };
    Ok(base.knowledge.put(scope, document).await?)
}

async fn scope(
    base: &Foundation,
    organization: &Organization,
    property: &Option<String>,
) -> Result<(TenantScope, Option<PropertyId>), Failure> {
    let store = base.store.as_ref();
    let organization = select::organization(store, organization.organization.as_deref()).await?;
    let scope = TenantScope::organization(organization.id);
    Ok(match property {
        None => (scope, None),
        Some(named) => {
            let property = select::property(store, scope, Some(named)).await?;
            let scope = TenantScope::property(organization.id, property.id);
            (scope, Some(property.id))
        }
    })
}

/// The files of these paths, folders opened, in order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    const ENDINGS: [&str; 4] = ["csv", "txt", "md", "markdown"];
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable = |error: std::io::Error| {
            Failure::new(
                "file_not_readable",
                format!("{} cannot be read: {error}", path.display()),
            )
        };
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            let ending = file.extension().and_then(|ending| ending.to_str());
            if ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
                inside.push(file);
            }
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}
