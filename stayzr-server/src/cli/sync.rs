use clap::{Args, Subcommand, ValueEnum};
use stayzr_core::{
    model::{Integration, RunMode, RunStatus, SyncRun},
    tenant::TenantScope,
};
use stayzr_pms::engine::{PLANNED_CHANGES, PlannedAction};

use super::{
    Cli,
    args::Organization,
    output::{Output, cell, table},
    progress::watched,
    run::foundation,
    select,
};
use crate::{
    compose::{Foundation, Opening},
    failure::Failure,
    plan::{ChangeView, PlanView, named},
};

#[derive(Debug, Subcommand)]
pub(crate) enum SyncCommand {
    /// Reads from the PMS in this process and says what changed.
    #[command(
        after_help = "Examples:\n  stayzr sync run --integration mews --mode backfill\n  stayzr sync run --integration ID --mode incremental --json"
    )]
    Run(RunArgs),
    /// Reads from the PMS and says what a run would change. Nothing is written, here or there.
    #[command(
        after_help = "Examples:\n  stayzr sync plan --integration mews\n  stayzr sync plan --integration ID --mode reconcile --json"
    )]
    Plan(PlanArgs),
    /// Reads what changed, and looks whether the PMS still has every record that is mapped here.
    /// Exit 1 where too many are missing for it to be believed.
    #[command(
        after_help = "Examples:\n  stayzr sync reconcile --integration mews\n  stayzr sync reconcile --integration ID --accept-missing"
    )]
    Reconcile(ReconcileArgs),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Backfill,
    Incremental,
}

impl From<Mode> for RunMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Backfill => Self::Backfill,
            Mode::Incremental => Self::Incremental,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The connection, by id, or by provider or property where that is unique [default: the only
    /// one].
    #[arg(long, value_name = "ID")]
    integration: Option<String>,
    #[command(flatten)]
    organization: Organization,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    which: Which,
    /// What to read.
    #[arg(long, value_enum, default_value = "incremental")]
    mode: Mode,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Planned {
    Backfill,
    Incremental,
    Reconcile,
}

impl From<Planned> for RunMode {
    fn from(mode: Planned) -> Self {
        match mode {
            Planned::Backfill => Self::Backfill,
            Planned::Incremental => Self::Incremental,
            Planned::Reconcile => Self::Reconcile,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    which: Which,
    /// Which kind of run.
    #[arg(long, value_enum, default_value = "incremental")]
    mode: Planned,
    /// List at most so many changes; all are counted.
    #[arg(long, default_value_t = PLANNED_CHANGES)]
    limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct ReconcileArgs {
    #[command(flatten)]
    which: Which,
    /// A person has looked: what is missing is really gone, however much it is.
    #[arg(long)]
    accept_missing: bool,
}

pub(crate) async fn run(cli: &Cli, command: &SyncCommand, output: Output) -> Result<(), Failure> {
    let base = foundation(cli, Opening::Existing).await?;
    match command {
        SyncCommand::Run(args) => {
            let (scope, integration) = find(&base, &args.which).await?;
            let work = base
                .engine
                .run(scope, integration.id, args.mode.into(), None);
            let run = watched(base.store.as_ref(), scope, integration.id, work).await?;
            output.result(&run, || told(&run))
        }
        SyncCommand::Plan(args) => {
            let (scope, integration) = find(&base, &args.which).await?;
            let mode = args.mode.into();
            let work = base.engine.plan(scope, integration.id, mode, args.limit);
            let plan = watched(base.store.as_ref(), scope, integration.id, work).await?;
            let plan = named(base.store.as_ref(), scope, plan).await?;
            output.result(&plan, || listed(&plan))
        }
        SyncCommand::Reconcile(args) => {
            let (scope, integration) = find(&base, &args.which).await?;
            let accept = args.accept_missing;
            let work = base.engine.reconcile(scope, integration.id, accept, None);
            let run = watched(base.store.as_ref(), scope, integration.id, work).await?;
            if run.status == RunStatus::Stopped {
                let why = run.error.unwrap_or_default();
                return Err(Failure::new("too_many_missing", why));
            }
            output.result(&run, || told(&run))
        }
    }
}

async fn find(base: &Foundation, which: &Which) -> Result<(TenantScope, Integration), Failure> {
    let store = base.store.as_ref();
    let named = which.organization.organization.as_deref();
    let organization = select::organization(store, named).await?;
    let scope = TenantScope::organization(organization.id);
    let integration = select::integration(store, scope, which.integration.as_deref()).await?;
    let scope = TenantScope::property(organization.id, integration.property_id);
    Ok((scope, integration))
}

fn told(run: &SyncRun) -> String {
    let mut text = format!(
        "{} read, {} made, {} changed, {} unchanged, {} put aside, {} conflicts",
        run.read, run.created, run.updated, run.unchanged, run.parked, run.conflicts
    );
    if run.mode == RunMode::Reconcile {
        text.push_str(&format!(", {} gone", run.gone));
    }
    if run.unknown > 0 {
        text.push_str(&format!(", {} unknown values kept", run.unknown));
    }
    if run.conflicts > 0 {
        text.push_str("\nnext:\n  stayzr conflict list");
    }
    text
}

/// A line for each field of each change, and what it comes to.
fn listed(plan: &PlanView) -> String {
    let rows: Vec<Vec<String>> = plan.changes.iter().flat_map(lines).collect();
    let counts: Vec<String> = plan
        .counts
        .iter()
        .map(|(action, count)| format!("{count} {}", word(*action)))
        .collect();
    let mut text = match rows.is_empty() {
        true => String::new(),
        false => format!(
            "{}\n\n",
            table(&["KIND", "RECORD", "ACTION", "FIELD: FROM → TO"], &rows)
        ),
    };
    text.push_str(&format!("{} read, {} unchanged", plan.read, plan.unchanged));
    for count in counts {
        text.push_str(&format!(", {count}"));
    }
    if plan.truncated {
        text.push_str("; not all are listed, see --limit");
    }
    if let Some(why) = &plan.stopped {
        text.push_str(&format!("\nit would be stopped: {why}"));
    }
    text
}

fn lines(view: &ChangeView) -> Vec<Vec<String>> {
    let change = &view.change;
    let record = view
        .name
        .clone()
        .or_else(|| change.external_id.clone())
        .unwrap_or_default();
    let line = |what: String| {
        vec![
            change.kind.to_string(),
            record.clone(),
            word(change.action).to_owned(),
            what,
        ]
    };
    // A row that would be made is one line: its fields come from one side alone.
    if change.action == PlannedAction::Create || change.fields.is_empty() {
        return vec![line(change.reason.clone().unwrap_or_default())];
    }
    let side = |value: &Option<serde_json::Value>| value.as_ref().map_or("–".to_owned(), cell);
    change
        .fields
        .iter()
        .map(|(field, planned)| {
            line(format!(
                "{field}: {} → {}",
                side(&planned.from),
                side(&planned.to)
            ))
        })
        .collect()
}

const fn word(action: PlannedAction) -> &'static str {
    match action {
        PlannedAction::Create => "create",
        PlannedAction::Update => "update",
        PlannedAction::Conflict => "conflict",
        PlannedAction::Refuse => "refuse",
        PlannedAction::Park => "park",
        PlannedAction::Gone => "gone",
        PlannedAction::Push => "push",
        PlannedAction::Merge => "merge",
    }
}
