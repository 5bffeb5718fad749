use serde_json::json;
use stayzr_core::{
    clock::truncate,
    model::{ExternalRef, Reservation as Local, ReservationStatus},
    transform::{
        EntityKind, FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer,
    },
};

use super::{at, check_in, check_out};
use crate::providers::opera::wire::{Reservation, ReservationState};

/// Between a reservation of OPERA, in either of its shapes, and ours.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReservationTransformer;

// A status can be written forward only: a reservation is cancelled, checked in, or checked out.
// Bringing back is done at the desk.
const RULES: &[FieldRule] = &[
    FieldRule::remote("number"),
    FieldRule::remote("guest_id"),
    FieldRule::shared("room_type_id").not_clearable(),
    FieldRule::shared("room_id").not_clearable(),
    FieldRule::shared("status").not_clearable(),
    FieldRule::remote("status_vendor"),
    FieldRule::shared("arrival").not_clearable(),
    FieldRule::shared("departure").not_clearable(),
    FieldRule::shared("adults").not_clearable(),
    FieldRule::shared("children").not_clearable(),
    FieldRule::remote("rate_vendor"),
    FieldRule::remote("channel_number"),
    FieldRule::remote("origin"),
];

impl Transformer<Local, Reservation> for ReservationTransformer {
    fn to_local(
        &self,
        remote: &Reservation,
        context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let missing = |field| TransformError::new(field, "is missing");
        let first = remote.arrival.ok_or_else(|| missing("arrivalDate"))?;
        let last = remote.departure.ok_or_else(|| missing("departureDate"))?;
        if last < first {
            let reason = "is before arrivalDate";
            return Err(TransformError::new("departureDate", reason));
        }
        let zone = context.time_zone;
        let coming = remote.expected_arrival.unwrap_or_else(|| check_in(context));
        let leaving = remote
            .expected_departure
            .unwrap_or_else(|| check_out(context));
        let arrival = at(zone, first, coming);
        // A stay of hours, or a guest expected after the house's check-out on the same day.
        let departure = at(zone, last, leaving).max(arrival);
        let mut fields = FieldMap::new();
        let number = remote.confirmation.as_ref().unwrap_or(&remote.id);
        fields.insert("number", number.as_str());
        fields.insert("status", status(remote.status.as_ref()).as_str());
        fields.insert(
            "status_vendor",
            remote.status.as_ref().map(ReservationState::as_str),
        );
        fields.insert("arrival", json!(truncate(arrival)));
        fields.insert("departure", json!(truncate(departure)));
        for (field, key, persons) in [
            ("adults", "adultCount", remote.adults),
            ("children", "childCount", remote.children),
        ] {
            if let Some(persons) = persons {
                if !(0..=10_000).contains(&persons) {
                    return Err(TransformError::new(key, "is not a possible count"));
                }
                fields.insert(field, persons);
            }
        }
        for (field, value) in [
            ("rate_vendor", &remote.rate_plan),
            ("channel_number", &remote.external),
            ("origin", &remote.source),
        ] {
            if let Some(value) = value {
                fields.insert(field, value.as_str());
            }
        }
        let link = |kind, id: &Option<String>| {
            let id = id.clone()?;
            Some(ExternalRef { kind, id })
        };
        let mut links = vec![("room_id", link(EntityKind::Room, &remote.room))];
        // A reservation always has these: where they are not said, nothing is known.
        for (field, kind, id) in [
            ("guest_id", EntityKind::Guest, &remote.guest),
            ("room_type_id", EntityKind::RoomType, &remote.room_type),
        ] {
            if id.is_some() {
                links.push((field, link(kind, id)));
            }
        }
        Ok(Transformed {
            fields,
            links,
            extra: remote.extra.clone(),
        })
    }

    fn to_remote(
        &self,
        local: &Local,
        context: &TransformContext,
    ) -> Result<Reservation, TransformError> {
        let (first, last) = local.dates(context.time_zone);
        let coming = local.arrival.with_timezone(&context.time_zone).time();
        let leaving = local.departure.with_timezone(&context.time_zone).time();
        let state = local.status_vendor.as_deref();
        Ok(Reservation {
            confirmation: local.number.clone(),
            external: local.channel_number.clone(),
            arrival: Some(first),
            departure: Some(last),
            expected_arrival: (coming != check_in(context)).then_some(coming),
            expected_departure: (leaving != check_out(context)).then_some(leaving),
            adults: Some(local.adults),
            children: Some(local.children),
            rate_plan: local.rate_vendor.clone(),
            source: local.origin.clone(),
            status: state.map(ReservationState::from),
            ..Reservation::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

/// What OPERA's word for where a reservation stands means. `DueIn` and `DueOut` are computed from the
/// business date, and stand for what they are computed from.
pub fn status(state: Option<&ReservationState>) -> ReservationStatus {
    use ReservationState as State;
    match state {
        Some(State::Requested | State::Waitlisted) => ReservationStatus::Tentative,
        Some(State::Reserved | State::DueIn) => ReservationStatus::Confirmed,
        Some(State::InHouse | State::DueOut | State::Walkin | State::PendingCheckout) => {
            ReservationStatus::InHouse
        }
        Some(State::CheckedOut) => ReservationStatus::Departed,
        Some(State::Cancelled) => ReservationStatus::Cancelled,
        Some(State::NoShow) => ReservationStatus::NoShow,
        Some(State::Unknown(_)) | None => ReservationStatus::Unknown,
    }
}
