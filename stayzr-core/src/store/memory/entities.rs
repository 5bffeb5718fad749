use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{
    page,
    setup::sees,
    state::{ContactSource, MemoryStore, State},
};
use crate::{
    Result,
    ids::{GuestId, OrganizationId, PropertyId, ReservationId, RoomId},
    model::{Contact, Organization},
    port::{
        Page, PageRequest,
        entities::{ContactOwner, Entities, EntityFilter, RowRef},
        sync::Mapping,
    },
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};

#[async_trait]
impl Entities for MemoryStore {
    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>> {
        Ok(self.lock().organizations.get(&id).cloned())
    }

    async fn row(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        id: Uuid,
    ) -> Result<Option<EntityRow>> {
        Ok(self.lock().row_in(scope, kind, id).cloned())
    }

    async fn rows(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        filter: &EntityFilter,
        page: &PageRequest,
    ) -> Result<Page<EntityRow>> {
        let after: Option<Uuid> = page::after(page)?;
        let state = self.lock();
        let guests = match (kind, scope.property_id) {
            (EntityKind::Guest, Some(property)) => Some(state.guests_of(property)),
            _ => None,
        };
        let first = after.unwrap_or(Uuid::nil());
        let rows = state
            .rows
            .range((kind, first)..=(kind, Uuid::max()))
            .map(|(_, row)| row)
            .filter(|row| after.is_none_or(|after| row.id > after))
            .filter(|row| row.organization_id == scope.organization_id)
            .filter(|row| match &guests {
                Some(guests) => guests.contains(&row.id),
                None => scope.sees(row.property_id),
            })
            .filter(|row| matches(filter, row))
            .map(|row| (row.id, row.clone()));
        Ok(page::cut(rows, page))
    }

    async fn external_refs(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        ids: &[Uuid],
    ) -> Result<Vec<RowRef>> {
        let state = self.lock();
        let mut refs = Vec::new();
        for integration in state.integrations.values() {
            if !sees(scope, integration.organization_id, integration.property_id) {
                continue;
            }
            for local_id in ids {
                let Some(external) = state.mapped.get(&(integration.id, kind, *local_id)) else {
                    continue;
                };
                let key = (integration.id, kind, external.clone());
                // A record that was merged into another is no longer the row's name there.
                let merged = |mapping: &Mapping| mapping.merged_into.is_some();
                if state.mappings.get(&key).is_some_and(merged) {
                    continue;
                }
                refs.push(RowRef {
                    local_id: *local_id,
                    provider: integration.provider.clone(),
                    integration_id: integration.id,
                    id: external.clone(),
                });
            }
        }
        Ok(refs)
    }

    async fn contact_owners(
        &self,
        scope: TenantScope,
        contacts: &[Contact],
    ) -> Result<Vec<ContactOwner>> {
        let state = self.lock();
        let wanted: HashSet<&Contact> = contacts.iter().collect();
        Ok(wanted
            .into_iter()
            .filter_map(|contact| {
                let address = contact.address.clone();
                let key = (scope.organization_id, contact.channel, address);
                let entry = state.contacts.get(&key)?;
                Some(ContactOwner {
                    contact: contact.clone(),
                    guest_id: entry.guest_id,
                    written_from: entry.source == ContactSource::Channel,
                })
            })
            .collect())
    }

    async fn guest_by_contact(
        &self,
        scope: TenantScope,
        contacts: &[Contact],
    ) -> Result<Option<GuestId>> {
        Ok(self.lock().guest_of(scope.organization_id, contacts))
    }
}

impl State {
    /// A row that a scope sees.
    pub(super) fn row_in(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        id: Uuid,
    ) -> Option<&EntityRow> {
        let row = self.rows.get(&(kind, id))?;
        let seen = match (kind, scope.property_id) {
            (EntityKind::Guest, Some(property)) => self.guests_of(property).contains(&id),
            _ => scope.sees(row.property_id),
        };
        (row.organization_id == scope.organization_id && seen).then_some(row)
    }

    /// Guests with a reservation or a conversation at a property.
    fn guests_of(&self, property: PropertyId) -> HashSet<Uuid> {
        let reservations = self
            .rows
            .range(kind_range(EntityKind::Reservation))
            .filter(|(_, row)| row.property_id == Some(property))
            .filter_map(|(_, row)| uuid(&row.fields, "guest_id"));
        let conversations = self
            .conversations
            .values()
            .filter(|conversation| conversation.property_id == property)
            .map(|conversation| conversation.guest_id.uuid());
        reservations.chain(conversations).collect()
    }
}

pub(super) fn kind_range(kind: EntityKind) -> std::ops::RangeInclusive<(EntityKind, Uuid)> {
    (kind, Uuid::nil())..=(kind, Uuid::max())
}

fn uuid(fields: &FieldMap, field: &str) -> Option<Uuid> {
    fields.text(field).and_then(|text| text.parse().ok())
}

fn matches(filter: &EntityFilter, row: &EntityRow) -> bool {
    let fields = &row.fields;
    let reservation = row.kind == EntityKind::Reservation;
    let note = matches!(row.kind, EntityKind::Note | EntityKind::ServiceRequest);
    let names = |field, id: Option<Uuid>| id.is_none_or(|id| uuid(fields, field) == Some(id));
    let time = |field| -> Option<DateTime<Utc>> { fields.text(field)?.parse().ok() };
    filter.ids.as_ref().is_none_or(|ids| ids.contains(&row.id))
        && (!(reservation || note) || names("guest_id", filter.guest_id.map(GuestId::uuid)))
        && (!note
            || names(
                "reservation_id",
                filter.reservation_id.map(ReservationId::uuid),
            ))
        && (!reservation
            || (names("room_id", filter.room_id.map(RoomId::uuid))
                && filter
                    .number
                    .as_deref()
                    .is_none_or(|number| fields.text("number") == Some(number))
                && filter.statuses.as_ref().is_none_or(|statuses| {
                    let status = fields.text("status");
                    statuses.iter().any(|one| Some(one.as_str()) == status)
                })
                && filter.overlaps.is_none_or(|(start, end)| {
                    time("arrival").is_some_and(|arrival| arrival < end)
                        && time("departure").is_some_and(|departure| departure > start)
                })))
        && filter.search.as_deref().is_none_or(|text| found(row, text))
}

/// Whether the name, number, email or phone of a row contains a text, whatever its case.
fn found(row: &EntityRow, text: &str) -> bool {
    const SEARCHED: [&str; 6] = [
        "name",
        "number",
        "email",
        "phone",
        "first_name",
        "last_name",
    ];
    let text = text.trim().to_lowercase();
    let texts: BTreeMap<&str, &str> = SEARCHED
        .iter()
        .filter_map(|field| Some((*field, row.fields.get(field).and_then(Value::as_str)?)))
        .collect();
    let contains = |value: &str| value.to_lowercase().contains(&text);
    let full_name = [texts.get("first_name"), texts.get("last_name")]
        .into_iter()
        .flatten()
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    texts.values().any(|value| contains(value)) || contains(&full_name)
}
