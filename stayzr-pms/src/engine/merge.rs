//! What a record that is news does to a row that exists.

use std::mem;

use serde_json::Value;
use stayzr_core::{
    ids::GuestId,
    port::sync::Mapping,
    transform::{EntityKind, EntityRow, FieldMap, MergeInput, Owner, merge},
};

use super::{
    dispute::{Held, held_here},
    gone::{SET_WHEN_GONE, not_departed},
    job::SyncJob,
    journal::About,
    merged::MERGED_INTO,
    notes::Notes,
    plan::{Planner, Resolved, deactivate, is_merged_otherwise},
    shape,
    triage::{Triaged, Verdict, is_older},
};

impl Planner<'_> {
    /// Merges a record into its row: what to set, to journal, to dispute and to push, and the
    /// state that both sides agree on from now on. Returns what is set.
    pub(super) fn merge(
        &mut self,
        triaged: &Triaged<'_>,
        mut mapping: Mapping,
        row: &EntityRow,
        mut resolved: Resolved,
        joined: Option<GuestId>,
    ) -> FieldMap {
        let record = triaged.record;
        let before = (triaged.verdict == Verdict::Disputed).then(|| mapping.clone());
        let mut notes = Notes::of(&mapping);
        let newer = is_older(mapping.version.as_deref(), record.version.as_deref());
        let answered = triaged.verdict == Verdict::Answered;
        let late =
            !newer && !answered && self.leave_out_late(triaged, &notes, &mut resolved.fields);
        take_echo(&mut notes, &mut mapping.base, &resolved.fields);
        // As the conflict about the row says it.
        let noted = notes.clone();
        let returned = mapping.gone_at.take().is_some();
        if returned {
            notes.refused = FieldMap::new();
            notes.waiting = not_departed(mem::take(&mut notes.waiting));
        }
        // What the record is silent about still stands at the vendor as it was told last.
        for (field, value) in notes.held() {
            if !resolved.fields.contains(&field) {
                resolved.fields.insert(field, value);
            }
        }
        // What waits and is no field of the vendor's waits on.
        let mut beside = self.waiting_beside(&notes);
        // A row in conflict was left alone when its record was gone.
        if returned && !notes.is_open() {
            let start = shape::defaults(record.kind, &record.external_id);
            come_back(
                row,
                &resolved.fields,
                &start,
                &mut mapping.base,
                &mut beside,
            );
        }
        let tombstone = row.fields.text(MERGED_INTO).is_some();
        let taken_back = mapping.merged_into.is_some() || notes.waiting.contains(MERGED_INTO);
        if tombstone && taken_back {
            // The vendor took the merge back.
            beside.insert(MERGED_INTO, Value::Null);
            beside.insert("active", true);
        } else if tombstone {
            // Merged here, by another property's PMS or by staff: this record cannot bring it back.
            resolved.fields.remove("active");
        }
        if mapping.revision == 0 && row.fields.text("origin") == Some("channel") {
            beside.insert("origin", "pms");
        }
        if is_merged_otherwise(record) {
            deactivate(record.kind, &mut beside);
            resolved.fields.remove("active");
        }
        let outcome = merge(MergeInput {
            base: &mapping.base,
            local: &row.fields,
            remote: &resolved.fields,
            rules: self.context.rules,
            strategy: self.context.strategy,
        });
        let mut held = Held::of(&outcome, &row.fields, &resolved.fields);
        let set = match held.is_open() {
            true => {
                let waits = beside.changed_from(&row.fields);
                // What stands there was never an edit.
                let here = row.fields.only(waits.names());
                mapping.base.extend(&here);
                held.wait_for(waits);
                FieldMap::new()
            }
            false => {
                beside.extend(&outcome.apply);
                beside.changed_from(&row.fields)
            }
        };
        if let Err(reason) = sound(row, &set, &held) {
            self.park(record, Some(row.id), reason);
            return FieldMap::new();
        }
        let about = About::record(row.id, &record.external_id);
        self.journal_merge(about, row, &mapping.base, &set, &outcome);
        let ended = match held.is_open() {
            true => self.dispute(about, row, &mapping.base, &held, &noted),
            false => self.converge(row, &notes),
        };
        if self.context.enqueue_pushes && self.wants_push(&outcome.push, &held, &notes) {
            self.plan.jobs.push(SyncJob::push(
                self.scope(),
                self.context.integration_id,
                record.kind,
                row.id,
            ));
        }
        if record.kind == EntityKind::Guest && !held.is_open() {
            match mapping.revision {
                0 => self.contacts(row.id, &resolved.fields, false),
                _ => self.contacts(row.id, &set, true),
            }
            if let Some(guest) = joined {
                let from = About {
                    row: guest.uuid(),
                    external_id: None,
                };
                self.join(from, row.id);
            }
        }
        self.update(row, &set);
        match set.is_empty() {
            true => self.plan.counts.unchanged += 1,
            false => self.plan.counts.updated += 1,
        }
        // A late read that brings nothing else leaves everything as it is.
        if late && set.is_empty() && outcome.refused.is_empty() && !ended {
            return set;
        }
        notes.ours = held_here(row, &held);
        let mut base = outcome.base;
        held.keep_base(&mut base, &mapping.base);
        notes.disputed = held.disputed;
        notes.waiting = held.waiting;
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
        let after = Mapping {
            base,
            version,
            hash,
            extra: notes.beside(&record.extra),
            merged_into: record
                .merged_into
                .clone()
                .filter(|_| is_merged_otherwise(record)),
            ..mapping
        };
        // A dispute that goes on as it was is looked at and left alone.
        if before.is_none_or(|before| before != after) {
            self.save(after);
        }
        set
    }

    /// What waits for the decision about a row beside the fields that the vendor has a say in.
    fn waiting_beside(&self, notes: &Notes) -> FieldMap {
        let rules = self.context.rules.iter();
        let said: Vec<&str> = rules
            .filter(|rule| rule.owner != Owner::Local)
            .map(|rule| rule.field)
            .collect();
        let waiting = notes.waiting.iter();
        waiting
            .filter(|(field, _)| !said.contains(field))
            .map(|(field, value)| (field.to_owned(), value.clone()))
            .collect()
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

    /// Whether the vendor can be told any of these: what it cannot empty, refused before, or is in
    /// dispute is no reason to call it.
    fn wants_push(&self, push: &FieldMap, held: &Held, notes: &Notes) -> bool {
        push.iter().any(|(field, value)| {
            notes.refused.get(field) != Some(value)
                && !held.contains(field)
                && self
                    .context
                    .rules
                    .iter()
                    .any(|rule| rule.field == field && (rule.clearable || !value.is_null()))
        })
    }
}

/// Whether the row can hold what is set, and what a person may choose to set.
fn sound(row: &EntityRow, set: &FieldMap, held: &Held) -> Result<(), String> {
    if set.is_empty() && !held.is_open() {
        return Ok(());
    }
    let mut after = row.clone();
    after.fields.extend(set);
    after.fields.extend(&held.waiting);
    after.fields.extend(&held.disputed);
    shape::check(&after, &row.fields)
}

/// Undoes what was set here when a record was found to be gone: that was never an edit, so that
/// whatever the record says now is taken, and what it says nothing of is as in a row that is new.
fn come_back(
    row: &EntityRow,
    said: &FieldMap,
    start: &FieldMap,
    base: &mut FieldMap,
    beside: &mut FieldMap,
) {
    for field in SET_WHEN_GONE {
        let Some(here) = row.fields.get(field) else {
            continue;
        };
        base.insert(field, here.clone());
        if let (false, Some(start)) = (said.contains(field), start.get(field)) {
            beside.insert(field, start.clone());
        }
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
