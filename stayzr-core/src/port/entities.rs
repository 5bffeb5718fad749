//! Reading properties, rooms, guests and reservations.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Page, PageRequest};
use crate::{
    Error, Result,
    ids::{GuestId, IntegrationId, OrganizationId, ReservationId, RoomId},
    model::{Contact, Organization, ReservationStatus},
    tenant::TenantScope,
    transform::{Entity, EntityKind, EntityRow},
};

/// Which rows to list. What is not set does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntityFilter {
    /// Rows with these ids.
    pub ids: Option<Vec<Uuid>>,
    /// Reservations and notes of this guest.
    pub guest_id: Option<GuestId>,
    /// Notes about this reservation.
    pub reservation_id: Option<ReservationId>,
    /// Reservations in this room.
    pub room_id: Option<RoomId>,
    /// Reservations with this number.
    pub number: Option<String>,
    /// Reservations with one of these statuses.
    pub statuses: Option<Vec<ReservationStatus>>,
    /// Reservations that touch this span: arrival before its end and departure after its start.
    pub overlaps: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Rows whose name, number, email or phone contains this text, whatever its case.
    pub search: Option<String>,
}

/// The id of a row at a vendor.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RowRef {
    /// The row.
    #[serde(skip_serializing)]
    pub local_id: Uuid,
    /// The provider.
    pub provider: String,
    /// The integration.
    pub integration_id: IntegrationId,
    /// The vendor's id.
    pub id: String,
}

/// Whom an address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactOwner {
    /// The address.
    pub contact: Contact,
    /// The guest.
    pub guest_id: GuestId,
    /// Whether the guest wrote from it; else it stands in the guest's record.
    pub written_from: bool,
}

/// Rows that a PMS and we both hold. Rows of another organization are not found; with a property
/// in the scope, neither are rows of another property. Guests belong to the organization: with a
/// property in the scope, those are seen who have a reservation or a conversation there.
#[async_trait]
pub trait Entities: Send + Sync {
    /// The organization of a scope.
    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>>;

    /// One row.
    async fn row(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        id: Uuid,
    ) -> Result<Option<EntityRow>>;

    /// Rows in order of their ids, so that a list never skips or repeats one.
    async fn rows(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        filter: &EntityFilter,
        page: &PageRequest,
    ) -> Result<Page<EntityRow>>;

    /// The vendors' ids of these rows.
    async fn external_refs(
        &self,
        scope: TenantScope,
        kind: EntityKind,
        ids: &[Uuid],
    ) -> Result<Vec<RowRef>>;

    /// Whom these addresses lead to in the organization, in one query and each once; those that lead
    /// to nobody are missing.
    async fn contact_owners(
        &self,
        scope: TenantScope,
        contacts: &[Contact],
    ) -> Result<Vec<ContactOwner>>;

    /// The guest that the first of these addresses leads to.
    async fn guest_by_contact(
        &self,
        scope: TenantScope,
        contacts: &[Contact],
    ) -> Result<Option<GuestId>>;
}

/// [`Entities`] with the model's own types.
#[async_trait]
pub trait EntitiesExt: Entities {
    /// One row as its type; [`crate::ErrorKind::NotFound`] if it is not there.
    async fn entity<T: Entity>(&self, scope: TenantScope, id: Uuid) -> Result<T> {
        let row = self.row(scope, T::KIND, id).await?.ok_or_else(|| {
            Error::not_found(
                "entities.get",
                format!("there is no {} with this id", T::KIND),
            )
            .with("id", id)
        })?;
        T::from_row(&row)
    }

    /// A page of rows as their type.
    async fn entities<T: Entity + Send>(
        &self,
        scope: TenantScope,
        filter: &EntityFilter,
        page: &PageRequest,
    ) -> Result<Page<T>> {
        let rows = self.rows(scope, T::KIND, filter, page).await?;
        let items = rows
            .items
            .iter()
            .map(T::from_row)
            .collect::<Result<Vec<_>>>()?;
        Ok(Page {
            items,
            next_cursor: rows.next_cursor,
        })
    }

    /// All rows as their type, however many pages they take.
    async fn all<T: Entity + Send>(
        &self,
        scope: TenantScope,
        filter: &EntityFilter,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut page = PageRequest {
            limit: 1000,
            cursor: None,
        };
        loop {
            let mut next = self.entities::<T>(scope, filter, &page).await?;
            all.append(&mut next.items);
            match next.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => return Ok(all),
            }
        }
    }
}

impl<E: Entities + ?Sized> EntitiesExt for E {}
