//! Keeps both sides equal: backfill, incremental, targeted, push, reconcile.
//!
//! The engine works in pages. A page is read from the vendor, its mappings are loaded in one
//! query, what is news is merged with our rows by [`plan_page`], and everything that follows goes
//! to the store as one command. Nothing is held between pages, so memory is bounded by one.

mod answer;
mod backfill;
mod create;
mod desk;
mod dispute;
mod dry_run;
mod events;
mod fetch;
mod fingerprint;
mod found;
mod gone;
mod guests;
mod handle;
mod identity;
mod incremental;
mod job;
mod journal;
mod linked;
mod load;
mod lookup;
mod merge;
mod merged;
mod messages;
mod notes;
mod observe;
mod orders;
mod page;
mod plan;
mod position;
mod push;
mod quotes;
mod reconcile;
mod rehearsal;
mod session;
mod shape;
mod strategy;
mod sweep;
mod targeted;
mod triage;
mod unsent;

pub use desk::DeskPorts;
pub use dry_run::{PLANNED_CHANGES, PlannedAction, PlannedChange, PlannedField, SyncPlan};
pub use job::{SyncJob, jobs_for_events};
pub use messages::EngineSender;
pub use notes::{BeforePush, NOTES_KEY, Notes};
pub use observe::RunObserver;
pub use orders::NewOrder;
pub use plan::{PageState, Plan, PlanContext, plan_page};
pub use push::{PushReport, RefusedPush};
pub use quotes::EngineQuotes;
pub use session::{Connect, EngineOptions, EnginePorts, SyncEngine};
pub use strategy::Strategies;
pub use targeted::TargetedRead;
pub use triage::{Triaged, Verdict, record_hash, triage};
