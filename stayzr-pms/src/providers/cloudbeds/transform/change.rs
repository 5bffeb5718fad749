//! What is written to change a reservation, or to make one. Pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use stayzr_core::{
    Error, Result,
    transform::{FieldMap, TransformContext},
};

use super::{check_in, check_out, status, text, time_of_day};
use crate::{
    provider::Push,
    providers::cloudbeds::{
        CloudbedsConfig,
        push::OPERATION,
        wire::{BookedRoom, Form, Guest, Reservation},
    },
};

/// Calls that together make a change, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::providers::cloudbeds) struct Change {
    /// `putReservation`.
    pub(in crate::providers::cloudbeds) update: Option<Form>,
    /// `postRoomAssign`.
    pub(in crate::providers::cloudbeds) assign: Option<Form>,
    /// Sub-reservations to be checked in.
    pub(in crate::providers::cloudbeds) check_in: Vec<String>,
    /// Sub-reservations to be checked out.
    pub(in crate::providers::cloudbeds) check_out: Vec<String>,
}

/// The calls that make a change of a reservation that stands as `now`, or the fields that cannot be
/// changed in it. `moved_to` is the type of the room that it is moved to.
///
/// Of a reservation of several rooms neither persons nor room can be changed, since ours has one of
/// each; its dates are changed in the rooms that are booked for the whole stay.
pub(in crate::providers::cloudbeds) fn plan(
    now: &Reservation,
    push: &Push,
    moved_to: Option<&str>,
    context: &TransformContext,
) -> Result<Result<Change, Vec<String>>> {
    let mut refused = Vec::new();
    let rooms = now.standing();
    let one = match rooms.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    if one.is_none() {
        let of_one = ["adults", "children"].into_iter();
        refused.extend(
            of_one
                .filter(|field| push.changed.contains(field))
                .map(str::to_owned),
        );
        let links = ["room_type_id", "room_id"].into_iter();
        refused.extend(
            links
                .filter(|field| push.links.contains_key(*field))
                .map(str::to_owned),
        );
    }
    let mut form = Form::new();
    let stay = Stay::plan(now, push, context, &mut refused)?;
    if let Some(word) = push.changed.get("status").and_then(written_status) {
        form.text("status", word);
    }
    if let Some(time) = &stay.expected {
        form.text("estimatedArrivalTime", time);
    }
    let changes_rooms = stay.first.is_some()
        || push.changed.contains("adults")
        || push.changed.contains("children")
        || push.links.contains_key("room_type_id");
    if changes_rooms {
        let changed = rooms
            .iter()
            .filter(|room| one.is_some() || stay.moves(now, room));
        for (at, room) in changed.enumerate() {
            put_room(&mut form, at, room, push, &stay, now)?;
        }
    } else if let Some(last) = stay.last {
        form.day("checkoutDate", last);
    }
    let assign = match (push.links.get("room_id"), one) {
        (Some(link), Some(room)) => Some(assignment(
            now,
            room,
            link.as_ref().map(|link| link.id.as_str()),
            push,
            moved_to,
        )),
        _ => None,
    };
    let subs = |wanted: &str| -> Vec<String> {
        if push.changed.text("status") == Some(wanted) {
            rooms
                .iter()
                .filter_map(|room| room.sub_reservation_id.clone())
                .collect()
        } else {
            Vec::new()
        }
    };
    let (check_in, check_out) = (subs("in_house"), subs("departed"));
    // A room is checked in, not a reservation: without one there is nothing to check in.
    let has_room =
        |room: &&BookedRoom| room.room().is_some() || (one.is_some() && moved_to.is_some());
    if !check_in.is_empty() && !rooms.iter().all(has_room) {
        refused.push("status".to_owned());
    }
    if !refused.is_empty() {
        return Ok(Err(refused));
    }
    let update = (!form.is_empty()).then(|| {
        let mut whole = Form::new();
        whole.text("reservationID", &now.id);
        whole.append(form);
        whole.flag("sendStatusChangeEmail", false);
        whole
    });
    Ok(Ok(Change {
        update,
        assign,
        check_in,
        check_out,
    }))
}

/// Statuses that `putReservation` sets; guests are checked in and out room by room.
fn written_status(value: &Value) -> Option<&'static str> {
    let canonical = serde_json::from_value(value.clone()).ok()?;
    status(canonical).filter(|word| matches!(*word, "confirmed" | "canceled" | "no_show"))
}

/// What changes about the dates of a stay.
#[derive(Default)]
struct Stay {
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
    expected: Option<String>,
}

impl Stay {
    fn plan(
        now: &Reservation,
        push: &Push,
        context: &TransformContext,
        refused: &mut Vec<String>,
    ) -> Result<Self> {
        let mut stay = Self::default();
        let (first, last) = span(now);
        if let Some(arrival) = local(&push.changed, "arrival", context)? {
            stay.first = Some(arrival.date()).filter(|day| Some(*day) != first);
            let said = text(now.estimated_arrival_time.as_ref()).and_then(time_of_day);
            let expected = said.unwrap_or_else(|| check_in(context));
            let time = arrival.time().format("%H:%M").to_string();
            if time != expected.format("%H:%M").to_string() {
                stay.expected = Some(time);
            }
        }
        if let Some(departure) = local(&push.changed, "departure", context)? {
            stay.last = Some(departure.date()).filter(|day| Some(*day) != last);
            // Cloudbeds keeps the day alone.
            if stay.last.is_none() && departure.time() != check_out(context) {
                refused.push("departure".to_owned());
            }
        }
        let (first, last) = (stay.first.or(first), stay.last.or(last));
        if first.zip(last).is_some_and(|(first, last)| last <= first) {
            return Err(Error::invalid(OPERATION, "a stay ends after it begins"));
        }
        Ok(stay)
    }

    /// Whether a room of several is booked from or until a day that changes.
    fn moves(&self, now: &Reservation, room: &BookedRoom) -> bool {
        let (first, last) = span(now);
        (self.first.is_some() && room.first_night() == first)
            || (self.last.is_some() && room.departure() == last)
    }
}

fn span(now: &Reservation) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let rooms = now.standing();
    let first = now.start_date.or(now.reservation_check_in);
    let last = now.end_date.or(now.reservation_check_out);
    (
        first.or_else(|| rooms.iter().filter_map(|room| room.first_night()).min()),
        last.or_else(|| rooms.iter().filter_map(|room| room.departure()).max()),
    )
}

/// A room with all that Cloudbeds wants to be told of it when any of it changes.
fn put_room(
    form: &mut Form,
    at: usize,
    room: &BookedRoom,
    push: &Push,
    stay: &Stay,
    now: &Reservation,
) -> Result<()> {
    let (first, last) = span(now);
    let incomplete = |what| {
        Error::invalid(OPERATION, "Cloudbeds told too little of the room").with("lacks", what)
    };
    let begins = room
        .first_night()
        .or(first)
        .ok_or_else(|| incomplete("startDate"))?;
    let ends = room
        .departure()
        .or(last)
        .ok_or_else(|| incomplete("endDate"))?;
    let begins = stay
        .first
        .filter(|_| Some(begins) == first)
        .unwrap_or(begins);
    let ends = stay.last.filter(|_| Some(ends) == last).unwrap_or(ends);
    let link = push.links.get("room_type_id").and_then(Option::as_ref);
    let room_type = link
        .map(|link| link.id.as_str())
        .or(room.room_type_id.as_deref());
    let count =
        |field: &str, now: Option<i64>| push.changed.get(field).and_then(Value::as_i64).or(now);
    let adults = count("adults", room.adults).ok_or_else(|| incomplete("adults"))?;
    let children = count("children", room.children).unwrap_or(0);
    form.item("rooms", at)
        .maybe("subReservationID", room.sub_reservation_id.clone())
        .text(
            "roomTypeID",
            room_type.ok_or_else(|| incomplete("roomTypeID"))?,
        )
        .day("checkinDate", begins)
        .day("checkoutDate", ends)
        .number("adults", adults)
        .number("children", children)
        .flag("adjustPrice", false);
    Ok(())
}

fn assignment(
    now: &Reservation,
    room: &BookedRoom,
    wanted: Option<&str>,
    push: &Push,
    moved_to: Option<&str>,
) -> Form {
    let mut form = Form::new();
    form.text("reservationID", &now.id)
        .maybe("subReservationID", room.sub_reservation_id.clone());
    match wanted {
        Some(wanted) => {
            let link = push.links.get("room_type_id").and_then(Option::as_ref);
            let booked = link
                .map(|link| link.id.as_str())
                .or(room.room_type_id.as_deref());
            form.text("newRoomID", wanted)
                .maybe("roomTypeID", moved_to.or(booked))
                .maybe("oldRoomID", room.room());
        }
        None => {
            form.maybe("reservationRoomID", room.reservation_room_id.clone())
                .text("newRoomID", "");
        }
    }
    form.flag("adjustPrice", false);
    form
}

/// Whether a departure has an hour that Cloudbeds, which keeps its day alone, would not give back.
pub(in crate::providers::cloudbeds) fn leaves_at_another_hour(
    push: &Push,
    context: &TransformContext,
) -> Result<bool> {
    let departure = local(&push.changed, "departure", context)?;
    Ok(departure.is_some_and(|time| time.time() != check_out(context)))
}

/// What makes a reservation.
pub(in crate::providers::cloudbeds) fn booking(
    push: &Push,
    guest: &Guest,
    key: &str,
    config: &CloudbedsConfig,
    context: &TransformContext,
) -> Result<Form> {
    let wants = |what: &'static str| {
        Error::invalid(OPERATION, "a reservation wants dates and a room type").with("lacks", what)
    };
    let arrival = local(&push.changed, "arrival", context)?.ok_or_else(|| wants("arrival"))?;
    let last = day(&push.changed, "departure", context).ok_or_else(|| wants("departure"))?;
    if last <= arrival.date() {
        return Err(Error::invalid(OPERATION, "a stay ends after it begins"));
    }
    let link = |field: &str| push.links.get(field).and_then(Option::as_ref);
    let room_type = &link("room_type_id")
        .ok_or_else(|| wants("room_type_id"))?
        .id;
    let count = |field: &str, least: i64| {
        let count = push.changed.get(field).and_then(Value::as_i64);
        count.unwrap_or(least).max(least)
    };
    let listed = |key: &str| {
        guest
            .extra
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let mut form = Form::new();
    form.maybe("sourceID", config.source_id.clone())
        .text("thirdPartyIdentifier", key)
        .day("startDate", arrival.date())
        .day("endDate", last)
        .maybe("guestFirstName", guest.guest_first_name.clone())
        .maybe("guestLastName", guest.guest_last_name.clone())
        .maybe("guestCountry", listed("guestCountry"))
        .maybe("guestZip", listed("guestZip"))
        .maybe("guestEmail", guest.guest_email.clone())
        .maybe("guestPhone", guest.guest_phone.clone());
    if arrival.time() != check_in(context) {
        form.text("estimatedArrivalTime", arrival.format("%H:%M").to_string());
    }
    form.item("rooms", 0)
        .text("roomTypeID", room_type)
        .number("quantity", 1)
        .maybe("roomID", link("room_id").map(|room| room.id.clone()));
    form.item("adults", 0)
        .text("roomTypeID", room_type)
        .number("quantity", count("adults", 1));
    form.item("children", 0)
        .text("roomTypeID", room_type)
        .number("quantity", count("children", 0));
    form.text("paymentMethod", &config.payment_method)
        .flag("sendEmailConfirmation", false);
    Ok(form)
}

/// The number at the channel by which a reservation of ours is known again: the one it has, or else
/// one that follows from what is to be made, so that the next attempt asks for the same.
pub(in crate::providers::cloudbeds) fn key(push: &Push) -> String {
    if let Some(number) = push
        .changed
        .text("channel_number")
        .filter(|text| !text.trim().is_empty())
    {
        return number.to_owned();
    }
    let mut digest = Sha256::new();
    digest.update(push.changed.canonical_json());
    for (field, link) in &push.links {
        digest.update(field);
        digest.update(link.as_ref().map_or("", |link| link.id.as_str()));
        digest.update([0]);
    }
    let hash: String = digest.finalize()[..10]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("stayzr-{hash}")
}

/// The day of a time of ours at the property.
pub(in crate::providers::cloudbeds) fn day(
    fields: &FieldMap,
    field: &'static str,
    context: &TransformContext,
) -> Option<NaiveDate> {
    local(fields, field, context)
        .ok()
        .flatten()
        .map(|time| time.date())
}

fn local(
    fields: &FieldMap,
    field: &'static str,
    context: &TransformContext,
) -> Result<Option<NaiveDateTime>> {
    let Some(value) = fields.text(field) else {
        return Ok(None);
    };
    let time: DateTime<Utc> = value.parse().map_err(|_| {
        Error::invalid(OPERATION, "a time must be as in RFC 3339").with("field", field)
    })?;
    Ok(Some(time.with_timezone(&context.time_zone).naive_local()))
}
