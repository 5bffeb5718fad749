//! Free rooms.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use serde_json::{Map, Value, json};

use super::{
    list::{Refusal, time},
    state::{Hotel, Record, stamp},
    write::text,
};

type Fields = Map<String, Value>;

const METRICS: [&str; 11] = [
    "OutOfOrderBlocks",
    "PublicAvailabilityAdjustment",
    "OtherServiceReservationCount",
    "Occupied",
    "ConfirmedReservations",
    "OptionalReservations",
    "BlockAvailability",
    "AllocatedBlockAvailability",
    "UsableResources",
    "ActiveResources",
    "HouseUse",
];

/// `services/getAvailability`.
pub(super) fn older(hotel: &Hotel, body: &Fields) -> Result<Value, Refusal> {
    let nights = asked(hotel, body)?;
    let categories: Vec<Value> = hotel
        .category_ids()
        .map(|category| {
            let free = |night: &NaiveDate| hotel.free(category, *night);
            json!({
                "CategoryId": category,
                "Availabilities": nights.iter().map(free).collect::<Vec<_>>(),
                "Adjustments": vec![0; nights.len()],
            })
        })
        .collect();
    Ok(json!({
        "TimeUnitStartsUtc": hotel.starts(&nights),
        "CategoryAvailabilities": categories,
    }))
}

/// `services/getAvailability/2024-01-22`.
pub(super) fn newer(hotel: &Hotel, body: &Fields) -> Result<Value, Refusal> {
    let nights = asked(hotel, body)?;
    let metrics: Vec<&str> = body
        .get("Metrics")
        .and_then(Value::as_array)
        .filter(|metrics| !metrics.is_empty())
        .and_then(|metrics| metrics.iter().map(Value::as_str).collect())
        .ok_or_else(|| Refusal::invalid("Metrics"))?;
    if metrics.iter().any(|metric| !METRICS.contains(metric)) {
        return Err(Refusal::invalid("Metrics"));
    }
    let categories: Vec<Value> = hotel
        .category_ids()
        .map(|category| {
            let counted = metrics.iter().map(|metric| {
                let counts = nights
                    .iter()
                    .map(|night| hotel.metric(metric, category, *night));
                ((*metric).to_owned(), counts.collect::<Value>())
            });
            json!({
                "ResourceCategoryId": category,
                "Metrics": counted.collect::<Fields>(),
            })
        })
        .collect();
    Ok(json!({
        "TimeUnitStartsUtc": hotel.starts(&nights),
        "ResourceCategoryAvailabilities": categories,
    }))
}

/// The nights between two exact starts of nights, the last one included; at most 367.
pub(super) fn asked(hotel: &Hotel, body: &Fields) -> Result<Vec<NaiveDate>, Refusal> {
    if let Some(service) = body.get("ServiceId")
        && !hotel
            .services
            .iter()
            .any(|known| known.get("Id") == Some(service))
    {
        return Err(Refusal::invalid("ServiceId"));
    }
    let zone = hotel.zone();
    let night = |key: &str| {
        time(text(body, key)?)
            .map(|start| start.with_timezone(&zone))
            .filter(|start| start.time() == NaiveTime::MIN)
            .map(|start| start.date_naive())
            .ok_or_else(|| Refusal::invalid(key))
    };
    let first = night("FirstTimeUnitStartUtc")?;
    let last = night("LastTimeUnitStartUtc")?;
    if last < first || (last - first).num_days() > 366 {
        return Err(Refusal::invalid("LastTimeUnitStartUtc"));
    }
    Ok(first.iter_days().take_while(|day| *day <= last).collect())
}

impl Hotel {
    fn category_ids(&self) -> impl Iterator<Item = &str> {
        let categories = self.categories.iter();
        categories.filter_map(|category| category.get("Id")?.as_str())
    }

    /// Starts of nights, as Mews writes them.
    pub(super) fn starts(&self, nights: &[NaiveDate]) -> Value {
        let zone = self.zone();
        let starts = nights.iter().filter_map(|day| {
            let midnight = day.and_time(NaiveTime::MIN);
            zone.from_local_datetime(&midnight).earliest()
        });
        starts.map(|start| stamp(start.to_utc())).collect()
    }

    /// The nights of a stay.
    pub(super) fn nights(
        &self,
        span: (DateTime<Utc>, DateTime<Utc>),
    ) -> impl Iterator<Item = NaiveDate> {
        let day = |at: DateTime<Utc>| at.with_timezone(&self.zone()).date_naive();
        let (first, last) = (day(span.0), day(span.1));
        first.iter_days().take_while(move |night| *night < last)
    }

    /// Whether a room of a category is free on every night of a stay.
    pub(super) fn has_room(&self, category: &str, span: (DateTime<Utc>, DateTime<Utc>)) -> bool {
        self.nights(span)
            .all(|night| self.free(category, night) > 0)
    }

    fn free(&self, category: &str, night: NaiveDate) -> i64 {
        let count = |metric| self.metric(metric, category, night);
        count("UsableResources") - count("Occupied")
    }

    fn metric(&self, metric: &str, category: &str, night: NaiveDate) -> i64 {
        let booked = |states: &[&str]| {
            let stays = self.reservations.values();
            let taken = stays.filter(|stay| {
                stay.text("State")
                    .is_some_and(|state| states.contains(&state))
                    && stay.text("RequestedResourceCategoryId") == Some(category)
                    && self.covers(stay, ("ScheduledStartUtc", "ScheduledEndUtc"), night)
            });
            taken.count() as i64
        };
        let rooms = self.rooms_of(category);
        let blocked = |kind: &str| {
            let blocks = self.blocks.values().filter(|block| {
                block.text("Type") == Some(kind)
                    && block.now.get("IsActive") == Some(&json!(true))
                    && block
                        .text("AssignedResourceId")
                        .is_some_and(|room| rooms.contains(&room))
                    && self.covers(block, ("StartUtc", "EndUtc"), night)
            });
            blocks.count() as i64
        };
        match metric {
            "ActiveResources" => rooms.len() as i64,
            "UsableResources" => {
                rooms.len() as i64 - blocked("OutOfOrder") - blocked("InternalUse")
            }
            "OutOfOrderBlocks" => blocked("OutOfOrder"),
            "HouseUse" => blocked("InternalUse"),
            "ConfirmedReservations" => booked(&["Confirmed", "Started"]),
            "OptionalReservations" => booked(&["Optional"]),
            "Occupied" => booked(&["Confirmed", "Started", "Optional"]),
            _ => 0,
        }
    }

    fn rooms_of(&self, category: &str) -> Vec<&str> {
        let assigned = self.assignments.iter();
        assigned
            .filter(|assignment| assignment.get("CategoryId") == Some(&json!(category)))
            .filter_map(|assignment| assignment.get("ResourceId")?.as_str())
            .collect()
    }

    /// Whether a record spans a night: it begins before the day after, and ends after that night.
    fn covers(&self, record: &Record, keys: (&str, &str), night: NaiveDate) -> bool {
        let zone = self.zone();
        let day = |key| {
            let at = record.text(key).and_then(time)?;
            Some(at.with_timezone(&zone).date_naive())
        };
        day(keys.0).is_some_and(|first| first <= night)
            && day(keys.1).is_some_and(|last| night < last)
    }
}
