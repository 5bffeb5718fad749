use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A record as it is, and as it was before its last change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) now: Value,
    before: Option<Value>,
    pub(super) created: DateTime<Utc>,
    pub(super) modified: DateTime<Utc>,
}

impl Kept {
    pub(super) fn new(now: Value, at: DateTime<Utc>) -> Self {
        Self {
            now,
            before: None,
            created: at,
            modified: at,
        }
    }

    /// Takes another state. False where nothing changes.
    pub(super) fn change(&mut self, now: Value, at: DateTime<Utc>) -> bool {
        if self.now == now {
            return false;
        }
        self.before = Some(std::mem::replace(&mut self.now, now));
        self.modified = at;
        true
    }

    /// The state, or the one before it.
    pub(super) fn seen(&self, stale: bool) -> &Value {
        self.before.as_ref().filter(|_| stale).unwrap_or(&self.now)
    }
}

/// What calls caused beside their answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) calls: BTreeMap<String, u64>,
    pub(super) letters_sent: u64,
    pub(super) reprices: u64,
    pub(super) events_taken: u64,
    #[serde(default)]
    pub(super) events_streamed: u64,
}

/// A hotel with all its records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Hotel {
    pub(super) seed: u64,
    pub(super) slug: String,
    pub(super) port: Option<u16>,
    pub(super) hotel_id: String,
    pub(super) zone: Tz,
    /// `getHotel`'s `hotelConfigInfo`.
    pub(super) config: Value,
    /// `getRoomTypes`' elements, in detail.
    pub(super) room_types: Vec<Value>,
    /// `getRooms`' elements with `housekeeping` of the board beside, by number.
    pub(super) rooms: BTreeMap<String, Kept>,
    /// `getProfile`'s `profileDetails`, by id.
    pub(super) profiles: BTreeMap<String, Kept>,
    /// `getHotelReservations`' elements, without what is computed, by id.
    pub(super) bookings: BTreeMap<String, Kept>,
    /// Business events that nobody has taken.
    pub(super) events: VecDeque<Value>,
    /// Business events of the stream by their place in it, and when they happened.
    #[serde(default)]
    pub(super) streamed: VecDeque<(u64, DateTime<Utc>, Value)>,
    /// Notes for guests, each beside its reservation.
    #[serde(default)]
    pub(super) messages: Vec<Value>,
    /// What guests asked for.
    #[serde(default)]
    pub(super) service_requests: Vec<Value>,
    /// Numbers given out so far.
    pub(super) made: u64,
    pub(super) token: Option<(String, DateTime<Utc>)>,
    #[serde(skip)]
    pub(super) tally: Tally,
}

impl Hotel {
    /// A number that was not given out before.
    pub(super) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// A local time as OPERA writes it.
    pub(super) fn local(&self, time: DateTime<Utc>) -> String {
        let local = time.with_timezone(&self.zone);
        local.format("%Y-%m-%d %H:%M:%S.0").to_string()
    }

    /// A local time as the stream writes it.
    pub(super) fn local_millis(&self, time: DateTime<Utc>) -> String {
        let local = time.with_timezone(&self.zone);
        local.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
    }

    /// The code of the hotel's chain.
    pub(super) fn chain(&self) -> String {
        self.config["chainCode"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The business date: the night audit has run.
    pub(super) fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        now.with_timezone(&self.zone).date_naive()
    }

    pub(super) fn has_room_type(&self, code: &str) -> bool {
        self.room_types.iter().any(|kind| kind["roomType"] == code)
    }
}

/// A day of a record.
pub(super) fn day(value: &Value) -> Option<NaiveDate> {
    value.as_str()?.get(..10)?.parse().ok()
}
