use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use serde_json::{Map, Value, json};

use super::{
    super::{people::people, splitmix::SplitMix},
    seed::{Seed, fields},
    state::{Hotel, stamp},
};

type Fields = Map<String, Value>;

impl Hotel {
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
    pub(super) fn guests(&self) -> Vec<Fields> {
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

    pub(super) fn reservations(&self, guests: &[Fields]) -> Vec<Fields> {
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

    /// What guests who are yet to come asked for, and what the desk should know, at some stays.
    pub(super) fn notes(&self, reservations: &[Fields]) -> Vec<Fields> {
        const WORDS: [(&str, &str); 4] = [
            ("SpecialRequest", "A cot for the baby, please"),
            ("General", "Arrives by the night train, about 23:40"),
            ("ChannelManager", "Non-smoking room requested"),
            ("General", "Comes by car, needs a parking space"),
        ];
        let mut sequence = self.sequence("notes");
        reservations
            .iter()
            .filter(|booked| booked.get("State") == Some(&json!("Confirmed")))
            .enumerate()
            .filter_map(|(number, booked)| {
                let (word, text) = sequence.pick(&WORDS);
                let at = booked.get("UpdatedUtc");
                (sequence.below(4) == 0).then(|| {
                    fields(json!({
                        "Id": self.id("note", number), "OrderId": booked.get("Id"),
                        "Text": text, "Type": word, "CreatedUtc": at, "UpdatedUtc": at,
                    }))
                })
            })
            .collect()
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
