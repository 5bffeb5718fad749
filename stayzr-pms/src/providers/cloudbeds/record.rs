use serde_json::{Map, Value};
use stayzr_core::{
    port::sync::ParkedRecord,
    transform::{EntityKind, TransformContext, Transformed, Transformer},
};

use super::{
    transform::{
        GuestTransformer, NoteOwner, NoteTransformer, PropertyTransformer, ReservationTransformer,
        RoomTransformer, RoomTypeTransformer, local_version, merged_into, version,
    },
    wire::{Guest, Hotel, Note, Reservation, Room, RoomType, guest_shape, read_element},
};
use crate::provider::{RecordPage, RemoteRecord, UnknownValue};

/// Fields of ours and the keys of Cloudbeds they come from. Where none of the keys is there,
/// Cloudbeds says nothing about the field: it is left out rather than emptied.
const KEYS: &[(EntityKind, &str, &[&str])] = &[
    (
        EntityKind::Guest,
        "first_name",
        &["guestFirstName", "guestName"],
    ),
    (
        EntityKind::Guest,
        "last_name",
        &["guestLastName", "guestName"],
    ),
    (EntityKind::Guest, "email", &["guestEmail"]),
    (
        EntityKind::Guest,
        "phone",
        &["guestPhone", "guestCellPhone"],
    ),
    (EntityKind::Guest, "birth_date", &["guestBirthDate"]),
    (EntityKind::Reservation, "status", &["status", "isDeleted"]),
    (EntityKind::Reservation, "status_vendor", &["status"]),
    (
        EntityKind::Reservation,
        "channel_number",
        &["thirdPartyIdentifier", "sourceReservationID"],
    ),
    (EntityKind::Reservation, "origin", &["sourceName", "source"]),
    (EntityKind::RoomType, "short_name", &["roomTypeNameShort"]),
    (
        EntityKind::RoomType,
        "description",
        &["roomTypeDescription"],
    ),
    (EntityKind::RoomType, "capacity", &["maxGuests"]),
];

/// What a record that cannot be read is called, and why.
type Unreadable = (String, String);

/// A record of Cloudbeds in our shape, or put aside with the reason. Notes need their owner:
/// [`note`].
pub(super) fn read(
    kind: EntityKind,
    value: &Value,
    context: &TransformContext,
) -> Result<RemoteRecord, ParkedRecord> {
    let shaped;
    let value = match (kind, value) {
        (EntityKind::Guest, Value::Object(fields)) => {
            shaped = Value::Object(guest_shape(fields));
            &shaped
        }
        _ => value,
    };
    let read = match kind {
        EntityKind::Property => read_property(value, context),
        EntityKind::RoomType => read_room_type(value, context),
        EntityKind::Room => read_room(value, context),
        EntityKind::Guest => read_guest(value, context),
        EntityKind::Reservation => read_reservation(value, context),
        _ => Err((
            "kind".to_owned(),
            "is not read from such a record".to_owned(),
        )),
    };
    match read {
        Ok(mut record) => {
            leave_out(kind, value, &mut record);
            record.unknown = unknown(&record);
            Ok(record)
        }
        Err((field, reason)) => Err(ParkedRecord {
            entity: kind,
            external_id: id_of(kind, value),
            reason: format!("{field}: {reason}"),
            local_id: None,
        }),
    }
}

/// Adds a record to a page, or puts it aside there.
pub(super) fn collect(page: &mut RecordPage, read: Result<RemoteRecord, ParkedRecord>) {
    match read {
        Ok(record) => page.records.push(record),
        Err(parked) => page.parked.push(parked),
    }
}

/// A note of this owner in our shape.
pub(super) fn note(
    owner: &NoteOwner,
    value: &Value,
    context: &TransformContext,
) -> Result<RemoteRecord, ParkedRecord> {
    let read = || -> Result<RemoteRecord, Unreadable> {
        let note: Note = read_element(value)?;
        let number = note
            .reservation_note_id
            .as_ref()
            .or(note.guest_note_id.as_ref());
        let number = number.map(String::as_str).unwrap_or_default();
        if number.trim().is_empty() {
            return Err(("reservationNoteID".to_owned(), "is empty".to_owned()));
        }
        let mut transformed = transformed(&NoteTransformer, &note, context)?;
        transformed.links = NoteTransformer::links(owner);
        let version = note
            .date_modified
            .and_then(|time| local_version(context.time_zone, time));
        record(EntityKind::Note, owner.note(number), version, transformed)
    };
    read().map_err(|(field, reason)| ParkedRecord {
        entity: EntityKind::Note,
        external_id: None,
        reason: format!("{field}: {reason}"),
        local_id: None,
    })
}

fn id_of(kind: EntityKind, value: &Value) -> Option<String> {
    let key = match kind {
        EntityKind::Property => "propertyID",
        EntityKind::RoomType => "roomTypeID",
        EntityKind::Room => "roomID",
        EntityKind::Guest => "guestID",
        _ => "reservationID",
    };
    match value.get(key)? {
        Value::String(id) if !id.trim().is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
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

fn record(
    kind: EntityKind,
    id: String,
    version: Option<String>,
    transformed: Transformed,
) -> Result<RemoteRecord, Unreadable> {
    if id.trim().is_empty() {
        return Err(("id".to_owned(), "is empty".to_owned()));
    }
    Ok(RemoteRecord {
        kind,
        external_id: id,
        version,
        fields: transformed.fields,
        links: transformed.links.into_iter().collect(),
        merged_into: None,
        extra: transformed.extra,
        unknown: Vec::new(),
    })
}

fn read_property(value: &Value, context: &TransformContext) -> Result<RemoteRecord, Unreadable> {
    let hotel: Hotel = read_element(value)?;
    let transformed = transformed(&PropertyTransformer, &hotel, context)?;
    record(EntityKind::Property, hotel.id, None, transformed)
}

fn read_room_type(value: &Value, context: &TransformContext) -> Result<RemoteRecord, Unreadable> {
    let room_type: RoomType = read_element(value)?;
    let transformed = transformed(&RoomTypeTransformer, &room_type, context)?;
    record(EntityKind::RoomType, room_type.id, None, transformed)
}

fn read_room(value: &Value, context: &TransformContext) -> Result<RemoteRecord, Unreadable> {
    let room: Room = read_element(value)?;
    let transformed = transformed(&RoomTransformer, &room, context)?;
    record(EntityKind::Room, room.id, None, transformed)
}

// The calls that give a guest disagree about when it changed: one has the guest's own time, one that
// of a reservation, one none. A mark that not all of them have would call some of them old.
fn read_guest(value: &Value, context: &TransformContext) -> Result<RemoteRecord, Unreadable> {
    let guest: Guest = read_element(value)?;
    let transformed = transformed(&GuestTransformer, &guest, context)?;
    let merged = merged_into(&guest).map(str::to_owned);
    let mut found = record(EntityKind::Guest, guest.id, None, transformed)?;
    found.merged_into = merged;
    Ok(found)
}

fn read_reservation(value: &Value, context: &TransformContext) -> Result<RemoteRecord, Unreadable> {
    let reservation: Reservation = read_element(value)?;
    let transformed = transformed(&ReservationTransformer, &reservation, context)?;
    let utc = reservation.date_modified_utc;
    let mark = match (utc, reservation.date_modified) {
        (Some(utc), _) => Some(version(utc.and_utc())),
        (None, Some(local)) => local_version(context.time_zone, local),
        (None, None) => None,
    };
    record(EntityKind::Reservation, reservation.id, mark, transformed)
}

fn leave_out(kind: EntityKind, value: &Value, record: &mut RemoteRecord) {
    let empty = Map::new();
    let keys = value.as_object().unwrap_or(&empty);
    for (of, field, sources) in KEYS {
        if *of == kind && sources.iter().all(|key| !keys.contains_key(*key)) {
            record.fields.remove(field);
            record.links.remove(field);
        }
    }
}

/// Words that we do not know: they are kept beside our own.
fn unknown(record: &RemoteRecord) -> Vec<UnknownValue> {
    [
        ("status", "status_vendor", "status"),
        ("condition", "condition_vendor", "roomCondition"),
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
