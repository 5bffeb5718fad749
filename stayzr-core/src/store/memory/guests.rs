//! Addresses that lead to guests.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::state::{ContactEntry, ContactSource, State};
use crate::{
    Result,
    ids::{GuestId, OrganizationId},
    model::{Contact, ContactChannel, Guest, GuestOrigin},
    port::sync::ContactWrite,
    transform::{Entity, EntityKind, EntityRow},
};

impl State {
    /// The guest that the first of these addresses leads to.
    pub(super) fn guest_of(
        &self,
        organization: OrganizationId,
        contacts: &[Contact],
    ) -> Option<GuestId> {
        contacts.iter().find_map(|contact| {
            let key = (organization, contact.channel, contact.address.clone());
            self.contacts.get(&key).map(|entry| entry.guest_id)
        })
    }

    /// Makes addresses a guest's, unless they lead to somebody already.
    pub(super) fn add_contacts(
        &mut self,
        organization: OrganizationId,
        guest_id: GuestId,
        contacts: &[Contact],
    ) {
        for contact in contacts {
            let key = (organization, contact.channel, contact.address.clone());
            self.contacts.entry(key).or_insert(ContactEntry {
                guest_id,
                source: ContactSource::Channel,
            });
        }
    }

    /// Sets the addresses that stand in guests' rows: those no longer named go first, so that one
    /// can pass from a guest to another in one page.
    pub(super) fn write_contacts(&mut self, organization: OrganizationId, writes: &[ContactWrite]) {
        self.contacts.retain(|(of, channel, address), entry| {
            *of != organization
                || entry.source != ContactSource::Record
                || !writes.iter().any(|write| {
                    write.guest_id == entry.guest_id
                        && write.channel == *channel
                        && write.address.as_ref() != Some(address)
                })
        });
        for write in writes {
            let here = self
                .rows
                .get(&(EntityKind::Guest, write.guest_id.uuid()))
                .is_some_and(|row| row.organization_id == organization);
            if let (true, Some(address)) = (here, &write.address) {
                let key = (organization, write.channel, address.clone());
                self.contacts.entry(key).or_insert(ContactEntry {
                    guest_id: write.guest_id,
                    source: ContactSource::Record,
                });
            }
        }
    }

    /// Makes a guest that nobody knew before: of origin `channel`, not pushed to any PMS.
    pub(super) fn new_guest(
        &mut self,
        organization: OrganizationId,
        id: Uuid,
        name: Option<String>,
        contacts: &[Contact],
        now: DateTime<Utc>,
    ) -> Result<GuestId> {
        let phone = contacts
            .iter()
            .find(|contact| contact.channel == ContactChannel::Phone)
            .map(|contact| contact.address.clone());
        let guest = Guest {
            merged_into: None,
            id: GuestId::from(id),
            organization_id: organization,
            version: 1,
            created_at: now,
            updated_at: now,
            origin: GuestOrigin::Channel,
            title: None,
            first_name: name,
            last_name: None,
            email: None,
            phone,
            nationality: None,
            language: None,
            birth_date: None,
            loyalty_code: None,
            notes: None,
            classifications: Vec::new(),
            active: true,
        };
        let row = EntityRow {
            kind: EntityKind::Guest,
            id,
            organization_id: organization,
            property_id: None,
            version: 1,
            created_at: now,
            updated_at: now,
            fields: guest.to_fields()?,
        };
        self.rows.insert((EntityKind::Guest, id), row);
        Ok(guest.id)
    }
}
