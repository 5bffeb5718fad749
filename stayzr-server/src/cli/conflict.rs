use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;
use stayzr_core::{
    flow::{self, ResolveRequest},
    ids::ConflictId,
    model::{Conflict, ConflictStatus, ResolutionChoice},
    port::{Page, PageRequest, conflict::ConflictFilter},
    tenant::TenantScope,
    transform::{EntityKind, FieldMap},
};

use super::{
    Cli,
    args::Organization,
    output::{Output, cell, table},
    run::{foundation, staff},
    select,
};
use crate::{
    compose::{Foundation, Opening},
    failure::Failure,
    providers::PushRules,
    review::{ConflictView, review},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConflictCommand {
    /// Lists what waits for a person, the newest first.
    #[command(
        alias = "ls",
        after_help = "Examples:\n  stayzr conflict list\n  stayzr conflict list --status all --entity guest --json"
    )]
    List(ListArgs),
    /// Shows a conflict: what both sides agreed on, what stands here, what stands at the vendor.
    #[command(after_help = "Example:\n  stayzr conflict show ID")]
    Show(OneArgs),
    /// Decides a conflict: one side, or field by field.
    #[command(
        after_help = "A field takes `local`, `remote` or a value of its own: JSON, or else a text.

Examples:
  stayzr conflict resolve ID --local
  stayzr conflict resolve ID --remote
  stayzr conflict resolve ID --field phone=local --field notes=remote
  stayzr conflict resolve ID --field notes=\"Late arrival, prefers a quiet room\""
    )]
    Resolve(ResolveArgs),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    Open,
    Resolved,
    All,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Where they stand.
    #[arg(long, value_enum, default_value = "open")]
    status: Status,
    /// Only of this connection, by id or provider.
    #[arg(long, value_name = "ID")]
    integration: Option<String>,
    /// Only about this kind of record.
    #[arg(long, value_name = "KIND")]
    entity: Option<EntityKind>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    organization: Organization,
}

#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    /// The conflict's id.
    conflict: ConflictId,
    #[command(flatten)]
    organization: Organization,
}

#[derive(Debug, Args)]
#[group(id = "decision", required = true)]
pub(crate) struct ResolveArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Everything as it stands here.
    #[arg(long, group = "decision")]
    local: bool,
    /// Everything as it stands at the vendor.
    #[arg(long, group = "decision")]
    remote: bool,
    /// A disputed field and what it shall be; every one needs this.
    #[arg(
        long = "field",
        value_name = "NAME=local|remote|VALUE",
        group = "decision"
    )]
    fields: Vec<String>,
}

pub(crate) async fn run(
    cli: &Cli,
    command: &ConflictCommand,
    output: Output,
) -> Result<(), Failure> {
    let base = foundation(cli, Opening::Existing).await?;
    match command {
        ConflictCommand::List(args) => list(&base, args, output).await,
        ConflictCommand::Show(args) => {
            let scope = scope(&base, &args.organization).await?;
            let found = base.store.conflict(scope, args.conflict).await?;
            show(&base, scope, found.ok_or_else(missing)?, output).await
        }
        ConflictCommand::Resolve(args) => decide(&base, args, output).await,
    }
}

async fn scope(base: &Foundation, which: &Organization) -> Result<TenantScope, Failure> {
    let named = which.organization.as_deref();
    let organization = select::organization(base.store.as_ref(), named).await?;
    Ok(TenantScope::organization(organization.id))
}

fn missing() -> Failure {
    Failure::new("not_found", "there is no conflict with this id")
}

async fn list(base: &Foundation, args: &ListArgs, output: Output) -> Result<(), Failure> {
    let store = base.store.as_ref();
    let scope = scope(base, &args.organization).await?;
    let integration_id = match &args.integration {
        Some(named) => Some(select::integration(store, scope, Some(named)).await?.id),
        None => None,
    };
    let filter = ConflictFilter {
        status: match args.status {
            Status::Open => Some(ConflictStatus::Open),
            Status::Resolved => Some(ConflictStatus::Resolved),
            Status::All => None,
        },
        integration_id,
        entity: args.entity,
        entity_id: None,
    };
    let page = PageRequest {
        limit: args.limit,
        cursor: None,
    };
    let found = store.conflicts(scope, &filter, &page).await?;
    let items = review(store, scope, found.items).await?;
    let next_cursor = found.next_cursor;
    let page = Page { items, next_cursor };
    output.result(&page, || {
        let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
        let head = ["ID", "STATUS", "KIND", "RECORD", "FIELDS", "SINCE"];
        match rows.is_empty() {
            true => "nothing waits for a person".to_owned(),
            false => table(&head, &rows),
        }
    })
}

fn row(view: &ConflictView) -> Vec<String> {
    let conflict = &view.conflict;
    let fields: Vec<&str> = conflict.remote.names().collect();
    vec![
        conflict.id.to_string(),
        status(conflict).to_owned(),
        conflict.entity.to_string(),
        record(view),
        fields.join(", "),
        conflict.created_at.format("%F %R").to_string(),
    ]
}

fn status(conflict: &Conflict) -> &'static str {
    match conflict.status {
        ConflictStatus::Open => "open",
        ConflictStatus::Resolved => "resolved",
    }
}

fn record(view: &ConflictView) -> String {
    match &view.name {
        Some(name) => name.clone(),
        None => view.conflict.entity_id.to_string(),
    }
}

async fn show(
    base: &Foundation,
    scope: TenantScope,
    conflict: Conflict,
    output: Output,
) -> Result<(), Failure> {
    let mut views = review(base.store.as_ref(), scope, vec![conflict]).await?;
    let view = views.pop().ok_or_else(missing)?;
    output.result(&view, || described(&view))
}

fn described(view: &ConflictView) -> String {
    let conflict = &view.conflict;
    let mut text = format!(
        "{} {} ({} at {}), {}\n\n",
        conflict.entity,
        record(view),
        conflict.external_id,
        view.provider.as_deref().unwrap_or("the PMS"),
        status(conflict)
    );
    let ended = conflict.resolution.as_ref();
    let mut head = vec!["FIELD", "BASE", "LOCAL", "REMOTE"];
    if ended.is_some() {
        head.push("SINCE");
    }
    let rows: Vec<Vec<String>> = view
        .fields
        .iter()
        .map(|field| {
            let mut row = vec![
                field.field.clone(),
                cell(&field.base),
                cell(&field.local),
                cell(&field.remote),
            ];
            row.extend(
                ended.map(|ended| cell(ended.fields.get(&field.field).unwrap_or(&Value::Null))),
            );
            row
        })
        .collect();
    text.push_str(&table(&head, &rows));
    if !conflict.waiting.is_empty() {
        text.push_str(match ended.is_some() {
            true => "\n\ncame with the decision:",
            false => "\n\nwaits until it is decided:",
        });
        for (field, value) in conflict.waiting.iter() {
            text.push_str(&format!("\n  {field} = {}", cell(value)));
        }
    }
    text
}

async fn decide(base: &Foundation, args: &ResolveArgs, output: Output) -> Result<(), Failure> {
    let scope = scope(base, &args.one.organization).await?;
    let choice = match (args.local, args.remote) {
        (true, _) => ResolutionChoice::Local,
        (_, true) => ResolutionChoice::Remote,
        (false, false) => ResolutionChoice::Fields,
    };
    let mut fields = FieldMap::new();
    for field in &args.fields {
        let (name, value) = assignment(field)?;
        fields.insert(name, value);
    }
    let request = ResolveRequest {
        conflict_id: args.one.conflict,
        choice,
        fields,
        expected_revision: None,
        source: staff(),
    };
    let store = base.store.as_ref();
    let (resolved, _) =
        flow::resolve(store, &PushRules, base.clock.as_ref(), scope, request).await?;
    show(base, scope, resolved, output).await
}

/// `NAME=VALUE`, the value as JSON or else a text.
fn assignment(text: &str) -> Result<(String, Value), Failure> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Failure::new(
            "invalid",
            format!("`{text}` is not NAME=local, NAME=remote or NAME=VALUE"),
        ));
    };
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_takes_a_side_json_or_a_text() {
        for (text, expected) in [
            ("phone=local", json!("local")),
            ("notes=Late arrival = 22:00", json!("Late arrival = 22:00")),
            ("adults=2", json!(2)),
            ("notes=null", Value::Null),
            ("classifications=[\"vip\"]", json!(["vip"])),
        ] {
            assert_eq!(assignment(text).expect(text).1, expected);
        }
        assert_eq!(assignment("phone").expect_err("no value").code, "invalid");
    }
}
