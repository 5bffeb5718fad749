use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    super::{Counts, HotelProfile, people::people, splitmix::SplitMix},
    state::{Booked, Booking, Fields, Hotel, Kept, Person, Sold, Tally, Tokens},
};

pub(super) fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// A guest of whom nothing is known, as `getGuest` writes one.
pub(super) fn blank_guest() -> Fields {
    fields(json!({
        "firstName": "", "lastName": "", "gender": "N/A", "email": "", "phone": "",
        "cellPhone": "", "country": "", "address": "", "address2": "", "city": "", "zip": "",
        "state": "", "birthDate": "", "documentType": "", "documentNumber": "",
        "documentIssueDate": "", "documentIssuingCountry": "", "documentExpirationDate": "",
        "customFields": [], "specialRequests": "", "taxID": "", "companyTaxID": "",
        "companyName": "", "isAnonymized": false, "guestOptIn": false, "isMerged": false,
        "newGuestID": "",
    }))
}

struct Seed<'a> {
    seed: u64,
    profile: &'a HotelProfile,
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
        let whole = Seed {
            seed,
            profile,
            today,
            now,
        };
        let sold = whole.sold();
        let rooms = whole.rooms(&sold, counts.rooms);
        let guests = whole.guests(counts.guests);
        let mut hotel = Self {
            seed,
            slug: profile.slug.clone(),
            port: None,
            property_id: whole.base("property", 300_000, 90_000).to_string(),
            zone: profile.time_zone.parse().unwrap_or(chrono_tz::UTC),
            currency: profile.currency.clone(),
            details: whole.details(),
            sold,
            rooms,
            guests,
            bookings: BTreeMap::new(),
            subscriptions: Vec::new(),
            tokens: Tokens::default(),
            made: 0,
            events: VecDeque::new(),
            event_number: 0,
            tally: Tally::default(),
        };
        hotel
            .details
            .insert("propertyID".to_owned(), json!(hotel.property_id));
        whole.bookings(&mut hotel, counts.reservations);
        hotel
    }
}

impl Seed<'_> {
    fn sequence(&self, purpose: &str) -> SplitMix {
        SplitMix::new(
            self.seed,
            &format!("{}/cloudbeds/{purpose}", self.profile.slug),
        )
    }

    /// The first of a row of ids.
    fn base(&self, purpose: &str, from: u64, among: u64) -> u64 {
        from + self.sequence(purpose).below(among)
    }

    fn details(&self) -> Fields {
        let profile = self.profile;
        let time = |(hour, minute): (u32, u32)| format!("{hour:02}:{minute:02}:00");
        let (latitude, longitude) = profile
            .geo
            .map_or((String::new(), String::new()), |(north, east)| {
                (north.to_string(), east.to_string())
            });
        let language = profile.language.split('-').next().unwrap_or("en");
        fields(json!({
            "organizationID": self.base("organization", 9_000, 900).to_string(),
            "propertyName": profile.name, "propertyType": "hotel", "propertyImage": [],
            "propertyDescription": "",
            "propertyCurrency": {"currencyCode": profile.currency, "currencySymbol": "",
                "currencyPosition": "before", "currencyDecimalSeparator": ".",
                "currencyThousandsSeparator": ","},
            "propertyPrimaryLanguage": language, "propertyAdditionalPhotos": [],
            "propertyPhone": profile.phone.clone().unwrap_or_default(),
            "propertyEmail": profile.email.clone().unwrap_or_default(),
            "propertyAddress": {"propertyAddress1": profile.line1, "propertyAddress2": "",
                "propertyCity": profile.city, "propertyState": "",
                "propertyZip": profile.postal_code, "propertyCountry": profile.country_code,
                "propertyLatitude": latitude, "propertyLongitude": longitude},
            "propertyPolicy": {"propertyCheckInTime": time(profile.check_in),
                "propertyCheckOutTime": time(profile.check_out),
                "propertyLateCheckOutAllowed": false},
            "propertyAmenities": [],
        }))
    }

    fn sold(&self) -> Vec<Sold> {
        let first = self.base("types", 650_000, 20_000);
        let rates = self.base("rates", 880_000, 20_000);
        let types = self.profile.room_types.iter().zip(0_u64..);
        types
            .map(|(kind, at)| Sold {
                id: (first + at).to_string(),
                rate_id: (rates + at).to_string(),
                name: kind.name.clone(),
                short: kind.short_name.clone(),
                persons: kind.capacity + kind.extra_capacity,
                price: kind.price,
            })
            .collect()
    }

    fn rooms(&self, sold: &[Sold], count: usize) -> BTreeMap<String, Kept<Fields>> {
        let types = &self.profile.room_types;
        let mut names: Vec<(usize, String)> = Vec::new();
        for (at, kind) in types.iter().enumerate() {
            names.extend(kind.rooms.iter().map(|name| (at, name.clone())));
        }
        if names.is_empty() && !types.is_empty() {
            names = (0..count)
                .map(|number| {
                    let kind = number * types.len() / count;
                    (kind, format!("{}{:02}", 1 + number / 10, 1 + number % 10))
                })
                .collect();
        }
        let mut sequence = self.sequence("rooms");
        let mut of_type = vec![0_usize; types.len()];
        let made = self.now - TimeDelta::days(400);
        names
            .into_iter()
            .filter_map(|(kind, name)| {
                let sold = sold.get(kind)?;
                let id = format!("{}-{}", sold.id, of_type[kind]);
                of_type[kind] += 1;
                let condition = *sequence.pick(&["clean", "clean", "dirty"]);
                let room = fields(json!({
                    "roomID": id, "roomName": name, "roomDescription": "",
                    "maxGuests": sold.persons, "isPrivate": true, "isVirtual": false,
                    "roomBlocked": false, "roomTypeID": sold.id, "roomTypeName": sold.name,
                    "roomTypeNameShort": sold.short, "roomCondition": condition,
                    "doNotDisturb": false, "refusedService": false, "vacantPickup": false,
                    "roomComments": "",
                }));
                Some((id, Kept::new(room, made)))
            })
            .collect()
    }

    fn guests(&self, count: usize) -> BTreeMap<String, Kept<Person>> {
        let first = self.base("guests", 159_000_000, 900_000);
        let mut sequence = self.sequence("people");
        people(&mut sequence, count)
            .into_iter()
            .zip(0_u64..)
            .map(|(person, at)| {
                let id = (first + at).to_string();
                let birth = self
                    .today
                    .checked_sub_days(Days::new(7_000 + sequence.below(18_000)));
                let mut fields = blank_guest();
                for (key, value) in [
                    ("firstName", json!(person.first_name)),
                    ("lastName", json!(person.last_name)),
                    ("gender", json!(if person.female { "F" } else { "M" })),
                    ("email", json!(person.email)),
                    ("phone", json!(person.phone.unwrap_or_default())),
                    ("country", json!(person.nationality)),
                    (
                        "zip",
                        json!(format!("{:05}", 10_000 + sequence.below(80_000))),
                    ),
                    ("birthDate", json!(birth)),
                ] {
                    fields.insert(key.to_owned(), value);
                }
                let days = 400 - i64::try_from(at % 340).unwrap_or(0);
                let person = Person {
                    id: id.clone(),
                    fields,
                    notes: Vec::new(),
                };
                (
                    id,
                    Kept::new(person, self.now - TimeDelta::days(days.min(60))),
                )
            })
            .collect()
    }

    fn bookings(&self, hotel: &mut Hotel, count: usize) {
        let rooms: Vec<(String, String)> = hotel
            .rooms
            .iter()
            .map(|(id, room)| (id.clone(), text(&room.now, "roomTypeID")))
            .collect();
        let guests: Vec<String> = hotel.guests.keys().cloned().collect();
        if rooms.is_empty() || guests.is_empty() {
            return;
        }
        let first = 7_061_304_400_000 + self.base("reservations", 0, 90_000);
        let mut sequence = self.sequence("stays");
        let mut next: Vec<NaiveDate> = (0..rooms.len())
            .map(|_| self.today - Days::new(20) + Days::new(sequence.below(8)))
            .collect();
        for number in 0..count {
            // The room that is free first takes the next stay, so that no two overlap.
            let at = (0..next.len()).min_by_key(|at| next[*at]).unwrap_or(0);
            let start = next[at];
            let end = start + Days::new(1 + sequence.below(6));
            next[at] = end + Days::new(sequence.below(18));
            let guest = guests[number * 7 % guests.len()].clone();
            let id = (first + number as u64).to_string();
            let booking = self.booking(&mut sequence, hotel, id, &rooms[at], (start, end), guest);
            let lead = i64::try_from(5 + sequence.below(60)).unwrap_or(30);
            let made = (start.and_time(chrono::NaiveTime::MIN).and_utc() - TimeDelta::days(lead))
                .min(self.now - TimeDelta::days(1));
            hotel
                .bookings
                .insert(booking.id.clone(), Kept::new(booking, made));
        }
    }

    fn booking(
        &self,
        sequence: &mut SplitMix,
        hotel: &Hotel,
        id: String,
        (room, room_type): &(String, String),
        (start, end): (NaiveDate, NaiveDate),
        guest: String,
    ) -> Booking {
        let status = self.status(sequence, start, end);
        let assigned = status != "canceled" && (start <= self.today || sequence.below(3) == 0);
        let (source_id, source) = *sequence.pick(&[
            ("s-1", "Website/Booking Engine"),
            ("ss-12-1", "Booking.com"),
            ("s-3", "Phone"),
        ]);
        let third_party = match source_id {
            "ss-12-1" => format!("BDC-{:07}", sequence.below(10_000_000)),
            _ => String::new(),
        };
        let room_status = match status {
            "checked_in" => "in_house",
            "checked_out" => "checked_out",
            "canceled" => "cancelled",
            _ => "not_checked_in",
        };
        Booking {
            status: status.to_owned(),
            deleted: false,
            cancelled: (status == "canceled").then_some(self.now - TimeDelta::days(2)),
            guest,
            others: Vec::new(),
            rooms: vec![Booked {
                sub: id.clone(),
                place: format!("{id}-1"),
                room_type: room_type.clone(),
                room: assigned.then(|| room.clone()),
                start,
                end,
                adults: 1 + i64::from(sequence.below(2) == 0),
                children: i64::from(sequence.below(5) == 0),
                night: hotel
                    .sold(room_type)
                    .map(|sold| sold.price)
                    .unwrap_or_default(),
                status: room_status.to_owned(),
            }],
            expected: (sequence.below(4) == 0).then(|| "17:30".to_owned()),
            source_id: source_id.to_owned(),
            source: source.to_owned(),
            third_party,
            notes: Vec::new(),
            extra: Fields::new(),
            id,
        }
    }

    fn status(&self, sequence: &mut SplitMix, start: NaiveDate, end: NaiveDate) -> &'static str {
        let dice = sequence.below(100);
        if end < self.today {
            match dice {
                0..5 => "canceled",
                5..8 => "no_show",
                _ => "checked_out",
            }
        } else if start < self.today {
            "checked_in"
        } else {
            match dice {
                0..6 => "canceled",
                6..14 => "not_confirmed",
                _ => "confirmed",
            }
        }
    }
}

/// A text of a record; blank where there is none.
pub(super) fn text(fields: &Fields, key: &str) -> String {
    let value = fields.get(key).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}
