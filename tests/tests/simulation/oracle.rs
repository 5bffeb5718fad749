//! What must hold once both sides have come to rest.

mod agreed;
mod disputes;
mod jobs;
mod journal;
mod people;

use stayzr_core::{
    model::{Change, ChangeOutcome, ChangeSource, RunMode},
    transform::EntityKind,
};
use stayzr_pms::RemoteRecord;

use crate::world::World;

type Verdict = Result<(), String>;

/// Invariants B, G and U, and that every job came to an end.
pub fn judge(world: &mut World) -> Verdict {
    jobs::jobs(world)?;
    agreed::converged(world)?;
    agreed::one_sided(world)?;
    agreed::classifications(world)?;
    journal::journal(world)?;
    journal::clobbered(world)?;
    disputes::conflicts(world)?;
    people::merges(world)?;
    people::gone(world)?;
    people::people(world)?;
    people::creates(world)?;
    jobs::limit(world)
}

/// Invariant C: once quiet, reading everything again writes nothing and tells the vendor nothing.
pub fn quiet(world: &mut World) -> Verdict {
    let (before, writes) = (world.snapshot(), world.vendor.lock().writes);
    for mode in [RunMode::Backfill, RunMode::Incremental, RunMode::Reconcile] {
        world.run(mode)?;
    }
    let (after, told) = (world.snapshot(), world.vendor.lock().writes);
    if told != writes {
        return Err("C: an unchanged hotel was told something".to_owned());
    }
    match before == after {
        true => Ok(()),
        false => Err(format!(
            "C: an unchanged hotel was written: {}",
            difference(&before, &after)
        )),
    }
}

fn difference(before: &str, after: &str) -> String {
    before
        .lines()
        .zip(after.lines())
        .find(|(before, after)| before != after)
        .map_or_else(
            || "there are more or fewer lines".to_owned(),
            |(before, after)| format!("\n  {before}\n  {after}"),
        )
}

/// Records that are there, live, and mapped.
fn live(world: &World) -> Vec<RemoteRecord> {
    let state = world.vendor.lock();
    state
        .records
        .values()
        .filter(|record| record.merged_into.is_none())
        .cloned()
        .collect()
}

fn by_staff(line: &Change) -> bool {
    matches!(line.source, ChangeSource::Staff { .. }) && line.outcome == ChangeOutcome::Applied
}

fn lines(world: &World, kind: EntityKind, row: uuid::Uuid, field: &str) -> Vec<Change> {
    world
        .store
        .journal(world.scope.organization_id)
        .into_iter()
        .filter(|line| line.entity == kind && line.entity_id == row)
        .filter(|line| line.field.as_deref() == Some(field))
        .collect()
}
