use clap::{Args, Subcommand};
use stayzr_core::{
    flow::{self, RestoreRequest},
    ids::ChangeId,
    model::{Change, ChangeOutcome, ChangeSource},
    port::{PageRequest, edit::ChangeFilter},
    tenant::TenantScope,
    transform::EntityKind,
};
use uuid::Uuid;

use super::{
    Cli,
    args::Organization,
    output::{Output, cell, table},
    run::{foundation, staff},
    select,
};
use crate::{compose::Opening, failure::Failure, providers::PushRules};

#[derive(Debug, Subcommand)]
pub(crate) enum ChangeCommand {
    /// Lists the journal, the newest line first: what changed, from what to what, who or why.
    #[command(
        alias = "ls",
        after_help = "Examples:\n  stayzr change list --entity guest --id ID\n  stayzr change list --refused --json"
    )]
    List(ListArgs),
    /// Brings back the value that a line says was lost: what stood there before a change, or what
    /// was offered and refused. An edit like any other.
    #[command(after_help = "Example:\n  stayzr change restore ID")]
    Restore(RestoreArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only about this kind of record.
    #[arg(long, value_name = "KIND")]
    entity: Option<EntityKind>,
    /// Only about this row.
    #[arg(long, value_name = "ID")]
    id: Option<Uuid>,
    /// Only about the record with this id at a vendor.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Only values that were not taken.
    #[arg(long)]
    refused: bool,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    organization: Organization,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The line's id.
    change: ChangeId,
    #[command(flatten)]
    organization: Organization,
}

pub(crate) async fn run(cli: &Cli, command: &ChangeCommand, output: Output) -> Result<(), Failure> {
    let base = foundation(cli, Opening::Existing).await?;
    let store = base.store.as_ref();
    let which = match command {
        ChangeCommand::List(args) => &args.organization,
        ChangeCommand::Restore(args) => &args.organization,
    };
    let organization = select::organization(store, which.organization.as_deref()).await?;
    let scope = TenantScope::organization(organization.id);
    match command {
        ChangeCommand::List(args) => {
            let filter = ChangeFilter {
                entity: args.entity,
                entity_id: args.id,
                external_id: args.external_id.clone(),
                outcome: args.refused.then_some(ChangeOutcome::Refused),
            };
            let page = PageRequest {
                limit: args.limit,
                cursor: None,
            };
            let found = store.changes(scope, &filter, &page).await?;
            output.result(&found, || {
                let rows: Vec<Vec<String>> = found.items.iter().map(row).collect();
                table(
                    &["ID", "WHEN", "KIND", "FIELD", "OLD", "NEW", "OUTCOME", "BY"],
                    &rows,
                )
            })
        }
        ChangeCommand::Restore(args) => {
            let request = RestoreRequest {
                change_id: args.change,
                of: None,
                source: staff(),
            };
            let row = flow::restore(store, &PushRules, base.clock.as_ref(), scope, request).await?;
            output.result(&row, || {
                format!("{} {} is at version {}", row.kind, row.id, row.version)
            })
        }
    }
}

fn row(change: &Change) -> Vec<String> {
    let value = |value: &Option<serde_json::Value>| value.as_ref().map_or_else(String::new, cell);
    vec![
        change.id.to_string(),
        change.created_at.format("%F %T").to_string(),
        change.entity.to_string(),
        change.field.clone().unwrap_or_default(),
        value(&change.old),
        value(&change.new),
        outcome(change),
        match &change.source {
            ChangeSource::Vendor { event, .. } => format!("PMS ({event})"),
            ChangeSource::Staff { actor } => actor.clone(),
            ChangeSource::Agent { .. } => "concierge".to_owned(),
        },
    ]
}

fn outcome(change: &Change) -> String {
    let word = match change.outcome {
        ChangeOutcome::Applied => "applied",
        ChangeOutcome::Refused => "refused",
    };
    match &change.reason {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_owned(),
    }
}
