use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::open::{day, flag, id, list, map, moment, open_enum, text, whole};

open_enum! {
    /// Where a reservation stands. Guest filters and webhooks say `in_progress` beside.
    ReservationState {
        InProgress = "in_progress",
        NotConfirmed = "not_confirmed",
        Confirmed = "confirmed",
        CheckedIn = "checked_in" | "in_house",
        CheckedOut = "checked_out",
        Canceled = "canceled" | "cancelled",
        NoShow = "no_show",
    }
}

/// A reservation, as `getReservation`, `getReservations` and `getReservationsWithRateDetails` give
/// it: three shapes of the same record, which share most names.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// Its id, which is also the number the guest is given.
    #[serde(default, rename = "reservationID", deserialize_with = "id")]
    pub id: String,
    /// The property.
    #[serde(default, rename = "propertyID", deserialize_with = "text")]
    pub property_id: Option<String>,
    /// Where it stands.
    #[serde(default)]
    pub status: Option<ReservationState>,
    /// Whether it was deleted; only said where deleted ones are asked for.
    #[serde(default, deserialize_with = "flag")]
    pub is_deleted: Option<bool>,
    /// The main guest; `getReservation` says it in the list of guests instead.
    #[serde(default, rename = "guestID", deserialize_with = "text")]
    pub guest_id: Option<String>,
    /// The guests by their ids.
    #[serde(default, deserialize_with = "map")]
    pub guest_list: BTreeMap<String, ListedGuest>,
    /// First night.
    #[serde(default, deserialize_with = "day")]
    pub start_date: Option<NaiveDate>,
    /// Day of departure.
    #[serde(default, deserialize_with = "day")]
    pub end_date: Option<NaiveDate>,
    /// First night, by its other name.
    #[serde(default, deserialize_with = "day")]
    pub reservation_check_in: Option<NaiveDate>,
    /// Day of departure, by its other name.
    #[serde(default, deserialize_with = "day")]
    pub reservation_check_out: Option<NaiveDate>,
    /// When it last changed, local.
    #[serde(default, deserialize_with = "moment")]
    pub date_modified: Option<NaiveDateTime>,
    /// When it last changed, in UTC.
    #[serde(default, rename = "dateModifiedUTC", deserialize_with = "moment")]
    pub date_modified_utc: Option<NaiveDateTime>,
    /// When it was cancelled, local.
    #[serde(default, deserialize_with = "moment")]
    pub date_cancelled: Option<NaiveDateTime>,
    /// When it was cancelled, in UTC.
    #[serde(default, rename = "dateCancelledUTC", deserialize_with = "moment")]
    pub date_cancelled_utc: Option<NaiveDateTime>,
    /// When the guest means to arrive, local `HH:MM`.
    #[serde(default, deserialize_with = "text")]
    pub estimated_arrival_time: Option<String>,
    /// How it came in.
    #[serde(default, deserialize_with = "text")]
    pub source_name: Option<String>,
    /// How it came in: a name, or an object that holds it.
    #[serde(default)]
    pub source: Option<Value>,
    /// The number at the channel, or what whoever made it wrote there.
    #[serde(default, deserialize_with = "text")]
    pub third_party_identifier: Option<String>,
    /// The number at the channel, by its other name.
    #[serde(default, rename = "sourceReservationID", deserialize_with = "text")]
    pub source_reservation_id: Option<String>,
    /// Adults of all rooms.
    #[serde(default, deserialize_with = "whole")]
    pub adults: Option<i64>,
    /// Children of all rooms.
    #[serde(default, deserialize_with = "whole")]
    pub children: Option<i64>,
    /// Rooms, where the list has them in one.
    #[serde(default, deserialize_with = "list")]
    pub rooms: Vec<BookedRoom>,
    /// Rooms that have one assigned.
    #[serde(default, deserialize_with = "list")]
    pub assigned: Vec<BookedRoom>,
    /// Rooms that have none yet.
    #[serde(default, deserialize_with = "list")]
    pub unassigned: Vec<BookedRoom>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Reservation {
    /// Its rooms in the order of their sub-reservations, those that still count before cancelled
    /// ones.
    pub fn booked(&self) -> Vec<&BookedRoom> {
        let all = self
            .rooms
            .iter()
            .chain(&self.assigned)
            .chain(&self.unassigned);
        let mut rooms: Vec<&BookedRoom> = Vec::new();
        for room in all {
            let known = room.sub_reservation_id.is_some()
                && rooms
                    .iter()
                    .any(|known| known.sub_reservation_id == room.sub_reservation_id);
            if !known {
                rooms.push(room);
            }
        }
        rooms.sort_by(|one, other| {
            let key = |room: &BookedRoom| (room.is_cancelled(), room.sub_reservation_id.clone());
            key(one).cmp(&key(other))
        });
        rooms
    }

    /// The rooms that still count; all of them where the whole reservation is cancelled.
    pub fn standing(&self) -> Vec<&BookedRoom> {
        let all = self.booked();
        let standing: Vec<&BookedRoom> = all
            .iter()
            .copied()
            .filter(|room| !room.is_cancelled())
            .collect();
        if standing.is_empty() { all } else { standing }
    }

    /// The main guest.
    pub fn main_guest(&self) -> Option<&str> {
        let named = self.guest_id.as_deref().filter(|id| !id.trim().is_empty());
        let entry = |(key, guest): (&'_ String, &ListedGuest)| {
            (guest.is_main_guest == Some(true)).then(|| guest.id.clone().unwrap_or(key.clone()))
        };
        named.or_else(|| {
            let main = self.guest_list.iter().find_map(entry);
            let main = main.or_else(|| self.guest_list.keys().next().cloned());
            let id = main?;
            self.guest_list
                .iter()
                .find(|(key, guest)| **key == id || guest.id.as_deref() == Some(&id))
                .map(|(key, guest)| guest.id.as_deref().unwrap_or(key))
        })
    }
}

/// A guest as a reservation lists it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedGuest {
    /// The guest.
    #[serde(default, rename = "guestID", deserialize_with = "text")]
    pub id: Option<String>,
    /// Whether the reservation belongs to this one.
    #[serde(default, deserialize_with = "flag")]
    pub is_main_guest: Option<bool>,
    /// Given name.
    #[serde(default, deserialize_with = "text")]
    pub guest_first_name: Option<String>,
    /// Family name.
    #[serde(default, deserialize_with = "text")]
    pub guest_last_name: Option<String>,
    /// Email.
    #[serde(default, deserialize_with = "text")]
    pub guest_email: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A room of a reservation: what is checked in and out and changed at Cloudbeds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BookedRoom {
    /// The sub-reservation.
    #[serde(default, rename = "subReservationID", deserialize_with = "text")]
    pub sub_reservation_id: Option<String>,
    /// The place in the reservation, which an unassignment names.
    #[serde(default, rename = "reservationRoomID", deserialize_with = "text")]
    pub reservation_room_id: Option<String>,
    /// The room type.
    #[serde(default, rename = "roomTypeID", deserialize_with = "text")]
    pub room_type_id: Option<String>,
    /// The room, once assigned.
    #[serde(default, rename = "roomID", deserialize_with = "text")]
    pub room_id: Option<String>,
    /// First night.
    #[serde(default, deserialize_with = "day")]
    pub start_date: Option<NaiveDate>,
    /// Day of departure.
    #[serde(default, deserialize_with = "day")]
    pub end_date: Option<NaiveDate>,
    /// First night, by its other name.
    #[serde(default, deserialize_with = "day")]
    pub room_check_in: Option<NaiveDate>,
    /// Day of departure, by its other name.
    #[serde(default, deserialize_with = "day")]
    pub room_check_out: Option<NaiveDate>,
    /// Adults.
    #[serde(default, deserialize_with = "whole")]
    pub adults: Option<i64>,
    /// Children.
    #[serde(default, deserialize_with = "whole")]
    pub children: Option<i64>,
    /// The rate.
    #[serde(default, rename = "rateID", deserialize_with = "text")]
    pub rate_id: Option<String>,
    /// Where it stands: `cancelled`, `in_house`, `checked_out`, `not_checked_in`.
    #[serde(default, deserialize_with = "text")]
    pub room_status: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl BookedRoom {
    /// First night.
    pub fn first_night(&self) -> Option<NaiveDate> {
        self.start_date.or(self.room_check_in)
    }

    /// Day of departure.
    pub fn departure(&self) -> Option<NaiveDate> {
        self.end_date.or(self.room_check_out)
    }

    /// The room, once assigned.
    pub fn room(&self) -> Option<&str> {
        self.room_id.as_deref().filter(|id| !id.trim().is_empty())
    }

    fn is_cancelled(&self) -> bool {
        matches!(self.room_status.as_deref(), Some("cancelled" | "canceled"))
    }
}
