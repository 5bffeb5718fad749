//! The addresses that lead to a guest, as an edit changes them.

use crate::{
    Result,
    ids::GuestId,
    model::{ContactChannel, Property, Reservation, phone_e164},
    port::{
        entities::{Entities, EntitiesExt, EntityFilter},
        sync::ContactWrite,
    },
    tenant::TenantScope,
    transform::FieldMap,
};

/// The addresses that change with a guest's fields.
pub(super) async fn changed_contacts<S>(
    store: &S,
    scope: TenantScope,
    guest_id: GuestId,
    set: &FieldMap,
) -> Result<Vec<ContactWrite>>
where
    S: Entities + ?Sized,
{
    let mut contacts = Vec::new();
    if let Some(email) = set.get("email") {
        contacts.push(ContactWrite {
            guest_id,
            channel: ContactChannel::Email,
            address: email.as_str().map(str::to_lowercase),
        });
    }
    if let Some(phone) = set.get("phone") {
        let address = match phone.as_str() {
            Some(phone) => e164(store, scope, guest_id, phone).await?,
            None => None,
        };
        contacts.push(ContactWrite {
            guest_id,
            channel: ContactChannel::Phone,
            address,
        });
    }
    Ok(contacts)
}

/// A number in the form that is compared. One without a country code is read in the country of the
/// editor's property, else of the guest's latest stay, else in the one country of the
/// organization.
async fn e164<S>(
    store: &S,
    scope: TenantScope,
    guest_id: GuestId,
    phone: &str,
) -> Result<Option<String>>
where
    S: Entities + ?Sized,
{
    if let Some(number) = phone_e164(phone, None) {
        return Ok(Some(number));
    }
    let country = match scope.property_id {
        Some(property_id) => {
            let property: Property = store.entity(scope, property_id.uuid()).await?;
            property.address.country_code
        }
        None => country_of(store, scope, guest_id).await?,
    };
    Ok(country.and_then(|country| phone_e164(phone, Some(&country))))
}

async fn country_of<S>(
    store: &S,
    organization: TenantScope,
    guest_id: GuestId,
) -> Result<Option<String>>
where
    S: Entities + ?Sized,
{
    let of_guest = EntityFilter {
        guest_id: Some(guest_id),
        ..EntityFilter::default()
    };
    let stays = store.all::<Reservation>(organization, &of_guest).await?;
    if let Some(latest) = stays.iter().max_by_key(|stay| stay.arrival) {
        let id = latest.property_id.uuid();
        let property: Property = store.entity(organization, id).await?;
        return Ok(property.address.country_code);
    }
    let everything = EntityFilter::default();
    let properties = store.all::<Property>(organization, &everything).await?;
    let mut countries: Vec<String> = properties
        .into_iter()
        .filter_map(|property| property.address.country_code)
        .collect();
    countries.sort_unstable();
    countries.dedup();
    // Of two countries neither is surer than the other, and a wrong number leads to somebody else.
    match countries.len() {
        1 => Ok(countries.pop()),
        _ => Ok(None),
    }
}
