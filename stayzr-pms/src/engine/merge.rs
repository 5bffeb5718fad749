//! What a record that is news does to a row that exists.

use std::mem;

use serde_json::Value;
use stayzr_core::{
    port::sync::{Mapping, RowWrite},
    transform::{EntityKind, EntityRow, FieldMap, MergeInput, MergeOutcome, merge},
};

use super::{
    job::SyncJob,
    notes::Notes,
    plan::{Planner, Resolved, deactivate},
    shape,
    triage::{Triaged, Verdict, is_older},
};

impl Planner<'_> {
    /// Merges a record into its row: what to set, to journal, to dispute and to push, and the
    /// state that both sides agree on from now on.
    pub(super) fn merge(
        &mut self,
        triaged: &Triaged<'_>,
        mut mapping: Mapping,
        row: &EntityRow,
        mut resolved: Resolved,
    ) {
        let record = triaged.record;
        let mut notes = Notes::of(&mapping);
        let newer = is_older(mapping.version.as_deref(), record.version.as_deref());
        let answered = triaged.verdict == Verdict::Answered;
        let late =
            !newer && !answered && self.leave_out_late(triaged, &notes, &mut resolved.fields);
        take_echo(&mut notes, &mut mapping.base, &resolved.fields);
        let outcome = merge(MergeInput {
            base: &mapping.base,
            local: &row.fields,
            remote: &resolved.fields,
            rules: self.context.rules,
            strategy: self.context.strategy,
        });
        let mut set = outcome.apply.changed_from(&row.fields);
        if record.merged_into.is_some() && row.fields.get("active") == Some(&Value::Bool(true)) {
            deactivate(record.kind, &mut set);
        }
        if !set.is_empty() {
            let mut after = row.clone();
            after.fields.extend(&set);
            if let Err(reason) = shape::check(&after, &row.fields) {
                return self.park(record, reason);
            }
        }
        self.journal_merge(row, &mapping.base, &set, &outcome, &notes);
        self.dispute(row, &outcome, &notes);
        if self.context.enqueue_pushes && self.wants_push(&outcome.push, &notes) {
            self.plan.jobs.push(SyncJob::push(
                self.scope(),
                self.context.integration_id,
                record.kind,
                row.id,
            ));
        }
        if record.kind == EntityKind::Guest {
            self.guest_contacts(triaged, &mapping, row, &set);
        }
        // A late read that brings nothing else leaves everything as it is.
        let silent = set.is_empty() && outcome.conflicts.is_empty() && outcome.refused.is_empty();
        self.set(row, set);
        if late && silent {
            return;
        }
        notes.disputed = disputed(&notes, &resolved.fields, &outcome);
        notes.unresolved = resolved.unresolved;
        // What was there in the second of our own push may still be read under its mark.
        if newer && !answered {
            notes.before_push = None;
        }
        let version = match is_older(record.version.as_deref(), mapping.version.as_deref()) {
            true => mapping.version.take(),
            false => record.version.clone().or(mapping.version.take()),
        };
        // What was merged of a late read is not what the record holds: the next read is looked at,
        // whatever it says.
        let hash = match late {
            true => String::new(),
            false => triaged.hash.clone(),
        };
        self.save(Mapping {
            base: outcome.base,
            version,
            hash,
            extra: notes.beside(&record.extra),
            merged_into: record.merged_into.clone(),
            ..mapping
        });
    }

    /// Takes out of a record, whose mark does not say that it is newer, the fields that only say
    /// what stood there before our own push, and asks for the record again once such a read
    /// cannot be late any more. True if there was one.
    fn leave_out_late(
        &mut self,
        triaged: &Triaged<'_>,
        notes: &Notes,
        fields: &mut FieldMap,
    ) -> bool {
        let Some((late, until)) = notes.late_fields(fields, self.context.clock.now()) else {
            return false;
        };
        for field in late {
            fields.remove(&field);
        }
        self.plan.jobs.push(SyncJob::read_again(
            self.scope(),
            self.context.integration_id,
            triaged.record.kind,
            &triaged.record.external_id,
            until,
        ));
        true
    }

    fn set(&mut self, row: &EntityRow, set: FieldMap) {
        if set.is_empty() {
            self.plan.counts.unchanged += 1;
            return;
        }
        self.plan.counts.updated += 1;
        self.plan.rows.push(RowWrite::Update {
            kind: row.kind,
            id: row.id,
            expected_version: row.version,
            set,
        });
    }

    fn guest_contacts(
        &mut self,
        triaged: &Triaged<'_>,
        mapping: &Mapping,
        row: &EntityRow,
        set: &FieldMap,
    ) {
        if triaged.record.merged_into.is_none() {
            self.contacts(row.id, set, true);
        } else if mapping.merged_into.is_none() {
            // The addresses lead to the guest who remains from now on.
            let mut gone = FieldMap::new();
            gone.insert("email", Value::Null);
            gone.insert("phone", Value::Null);
            self.contacts(row.id, &gone, true);
        }
    }

    /// Whether the vendor can be told any of these: what it cannot empty, or refused before, is
    /// no reason to call it.
    fn wants_push(&self, push: &FieldMap, notes: &Notes) -> bool {
        push.iter().any(|(field, value)| {
            notes.refused.get(field) != Some(value)
                && self
                    .context
                    .rules
                    .iter()
                    .any(|rule| rule.field == field && (rule.clearable || !value.is_null()))
        })
    }
}

/// A value of ours that comes back is agreed, even if the answer to the push was lost.
fn take_echo(notes: &mut Notes, base: &mut FieldMap, remote: &FieldMap) {
    let sent = mem::take(&mut notes.sent);
    for (field, value) in sent {
        if remote.get(&field) == Some(&value) {
            base.insert(field, value);
        } else {
            notes.sent.insert(field, value);
        }
    }
}

/// A dispute lasts until a person ends it or the vendor says something else; a record that is
/// silent about the field ends nothing.
fn disputed(notes: &Notes, remote: &FieldMap, outcome: &MergeOutcome) -> FieldMap {
    let waiting = notes
        .disputed
        .iter()
        .filter(|(field, _)| !remote.contains(field) && notes.is_disputed(field, &outcome.base))
        .map(|(field, remote)| (field.to_owned(), remote.clone()));
    let found = outcome
        .conflicts
        .iter()
        .map(|conflict| (conflict.field.clone(), conflict.remote.clone()));
    waiting.chain(found).collect()
}
