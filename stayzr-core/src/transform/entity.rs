use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::FieldMap;
use crate::{
    Error, Result,
    ids::{OrganizationId, PropertyId},
    model::{Guest, Note, Property, Reservation, Room, RoomType, ServiceRequest},
};

/// The kinds of rows that a PMS and we both hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A property.
    Property,
    /// A room type.
    RoomType,
    /// A room.
    Room,
    /// A guest.
    Guest,
    /// A reservation.
    Reservation,
    /// A note about a reservation or a guest.
    Note,
    /// Something that the staff is asked for.
    ServiceRequest,
}

/// How a column holds its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text.
    Text,
    /// A UUID.
    Uuid,
    /// A time in UTC.
    Timestamp,
    /// A calendar day.
    Date,
    /// A whole number of 64 bits.
    Integer,
    /// True or false.
    Boolean,
    /// JSON.
    Json,
}

/// A field and the column that holds it; both have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: &'static str,
    /// How it is held.
    pub kind: ColumnType,
}

const fn column(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind }
}

use ColumnType::{Boolean, Date, Integer, Json, Text, Timestamp, Uuid as Id};

const PROPERTY: &[Column] = &[
    column("name", Text),
    column("address", Json),
    column("geo", Json),
    column("time_zone", Text),
    column("currency", Text),
    column("pricing", Text),
    column("languages", Json),
    column("check_in", Text),
    column("check_out", Text),
    column("phone", Text),
    column("email", Text),
    column("website", Text),
    column("amenities", Json),
    column("policies", Json),
];

const ROOM_TYPE: &[Column] = &[
    column("name", Text),
    column("short_name", Text),
    column("description", Text),
    column("kind", Text),
    column("capacity", Integer),
    column("extra_capacity", Integer),
    column("active", Boolean),
];

const ROOM: &[Column] = &[
    column("name", Text),
    column("room_type_id", Id),
    column("floor", Text),
    column("condition", Text),
    column("condition_vendor", Text),
    column("active", Boolean),
];

const GUEST: &[Column] = &[
    column("origin", Text),
    column("title", Text),
    column("first_name", Text),
    column("last_name", Text),
    column("email", Text),
    column("phone", Text),
    column("nationality", Text),
    column("language", Text),
    column("birth_date", Date),
    column("loyalty_code", Text),
    column("notes", Text),
    column("classifications", Json),
    column("active", Boolean),
    column("merged_into", Id),
];

const RESERVATION: &[Column] = &[
    column("number", Text),
    column("guest_id", Id),
    column("room_type_id", Id),
    column("room_id", Id),
    column("status", Text),
    column("status_vendor", Text),
    column("arrival", Timestamp),
    column("departure", Timestamp),
    column("adults", Integer),
    column("children", Integer),
    column("rate_vendor", Text),
    column("channel_number", Text),
    column("purpose", Text),
    column("origin", Text),
    column("cancelled_at", Timestamp),
    column("cancellation_reason", Text),
];

const NOTE: &[Column] = &[
    column("reservation_id", Id),
    column("guest_id", Id),
    column("kind", Text),
    column("kind_vendor", Text),
    column("text", Text),
    column("active", Boolean),
];

const SERVICE_REQUEST: &[Column] = &[
    column("guest_id", Id),
    column("reservation_id", Id),
    column("conversation_id", Id),
    column("category", Text),
    column("description", Text),
    column("status", Text),
    column("status_vendor", Text),
    column("due_at", Timestamp),
];

impl EntityKind {
    /// All kinds, in the order in which they are synchronised: what others refer to comes first.
    pub const ALL: [Self; 7] = [
        Self::Property,
        Self::RoomType,
        Self::Room,
        Self::Guest,
        Self::Reservation,
        Self::Note,
        Self::ServiceRequest,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Property => "property",
            Self::RoomType => "room_type",
            Self::Room => "room",
            Self::Guest => "guest",
            Self::Reservation => "reservation",
            Self::Note => "note",
            Self::ServiceRequest => "service_request",
        }
    }

    /// The table that holds its rows.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Property => "properties",
            Self::RoomType => "room_types",
            Self::Room => "rooms",
            Self::Guest => "guests",
            Self::Reservation => "reservations",
            Self::Note => "notes",
            Self::ServiceRequest => "service_requests",
        }
    }

    /// Its fields and how they are held. Every table also has `id`, `organization_id`,
    /// `property_id` (not `guests` and `properties`), `version`, `created_at` and `updated_at`.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Property => PROPERTY,
            Self::RoomType => ROOM_TYPE,
            Self::Room => ROOM,
            Self::Guest => GUEST,
            Self::Reservation => RESERVATION,
            Self::Note => NOTE,
            Self::ServiceRequest => SERVICE_REQUEST,
        }
    }

    /// Whether its table has the column `property_id`.
    pub const fn has_property(self) -> bool {
        matches!(
            self,
            Self::RoomType | Self::Room | Self::Reservation | Self::Note | Self::ServiceRequest
        )
    }
}

impl fmt::Display for EntityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EntityKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| {
                Error::invalid("entity_kind.parse", "not a kind of entity").with("name", name)
            })
    }
}

/// A row of any kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityRow {
    /// What kind of row.
    pub kind: EntityKind,
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its property; a property is its own.
    pub property_id: Option<PropertyId>,
    /// Counts the changes of this row, from 1.
    pub version: i64,
    /// When it was made here.
    pub created_at: DateTime<Utc>,
    /// When it last changed here.
    pub updated_at: DateTime<Utc>,
    /// Its fields, all columns of its kind.
    pub fields: FieldMap,
}

const META: [&str; 6] = [
    "id",
    "organization_id",
    "property_id",
    "version",
    "created_at",
    "updated_at",
];

/// A model struct that is stored as a row of fields.
pub trait Entity: Serialize + DeserializeOwned {
    /// What kind of row.
    const KIND: EntityKind;

    /// The struct of a row; [`crate::ErrorKind::Corrupt`] where a field has the wrong type.
    fn from_row(row: &EntityRow) -> Result<Self> {
        let mut map = Map::new();
        for (name, value) in row.fields.iter() {
            map.insert(name.to_owned(), value.clone());
        }
        for (name, value) in [
            ("id", serde_json::to_value(row.id)),
            ("organization_id", serde_json::to_value(row.organization_id)),
            ("property_id", serde_json::to_value(row.property_id)),
            ("version", serde_json::to_value(row.version)),
            ("created_at", serde_json::to_value(row.created_at)),
            ("updated_at", serde_json::to_value(row.updated_at)),
        ] {
            map.insert(name.to_owned(), value.map_err(|e| corrupt(row, e))?);
        }
        serde_json::from_value(Value::Object(map)).map_err(|error| corrupt(row, error))
    }

    /// The fields of the struct, without ids, version and times of the row.
    fn to_fields(&self) -> Result<FieldMap> {
        let value = serde_json::to_value(self).map_err(|error| {
            Error::internal("entity.to_fields", "cannot be written as JSON").with_source(error)
        })?;
        let Value::Object(map) = value else {
            return Err(Error::internal("entity.to_fields", "is not an object"));
        };
        Ok(map
            .into_iter()
            .filter(|(name, _)| !META.contains(&name.as_str()))
            .collect())
    }
}

fn corrupt(row: &EntityRow, error: serde_json::Error) -> Error {
    Error::corrupt("entity.from_row", "a field has the wrong type")
        .with("entity", row.kind)
        .with("id", row.id)
        .with_source(error)
}

macro_rules! entities {
    ($($name:ident),*) => {$(
        impl Entity for $name {
            const KIND: EntityKind = EntityKind::$name;
        }
    )*};
}

entities!(
    Property,
    RoomType,
    Room,
    Guest,
    Reservation,
    Note,
    ServiceRequest
);
