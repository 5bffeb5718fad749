//! Which guests a page of records is about, beyond those that the vendor's ids lead to. Pure.

use std::collections::{HashMap, HashSet};

use stayzr_core::{
    identity::{Candidate, MatchedBy, Recognition, recognise},
    ids::GuestId,
    model::{Contact, ContactChannel, phone_e164},
    port::{entities::ContactOwner, sync::Mapping},
    transform::{EntityRow, FieldMap},
};
use uuid::Uuid;

use super::{plan::PageState, triage::Triaged};

/// The form in which an address is compared; none if it is not one.
pub(super) fn address(
    channel: ContactChannel,
    text: &str,
    country: Option<&str>,
) -> Option<String> {
    match channel {
        ContactChannel::Phone => phone_e164(text, country),
        _ => Some(text.trim().to_lowercase()).filter(|text| !text.is_empty()),
    }
}

/// A record whose addresses may lead to a guest whom we know.
pub(super) struct Asked<'a> {
    pub(super) external_id: &'a str,
    pub(super) fields: &'a FieldMap,
    pub(super) contacts: Vec<Contact>,
    /// The row that it is mapped to.
    pub(super) row: Option<Uuid>,
}

/// Records whose addresses are news: new ones, and mapped ones whose address changes. A guest who
/// was merged has none any more.
pub(super) fn asked<'a>(
    news: &[&'a Triaged<'a>],
    mappings: &HashMap<String, Mapping>,
    country: Option<&str>,
) -> Vec<Asked<'a>> {
    news.iter()
        .filter(|triaged| triaged.record.merged_into.is_none())
        .filter_map(|triaged| {
            let record = triaged.record;
            let mapping = mappings.get(&record.external_id);
            let contacts: Vec<Contact> = [
                ("phone", ContactChannel::Phone),
                ("email", ContactChannel::Email),
            ]
            .into_iter()
            .filter_map(|(field, channel)| {
                let text = record.fields.text(field)?;
                let agreed = mapping.and_then(|mapping| mapping.base.text(field));
                let address = address(channel, text, country)?;
                (agreed != Some(text)).then_some(Contact { channel, address })
            })
            .collect();
            (!contacts.is_empty()).then(|| Asked {
                external_id: &record.external_id,
                fields: &record.fields,
                contacts,
                row: mapping.map(|mapping| mapping.local_id),
            })
        })
        .collect()
}

/// Recognises the guests of a page among those its addresses lead to: `rows` by id, and which of
/// them are records of this integration already. A row is recognised once in a page.
pub(super) fn recognise_page(
    asked: &[Asked<'_>],
    owners: &[ContactOwner],
    rows: &HashMap<Uuid, EntityRow>,
    mut mapped: HashSet<Uuid>,
    state: &mut PageState,
) {
    let mut leads: HashMap<&Contact, Vec<&ContactOwner>> = HashMap::new();
    for owner in owners {
        leads.entry(&owner.contact).or_default().push(owner);
    }
    for one in asked {
        let candidates = candidates(one, &leads, rows, &mapped);
        let name = one.external_id.to_owned();
        match (one.row, recognise(one.fields, &candidates)) {
            (None, Recognition::Same(guest)) => {
                mapped.insert(guest.uuid());
                if let Some(row) = rows.get(&guest.uuid()) {
                    state.rows.insert(row.id, row.clone());
                    state.adopted.insert(name, row.id);
                }
            }
            (None, Recognition::Doubtful(guests)) => {
                state.doubtful.insert(name, guests);
            }
            (Some(_), Recognition::Same(guest)) => {
                mapped.insert(guest.uuid());
                state.joined.insert(name, guest);
            }
            (Some(_), Recognition::Doubtful(_)) | (_, Recognition::Nobody) => {}
        }
    }
}

fn candidates<'r>(
    asked: &Asked<'_>,
    leads: &HashMap<&Contact, Vec<&ContactOwner>>,
    rows: &'r HashMap<Uuid, EntityRow>,
    mapped: &HashSet<Uuid>,
) -> Vec<Candidate<'r>> {
    let mut found: Vec<(GuestId, Candidate<'r>)> = Vec::new();
    for contact in &asked.contacts {
        let by = match contact.channel {
            ContactChannel::Email => MatchedBy::Email,
            _ => MatchedBy::Phone,
        };
        for owner in leads.get(contact).into_iter().flatten() {
            let id = owner.guest_id.uuid();
            let Some(guest) = rows.get(&id) else {
                continue;
            };
            // A mapped guest is only joined by one who wrote and whom no PMS knows.
            let stranger = guest.fields.text("origin") == Some("channel");
            let mapped_here = mapped.contains(&id);
            if asked.row.is_some() && (!stranger || mapped_here || asked.row == Some(id)) {
                continue;
            }
            let wrote = owner.written_from && by == MatchedBy::Phone;
            match found.iter_mut().find(|(known, _)| *known == owner.guest_id) {
                Some((_, candidate)) => {
                    candidate.by.push(by);
                    candidate.written_from |= wrote;
                }
                None => {
                    let candidate = Candidate {
                        guest,
                        by: vec![by],
                        written_from: wrote,
                        mapped_here,
                    };
                    found.push((owner.guest_id, candidate));
                }
            }
        }
    }
    found.into_iter().map(|(_, candidate)| candidate).collect()
}
