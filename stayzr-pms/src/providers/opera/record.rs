use serde_json::Value;
use stayzr_core::{
    port::sync::ParkedRecord,
    transform::{EntityKind, TransformContext, Transformed, Transformer},
};

use super::{
    transform::{
        GuestTransformer, PropertyTransformer, ReservationTransformer, RoomTransformer,
        RoomTypeTransformer,
    },
    wire::{Hotel, Node, Profile, Reservation, Room, RoomType, Unreadable},
};
use crate::provider::{RecordPage, RemoteRecord, UnknownValue};

/// A record of OPERA in our shape; none for what no row of ours is made of (companies, posting
/// masters); or put aside with the reason.
pub(super) fn read(
    kind: EntityKind,
    value: &Value,
    context: &TransformContext,
) -> Result<Option<RemoteRecord>, ParkedRecord> {
    let read = match kind {
        EntityKind::Property => read_property(value, context).map(Some),
        EntityKind::RoomType => read_room_type(value, context),
        EntityKind::Room => read_room(value, context),
        EntityKind::Guest => read_guest(value, context),
        EntityKind::Reservation => read_reservation(value, context).map(Some),
        EntityKind::Note | EntityKind::ServiceRequest => {
            Err(("kind".to_owned(), "is not read".to_owned()))
        }
    };
    match read {
        Ok(record) => Ok(record.map(|mut record| {
            record.unknown = unknown(&record);
            record
        })),
        Err((field, reason)) => Err(ParkedRecord {
            entity: kind,
            external_id: id_of(kind, value),
            reason: format!("{field}: {reason}"),
            local_id: None,
        }),
    }
}

/// Adds a record to a page, or puts it aside there.
pub(super) fn collect(page: &mut RecordPage, read: Result<Option<RemoteRecord>, ParkedRecord>) {
    match read {
        Ok(record) => page.records.extend(record),
        Err(parked) => page.parked.push(parked),
    }
}

/// The id of a record that may not be readable.
pub(super) fn id_of(kind: EntityKind, value: &Value) -> Option<String> {
    let body = Node::of(value);
    match kind {
        EntityKind::Property => body.at("hotelId").text(),
        EntityKind::RoomType => body.at("roomType").text(),
        EntityKind::Room => body.at("roomId").text(),
        EntityKind::Guest => body.at("profileIdList").id("Profile"),
        _ => body.at("reservationIdList").id("Reservation"),
    }
}

fn transformed<L, R>(
    transformer: &impl Transformer<L, R>,
    remote: &R,
    context: &TransformContext,
) -> Result<Transformed, Unreadable> {
    transformer
        .to_local(remote, context)
        .map_err(|error| (error.field, error.reason))
}

// OPERA's times of change have no documented zone, differ in form between calls, and are exact to
// the second at best: no mark is made of them, and the content alone says what is news.
fn record(
    kind: EntityKind,
    id: String,
    transformed: Transformed,
) -> Result<RemoteRecord, Unreadable> {
    if id.trim().is_empty() {
        return Err(("id".to_owned(), "is empty".to_owned()));
    }
    Ok(RemoteRecord {
        kind,
        external_id: id,
        version: None,
        fields: transformed.fields,
        links: transformed.links.into_iter().collect(),
        merged_into: None,
        extra: transformed.extra,
        unknown: Vec::new(),
    })
}

fn read_property(value: &Value, context: &TransformContext) -> Result<RemoteRecord, Unreadable> {
    let hotel = Hotel::read(value)?;
    let transformed = transformed(&PropertyTransformer, &hotel, context)?;
    record(EntityKind::Property, hotel.id, transformed)
}

fn read_room_type(
    value: &Value,
    context: &TransformContext,
) -> Result<Option<RemoteRecord>, Unreadable> {
    let room_type = RoomType::read(value)?;
    if room_type.is_pseudo {
        return Ok(None);
    }
    let transformed = transformed(&RoomTypeTransformer, &room_type, context)?;
    record(EntityKind::RoomType, room_type.code, transformed).map(Some)
}

fn read_room(
    value: &Value,
    context: &TransformContext,
) -> Result<Option<RemoteRecord>, Unreadable> {
    let room = Room::read(value)?;
    if room.is_pseudo {
        return Ok(None);
    }
    let transformed = transformed(&RoomTransformer, &room, context)?;
    record(EntityKind::Room, room.id, transformed).map(Some)
}

fn read_guest(
    value: &Value,
    context: &TransformContext,
) -> Result<Option<RemoteRecord>, Unreadable> {
    let profile = Profile::read(value)?;
    if !profile.is_guest() {
        return Ok(None);
    }
    let transformed = transformed(&GuestTransformer, &profile, context)?;
    record(EntityKind::Guest, profile.id, transformed).map(Some)
}

fn read_reservation(value: &Value, context: &TransformContext) -> Result<RemoteRecord, Unreadable> {
    let reservation = Reservation::read(value)?;
    let transformed = transformed(&ReservationTransformer, &reservation, context)?;
    record(EntityKind::Reservation, reservation.id, transformed)
}

/// Words that we do not know: they are kept beside our own.
fn unknown(record: &RemoteRecord) -> Vec<UnknownValue> {
    [
        ("status", "status_vendor", "reservationStatus"),
        ("condition", "condition_vendor", "housekeepingRoomStatus"),
    ]
    .into_iter()
    .filter(|(field, ..)| record.fields.text(field) == Some("unknown"))
    .filter_map(|(_, vendor, key)| {
        Some(UnknownValue {
            field: key.to_owned(),
            value: record.fields.text(vendor)?.to_owned(),
        })
    })
    .collect()
}
