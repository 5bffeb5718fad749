use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{GuestId, OrganizationId, PropertyId, ReservationId, RoomId, RoomTypeId};

/// Where a reservation stands. Lossy: the vendor's own value is kept beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// Asked for, held or waiting.
    Tentative,
    /// Booked.
    Confirmed,
    /// Checked in: a stay.
    InHouse,
    /// Checked out.
    Departed,
    /// Cancelled.
    Cancelled,
    /// The guest never came.
    NoShow,
    /// A value of the vendor that we do not know; it stands in `status_vendor`.
    Unknown,
}

impl ReservationStatus {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tentative => "tentative",
            Self::Confirmed => "confirmed",
            Self::InHouse => "in_house",
            Self::Departed => "departed",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no_show",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it takes a room away from others. An unknown status does, to be safe.
    pub const fn occupies(self) -> bool {
        matches!(
            self,
            Self::Tentative | Self::Confirmed | Self::InHouse | Self::Unknown
        )
    }
}

/// A reservation; a stay is a reservation in house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Its id.
    pub id: ReservationId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its property.
    pub property_id: PropertyId,
    /// Counts the changes of this row.
    pub version: i64,
    /// When it was made here.
    pub created_at: DateTime<Utc>,
    /// When it last changed here.
    pub updated_at: DateTime<Utc>,
    /// The number that the guest was given.
    pub number: Option<String>,
    /// Who it belongs to; none while the owner is a company.
    pub guest_id: Option<GuestId>,
    /// The room type that was booked.
    pub room_type_id: Option<RoomTypeId>,
    /// The room that was assigned.
    pub room_id: Option<RoomId>,
    /// Where it stands.
    pub status: ReservationStatus,
    /// The vendor's own word for the status.
    pub status_vendor: Option<String>,
    /// Arrival.
    pub arrival: DateTime<Utc>,
    /// Departure.
    pub departure: DateTime<Utc>,
    /// Adults.
    pub adults: i64,
    /// Children.
    pub children: i64,
    /// The vendor's id of the rate.
    pub rate_vendor: Option<String>,
    /// The number at the channel it was booked through.
    pub channel_number: Option<String>,
    /// Why the guest travels, in the vendor's word.
    pub purpose: Option<String>,
    /// How it came in, in the vendor's word.
    pub origin: Option<String>,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// Why it was cancelled, in the vendor's word.
    pub cancellation_reason: Option<String>,
}

impl Reservation {
    /// First night and day of departure in the property's time zone.
    pub fn dates(&self, tz: chrono_tz::Tz) -> (NaiveDate, NaiveDate) {
        (
            self.arrival.with_timezone(&tz).date_naive(),
            self.departure.with_timezone(&tz).date_naive(),
        )
    }
}
