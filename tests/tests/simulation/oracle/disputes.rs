//! Conflicts, and the rows that wait for them.

use stayzr_core::model::{ChangeOutcome, ChangeSource, ConflictStatus, ResolutionChoice};

use super::Verdict;
use crate::world::World;

/// One conflict is open at most for each row, none in the end, and while one is open the vendor
/// changes nothing of the row.
pub(super) fn conflicts(world: &World) -> Verdict {
    let all = world.conflicts();
    if let Some(open) = all
        .iter()
        .find(|conflict| conflict.status == ConflictStatus::Open)
    {
        return Err(format!("B: still in conflict: {:?}", open.remote));
    }
    let journal = world.store.journal(world.scope.organization_id);
    for conflict in &all {
        let Some(ended) = conflict.resolution.as_ref().map(|resolution| resolution.at) else {
            return Err("B: a conflict ended and nobody knows how".to_owned());
        };
        // One that ended by itself ended with the page that was planned a moment before.
        let converged = conflict
            .resolution
            .as_ref()
            .is_some_and(|resolution| resolution.choice == ResolutionChoice::Converged);
        let still = match converged {
            true => ended - chrono::TimeDelta::minutes(1),
            false => ended,
        };
        let same_row = all.iter().filter(|other| {
            other.id != conflict.id
                && other.entity == conflict.entity
                && other.entity_id == conflict.entity_id
        });
        for other in same_row {
            let other_ended = other.resolution.as_ref().map(|resolution| resolution.at);
            if other.created_at > conflict.created_at
                && other.created_at < ended
                && other_ended > Some(conflict.created_at)
            {
                return Err("B: two conflicts were open about one row".to_owned());
            }
        }
        let touched = journal.iter().find(|line| {
            line.entity == conflict.entity
                && line.entity_id == conflict.entity_id
                && line.outcome == ChangeOutcome::Applied
                && line.field.as_deref() != Some("merged_into")
                && matches!(line.source, ChangeSource::Vendor { .. })
                && line.created_at > conflict.created_at
                && line.created_at < still
        });
        if let Some(line) = touched {
            return Err(format!(
                "B: the vendor changed {:?} of a row in conflict",
                line.field
            ));
        }
    }
    Ok(())
}
