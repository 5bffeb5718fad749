use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Counts, HotelProfile,
        people::people,
        splitmix::{SplitMix, id},
    },
    state::{Hotel, Record, Tally, stamp},
};

type Fields = Map<String, Value>;

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// What the records of a hotel follow from.
struct Seed<'a> {
    seed: u64,
    profile: &'a HotelProfile,
    counts: Counts,
    zone: Tz,
    today: NaiveDate,
    now: DateTime<Utc>,
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
        let seed = Seed {
            seed,
            profile,
            counts,
            zone,
            today,
            now,
        };
        seed.hotel()
    }

    /// A customer of whom nothing is known.
    pub(super) fn blank_customer(&self) -> Fields {
        fields(json!({
            "ChainId": self.enterprise.get("ChainId"),
            "Number": (self.made + 100_001).to_string(),
            "Title": null, "Sex": null, "FirstName": null, "LastName": null,
            "SecondLastName": null, "NationalityCode": null, "PreferredLanguageCode": null,
            "LanguageCode": null, "BirthDate": null, "BirthPlace": null, "Occupation": null,
            "Email": null, "HasOtaEmail": false, "Phone": null, "TaxIdentificationNumber": null,
            "LoyaltyCode": null, "AccountingCode": null, "Notes": "",
            "CarRegistrationNumber": null, "DietaryRequirements": null, "AddressId": null,
            "Classifications": [], "Options": [], "CompanyId": null, "MergeTargetId": null,
            "ActivityState": "Active", "IsActive": true,
        }))
    }

    /// A confirmed reservation without an owner.
    pub(super) fn blank_reservation(&self, now: DateTime<Utc>) -> Fields {
        let start = now + TimeDelta::days(1);
        let service = self.services.first().and_then(|service| service.get("Id"));
        let category = self.categories.first().and_then(|known| known.get("Id"));
        let rate = self.rates.first().and_then(|rate| rate.get("Id"));
        let adult = self.age_categories.first().and_then(|age| age.get("Id"));
        fields(json!({
            "ServiceId": service, "AccountId": null, "AccountType": "Customer",
            "BookerId": null, "Number": (self.made + 20_001).to_string(), "State": "Confirmed",
            "Origin": "Commander", "CommanderOrigin": "Phone", "CancelledUtc": null,
            "CancellationReason": null, "RateId": rate, "GroupId": null,
            "RequestedResourceCategoryId": category, "AssignedResourceId": null,
            "AssignedResourceLocked": false, "ChannelNumber": null, "PartnerCompanyId": null,
            "TravelAgencyId": null, "ReleasedUtc": null,
            "ScheduledStartUtc": stamp(start), "ActualStartUtc": null,
            "ScheduledEndUtc": stamp(start + TimeDelta::days(2)), "ActualEndUtc": null,
            "StartUtc": stamp(start), "EndUtc": stamp(start + TimeDelta::days(2)),
            "Purpose": null, "PersonCounts": [{"AgeCategoryId": adult, "Count": 1}],
        }))
    }
}

impl Seed<'_> {
    fn id(&self, purpose: &str, number: usize) -> Value {
        let purpose = format!("{}/{purpose}", self.profile.slug);
        json!(id(self.seed, &purpose, number as u64))
    }

    fn sequence(&self, purpose: &str) -> SplitMix {
        SplitMix::new(self.seed, &format!("{}/{purpose}", self.profile.slug))
    }

    fn days_ago(&self, days: i64) -> Value {
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
            prices,
            rooms: keyed(rooms),
            guests: keyed(guests),
            reservations: keyed(reservations),
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
            let floor = number / 10 + 1;
            let created = self.days_ago(690 - number as i64 % 600);
            rooms.push(fields(json!({
                "Id": self.id("room", number), "EnterpriseId": self.id("enterprise", 0),
                "IsActive": true, "ParentResourceId": null,
                "Name": format!("{floor}{:02}", number % 10 + 1),
                "State": sequence.pick(&STATES), "Descriptions": {},
                "Data": {"Discriminator": "Space",
                    "Value": {"FloorNumber": floor.to_string(), "LocationNotes": ""}},
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

    /// Rooms of a type lie beside each other.
    fn category_of(&self, room: usize) -> usize {
        room * self.profile.room_types.len() / self.counts.rooms.max(1)
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

    fn guests(&self) -> Vec<Fields> {
        let mut sequence = self.sequence("guests");
        people(&mut sequence, self.counts.guests)
            .into_iter()
            .enumerate()
            .map(|(number, person)| {
                let mut classifications = Vec::new();
                if sequence.below(5) == 0 {
                    classifications.push("Returning");
                }
                if sequence.below(12) == 0 {
                    classifications.push("VeryImportant");
                }
                let loyal = sequence.below(6) == 0;
                let notes = match sequence.below(9) {
                    0 => "Prefers a quiet room",
                    1 => "Allergic to nuts",
                    _ => "",
                };
                let age = 7_000 + sequence.below(18_000);
                let birth = self.today.checked_sub_days(Days::new(age));
                let days = 400 - (number as i64 % 340);
                fields(json!({
                    "Id": self.id("guest", number), "ChainId": self.id("chain", 0),
                    "Number": (number + 1).to_string(),
                    "Title": if person.female { "Misses" } else { "Mister" },
                    "Sex": if person.female { "Female" } else { "Male" },
                    "FirstName": person.first_name, "LastName": person.last_name,
                    "SecondLastName": null, "NationalityCode": person.nationality,
                    "PreferredLanguageCode": person.language, "LanguageCode": person.language,
                    "BirthDate": birth, "BirthPlace": null, "Occupation": null,
                    "Email": person.email, "HasOtaEmail": false, "Phone": person.phone,
                    "TaxIdentificationNumber": null,
                    "LoyaltyCode": loyal.then(|| format!("SB{:06}", number + 1)),
                    "AccountingCode": null, "Notes": notes, "CarRegistrationNumber": null,
                    "DietaryRequirements": null, "AddressId": null,
                    "Classifications": classifications, "Options": [], "CompanyId": null,
                    "MergeTargetId": null, "ActivityState": "Active", "IsActive": true,
                    "CreatedUtc": self.days_ago(days), "UpdatedUtc": self.days_ago(days.min(60)),
                }))
            })
            .collect()
    }

    fn reservations(&self, guests: &[Fields]) -> Vec<Fields> {
        if self.counts.rooms == 0 || guests.is_empty() {
            return Vec::new();
        }
        let mut sequence = self.sequence("reservations");
        let mut next: Vec<NaiveDate> = (0..self.counts.rooms)
            .map(|_| self.today - Days::new(20) + Days::new(sequence.below(8)))
            .collect();
        (0..self.counts.reservations)
            .map(|number| {
                // The room that is free first takes the next stay, so that no two overlap.
                let room = (0..next.len()).min_by_key(|room| next[*room]).unwrap_or(0);
                let arrival = next[room];
                let departure = arrival + Days::new(1 + sequence.below(6));
                next[room] = departure + Days::new(sequence.below(18));
                let guest = &guests[number * 7 % guests.len()];
                self.reservation(&mut sequence, number, room, (arrival, departure), guest)
            })
            .collect()
    }

    fn reservation(
        &self,
        sequence: &mut SplitMix,
        number: usize,
        room: usize,
        (arrival, departure): (NaiveDate, NaiveDate),
        guest: &Fields,
    ) -> Fields {
        let start = self.local(arrival, self.profile.check_in);
        let end = self.local(departure, self.profile.check_out);
        let (state, reason) = self.state(sequence, arrival, departure);
        let assigned = state != "Canceled" && (arrival <= self.today || sequence.below(3) == 0);
        let children = if sequence.below(5) == 0 { 1 } else { 0 };
        let mut persons =
            vec![json!({"AgeCategoryId": self.id("age", 0), "Count": 1 + sequence.below(2)})];
        if children > 0 {
            persons.push(json!({"AgeCategoryId": self.id("age", 1), "Count": children}));
        }
        let origin = *sequence.pick(&["Distributor", "ChannelManager", "Commander"]);
        let lead = i64::try_from(5 + sequence.below(60)).unwrap_or(30);
        let created = (start - TimeDelta::days(lead)).min(self.now - TimeDelta::days(1));
        let updated = match state {
            "Started" => start,
            "Processed" => end,
            _ => created,
        };
        fields(json!({
            "Id": self.id("reservation", number), "ServiceId": self.id("service", 0),
            "AccountId": guest.get("Id"), "AccountType": "Customer", "BookerId": null,
            "Number": (number + 10_001).to_string(), "State": state, "Origin": origin,
            "CommanderOrigin": (origin == "Commander").then_some("Phone"), "OriginDetails": null,
            "CancelledUtc": (state == "Canceled").then(|| stamp(created)),
            "CancellationReason": reason, "RateId": self.id("rate", number % 2),
            "GroupId": self.id("group", number),
            "RequestedResourceCategoryId": self.id("category", self.category_of(room)),
            "AssignedResourceId": assigned.then(|| self.id("room", room)),
            "AssignedResourceLocked": false,
            "ChannelNumber": (origin == "ChannelManager")
                .then(|| format!("CH{:07}", sequence.below(10_000_000))),
            "PartnerCompanyId": null, "TravelAgencyId": null, "ReleasedUtc": null,
            "ScheduledStartUtc": stamp(start),
            "ActualStartUtc": matches!(state, "Started" | "Processed").then(|| stamp(start)),
            "ScheduledEndUtc": stamp(end),
            "ActualEndUtc": (state == "Processed").then(|| stamp(end)),
            "StartUtc": stamp(start), "EndUtc": stamp(end),
            "Purpose": sequence.pick(&["Leisure", "Leisure", "Business"]),
            "PersonCounts": persons, "CreatedUtc": stamp(created),
            "UpdatedUtc": stamp(updated.min(self.now - TimeDelta::minutes(5))),
        }))
    }

    fn state(
        &self,
        sequence: &mut SplitMix,
        arrival: NaiveDate,
        departure: NaiveDate,
    ) -> (&'static str, Option<&'static str>) {
        let dice = sequence.below(100);
        if departure < self.today {
            match dice {
                0..5 => ("Canceled", Some("RequestedByGuest")),
                5..8 => ("Canceled", Some("NoShow")),
                _ => ("Processed", None),
            }
        } else if arrival < self.today {
            ("Started", None)
        } else {
            match dice {
                0..6 => ("Canceled", Some("RequestedByGuest")),
                6..12 => ("Optional", None),
                12..15 => ("Inquired", None),
                _ => ("Confirmed", None),
            }
        }
    }

    fn local(&self, day: NaiveDate, (hour, minute): (u32, u32)) -> DateTime<Utc> {
        let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN);
        let local = day.and_time(time);
        let start = self.zone.from_local_datetime(&local).earliest();
        start.map_or_else(|| local.and_utc(), |start| start.to_utc())
    }
}
