use serde_json::{Map, Value};
use stayzr_core::{
    port::sync::ParkedRecord,
    transform::{EntityKind, TransformContext, Transformed, Transformer},
};

use super::{
    context::MewsContext,
    transform::{
        GuestTransformer, NoteId, NoteTransformer, PropertyTransformer, ReservationTransformer,
        RoomTransformer, RoomTypeTransformer, version,
    },
    wire::{
        Customer, Enterprise, Reservation, ReservationV2017, Resource, ResourceCategory,
        ServiceOrderNote, read_element, unknown_values,
    },
};
use crate::provider::RemoteRecord;

/// Fields of ours and the keys of Mews they come from. Where none of the keys is there, Mews says
/// nothing about the field: it is left out rather than emptied.
const KEYS: &[(EntityKind, &str, &[&str])] = &[
    (EntityKind::Guest, "title", &["Title"]),
    (EntityKind::Guest, "first_name", &["FirstName"]),
    (EntityKind::Guest, "last_name", &["LastName"]),
    (EntityKind::Guest, "email", &["Email"]),
    (EntityKind::Guest, "phone", &["Phone"]),
    (EntityKind::Guest, "nationality", &["NationalityCode"]),
    (
        EntityKind::Guest,
        "language",
        &["PreferredLanguageCode", "LanguageCode"],
    ),
    (EntityKind::Guest, "birth_date", &["BirthDate"]),
    (EntityKind::Guest, "loyalty_code", &["LoyaltyCode"]),
    (EntityKind::Guest, "notes", &["Notes"]),
    (EntityKind::Guest, "classifications", &["Classifications"]),
    (EntityKind::Reservation, "number", &["Number"]),
    (
        EntityKind::Reservation,
        "guest_id",
        &["AccountId", "CustomerId"],
    ),
    (
        EntityKind::Reservation,
        "room_type_id",
        &["RequestedResourceCategoryId", "RequestedCategoryId"],
    ),
    (EntityKind::Reservation, "room_id", &["AssignedResourceId"]),
    (
        EntityKind::Reservation,
        "adults",
        &["PersonCounts", "AdultCount"],
    ),
    (
        EntityKind::Reservation,
        "children",
        &["PersonCounts", "ChildCount"],
    ),
    (EntityKind::Reservation, "rate_vendor", &["RateId"]),
    (
        EntityKind::Reservation,
        "channel_number",
        &["ChannelNumber"],
    ),
    (EntityKind::Reservation, "purpose", &["Purpose"]),
    (EntityKind::Reservation, "origin", &["Origin"]),
    (EntityKind::Reservation, "cancelled_at", &["CancelledUtc"]),
    (
        EntityKind::Reservation,
        "cancellation_reason",
        &["CancellationReason"],
    ),
    (EntityKind::Room, "floor", &["Data"]),
    (EntityKind::Room, "condition", &["State"]),
    (EntityKind::Room, "condition_vendor", &["State"]),
    (EntityKind::RoomType, "short_name", &["ShortNames"]),
    (EntityKind::RoomType, "description", &["Descriptions"]),
    (EntityKind::RoomType, "kind", &["Type"]),
    (EntityKind::RoomType, "capacity", &["Capacity"]),
    (EntityKind::RoomType, "extra_capacity", &["ExtraCapacity"]),
    (EntityKind::Note, "kind", &["Type"]),
    (EntityKind::Note, "kind_vendor", &["Type"]),
    (EntityKind::Property, "phone", &["Phone"]),
    (EntityKind::Property, "email", &["Email"]),
    (EntityKind::Property, "website", &["WebsiteUrl"]),
];

/// What became of an element of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Element {
    /// A record.
    Record(Box<RemoteRecord>),
    /// It cannot be read.
    Parked(ParkedRecord),
    /// It is something else than this kind of record: a bicycle among rooms, a spa hour among
    /// stays.
    Foreign,
}

/// A record of Mews in our shape.
pub(super) fn element(kind: EntityKind, value: &Value, context: &MewsContext) -> Element {
    let read = match kind {
        EntityKind::Property => read_property(value, context),
        EntityKind::RoomType => read_room_type(value, context),
        EntityKind::Room => read_room(value, context),
        EntityKind::Guest => read_guest(value, context),
        EntityKind::Reservation => read_reservation(value, context),
        EntityKind::Note => read_note(value, context),
        EntityKind::ServiceRequest => Ok(None),
    };
    match read {
        Ok(None) => Element::Foreign,
        Ok(Some(mut record)) => {
            leave_out(kind, value, &mut record);
            record.unknown = unknown_values(kind, value);
            Element::Record(Box::new(record))
        }
        Err((field, reason)) => Element::Parked(ParkedRecord {
            local_id: None,
            entity: kind,
            external_id: id_of(kind, value),
            reason: format!("{field}: {reason}"),
        }),
    }
}

type Read = Result<Option<RemoteRecord>, (String, String)>;

fn transformed<L, R>(
    transformer: &impl Transformer<L, R>,
    remote: &R,
    context: &TransformContext,
) -> Result<Transformed, (String, String)> {
    transformer
        .to_local(remote, context)
        .map_err(|error| (error.field, error.reason))
}

fn record(kind: EntityKind, id: String, version: Option<String>, transformed: Transformed) -> Read {
    if id.trim().is_empty() {
        return Err(("Id".to_owned(), "is empty".to_owned()));
    }
    Ok(Some(RemoteRecord {
        kind,
        external_id: id,
        version,
        fields: transformed.fields,
        links: transformed.links.into_iter().collect(),
        merged_into: None,
        unknown: Vec::new(),
        extra: transformed.extra,
    }))
}

fn read_property(value: &Value, context: &MewsContext) -> Read {
    let enterprise: Enterprise = read_element(value)?;
    let transformed = transformed(&PropertyTransformer, &enterprise, &context.transform)?;
    let services = context.services.iter().map(|service| service.updated_utc);
    let updated = services.fold(enterprise.updated_utc, Ord::max);
    record(
        EntityKind::Property,
        enterprise.id,
        version(updated),
        transformed,
    )
}

fn read_room_type(value: &Value, context: &MewsContext) -> Read {
    let category: ResourceCategory = read_element(value)?;
    let transformed = transformed(&RoomTypeTransformer, &category, &context.transform)?;
    let version = version(category.updated_utc);
    record(EntityKind::RoomType, category.id, version, transformed)
}

fn read_room(value: &Value, context: &MewsContext) -> Read {
    let resource: Resource = read_element(value)?;
    let kind = resource
        .data
        .as_ref()
        .and_then(|data| data.discriminator.as_deref());
    if matches!(kind, Some("Object" | "Person")) {
        return Ok(None);
    }
    let transformed = transformed(&RoomTransformer, &resource, &context.transform)?;
    let assigned = context.assigned.get(&resource.id).copied().flatten();
    let version = version(resource.updated_utc.max(assigned));
    record(EntityKind::Room, resource.id, version, transformed)
}

fn read_guest(value: &Value, context: &MewsContext) -> Read {
    let customer: Customer = read_element(value)?;
    let transformed = transformed(&GuestTransformer, &customer, &context.transform)?;
    let version = version(customer.updated_utc);
    let mut found = record(EntityKind::Guest, customer.id, version, transformed)?;
    if let Some(guest) = &mut found {
        guest.merged_into = customer.merge_target_id;
    }
    Ok(found)
}

fn read_reservation(value: &Value, context: &MewsContext) -> Read {
    let newer = value.get("AccountId").is_some() || value.get("ScheduledStartUtc").is_some();
    let reservation: Reservation = if newer {
        read_element(value)?
    } else {
        read_element::<ReservationV2017>(value)?.into()
    };
    let service = reservation.service_id.as_ref();
    if service.is_some_and(|id| !context.service_ids.contains(id)) {
        return Ok(None);
    }
    let transformed = transformed(&ReservationTransformer, &reservation, &context.transform)?;
    let version = version(reservation.updated_utc);
    record(
        EntityKind::Reservation,
        reservation.id,
        version,
        transformed,
    )
}

/// The id of a record that cannot be read, as far as it has one.
fn id_of(kind: EntityKind, value: &Value) -> Option<String> {
    let text = |key: &str| {
        let text = value.get(key).and_then(Value::as_str)?;
        (!text.trim().is_empty()).then(|| text.to_owned())
    };
    let note = text("Id")?;
    if kind != EntityKind::Note {
        return Some(note);
    }
    let order = text("OrderId")?;
    Some(NoteId { order, note }.to_string())
}

fn read_note(value: &Value, context: &MewsContext) -> Read {
    let note: ServiceOrderNote = read_element(value)?;
    let transformed = transformed(&NoteTransformer, &note, &context.transform)?;
    let version = version(note.updated_utc);
    if note.id.trim().is_empty() {
        return Err(("Id".to_owned(), "is empty".to_owned()));
    }
    let id = NoteId {
        order: note.order_id.unwrap_or_default(),
        note: note.id,
    };
    record(EntityKind::Note, id.to_string(), version, transformed)
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
