use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::{
    Error, ErrorKind, Result,
    clock::Clock,
    ids::{ConversationId, GuestId, PropertyId, RoomTypeId},
    model::{
        Availability, ChangeSource, Property, PropertyBrief, Quote, Reservation, ReservationStatus,
        Room, RoomCondition, RoomType, ServiceRequest,
    },
    port::{
        backend::{HotelBackend, Quotes, ReservationView, ServiceRequestInput, StayQuery},
        edit::Edits,
        entities::{Entities, EntitiesExt, EntityFilter},
        sync::SyncStore,
    },
    tenant::TenantScope,
    transform::{Entity, EntityKind, FieldMap},
};

use super::{
    create::{CreateRequest, create},
    push::PushPolicy,
};

/// The longest stay that is looked up, in nights.
const LONGEST_STAY: i64 = 60;

/// [`HotelBackend`] over the store: what an agent's tools see of a hotel.
pub struct StoreBackend<S: ?Sized> {
    store: Arc<S>,
    quotes: Arc<dyn Quotes>,
    policy: Arc<dyn PushPolicy>,
    clock: Arc<dyn Clock>,
}

impl<S: ?Sized> StoreBackend<S> {
    /// A backend over a store, with prices from `quotes`; what a guest asks the staff for goes to the
    /// PMS where `policy` says that it takes such requests.
    pub fn new(
        store: Arc<S>,
        quotes: Arc<dyn Quotes>,
        policy: Arc<dyn PushPolicy>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            quotes,
            policy,
            clock,
        }
    }
}

#[async_trait]
impl<S> HotelBackend for StoreBackend<S>
where
    S: Entities + Edits + SyncStore + ?Sized + 'static,
{
    async fn property(&self, scope: TenantScope, property_id: PropertyId) -> Result<PropertyBrief> {
        let property: Property = self.store.entity(scope, property_id.uuid()).await?;
        Ok(property.brief())
    }

    async fn reservations(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        guest_id: GuestId,
        number: Option<&str>,
    ) -> Result<Vec<ReservationView>> {
        let scope = TenantScope::property(scope.organization_id, property_id);
        let property: Property = self.store.entity(scope, property_id.uuid()).await?;
        let filter = EntityFilter {
            guest_id: Some(guest_id),
            number: number.map(str::to_owned),
            ..EntityFilter::default()
        };
        let mut reservations = self.store.all::<Reservation>(scope, &filter).await?;
        let now = self.clock.now();
        // Over and cancelled ones last, the others by arrival.
        reservations.sort_by_key(|reservation| {
            let over = !reservation.status.occupies() || reservation.departure < now;
            (over, reservation.arrival)
        });
        let room_types = self
            .names::<RoomType>(scope, reservations.iter().filter_map(|r| r.room_type_id))
            .await?;
        let rooms = self
            .names::<Room>(scope, reservations.iter().filter_map(|r| r.room_id))
            .await?;
        let tz = property.tz();
        Ok(reservations
            .into_iter()
            .map(|reservation| {
                let (arrival_date, departure_date) = reservation.dates(tz);
                let name = |names: &BTreeMap<Uuid, String>, id: Option<Uuid>| {
                    id.and_then(|id| names.get(&id).cloned())
                };
                ReservationView {
                    room_type: name(&room_types, reservation.room_type_id.map(Into::into)),
                    room: name(&rooms, reservation.room_id.map(Into::into)),
                    arrival_date,
                    departure_date,
                    reservation,
                }
            })
            .collect())
    }

    async fn availability(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        stay: &StayQuery,
    ) -> Result<Vec<Availability>> {
        check(stay)?;
        let scope = TenantScope::property(scope.organization_id, property_id);
        let property: Property = self.store.entity(scope, property_id.uuid()).await?;
        let tz = property.tz();
        let everything = EntityFilter::default();
        let room_types = self.store.all::<RoomType>(scope, &everything).await?;
        let rooms = self.store.all::<Room>(scope, &everything).await?;
        let overlapping = EntityFilter {
            overlaps: Some((midnight(stay.arrival, tz), midnight(stay.departure, tz))),
            statuses: Some(vec![
                ReservationStatus::Tentative,
                ReservationStatus::Confirmed,
                ReservationStatus::InHouse,
                ReservationStatus::Unknown,
            ]),
            ..EntityFilter::default()
        };
        let reservations = self.store.all::<Reservation>(scope, &overlapping).await?;
        let mut available = free_rooms(&room_types, &rooms, &reservations, stay, tz);
        // The PMS knows of blocks and other channels, which we do not. Where it is silent for now our
        // own count is better than none.
        match self.quotes.free(scope, property_id, stay).await {
            Ok(counted) => {
                for one in &mut available {
                    one.free = counted.get(&one.room_type_id).copied().unwrap_or(0);
                }
            }
            Err(error) if error.kind() == ErrorKind::Unsupported => {}
            Err(error) => tracing::warn!(%error, "free rooms are counted from our own rows"),
        }
        Ok(available)
    }

    async fn quote(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        stay: &StayQuery,
    ) -> Result<Vec<Quote>> {
        let free: BTreeMap<RoomTypeId, i64> = self
            .availability(scope, property_id, stay)
            .await?
            .into_iter()
            .map(|available| (available.room_type_id, available.free))
            .collect();
        let quotes = self.quotes.quotes(scope, property_id, stay).await?;
        Ok(quotes
            .into_iter()
            .filter_map(|quote| {
                let free = *free.get(&quote.room_type_id)?;
                (free > 0).then_some(Quote {
                    free: Some(free),
                    ..quote
                })
            })
            .collect())
    }

    async fn create_service_request(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        request: ServiceRequestInput,
    ) -> Result<ServiceRequest> {
        let reservation_id = match request.guest_id {
            Some(guest) => self.stay_of(scope, property_id, guest).await?,
            None => None,
        };
        let mut set = FieldMap::new();
        set.insert("category", request.category);
        set.insert("description", request.description);
        for (field, id) in [
            ("guest_id", request.guest_id.map(GuestId::uuid)),
            ("reservation_id", reservation_id),
            (
                "conversation_id",
                request.conversation_id.map(ConversationId::uuid),
            ),
        ] {
            if let Some(id) = id {
                set.insert(field, id.to_string());
            }
        }
        let request = CreateRequest {
            kind: EntityKind::ServiceRequest,
            // The same key gives the same id, and so the same request.
            id: Some(keyed_id(scope, &request.idempotency_key)),
            property_id: Some(property_id),
            set,
            source: ChangeSource::Agent {
                trace_id: request.idempotency_key,
            },
        };
        let scope = TenantScope::property(scope.organization_id, property_id);
        let row = create(&*self.store, &*self.policy, &*self.clock, scope, request).await?;
        ServiceRequest::from_row(&row)
    }
}

impl<S> StoreBackend<S>
where
    S: Entities + ?Sized,
{
    /// The stay that a guest speaks of: the one in house, else the next that is to come.
    async fn stay_of(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        guest_id: GuestId,
    ) -> Result<Option<Uuid>> {
        let scope = TenantScope::property(scope.organization_id, property_id);
        let filter = EntityFilter {
            guest_id: Some(guest_id),
            statuses: Some(vec![
                ReservationStatus::InHouse,
                ReservationStatus::Confirmed,
            ]),
            ..EntityFilter::default()
        };
        let stays = self.store.all::<Reservation>(scope, &filter).await?;
        let now = self.clock.now();
        let current = stays
            .into_iter()
            .filter(|stay| stay.departure > now)
            .min_by_key(|stay| (stay.status != ReservationStatus::InHouse, stay.arrival));
        Ok(current.map(|stay| stay.id.uuid()))
    }

    async fn names<T: Named + Send>(
        &self,
        scope: TenantScope,
        ids: impl Iterator<Item = impl Into<Uuid>>,
    ) -> Result<BTreeMap<Uuid, String>> {
        let ids: Vec<Uuid> = ids.map(Into::into).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let filter = EntityFilter {
            ids: Some(ids),
            ..EntityFilter::default()
        };
        Ok(self
            .store
            .all::<T>(scope, &filter)
            .await?
            .into_iter()
            .map(Named::named)
            .collect())
    }
}

trait Named: crate::transform::Entity {
    fn named(self) -> (Uuid, String);
}

impl Named for RoomType {
    fn named(self) -> (Uuid, String) {
        (self.id.uuid(), self.name)
    }
}

impl Named for Room {
    fn named(self) -> (Uuid, String) {
        (self.id.uuid(), self.name)
    }
}

fn check(stay: &StayQuery) -> Result<()> {
    let nights = (stay.departure - stay.arrival).num_days();
    if nights < 1 {
        return Err(Error::invalid(
            "stay.check",
            "the departure is not after the arrival",
        ));
    }
    if nights > LONGEST_STAY {
        return Err(Error::invalid("stay.check", "a stay has at most 60 nights"));
    }
    Ok(())
}

/// Local midnight as a time in UTC; where clocks jump over it, the first moment of the day.
fn midnight(day: NaiveDate, tz: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    // Clocks jump by quarters of an hour at least; one zone once left out a whole day.
    (0..=96)
        .find_map(|quarters| {
            let local = midnight + TimeDelta::minutes(15 * quarters);
            tz.from_local_datetime(&local).earliest()
        })
        .map_or_else(|| midnight.and_utc(), |time| time.with_timezone(&Utc))
}

/// Free rooms by type on the fullest night of a stay, for types that take so many persons.
fn free_rooms(
    room_types: &[RoomType],
    rooms: &[Room],
    reservations: &[Reservation],
    stay: &StayQuery,
    tz: Tz,
) -> Vec<Availability> {
    let type_of: BTreeMap<_, _> = rooms
        .iter()
        .filter_map(|room| Some((room.id, room.room_type_id?)))
        .collect();
    let mut total: BTreeMap<RoomTypeId, i64> = BTreeMap::new();
    for room in rooms {
        let sold = room.active && room.condition != RoomCondition::OutOfOrder;
        if let (true, Some(room_type)) = (sold, room.room_type_id) {
            *total.entry(room_type).or_default() += 1;
        }
    }
    let mut taken: BTreeMap<(RoomTypeId, NaiveDate), i64> = BTreeMap::new();
    for reservation in reservations {
        // An upgraded guest takes the room he was given, not the type he booked.
        let assigned = reservation
            .room_id
            .and_then(|room| type_of.get(&room).copied());
        let Some(room_type) = assigned.or(reservation.room_type_id) else {
            continue;
        };
        let (first, last) = reservation.dates(tz);
        let mut night = first.max(stay.arrival);
        while night < last.min(stay.departure) {
            *taken.entry((room_type, night)).or_default() += 1;
            night = night + Days::new(1);
        }
    }
    let mut available: Vec<Availability> = room_types
        .iter()
        .filter(|room_type| room_type.active)
        .filter_map(|room_type| {
            let rooms = *total.get(&room_type.id)?;
            let capacity = room_type
                .capacity
                .map(|beds| beds + room_type.extra_capacity.unwrap_or(0));
            if capacity.is_some_and(|capacity| capacity < i64::from(stay.persons)) {
                return None;
            }
            let fullest = taken
                .range((room_type.id, stay.arrival)..(room_type.id, stay.departure))
                .map(|(_, taken)| *taken)
                .max()
                .unwrap_or(0);
            Some(Availability {
                room_type_id: room_type.id,
                room_type: room_type.name.clone(),
                capacity,
                free: (rooms - fullest).max(0),
            })
        })
        .collect();
    available.sort_by(|a, b| a.room_type.cmp(&b.room_type));
    available
}

fn keyed_id(scope: TenantScope, key: &str) -> Uuid {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new()
        .chain_update(scope.organization_id.uuid().as_bytes())
        .chain_update(key)
        .finalize();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
