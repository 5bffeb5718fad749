//! Conflicts: what is parked for a person, and how a conflict ends by itself.

use serde_json::Value;
use stayzr_core::{
    clock::Clock,
    ids::{ConflictId, IntegrationId},
    model::{ChangeOutcome, Conflict, ConflictStatus},
    port::sync::{Mapping, SettledConflict},
    transform::{EntityKind, EntityRow, FieldMap, MergeOutcome},
};
use uuid::Uuid;

use super::{journal::About, notes::Notes, plan::Planner};

/// What of a merge is parked, by field with the vendor's value. While anything is disputed nothing
/// of the record is applied, so that a person sees the row as staff left it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Held {
    /// A person decides.
    pub(super) disputed: FieldMap,
    /// Would be applied but for the dispute.
    pub(super) waiting: FieldMap,
}

impl Held {
    /// What a merge of `said` into `row` parks: nothing, or everything that it would apply.
    pub(super) fn of(outcome: &MergeOutcome, row: &FieldMap, said: &FieldMap) -> Self {
        let mut held = Self::default();
        if outcome.conflicts.is_empty() {
            return held;
        }
        for conflict in &outcome.conflicts {
            let remote = conflict.remote.clone();
            held.disputed.insert(conflict.field.as_str(), remote);
        }
        for (field, value) in outcome.apply.changed_from(row) {
            match said.get(&field) {
                Some(remote) if *remote == value => held.waiting.insert(field, value),
                // Lists that are to be united hold something of both sides: to take the vendor's
                // later would lose ours.
                Some(remote) => held.disputed.insert(field, remote.clone()),
                None => None,
            };
        }
        held
    }

    /// What a mapping notes as parked.
    pub(super) fn noted(notes: &Notes) -> Self {
        Self {
            disputed: notes.disputed.clone(),
            waiting: notes.waiting.clone(),
        }
    }

    /// Parks what the merge of fields does not say, such as that a record was merged or is gone.
    pub(super) fn wait_for(&mut self, set: FieldMap) {
        for (field, value) in set {
            match self.disputed.contains(&field) {
                true => self.disputed.insert(field, value),
                false => self.waiting.insert(field, value),
            };
        }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.disputed.is_empty()
    }

    pub(super) fn contains(&self, field: &str) -> bool {
        self.disputed.contains(field) || self.waiting.contains(field)
    }

    /// The agreed state after the merge: fields that are parked were not agreed on.
    pub(super) fn keep_base(&self, base: &mut FieldMap, before: &FieldMap) {
        for (field, _) in self.disputed.iter().chain(self.waiting.iter()) {
            match before.get(field) {
                Some(agreed) => base.insert(field, agreed.clone()),
                None => base.remove(field),
            };
        }
    }
}

impl Planner<'_> {
    /// Opens the conflict of a row, or brings it up to date, if anything about it is news: what is
    /// newly disputed is journalled. True if it was.
    pub(super) fn dispute(
        &mut self,
        about: About<'_>,
        row: &EntityRow,
        base: &FieldMap,
        held: &Held,
        notes: &Notes,
    ) -> bool {
        let ours = held_here(row, held);
        let known =
            held.disputed == notes.disputed && held.waiting == notes.waiting && ours == notes.ours;
        if known || !held.is_open() {
            return false;
        }
        for (field, remote) in held.disputed.iter() {
            if notes.disputed.get(field) != Some(remote) {
                let values = [base.get(field), row.fields.get(field), Some(remote)];
                let reason = Some("both sides changed it: a person decides");
                self.journal(about, Some(field), values, ChangeOutcome::Refused, reason);
            }
        }
        if !notes.is_open() {
            self.plan.counts.conflicts += 1;
        }
        let (integration, clock) = (self.context.integration_id, self.context.clock);
        let id = about.external_id.unwrap_or_default();
        let conflict = conflict(clock, integration, (id, row), base, held);
        self.plan.conflicts.push(conflict);
        true
    }

    /// Ends a conflict that a merge found nothing left of. The conflict itself says so: a value
    /// that both sides came to have changed nowhere, and is no line of the journal. True if there
    /// was one.
    pub(super) fn converge(&mut self, row: &EntityRow, notes: &Notes) -> bool {
        let ends = notes.is_open();
        if ends {
            self.settle(row.kind, row.id);
        }
        ends
    }

    pub(super) fn settle(&mut self, entity: EntityKind, entity_id: Uuid) {
        self.plan
            .settled
            .push(SettledConflict { entity, entity_id });
    }

    /// Ends what is disputed about a row that was erased.
    pub(super) fn end_disputes(&mut self, mut mapping: Mapping) {
        let mut notes = Notes::of(&mapping);
        notes.end_dispute();
        notes.write(&mut mapping);
        self.settle(mapping.entity, mapping.local_id);
        self.save(mapping);
    }
}

/// The open conflict about a row, named by the vendor's id of it.
pub(super) fn conflict(
    clock: &dyn Clock,
    integration_id: IntegrationId,
    (external_id, row): (&str, &EntityRow),
    base: &FieldMap,
    held: &Held,
) -> Conflict {
    let now = clock.now();
    Conflict {
        id: ConflictId::generate(clock),
        organization_id: row.organization_id,
        integration_id,
        entity: row.kind,
        entity_id: row.id,
        external_id: external_id.to_owned(),
        base: base.only(held.disputed.names()),
        local: held_here(row, held),
        remote: held.disputed.clone(),
        waiting: held.waiting.clone(),
        status: ConflictStatus::Open,
        resolution: None,
        revision: 1,
        created_at: now,
        updated_at: now,
    }
}

/// What stands here in the disputed fields.
pub(super) fn held_here(row: &EntityRow, held: &Held) -> FieldMap {
    held.disputed
        .names()
        .map(|field| {
            let ours = row.fields.get(field).cloned().unwrap_or(Value::Null);
            (field.to_owned(), ours)
        })
        .collect()
}
