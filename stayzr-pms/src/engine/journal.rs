//! What a plan says beside rows: the journal, conflicts, addresses of guests.

use serde_json::Value;
use stayzr_core::{
    ids::{ChangeId, ConflictId, GuestId},
    model::{
        Change, ChangeOutcome, ChangeSource, Conflict, ConflictStatus, ContactChannel, phone_e164,
    },
    port::sync::ContactWrite,
    transform::{EntityRow, FieldConflict, FieldMap, MergeOutcome},
};
use uuid::Uuid;

use super::{notes::Notes, plan::Planner};

impl Planner<'_> {
    fn source(&self) -> ChangeSource {
        ChangeSource::Vendor {
            integration_id: self.context.integration_id,
            event: self.context.event.to_owned(),
        }
    }

    pub(super) fn contacts(&mut self, guest: Uuid, set: &FieldMap, take_away: bool) {
        for (field, channel) in [
            ("email", ContactChannel::Email),
            ("phone", ContactChannel::Phone),
        ] {
            let Some(value) = set.get(field) else {
                continue;
            };
            let address = value.as_str().and_then(|text| match channel {
                ContactChannel::Phone => phone_e164(text, self.context.country),
                _ => Some(text.trim().to_lowercase()).filter(|text| !text.is_empty()),
            });
            if address.is_some() || take_away {
                self.plan.contacts.push(ContactWrite {
                    guest_id: GuestId::from(guest),
                    channel,
                    address,
                });
            }
        }
    }

    pub(super) fn journal_merge(
        &mut self,
        row: &EntityRow,
        base: &FieldMap,
        set: &FieldMap,
        outcome: &MergeOutcome,
        notes: &Notes,
    ) {
        for (field, new) in set.iter() {
            let values = [base.get(field), row.fields.get(field), Some(new)];
            self.journal(row.id, Some(field), values, ChangeOutcome::Applied, None);
        }
        for refused in &outcome.refused {
            let field = refused.field.as_str();
            let values = [
                base.get(field),
                row.fields.get(field),
                Some(&refused.remote),
            ];
            let reason = Some(refused.reason);
            self.journal(row.id, Some(field), values, ChangeOutcome::Refused, reason);
        }
        for conflict in news(outcome, notes) {
            let field = conflict.field.as_str();
            let values = [
                base.get(field),
                row.fields.get(field),
                Some(&conflict.remote),
            ];
            let reason = Some("both sides changed it: a person decides");
            self.journal(row.id, Some(field), values, ChangeOutcome::Refused, reason);
        }
    }

    pub(super) fn journal(
        &mut self,
        row: Uuid,
        field: Option<&str>,
        [base, old, new]: [Option<&Value>; 3],
        outcome: ChangeOutcome,
        reason: Option<&str>,
    ) {
        self.plan.changes.push(Change {
            id: ChangeId::generate(self.context.clock),
            organization_id: self.context.organization_id,
            entity: self.context.kind,
            entity_id: row,
            external_id: None,
            field: field.map(str::to_owned),
            base: base.cloned(),
            old: old.cloned(),
            new: new.cloned(),
            source: self.source(),
            outcome,
            reason: reason.map(str::to_owned),
            created_at: self.context.clock.now(),
        });
    }

    /// Opens a conflict with every field that waits for a person, if one of them is news.
    pub(super) fn dispute(&mut self, row: &EntityRow, outcome: &MergeOutcome, notes: &Notes) {
        if news(outcome, notes).next().is_none() {
            return;
        }
        let mut conflict = Conflict {
            id: ConflictId::generate(self.context.clock),
            organization_id: self.context.organization_id,
            integration_id: self.context.integration_id,
            entity: self.context.kind,
            entity_id: row.id,
            external_id: String::new(),
            base: FieldMap::new(),
            local: FieldMap::new(),
            remote: FieldMap::new(),
            waiting: FieldMap::new(),
            status: ConflictStatus::Open,
            resolution: None,
            revision: 1,
            created_at: self.context.clock.now(),
            updated_at: self.context.clock.now(),
        };
        for disputed in &outcome.conflicts {
            let field = disputed.field.as_str();
            if let Some(base) = &disputed.base {
                conflict.base.insert(field, base.clone());
            }
            conflict
                .local
                .insert(field, disputed.local.clone().unwrap_or(Value::Null));
            conflict.remote.insert(field, disputed.remote.clone());
        }
        self.plan.conflicts.push(conflict);
        self.plan.counts.conflicts += 1;
    }
}

/// Conflicts that are not waiting for a person already.
fn news<'a>(
    outcome: &'a MergeOutcome,
    notes: &'a Notes,
) -> impl Iterator<Item = &'a FieldConflict> {
    outcome
        .conflicts
        .iter()
        .filter(|conflict| notes.disputed.get(&conflict.field) != Some(&conflict.remote))
}
