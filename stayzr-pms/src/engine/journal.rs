//! What a plan says beside rows: the journal and addresses of guests.

use serde_json::Value;
use stayzr_core::{
    ids::{ChangeId, GuestId},
    model::{Change, ChangeOutcome, ChangeSource, ContactChannel},
    port::sync::ContactWrite,
    transform::{EntityRow, FieldMap, MergeOutcome},
};
use uuid::Uuid;

use super::{identity::address, plan::Planner};

/// What a line of the journal is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// The row.
    pub(super) row: Uuid,
    /// The vendor's id of it, where one is known.
    pub(super) external_id: Option<&'a str>,
}

impl<'a> About<'a> {
    pub(super) fn record(row: Uuid, external_id: &'a str) -> Self {
        Self {
            row,
            external_id: Some(external_id),
        }
    }
}

impl Planner<'_> {
    pub(super) fn contacts(&mut self, guest: Uuid, set: &FieldMap, take_away: bool) {
        for (field, channel) in [
            ("email", ContactChannel::Email),
            ("phone", ContactChannel::Phone),
        ] {
            let Some(value) = set.get(field) else {
                continue;
            };
            let address = value
                .as_str()
                .and_then(|text| address(channel, text, self.context.country));
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
        about: About<'_>,
        row: &EntityRow,
        base: &FieldMap,
        set: &FieldMap,
        outcome: &MergeOutcome,
    ) {
        for (field, new) in set.iter() {
            let values = [base.get(field), row.fields.get(field), Some(new)];
            self.journal(about, Some(field), values, ChangeOutcome::Applied, None);
        }
        for refused in &outcome.refused {
            let field = refused.field.as_str();
            let values = [
                base.get(field),
                row.fields.get(field),
                Some(&refused.remote),
            ];
            let reason = Some(refused.reason);
            self.journal(about, Some(field), values, ChangeOutcome::Refused, reason);
        }
    }

    pub(super) fn journal(
        &mut self,
        about: About<'_>,
        field: Option<&str>,
        [base, old, new]: [Option<&Value>; 3],
        outcome: ChangeOutcome,
        reason: Option<&str>,
    ) {
        self.plan.changes.push(Change {
            id: ChangeId::generate(self.context.clock),
            organization_id: self.context.organization_id,
            entity: self.context.kind,
            entity_id: about.row,
            external_id: about.external_id.map(str::to_owned),
            field: field.map(str::to_owned),
            base: base.cloned(),
            old: old.cloned(),
            new: new.cloned(),
            source: ChangeSource::Vendor {
                integration_id: self.context.integration_id,
                event: self.context.event.to_owned(),
            },
            outcome,
            reason: reason.map(str::to_owned),
            created_at: self.context.clock.now(),
        });
    }
}
