use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Counts, HotelProfile,
        splitmix::{SplitMix, id},
    },
    state::{Hotel, Record, Tally, stamp},
};

type Fields = Map<String, Value>;

pub(super) fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// What the records of a hotel follow from.
pub(super) struct Seed<'a> {
    pub(super) seed: u64,
    pub(super) profile: &'a HotelProfile,
    pub(super) counts: Counts,
    pub(super) zone: Tz,
    pub(super) today: NaiveDate,
    pub(super) now: DateTime<Utc>,
}

impl Hotel {
    /// A hotel whose ids follow from seed and slug alone, and whose stays lie around `today`: some
    /// guests are in house, some arrive, some are gone.
    pub(super) fn seeded(
        seed: u64,
        profile: &HotelProfile,
        counts: Counts,
        today: NaiveDate,
        now: DateTime<Utc>,
    ) -> Self {
        let zone = profile.time_zone.parse().unwrap_or(chrono_tz::UTC);
        let named: usize = profile.room_types.iter().map(|kind| kind.rooms.len()).sum();
        let seed = Seed {
            seed,
            profile,
            counts: Counts {
                rooms: if named > 0 { named } else { counts.rooms },
                ..counts
            },
            zone,
            today,
            now,
        };
        seed.hotel()
    }
}

impl Seed<'_> {
    pub(super) fn id(&self, purpose: &str, number: usize) -> Value {
        let purpose = format!("{}/{purpose}", self.profile.slug);
        json!(id(self.seed, &purpose, number as u64))
    }

    pub(super) fn sequence(&self, purpose: &str) -> SplitMix {
        SplitMix::new(self.seed, &format!("{}/{purpose}", self.profile.slug))
    }

    pub(super) fn days_ago(&self, days: i64) -> Value {
        stamp(self.now - TimeDelta::days(days))
    }

    fn hotel(&self) -> Hotel {
        let categories = self.categories();
        let (rooms, assignments) = self.rooms();
        let guests = self.guests();
        let reservations = self.reservations(&guests);
        let price = |index: usize| self.profile.room_types.get(index).map(|kind| kind.price);
        let prices: BTreeMap<String, Decimal> = (0..categories.len())
            .filter_map(|index| {
                let id = self.id("category", index).as_str()?.to_owned();
                Some((id, price(index)?))
            })
            .collect();
        let keyed = |records: Vec<Fields>| -> BTreeMap<String, Record> {
            records
                .into_iter()
                .filter_map(|now| {
                    let id = now.get("Id")?.as_str()?.to_owned();
                    Some((id, Record { now, before: None }))
                })
                .collect()
        };
        Hotel {
            seed: self.seed,
            slug: self.profile.slug.clone(),
            port: None,
            enterprise: self.enterprise(),
            integration_id: self
                .id("integration", 0)
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            services: self.services(),
            age_categories: self.age_categories(),
            categories,
            assignments,
            rates: self.rates(),
            rate_groups: self.rate_groups(),
            products: self.products(),
            departments: self.departments(),
            prices,
            rooms: keyed(rooms),
            guests: keyed(guests),
            notes: keyed(self.notes(&reservations)),
            reservations: keyed(reservations),
            blocks: BTreeMap::new(),
            companionships: BTreeMap::new(),
            orders: BTreeMap::new(),
            threads: BTreeMap::new(),
            messages: BTreeMap::new(),
            tasks: BTreeMap::new(),
            made: 0,
            events: std::collections::VecDeque::new(),
            event_number: 0,
            tally: Tally::default(),
        }
    }

    fn enterprise(&self) -> Fields {
        let hotel = self.profile;
        fields(json!({
            "Id": self.id("enterprise", 0), "ChainId": self.id("chain", 0),
            "ChainName": hotel.name, "Name": hotel.name, "ShortName": null,
            "TimeZoneIdentifier": hotel.time_zone, "LegalEnvironmentCode": hotel.country_code,
            "TaxEnvironmentCode": null, "DefaultLanguageCode": hotel.language,
            "Pricing": if hotel.gross { "Gross" } else { "Net" },
            "Currencies": [{"Currency": hotel.currency, "IsDefault": true, "IsEnabled": true}],
            "AddressId": self.id("address", 0),
            "Address": {
                "Id": self.id("address", 0), "Line1": hotel.line1, "Line2": null,
                "City": hotel.city, "PostalCode": hotel.postal_code,
                "CountryCode": hotel.country_code, "CountrySubdivisionCode": null,
                "Latitude": hotel.geo.map(|geo| geo.0), "Longitude": hotel.geo.map(|geo| geo.1),
            },
            "Email": hotel.email, "Phone": hotel.phone, "WebsiteUrl": hotel.website,
            "AccountingEditableHistoryInterval": "P0M7DT0H0M0S",
            "OperationalEditableHistoryInterval": "P0M5DT0H0M0S",
            "IsPortfolio": false, "CreatedUtc": self.days_ago(700), "UpdatedUtc": self.days_ago(90),
        }))
    }

    fn services(&self) -> Vec<Fields> {
        let time = |(hour, minute): (u32, u32)| format!("P0M0DT{hour}H{minute}M0S");
        let (start, end) = (time(self.profile.check_in), time(self.profile.check_out));
        let service = |number: usize, name: &str, data: Value| {
            fields(json!({
                "Id": self.id("service", number), "EnterpriseId": self.id("enterprise", 0),
                "IsActive": true, "Name": name, "Names": {"en-US": name},
                "Options": {"BillAsPackage": false}, "Ordering": number, "Data": data,
                "ExternalIdentifier": null,
                "CreatedUtc": self.days_ago(700 - number as i64), "UpdatedUtc": self.days_ago(90),
            }))
        };
        vec![
            service(
                0,
                "Accommodation",
                json!({"Discriminator": "Bookable", "Value": {
                    "StartOffset": start, "EndOffset": end, "OccupancyStartOffset": start,
                    "OccupancyEndOffset": end, "TimeUnitPeriod": "Day",
                }}),
            ),
            service(
                1,
                "Restaurant",
                json!({"Discriminator": "Additional", "Value": {"Promotions": {}}}),
            ),
        ]
    }

    fn age_categories(&self) -> Vec<Fields> {
        [("Adult", "Adults", 12, 120), ("Child", "Children", 0, 11)]
            .into_iter()
            .enumerate()
            .map(|(number, (class, name, from, to))| {
                fields(json!({
                    "Id": self.id("age", number), "ServiceId": self.id("service", 0),
                    "EnterpriseId": self.id("enterprise", 0), "Names": {"en-US": name},
                    "ShortNames": {}, "MinimalAge": from, "MaximalAge": to,
                    "Classification": class, "IsActive": true,
                    "CreatedUtc": self.days_ago(700 - number as i64),
                    "UpdatedUtc": self.days_ago(700),
                }))
            })
            .collect()
    }

    fn categories(&self) -> Vec<Fields> {
        self.profile
            .room_types
            .iter()
            .enumerate()
            .map(|(number, kind)| {
                let language = &self.profile.language;
                fields(json!({
                    "Id": self.id("category", number), "EnterpriseId": self.id("enterprise", 0),
                    "ServiceId": self.id("service", 0), "IsActive": true, "Type": kind.kind,
                    "Classification": null, "Names": {language: kind.name},
                    "ShortNames": {language: kind.short_name}, "Descriptions": {},
                    "Ordering": number, "Capacity": kind.capacity,
                    "ExtraCapacity": kind.extra_capacity, "ExternalIdentifier": kind.short_name,
                    "CreatedUtc": self.days_ago(699 - number as i64),
                    "UpdatedUtc": self.days_ago(90),
                }))
            })
            .collect()
    }

    fn rooms(&self) -> (Vec<Fields>, Vec<Fields>) {
        const STATES: [&str; 6] = [
            "Inspected",
            "Inspected",
            "Clean",
            "Inspected",
            "Dirty",
            "Clean",
        ];
        let mut sequence = self.sequence("room states");
        let mut rooms = Vec::new();
        let mut assignments = Vec::new();
        for number in 0..self.counts.rooms {
            let name = self.room_name(number);
            let floor = name.get(..name.len().saturating_sub(2)).unwrap_or_default();
            let created = self.days_ago(690 - number as i64 % 600);
            rooms.push(fields(json!({
                "Id": self.id("room", number), "EnterpriseId": self.id("enterprise", 0),
                "IsActive": true, "ParentResourceId": null,
                "Name": name,
                "State": sequence.pick(&STATES), "Descriptions": {},
                "Data": {"Discriminator": "Space",
                    "Value": {"FloorNumber": floor, "LocationNotes": ""}},
                "ExternalNames": {}, "Directions": {},
                "CreatedUtc": created, "UpdatedUtc": self.days_ago(2),
            })));
            assignments.push(fields(json!({
                "Id": self.id("assignment", number), "IsActive": true,
                "ResourceId": self.id("room", number),
                "CategoryId": self.id("category", self.category_of(number)),
                "CreatedUtc": created, "UpdatedUtc": created,
            })));
        }
        (rooms, assignments)
    }

    /// The rooms that the types name, with the type's index.
    fn named(&self) -> impl Iterator<Item = (usize, &str)> {
        let types = self.profile.room_types.iter().enumerate();
        types.flat_map(|(kind, profile)| profile.rooms.iter().map(move |name| (kind, &**name)))
    }

    fn room_name(&self, room: usize) -> String {
        match self.named().nth(room) {
            Some((_, name)) => name.to_owned(),
            None => format!("{}{:02}", room / 10 + 1, room % 10 + 1),
        }
    }

    /// Rooms of a type lie beside each other, unless the types name theirs.
    pub(super) fn category_of(&self, room: usize) -> usize {
        match self.named().nth(room) {
            Some((kind, _)) => kind,
            None => room * self.profile.room_types.len() / self.counts.rooms.max(1),
        }
    }

    fn rates(&self) -> Vec<Fields> {
        let rate = |number: usize, name: &str, public: bool| {
            fields(json!({
                "Id": self.id("rate", number), "GroupId": self.id("rate group", 0),
                "ServiceId": self.id("service", 0),
                "BaseRateId": (number > 0).then(|| self.id("rate", 0)),
                "IsBaseRate": number == 0, "IsActive": true, "IsEnabled": true,
                "IsPublic": public, "IsDefault": number == 0,
                "Type": if public { "Public" } else { "Private" },
                "Name": name, "Names": {"en-US": name}, "ShortName": null, "ExternalNames": {},
                "CreatedUtc": self.days_ago(690 - number as i64), "UpdatedUtc": self.days_ago(90),
            }))
        };
        vec![
            rate(0, "Flexible", true),
            rate(1, "Non-refundable", true),
            rate(2, "Company", false),
        ]
    }
}
