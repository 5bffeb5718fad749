//! Business events: made by changes, taken away as they are given.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{super::fault::FaultPlan, state::Hotel};

/// The most events that one call takes.
const MOST: usize = 20;

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
