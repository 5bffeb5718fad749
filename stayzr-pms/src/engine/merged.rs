//! What becomes of a guest whose record was merged into another at the vendor.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use stayzr_core::{
    ids::GuestId,
    model::{ChangeOutcome, ExternalRef},
    port::sync::{GuestMerge, Mapping},
    transform::{EntityKind, EntityRow, FieldMap, Owner},
};
use uuid::Uuid;

use super::{
    job::SyncJob,
    journal::About,
    notes::Notes,
    plan::{PageState, Planner, Resolved},
    triage::{Triaged, is_older},
};
use crate::RemoteRecord;

/// The field of a guest that says who remains, and the key of [`Notes::unresolved`] under which a
/// record stands that is not known yet.
pub(super) const MERGED_INTO: &str = "merged_into";

const EDITED_ON_MERGED: &str = "edited here on the guest who was merged into this one";

/// Who remains of a guest who was merged into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remains {
    /// The guest with this row.
    Into(Uuid),
    /// A record that we do not know.
    Unknown(ExternalRef),
}

impl Planner<'_> {
    /// Who remains of a guest, at the end of however long a chain; none for a guest who was not
    /// merged, or into a circle, which nobody would remain of.
    pub(super) fn remains(
        &self,
        record: &RemoteRecord,
        row: Option<Uuid>,
        links: &HashMap<ExternalRef, Uuid>,
    ) -> Option<Remains> {
        if record.kind != EntityKind::Guest {
            return None;
        }
        let circle = || {
            tracing::warn!(
                integration_id = %self.context.integration_id,
                external_id = %record.external_id,
                "guests were merged in a circle at the vendor: this one stays"
            );
        };
        record.merged_into.as_ref()?;
        let Some(id) = chain_end(record, &self.targets) else {
            circle();
            return None;
        };
        let target = ExternalRef {
            kind: record.kind,
            id: id.to_owned(),
        };
        let Some(mut into) = links.get(&target).copied() else {
            return Some(Remains::Unknown(target));
        };
        while let Some(&next) = self.merged.get(&into) {
            into = next;
        }
        if Some(into) == row {
            circle();
            return None;
        }
        Some(Remains::Into(into))
    }

    /// Merges the guest of a record into the one who remains, once; where that one is not known
    /// yet, only the mapping says so.
    pub(super) fn merged_guest(
        &mut self,
        triaged: &Triaged<'_>,
        mut mapping: Mapping,
        row: &EntityRow,
        resolved: Resolved,
        state: &mut PageState,
    ) {
        let record = triaged.record;
        let mut notes = Notes::of(&mapping);
        let done = mapping.merged_into == record.merged_into
            && !notes.unresolved.contains_key(MERGED_INTO)
            && row.fields.text(MERGED_INTO).is_some();
        match resolved.remains {
            Some(Remains::Into(into)) if !done => {
                self.plan.counts.updated += 1;
                self.carry_edits(&mapping, row, into, state);
                self.join(About::record(row.id, &record.external_id), into);
                if notes.is_open() {
                    self.settle(record.kind, row.id);
                }
                notes = Notes {
                    erased: notes.erased,
                    ..Notes::default()
                };
            }
            _ => self.plan.counts.unchanged += 1,
        }
        notes.unresolved = resolved.unresolved;
        if done {
            // Who remains was known once: the rest of the chain is followed by its own records.
            notes.unresolved.remove(MERGED_INTO);
        }
        let version = match is_older(record.version.as_deref(), mapping.version.as_deref()) {
            true => mapping.version.take(),
            false => record.version.clone().or(mapping.version.take()),
        };
        self.save(Mapping {
            version,
            hash: triaged.hash.clone(),
            extra: notes.beside(&record.extra),
            merged_into: record.merged_into.clone(),
            gone_at: None,
            ..mapping
        });
    }

    /// Makes one guest another, with everything that hangs on them.
    pub(super) fn join(&mut self, from: About<'_>, into: Uuid) {
        if self.merged.insert(from.row, into).is_some() {
            return;
        }
        self.plan.merges.push(GuestMerge {
            from: GuestId::from(from.row),
            into: GuestId::from(into),
        });
        let remains = Value::from(into.to_string());
        let values = [None, None, Some(&remains)];
        self.journal(
            from,
            Some(MERGED_INTO),
            values,
            ChangeOutcome::Applied,
            None,
        );
    }

    /// What was edited on a guest and never reached the vendor goes to the one who remains: where
    /// a field is empty there it is taken, else it is journalled, so that it can be restored.
    fn carry_edits(
        &mut self,
        mapping: &Mapping,
        from: &EntityRow,
        into: Uuid,
        state: &mut PageState,
    ) {
        let Some(mut remains) = state.rows.remove(&into) else {
            return;
        };
        let known = state.remaining.get(&into);
        let name = known.map(|mapping| mapping.external_id.as_str());
        let mut set = FieldMap::new();
        for rule in self.context.rules {
            let field = rule.field;
            let edited = from.fields.get(field).unwrap_or(&Value::Null);
            let agreed = mapping.base.get(field).unwrap_or(&Value::Null);
            let there = remains.fields.get(field).unwrap_or(&Value::Null);
            if rule.owner != Owner::Shared || edited == agreed || edited == there {
                continue;
            }
            let base = known.and_then(|mapping| mapping.base.get(field));
            let held = known.is_some_and(|mapping| Notes::of(mapping).is_open());
            let untouched = there.is_null() && base.is_none_or(Value::is_null) && !held;
            let outcome = match untouched {
                true => ChangeOutcome::Applied,
                false => ChangeOutcome::Refused,
            };
            let about = About {
                row: into,
                external_id: name,
            };
            let values = [base, Some(there), Some(edited)];
            self.journal(about, Some(field), values, outcome, Some(EDITED_ON_MERGED));
            if untouched {
                set.insert(field, edited.clone());
            }
        }
        if !set.is_empty() {
            self.update(&remains, &set);
            self.contacts(into, &set, false);
            remains.fields.extend(&set);
            // A push in progress tells of its own row alone.
            if known.is_some() {
                let (scope, kind) = (self.scope(), self.context.kind);
                let integration = self.context.integration_id;
                let push = SyncJob::push(scope, integration, kind, into);
                self.plan.jobs.push(push);
            }
        }
        state.rows.insert(into, remains);
    }
}

/// The vendor's id at the end of a chain of merges, as far as a page knows it; none for a circle.
pub(super) fn chain_end<'r>(
    record: &'r RemoteRecord,
    targets: &HashMap<&'r str, &'r str>,
) -> Option<&'r str> {
    let mut id = record.merged_into.as_deref()?;
    let mut seen = HashSet::from([record.external_id.as_str()]);
    while seen.insert(id) {
        match targets.get(id) {
            Some(next) => id = next,
            None => return Some(id),
        }
    }
    None
}
