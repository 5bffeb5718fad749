//! What the concierge's tools may do in a hotel.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    ids::{ConversationId, GuestId, PropertyId, RoomTypeId},
    model::{Availability, PropertyBrief, Quote, Reservation, ServiceRequest},
    tenant::TenantScope,
};

/// Which stay is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayQuery {
    /// First night.
    pub arrival: NaiveDate,
    /// Day of departure, after `arrival`, at most 60 nights later.
    pub departure: NaiveDate,
    /// Adults and children.
    pub persons: u32,
}

/// A reservation with the names that a person would say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationView {
    /// The reservation.
    pub reservation: Reservation,
    /// The room type's name.
    pub room_type: Option<String>,
    /// The room's number.
    pub room: Option<String>,
    /// First night in the property's time zone.
    pub arrival_date: NaiveDate,
    /// Day of departure in the property's time zone.
    pub departure_date: NaiveDate,
}

/// What to ask the staff for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRequestInput {
    /// Department or kind.
    pub category: String,
    /// What is wanted.
    pub description: String,
    /// Who asks.
    pub guest_id: Option<GuestId>,
    /// In which conversation.
    pub conversation_id: Option<ConversationId>,
    /// The same key makes the same request: asked twice, made once.
    pub idempotency_key: String,
}

/// The hotel as tools see it. Every call is for one property of one organization; a guest only
/// ever sees reservations of his own.
#[async_trait]
pub trait HotelBackend: Send + Sync {
    /// What may be said about the property.
    async fn property(&self, scope: TenantScope, property_id: PropertyId) -> Result<PropertyBrief>;

    /// The guest's reservations at the property, current and coming ones first; with a number,
    /// that one if it is the guest's.
    async fn reservations(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        guest_id: GuestId,
        number: Option<&str>,
    ) -> Result<Vec<ReservationView>>;

    /// Free rooms by type for a stay: as the PMS counts them where it does, else from synchronised
    /// data.
    async fn availability(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        stay: &StayQuery,
    ) -> Result<Vec<Availability>>;

    /// Prices for a stay, of types that are free.
    async fn quote(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        stay: &StayQuery,
    ) -> Result<Vec<Quote>>;

    /// Asks the staff for something.
    async fn create_service_request(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        request: ServiceRequestInput,
    ) -> Result<ServiceRequest>;
}

/// Prices and free rooms from the PMS. Implemented by `stayzr-pms`.
#[async_trait]
pub trait Quotes: Send + Sync {
    /// Free rooms of a stay by room type as the PMS counts them; a type that it does not name is not
    /// sold. [`crate::ErrorKind::Unsupported`] where it does not count: our own rows are counted
    /// then.
    async fn free(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        stay: &StayQuery,
    ) -> Result<BTreeMap<RoomTypeId, i64>> {
        let _ = (scope, property_id, stay);
        Err(crate::Error::unsupported(
            "quotes.free",
            "the PMS does not count free rooms",
        ))
    }

    /// Prices of a stay by room type. [`crate::ErrorKind::Unsupported`] where the property has no
    /// PMS or the PMS cannot price.
    async fn quotes(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        stay: &StayQuery,
    ) -> Result<Vec<Quote>>;
}
