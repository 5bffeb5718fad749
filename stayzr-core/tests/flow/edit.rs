//! Edits: what they may name, and the addresses that follow from them.

use serde_json::json;
use stayzr_core::{
    ErrorKind, Result,
    flow::{EditRequest, PushPolicy, edit},
    ids::{GuestId, IntegrationId},
    model::{ChangeSource, Contact, ContactChannel, Guest, Reservation, RoomType},
    port::Store,
    queue::NewJob,
    store::conformance::sample,
    tenant::TenantScope,
    transform::{Entity, EntityKind, EntityRow, FieldMap, FieldRule},
};
use uuid::Uuid;

use crate::hotel::Hotel;

on_each_store! {
    a_number_without_a_country_is_read_where_the_guest_stays
    a_number_is_read_in_the_organizations_country_where_the_guest_has_not_stayed
    invariant_t_an_edit_names_only_what_is_there
}

/// Nothing is pushed.
struct Nowhere;

impl PushPolicy for Nowhere {
    fn rule(&self, _: &str, _: EntityKind, _: &str) -> Option<FieldRule> {
        None
    }

    fn push_job(&self, _: TenantScope, _: IntegrationId, _: EntityKind, _: Uuid) -> NewJob {
        unreachable!("no field has a rule")
    }
}

async fn set<S: Store, T: Entity>(
    at: &Hotel<S>,
    scope: TenantScope,
    id: impl Into<Uuid>,
    field: &str,
    value: serde_json::Value,
) -> Result<EntityRow> {
    let request = EditRequest {
        kind: T::KIND,
        id: id.into(),
        set: FieldMap::from_iter([(field.to_owned(), value)]),
        expected_version: None,
        source: ChangeSource::Staff {
            actor: "Rui".to_owned(),
        },
    };
    edit(&at.store, &Nowhere, at.clock.as_ref(), scope, request).await
}

async fn guest_with_number<S: Store>(at: &Hotel<S>, number: &str) -> Option<GuestId> {
    let contact = Contact {
        channel: ContactChannel::Phone,
        address: number.to_owned(),
    };
    let found = at.store.guest_by_contact(at.scope, &[contact]).await;
    found.expect("contacts can be read")
}

async fn a_number_without_a_country_is_read_where_the_guest_stays<S: Store>(at: Hotel<S>) {
    let clock = at.clock.as_ref();
    let organization = sample::widened(at.scope);
    // Another hotel of the organization, in another country, where the guest has never been.
    let mut abroad = sample::property(clock, at.scope.organization_id);
    abroad.address.country_code = Some("DE".to_owned());
    at.store.create_property(abroad).await.expect("a property");
    let guest = sample::guest(clock, at.scope, "Ana");
    let stay = sample::reservation(clock, at.scope, guest.id);
    let rows = vec![sample::row(&guest), sample::row(&stay)];
    sample::store_rows(&at.store, clock, at.scope, rows).await;

    let edited = set::<S, Guest>(&at, organization, guest.id, "phone", json!("912 345 678")).await;
    edited.expect("the edit is taken");

    assert_eq!(
        guest_with_number(&at, "+351912345678").await,
        Some(guest.id)
    );
}

async fn a_number_is_read_in_the_organizations_country_where_the_guest_has_not_stayed<S: Store>(
    at: Hotel<S>,
) {
    let clock = at.clock.as_ref();
    let guest = sample::guest(clock, at.scope, "Ana");
    sample::store_rows(&at.store, clock, at.scope, vec![sample::row(&guest)]).await;
    let organization = sample::widened(at.scope);
    let edited = set::<S, Guest>(&at, organization, guest.id, "phone", json!("912 345 678")).await;
    edited.expect("the edit is taken");
    assert_eq!(
        guest_with_number(&at, "+351912345678").await,
        Some(guest.id)
    );
}

async fn invariant_t_an_edit_names_only_what_is_there<S: Store>(at: Hotel<S>) {
    let clock = at.clock.as_ref();
    let guest = sample::guest(clock, at.scope, "Ana");
    let stay = sample::reservation(clock, at.scope, guest.id);
    let ours = sample::room_type(clock, at.scope, "Double");
    let rows = vec![sample::row(&guest), sample::row(&stay), sample::row(&ours)];
    sample::store_rows(&at.store, clock, at.scope, rows).await;
    let elsewhere = sample::tenant(&at.store, clock).await;
    let stranger = sample::guest(clock, elsewhere, "Bo");
    let theirs: RoomType = sample::room_type(clock, elsewhere, "Single");
    let rows = vec![sample::row(&stranger), sample::row(&theirs)];
    sample::store_rows(&at.store, clock, elsewhere, rows).await;

    for (field, id) in [
        ("guest_id", stranger.id.uuid()),
        ("room_type_id", theirs.id.uuid()),
    ] {
        let refused = set::<S, Reservation>(&at, at.scope, stay.id, field, json!(id)).await;
        assert_eq!(
            refused.expect_err("it is refused").kind(),
            ErrorKind::Invalid,
            "{field}"
        );
    }
    let edited = set::<S, Reservation>(&at, at.scope, stay.id, "room_type_id", json!(ours.id));
    edited.await.expect("a room type of the property is taken");
}
