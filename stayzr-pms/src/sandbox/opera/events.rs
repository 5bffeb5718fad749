//! Business events: made by changes, taken out of a queue as they are given, and streamed.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{super::fault::FaultPlan, state::Hotel};

/// The most events that one call takes.
const MOST: usize = 20;

/// The stream gives events again for seven days.
const KEPT: TimeDelta = TimeDelta::days(7);

/// The place before the first event of the stream.
const FIRST: u64 = 100;

impl Hotel {
    /// Queues an event of a module about a record.
    pub(super) fn tell(&mut self, module: &str, action: &str, key: &str, at: DateTime<Utc>) {
        let number = 2_000_000 + self.number();
        let details = match module {
            "Housekeeping" => json!([{"dataElement": "ROOM", "newValue": key}]),
            _ => json!([]),
        };
        let event = json!({
            "businessEvent": {
                "header": {"moduleName": module, "actionType": action, "actionId": number,
                    "primaryKey": key, "publisherId": 18371, "createdDateTime": self.local(at),
                    "hotelId": self.hotel_id},
                "details": details,
            },
            "businessEventId": {"id": number.to_string()},
        });
        self.events.push_back(event);
        let offset = self.last_offset() + 1;
        let details: Vec<Value> = match module {
            "Housekeeping" => vec![json!({"elementName": "ROOM", "newValue": key})],
            _ => Vec::new(),
        };
        let told = json!({
            "metadata": {"offset": offset.to_string(),
                "uniqueEventId": format!("{number}-{offset}")},
            "moduleName": module.to_uppercase(), "eventName": action, "primaryKey": key,
            "timestamp": self.local_millis(at), "hotelId": self.hotel_id, "publisherId": "18371",
            "actionInstanceId": number.to_string(), "detail": details,
        });
        self.streamed.push_back((offset, at, told));
        while let Some((_, first, _)) = self.streamed.front()
            && *first + KEPT < at
        {
            self.streamed.pop_front();
        }
    }

    /// The place of the last event of the stream.
    pub(super) fn last_offset(&self) -> u64 {
        self.streamed.back().map_or(FIRST, |(offset, ..)| *offset)
    }

    /// Events of the stream behind a place.
    pub(super) fn events_behind(&self, place: u64) -> Vec<Value> {
        let behind = self.streamed.iter();
        behind
            .filter(|(offset, ..)| *offset > place)
            .map(|(_, _, event)| event.clone())
            .collect()
    }

    /// The next events, which nobody gets again; none when there is none.
    pub(super) fn take_events(
        &mut self,
        limit: Option<usize>,
        faults: &mut FaultPlan,
    ) -> Option<Value> {
        let count = limit.unwrap_or(MOST).clamp(1, MOST).min(self.events.len());
        let mut taken: Vec<Value> = self.events.drain(..count).collect();
        faults.bend(&mut taken);
        self.tally.events_taken += taken.len() as u64;
        (!taken.is_empty()).then(|| json!({"businessEventData": taken, "dataValueMapping": []}))
    }
}
