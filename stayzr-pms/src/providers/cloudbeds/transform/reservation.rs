use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value, json};
use stayzr_core::{
    clock::truncate,
    model::{ExternalRef, Reservation as Local, ReservationStatus},
    transform::{
        EntityKind, FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer,
    },
};

use super::{at, check_in, check_out, from_local, text, time_of_day};
use crate::providers::cloudbeds::wire::{BookedRoom, Reservation, ReservationState, told};

/// Between a reservation of Cloudbeds, in any of its three shapes, and ours.
///
/// A reservation of several rooms has the room and type of its first; persons are those of all.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReservationTransformer;

// The owner of a reservation, its number at the channel and its rate are set when it is made. Of a
// departure only the day is kept: its time is the house's.
const RULES: &[FieldRule] = &[
    FieldRule::remote("number"),
    FieldRule::remote("guest_id"),
    FieldRule::shared("room_type_id").not_clearable(),
    FieldRule::shared("room_id"),
    FieldRule::shared("status").not_clearable(),
    FieldRule::remote("status_vendor"),
    FieldRule::shared("arrival").not_clearable(),
    FieldRule::shared("departure").not_clearable(),
    FieldRule::shared("adults").not_clearable(),
    FieldRule::shared("children").not_clearable(),
    FieldRule::remote("rate_vendor"),
    FieldRule::remote("channel_number"),
    FieldRule::remote("origin"),
    FieldRule::remote("cancelled_at"),
];

impl Transformer<Local, Reservation> for ReservationTransformer {
    fn to_local(
        &self,
        remote: &Reservation,
        context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let (first, last) = days(remote)?;
        let zone = context.time_zone;
        let expected = text(remote.estimated_arrival_time.as_ref()).and_then(time_of_day);
        let arrival = at(zone, first, expected.unwrap_or_else(|| check_in(context)));
        // A stay of hours, or a guest expected after the house's check-out on the same day.
        let departure = at(zone, last, check_out(context)).max(arrival);
        let mut fields = FieldMap::new();
        fields.insert("number", text(Some(&remote.id)));
        fields.insert("status", canonical(remote).as_str());
        fields.insert(
            "status_vendor",
            remote.status.as_ref().map(ReservationState::as_str),
        );
        fields.insert("arrival", json!(truncate(arrival)));
        fields.insert("departure", json!(truncate(departure)));
        let rooms = remote.standing();
        for (field, key, whole, count) in [
            (
                "adults",
                "adults",
                remote.adults,
                (|room: &BookedRoom| room.adults) as fn(&BookedRoom) -> Option<i64>,
            ),
            ("children", "children", remote.children, |room| {
                room.children
            }),
        ] {
            if let Some(persons) = persons(&rooms, whole, count) {
                if !(0..=10_000).contains(&persons) {
                    return Err(TransformError::new(key, "is not a possible count"));
                }
                fields.insert(field, persons);
            }
        }
        if let Some(rate) = rooms.first().and_then(|room| text(room.rate_id.as_ref())) {
            fields.insert("rate_vendor", rate);
        }
        let channel = text(remote.third_party_identifier.as_ref())
            .or(text(remote.source_reservation_id.as_ref()));
        fields.insert("channel_number", channel);
        fields.insert("origin", origin(remote));
        if let Some(cancelled) = cancelled(remote, context) {
            fields.insert("cancelled_at", json!(cancelled));
        }
        Ok(Transformed {
            fields,
            links: links(remote, &rooms),
            extra: extra(remote),
        })
    }

    fn to_remote(
        &self,
        local: &Local,
        context: &TransformContext,
    ) -> Result<Reservation, TransformError> {
        let (first, last) = local.dates(context.time_zone);
        let arrival = local.arrival.with_timezone(&context.time_zone).time();
        let state = match status(local.status) {
            Some(state) => Some(state),
            None => local.status_vendor.as_deref(),
        };
        Ok(Reservation {
            status: state.map(ReservationState::from),
            start_date: Some(first),
            end_date: Some(last),
            estimated_arrival_time: (arrival != check_in(context))
                .then(|| arrival.format("%H:%M").to_string()),
            third_party_identifier: local.channel_number.clone(),
            adults: Some(local.adults),
            children: Some(local.children),
            source_name: local.origin.clone(),
            ..Reservation::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

/// First night and day of departure.
fn days(remote: &Reservation) -> Result<(NaiveDate, NaiveDate), TransformError> {
    let rooms = remote.standing();
    let first = remote
        .start_date
        .or(remote.reservation_check_in)
        .or_else(|| rooms.iter().filter_map(|room| room.first_night()).min())
        .ok_or_else(|| TransformError::new("startDate", "is missing"))?;
    let last = remote
        .end_date
        .or(remote.reservation_check_out)
        .or_else(|| rooms.iter().filter_map(|room| room.departure()).max())
        .ok_or_else(|| TransformError::new("endDate", "is missing"))?;
    if last < first {
        return Err(TransformError::new("endDate", "is before startDate"));
    }
    Ok((first, last))
}

fn canonical(remote: &Reservation) -> ReservationStatus {
    if remote.is_deleted == Some(true) {
        return ReservationStatus::Cancelled;
    }
    match &remote.status {
        Some(ReservationState::InProgress | ReservationState::NotConfirmed) => {
            ReservationStatus::Tentative
        }
        Some(ReservationState::Confirmed) => ReservationStatus::Confirmed,
        Some(ReservationState::CheckedIn) => ReservationStatus::InHouse,
        Some(ReservationState::CheckedOut) => ReservationStatus::Departed,
        Some(ReservationState::Canceled) => ReservationStatus::Cancelled,
        Some(ReservationState::NoShow) => ReservationStatus::NoShow,
        Some(ReservationState::Unknown(_)) | None => ReservationStatus::Unknown,
    }
}

/// Cloudbeds' word for a status.
pub fn status(status: ReservationStatus) -> Option<&'static str> {
    Some(match status {
        ReservationStatus::Tentative => "not_confirmed",
        ReservationStatus::Confirmed => "confirmed",
        ReservationStatus::InHouse => "checked_in",
        ReservationStatus::Departed => "checked_out",
        ReservationStatus::Cancelled => "canceled",
        ReservationStatus::NoShow => "no_show",
        ReservationStatus::Unknown => return None,
    })
}

/// Persons of all rooms, or of the reservation where rooms do not say.
fn persons(
    rooms: &[&BookedRoom],
    whole: Option<i64>,
    count: fn(&BookedRoom) -> Option<i64>,
) -> Option<i64> {
    let counts: Vec<i64> = rooms.iter().filter_map(|room| count(room)).collect();
    if counts.is_empty() || counts.len() < rooms.len() {
        return whole.or_else(|| (!counts.is_empty()).then(|| counts.iter().sum()));
    }
    counts
        .iter()
        .try_fold(0_i64, |sum, count| sum.checked_add(*count))
}

fn origin(remote: &Reservation) -> Option<&str> {
    let named = text(remote.source_name.as_ref());
    named.or_else(|| match remote.source.as_ref()? {
        Value::String(name) => text(Some(name)),
        Value::Object(source) => source.get("name").and_then(Value::as_str),
        _ => None,
    })
}

fn cancelled(remote: &Reservation, context: &TransformContext) -> Option<DateTime<Utc>> {
    let utc = remote.date_cancelled_utc.map(|time| time.and_utc());
    let local = remote
        .date_cancelled
        .map(|time| from_local(context.time_zone, time));
    utc.or(local).map(truncate)
}

fn links(remote: &Reservation, rooms: &[&BookedRoom]) -> Vec<(&'static str, Option<ExternalRef>)> {
    let link = |kind, id: Option<&str>| {
        id.map(|id| ExternalRef {
            kind,
            id: id.to_owned(),
        })
    };
    let mut links = Vec::new();
    if let Some(guest) = remote.main_guest() {
        links.push(("guest_id", link(EntityKind::Guest, Some(guest))));
    }
    if let Some(room) = rooms.first() {
        let room_type = text(room.room_type_id.as_ref());
        links.push(("room_type_id", link(EntityKind::RoomType, room_type)));
        links.push(("room_id", link(EntityKind::Room, room.room())));
    }
    links
}

/// What is read but has no field of ours. Cards are none of our business, not even their ends.
fn extra(remote: &Reservation) -> Map<String, Value> {
    let mut extra = told(&remote.extra);
    extra.remove("cardsOnFile");
    for (key, value) in [
        ("propertyID", json!(remote.property_id)),
        ("isDeleted", json!(remote.is_deleted)),
        ("estimatedArrivalTime", json!(remote.estimated_arrival_time)),
        ("source", json!(remote.source)),
    ] {
        if !value.is_null() && value != "" {
            extra.insert(key.to_owned(), value);
        }
    }
    let rooms: Vec<Value> = remote
        .booked()
        .iter()
        .map(|room| {
            let mut kept = told(&room.extra);
            for (key, value) in [
                ("subReservationID", json!(room.sub_reservation_id)),
                ("reservationRoomID", json!(room.reservation_room_id)),
                ("roomTypeID", json!(room.room_type_id)),
                ("roomID", json!(room.room())),
                ("startDate", json!(room.first_night())),
                ("endDate", json!(room.departure())),
                ("adults", json!(room.adults)),
                ("children", json!(room.children)),
                ("roomStatus", json!(room.room_status)),
            ] {
                kept.insert(key.to_owned(), value);
            }
            Value::Object(kept)
        })
        .collect();
    if !rooms.is_empty() {
        extra.insert("rooms".to_owned(), Value::Array(rooms));
    }
    extra
}
