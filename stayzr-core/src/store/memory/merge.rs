//! A guest who turned out to be another.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::state::{MappingKey, State};
use crate::{
    ids::{ConversationId, GuestId, IntegrationId, OrganizationId},
    model::{Conversation, ConversationStatus},
    port::sync::{GuestMerge, Mapping},
    store::succession::{self, Succession},
    transform::{EntityKind, FieldMap},
};

const GUEST: &str = "guest_id";

impl State {
    /// Merges guests, each into whoever remains of the other.
    pub(super) fn merge_guests(
        &mut self,
        organization: OrganizationId,
        integration: IntegrationId,
        merges: &[GuestMerge],
        now: DateTime<Utc>,
    ) {
        if merges.is_empty() {
            return;
        }
        let guests = (EntityKind::Guest, Uuid::nil())..=(EntityKind::Guest, Uuid::max());
        let known = self
            .rows
            .range(guests)
            .map(|((_, id), row)| {
                let into = row.fields.text("merged_into");
                let into = into.and_then(|id| id.parse().ok());
                (GuestId::from(*id), into)
            })
            .collect();
        for one in succession::successions(merges, &known) {
            self.merge_guest(organization, integration, one, now);
        }
    }

    /// Hangs everything of one guest on another.
    fn merge_guest(
        &mut self,
        organization: OrganizationId,
        integration: IntegrationId,
        one: Succession,
        now: DateTime<Utc>,
    ) {
        let Succession { from, into, heir } = one;
        self.move_rows(organization, from, heir, now);
        self.move_conversations(organization, from, heir, now);
        for ((of, ..), entry) in &mut self.contacts {
            if *of == organization && entry.guest_id == from {
                entry.guest_id = heir;
            }
        }
        self.move_mappings(organization, integration, from, heir, now);
        let key = (EntityKind::Guest, from.uuid());
        let set: FieldMap = [
            ("active".to_owned(), false.into()),
            ("merged_into".to_owned(), into.to_string().into()),
        ]
        .into_iter()
        .collect();
        let changed = |row: &crate::transform::EntityRow| !set.changed_from(&row.fields).is_empty();
        if self.rows.get(&key).is_some_and(changed) {
            self.set_fields(EntityKind::Guest, from.uuid(), &set, now);
        }
    }

    /// Reservations, notes and service requests, and what their mappings say of their guest.
    fn move_rows(
        &mut self,
        organization: OrganizationId,
        from: GuestId,
        into: GuestId,
        now: DateTime<Utc>,
    ) {
        let (old, new) = (from.to_string(), into.to_string());
        let moved: Vec<(EntityKind, Uuid)> = self
            .rows
            .values()
            .filter(|row| {
                matches!(
                    row.kind,
                    EntityKind::Reservation | EntityKind::Note | EntityKind::ServiceRequest
                )
            })
            .filter(|row| row.organization_id == organization)
            .filter(|row| row.fields.text(GUEST) == Some(&old))
            .map(|row| (row.kind, row.id))
            .collect();
        let set: FieldMap = [(GUEST.to_owned(), new.clone().into())]
            .into_iter()
            .collect();
        for (kind, id) in moved {
            self.set_fields(kind, id, &set, now);
            let mappings = self.mappings.values_mut();
            for mapping in mappings.filter(|found| (found.entity, found.local_id) == (kind, id)) {
                if mapping.base.text(GUEST) == Some(&old) {
                    mapping.base.insert(GUEST, new.clone());
                    mapping.revision += 1;
                    mapping.updated_at = now;
                }
            }
        }
    }

    fn move_conversations(
        &mut self,
        organization: OrganizationId,
        from: GuestId,
        into: GuestId,
        now: DateTime<Utc>,
    ) {
        let of = |guest: GuestId| {
            move |found: &&Conversation| {
                found.organization_id == organization && found.guest_id == guest
            }
        };
        let theirs: Vec<Conversation> = self
            .conversations
            .values()
            .filter(of(from))
            .cloned()
            .collect();
        for conversation in theirs {
            let twin = Conversation {
                guest_id: into,
                ..conversation.clone()
            };
            if conversation.status != ConversationStatus::Closed
                && let Some(other) = self.current(&twin)
            {
                let silent = match conversation.last_inbound_at > other.last_inbound_at {
                    true => other.id,
                    false => conversation.id,
                };
                self.close_conversation(silent, now);
            }
            if let Some(moved) = self.conversations.get_mut(&conversation.id) {
                moved.guest_id = into;
                moved.updated_at = now;
            }
        }
    }

    fn close_conversation(&mut self, id: ConversationId, now: DateTime<Utc>) {
        if let Some(silent) = self.conversations.get_mut(&id) {
            silent.status = ConversationStatus::Closed;
            silent.updated_at = now;
        }
    }

    /// What other PMSs of the organization call the guest, where they do not know the one who
    /// remains.
    fn move_mappings(
        &mut self,
        organization: OrganizationId,
        integration: IntegrationId,
        from: GuestId,
        into: GuestId,
        now: DateTime<Utc>,
    ) {
        let kind = EntityKind::Guest;
        let keys: Vec<MappingKey> = self
            .integrations
            .values()
            .filter(|other| other.organization_id == organization && other.id != integration)
            .filter(|other| !self.mapped.contains_key(&(other.id, kind, into.uuid())))
            .filter_map(|other| {
                let external = self.mapped.get(&(other.id, kind, from.uuid()))?;
                Some((other.id, kind, external.clone()))
            })
            .collect();
        for key in keys {
            if let Some(mapping) = self.mappings.get(&key).cloned() {
                self.put_mapping(Mapping {
                    local_id: into.uuid(),
                    revision: mapping.revision + 1,
                    updated_at: now,
                    ..mapping
                });
            }
        }
    }
}
