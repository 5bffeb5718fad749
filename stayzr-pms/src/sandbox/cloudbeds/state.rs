use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(super) type Fields = Map<String, Value>;

/// A record as it is, and as it was before its last change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept<T> {
    pub(super) now: T,
    pub(super) before: Option<T>,
    pub(super) created: DateTime<Utc>,
    pub(super) modified: DateTime<Utc>,
}

/// A room type that is sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sold {
    pub(super) id: String,
    pub(super) rate_id: String,
    pub(super) name: String,
    pub(super) short: String,
    pub(super) persons: u32,
    pub(super) price: Decimal,
}

/// A room of a reservation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Booked {
    pub(super) sub: String,
    pub(super) place: String,
    pub(super) room_type: String,
    pub(super) room: Option<String>,
    pub(super) start: NaiveDate,
    pub(super) end: NaiveDate,
    pub(super) adults: i64,
    pub(super) children: i64,
    pub(super) night: Decimal,
    /// `not_checked_in`, `in_house`, `checked_out` or `cancelled`.
    pub(super) status: String,
}

/// A reservation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Booking {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) deleted: bool,
    pub(super) cancelled: Option<DateTime<Utc>>,
    pub(super) guest: String,
    /// Persons beside the main guest.
    pub(super) others: Vec<String>,
    pub(super) rooms: Vec<Booked>,
    pub(super) expected: Option<String>,
    pub(super) source_id: String,
    pub(super) source: String,
    pub(super) third_party: String,
    pub(super) notes: Vec<Fields>,
    /// What a test wrote beside.
    pub(super) extra: Fields,
}

impl Booking {
    pub(super) fn start(&self) -> Option<NaiveDate> {
        self.rooms.iter().map(|room| room.start).min()
    }

    pub(super) fn end(&self) -> Option<NaiveDate> {
        self.rooms.iter().map(|room| room.end).max()
    }

    pub(super) fn occupies(&self) -> bool {
        !self.deleted && !matches!(self.status.as_str(), "canceled" | "no_show" | "checked_out")
    }
}

/// A guest: `getGuest`'s own names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) fields: Fields,
    pub(super) notes: Vec<Fields>,
}

/// A webhook that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) body: Value,
    pub(super) due: DateTime<Utc>,
    pub(super) attempts: u32,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Subscribed {
    pub(super) id: String,
    pub(super) event: String,
    pub(super) endpoint: String,
}

/// What calls caused beside their answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) calls: BTreeMap<String, u64>,
    pub(super) emails_sent: u64,
    pub(super) reprices: u64,
    pub(super) conditions_switched: u64,
    pub(super) refreshes: u64,
    pub(super) webhooks_delivered: u64,
    pub(super) webhooks_dropped: u64,
}

/// Tokens of the application.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tokens {
    pub(super) refresh: String,
    pub(super) access: Option<(String, DateTime<Utc>)>,
    pub(super) given: u64,
}

/// A hotel with all its records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Hotel {
    pub(super) seed: u64,
    pub(super) slug: String,
    pub(super) port: Option<u16>,
    pub(super) property_id: String,
    pub(super) zone: Tz,
    pub(super) currency: String,
    /// `getHotelDetails`' data.
    pub(super) details: Fields,
    pub(super) sold: Vec<Sold>,
    /// `getRooms`' names and `getHousekeepingStatus`' together.
    pub(super) rooms: BTreeMap<String, Kept<Fields>>,
    pub(super) guests: BTreeMap<String, Kept<Person>>,
    pub(super) bookings: BTreeMap<String, Kept<Booking>>,
    pub(super) subscriptions: Vec<Subscribed>,
    pub(super) tokens: Tokens,
    /// Numbers given out so far.
    pub(super) made: u64,
    pub(super) events: VecDeque<Event>,
    pub(super) event_number: u64,
    #[serde(skip)]
    pub(super) tally: Tally,
}

/// When something happens and when it is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: DateTime<Utc>,
    pub(super) due: DateTime<Utc>,
}

impl<T: Clone + PartialEq> Kept<T> {
    pub(super) fn new(now: T, at: DateTime<Utc>) -> Self {
        Self {
            now,
            before: None,
            created: at,
            modified: at,
        }
    }

    /// Takes another state: the time of change moves on by at least a second, so that no two
    /// states have the same. False where nothing changes.
    pub(super) fn change(&mut self, now: T, at: DateTime<Utc>) -> bool {
        if self.now == now {
            return false;
        }
        let second = TimeDelta::seconds(1);
        let at = at.duration_trunc(second).unwrap_or(at);
        self.before = Some(std::mem::replace(&mut self.now, now));
        self.modified = at.max(self.modified + second);
        true
    }

    /// The state, or the one before it.
    pub(super) fn seen(&self, stale: bool) -> &T {
        self.before.as_ref().filter(|_| stale).unwrap_or(&self.now)
    }
}

impl Hotel {
    /// A local time as Cloudbeds writes it.
    pub(super) fn local(&self, time: DateTime<Utc>) -> String {
        let local = time.with_timezone(&self.zone);
        local.format("%Y-%m-%d %H:%M:%S").to_string()
    }

    pub(super) fn sold(&self, id: &str) -> Option<&Sold> {
        self.sold.iter().find(|sold| sold.id == id)
    }

    /// A number that was not given out before.
    pub(super) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Changes a reservation and tells what about it changed. False if there is no such one.
    pub(super) fn change_booking(&mut self, id: &str, now: Booking, moment: Moment) -> bool {
        let Some(kept) = self.bookings.get_mut(id) else {
            return false;
        };
        let before = kept.now.clone();
        if kept.change(now, moment.at) {
            let now = kept.now.clone();
            for name in changes(&before, &now) {
                self.tell_booking(name, &now, moment);
            }
        }
        true
    }

    pub(super) fn tell_booking(&mut self, name: &str, booking: &Booking, moment: Moment) {
        let (property, number) = (self.property_id.clone(), number(&self.property_id));
        let mut body = match name {
            "reservation/created" => json!({"reservationID": booking.id, "propertyID": number,
                "propertyID_str": property}),
            _ => json!({"reservationId": booking.id, "propertyId": number,
                "propertyId_str": property}),
        };
        if matches!(name, "reservation/created" | "reservation/dates_changed") {
            body["startDate"] = json!(booking.start());
            body["endDate"] = json!(booking.end());
        }
        if name == "reservation/status_changed" {
            body["status"] = json!(booking.status);
        }
        self.tell(name, body, moment);
    }

    pub(super) fn tell_guest(&mut self, name: &str, id: &str, moment: Moment) {
        let body = json!({"propertyId": number(&self.property_id),
            "propertyId_str": self.property_id, "guestId": number(id), "guestId_str": id});
        self.tell(name, body, moment);
    }

    pub(super) fn tell_room(&mut self, name: &str, id: &str, moment: Moment) {
        let mut body = json!({"propertyID": number(&self.property_id),
            "propertyID_str": self.property_id});
        if name.starts_with("roomblock/") {
            body["rooms"] = json!([{"roomID": id}]);
        } else {
            body["roomId"] = json!(id);
        }
        self.tell(name, body, moment);
    }

    fn tell(&mut self, name: &str, mut body: Value, moment: Moment) {
        self.event_number += 1;
        let micros = moment.at.timestamp_micros();
        body["version"] = json!("1.0");
        body["event"] = json!(name);
        // Never the same twice, as far as a clock of microseconds allows.
        body["timestamp"] = serde_json::from_str(&format!(
            "{}.{:06}",
            micros.div_euclid(1_000_000),
            micros.rem_euclid(1_000_000)
        ))
        .unwrap_or_default();
        self.events.push_back(Event {
            number: self.event_number,
            name: name.to_owned(),
            body,
            due: moment.due,
            attempts: 0,
        });
    }
}

/// An id as the number that webhooks also write.
fn number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| json!(id), Value::from)
}

/// Events that tell of a change. Some changes have none: what was expected, what was noted.
fn changes(before: &Booking, now: &Booking) -> Vec<&'static str> {
    let differs = |part: fn(&Booked) -> (String, String)| {
        let parts = |booking: &Booking| booking.rooms.iter().map(part).collect::<Vec<_>>();
        parts(before) != parts(now)
    };
    let mut names = Vec::new();
    if before.status != now.status {
        names.push("reservation/status_changed");
    }
    if !before.deleted && now.deleted {
        names.push("reservation/deleted");
    }
    if differs(|room| (room.start.to_string(), room.end.to_string())) {
        names.push("reservation/dates_changed");
    }
    if differs(|room| (room.room_type.clone(), String::new())) {
        names.push("reservation/accommodation_type_changed");
    }
    if differs(|room| {
        (
            room.room.clone().unwrap_or_default(),
            format!("{}+{}", room.adults, room.children),
        )
    }) {
        names.push("reservation/accommodation_changed");
    }
    if differs(|room| (room.status.clone(), String::new())) && before.status == now.status {
        names.push("reservation/accommodation_status_changed");
    }
    if before.notes != now.notes {
        names.push("reservation/notes_changed");
    }
    names
}
