use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::{
    super::{HotelProfile, people::people, splitmix::SplitMix},
    OperaOptions,
    state::{Hotel, Kept, Tally},
};

struct Seed<'a> {
    options: &'a OperaOptions,
    profile: &'a HotelProfile,
    today: NaiveDate,
    now: DateTime<Utc>,
}

impl Hotel {
    /// A hotel whose ids follow from seed and slug alone, and whose stays lie around today: some
    /// guests are in house, some arrive, some are gone.
    pub(super) fn seeded(options: &OperaOptions, today: NaiveDate, now: DateTime<Utc>) -> Self {
        let seed = Seed {
            options,
            profile: &options.hotel,
            today,
            now,
        };
        let mut hotel = Self {
            seed: options.seed,
            slug: options.hotel.slug.clone(),
            port: None,
            hotel_id: options.hotel_id.clone(),
            zone: options.hotel.time_zone.parse().unwrap_or(chrono_tz::UTC),
            config: seed.config(),
            room_types: seed.room_types(),
            rooms: seed.rooms(),
            profiles: seed.profiles(),
            bookings: BTreeMap::new(),
            events: VecDeque::new(),
            streamed: VecDeque::new(),
            messages: Vec::new(),
            service_requests: Vec::new(),
            made: 0,
            token: None,
            tally: Tally::default(),
        };
        hotel.bookings = seed.bookings(&hotel);
        hotel
    }
}

impl Seed<'_> {
    fn sequence(&self, purpose: &str) -> SplitMix {
        let name = format!("{}/opera/{purpose}", self.profile.slug);
        SplitMix::new(self.options.seed, &name)
    }

    /// The first of a row of ids.
    fn base(&self, purpose: &str, from: u64) -> u64 {
        from + self.sequence(purpose).below(90_000)
    }

    fn config(&self) -> Value {
        let profile = self.profile;
        let time = |(hour, minute): (u32, u32)| format!("2020-01-01 {hour:02}:{minute:02}:00.0");
        let mut config = json!({
            "hotelId": self.options.hotel_id, "hotelName": profile.name, "chainCode": "SAND",
            "generalInformation": {"checkInTime": time(profile.check_in),
                "checkOutTime": time(profile.check_out), "baseLanguage": "E"},
            "propertyControls": {"currencyFormatting": {"currencyCode": profile.currency},
                "dateTimeFormatting": {"timeZoneRegion": profile.time_zone}},
            "address": {"addressLine": [profile.line1, "", "", ""], "cityName": profile.city,
                "postalCode": profile.postal_code, "country": {"code": profile.country_code}},
            "communication": {},
        });
        if let Some((north, east)) = profile.geo {
            config["generalInformation"]["latitude"] = json!(north);
            config["generalInformation"]["longitude"] = json!(east);
        }
        if let Some(email) = &profile.email {
            config["communication"]["emailAddress"] = json!(email);
        }
        if let Some(phone) = &profile.phone {
            config["communication"]["phoneNumber"] = json!({"phoneNumber": phone});
        }
        if let Some(site) = &profile.website {
            config["communication"]["webPage"] = json!({"value": site});
        }
        config
    }

    fn room_types(&self) -> Vec<Value> {
        let mut kinds: Vec<Value> = self
            .profile
            .room_types
            .iter()
            .zip(1..)
            .map(|(kind, at)| {
                json!({
                    "roomType": kind.short_name, "roomClass": kind.kind.to_uppercase(),
                    "shortDescription": {"defaultText": kind.name}, "pseudo": false,
                    "maximumOccupancy": kind.capacity + kind.extra_capacity, "sellSequence": at,
                    "inactive": false, "managedBy": "PropertyManaged",
                })
            })
            .collect();
        kinds.push(
            json!({"roomType": "PM", "roomClass": "PSE", "pseudo": true, "inactive": false,
            "shortDescription": {"defaultText": "Posting Master"}}),
        );
        kinds
    }

    fn rooms(&self) -> BTreeMap<String, Kept> {
        let kinds = &self.profile.room_types;
        let count = self.options.counts.rooms;
        let mut names: Vec<(usize, String)> = Vec::new();
        for (at, kind) in kinds.iter().enumerate() {
            names.extend(kind.rooms.iter().map(|name| (at, name.clone())));
        }
        if names.is_empty() && !kinds.is_empty() {
            names = (0..count)
                .map(|number| {
                    let kind = number * kinds.len() / count;
                    (kind, format!("{}{:02}", 1 + number / 10, 1 + number % 10))
                })
                .collect();
        }
        let mut sequence = self.sequence("rooms");
        let made = self.now - TimeDelta::days(400);
        names
            .into_iter()
            .filter_map(|(at, name)| {
                let kind = kinds.get(at)?;
                let word = *sequence.pick(&["Clean", "Clean", "Inspected", "Dirty"]);
                let floor = name.get(..name.len().saturating_sub(2)).unwrap_or_default();
                let room = json!({
                    "roomId": name, "floor": floor, "maximumOccupancy": kind.capacity,
                    "roomType": {"roomType": kind.short_name, "pseudo": false,
                        "roomClass": kind.kind.to_uppercase()},
                    "housekeeping": {"housekeepingRoomStatus": {"housekeepingRoomStatus": word,
                        "frontOfficeStatus": "Vacant", "housekeepingStatus": "Vacant"}},
                });
                Some((name, Kept::new(room, made)))
            })
            .collect()
    }

    fn profiles(&self) -> BTreeMap<String, Kept> {
        let first = self.base("profiles", 600_000);
        let mut sequence = self.sequence("people");
        people(&mut sequence, self.options.counts.guests)
            .into_iter()
            .zip(0_u64..)
            .map(|(person, at)| {
                let id = first + at;
                let days = Days::new(7_000 + sequence.below(18_000));
                let mut profile = json!({
                    "customer": {
                        "personName": [{"givenName": person.first_name, "surname": person.last_name,
                            "nameTitle": if person.female { "Ms" } else { "Mr" },
                            "nameType": "Primary", "language": "E"}],
                        "language": "E", "nationality": person.nationality,
                        "birthDate": self.today.checked_sub_days(days),
                    },
                    "emails": {"emailInfo": [{"id": (id * 10 + 1).to_string(), "type": "Communication",
                        "email": {"emailAddress": person.email, "type": "EMAIL", "primaryInd": true}}]},
                    "profileType": "Guest", "statusCode": "Active",
                });
                if let Some(phone) = person.phone {
                    profile["telephones"] = json!({"telephoneInfo": [{
                        "id": (id * 10 + 2).to_string(), "type": "Communication",
                        "telephone": {"phoneTechType": "PHONE", "phoneUseType": "MOBILE",
                            "phoneNumber": phone, "primaryInd": true}}]});
                }
                let made = self.now - TimeDelta::days(90);
                (id.to_string(), Kept::new(profile, made))
            })
            .collect()
    }

    fn bookings(&self, hotel: &Hotel) -> BTreeMap<String, Kept> {
        let rooms: Vec<&Value> = hotel.rooms.values().map(|room| &room.now).collect();
        let guests: Vec<&String> = hotel.profiles.keys().collect();
        if rooms.is_empty() || guests.is_empty() {
            return BTreeMap::new();
        }
        let first = self.base("reservations", 571_000);
        let mut sequence = self.sequence("stays");
        let mut next: Vec<NaiveDate> = (0..rooms.len())
            .map(|_| self.today - Days::new(20) + Days::new(sequence.below(8)))
            .collect();
        (0..self.options.counts.reservations)
            .map(|number| {
                // The room that is free first takes the next stay, so that no two overlap.
                let at = (0..next.len()).min_by_key(|at| next[*at]).unwrap_or(0);
                let start = next[at];
                let end = start + Days::new(1 + sequence.below(6));
                next[at] = end + Days::new(sequence.below(18));
                let id = first + number as u64;
                let guest = guests[number * 7 % guests.len()];
                let booking = self.booking(&mut sequence, id, rooms[at], (start, end), guest);
                (
                    id.to_string(),
                    Kept::new(booking, self.now - TimeDelta::days(2)),
                )
            })
            .collect()
    }

    fn booking(
        &self,
        sequence: &mut SplitMix,
        id: u64,
        room: &Value,
        (start, end): (NaiveDate, NaiveDate),
        guest: &str,
    ) -> Value {
        let status = self.status(sequence, start, end);
        let assigned = status != "Cancelled" && (start <= self.today || sequence.below(3) == 0);
        let code = &room["roomType"]["roomType"];
        let kinds = &self.profile.room_types;
        let kind = kinds.iter().find(|kind| code == kind.short_name.as_str());
        let price = kind
            .and_then(|kind| kind.price.to_f64())
            .unwrap_or_default();
        let nights = i32::try_from((end - start).num_days()).unwrap_or(1);
        let currency = &self.profile.currency;
        let money = |amount: f64| json!({"amount": amount, "currencyCode": currency});
        let source = *sequence.pick(&["WEB", "OTA", "PHONE"]);
        let mut booking = json!({
            "reservationIdList": [{"id": id.to_string(), "type": "Reservation"},
                {"id": (id + 242_533).to_string(), "type": "Confirmation"}],
            "roomStay": {
                "arrivalDate": start, "departureDate": end,
                "adultCount": 1 + i64::from(sequence.below(2) == 0),
                "childCount": i64::from(sequence.below(5) == 0),
                "roomType": code, "roomTypeCharged": code, "numberOfRooms": 1,
                "ratePlanCode": "DFLEX", "rateAmount": money(price),
                "totalAmount": money(price * f64::from(nights)), "marketCode": "LEISURE",
                "sourceCode": source, "guarantee": {"guaranteeCode": "6PM", "onHold": false},
            },
            "reservationGuest": {"id": guest, "type": "Profile", "nameType": "Guest"},
            "hotelId": self.options.hotel_id, "reservationStatus": status,
            "walkInIndicator": false, "paymentMethod": "CA", "preRegistered": false,
        });
        if source == "OTA" {
            let number = format!("OTA-{:07}", sequence.below(10_000_000));
            booking["externalReferences"] = json!([{"id": number, "idContext": "OTA"}]);
        }
        if assigned {
            booking["roomStay"]["roomId"] = room["roomId"].clone();
        }
        if sequence.below(4) == 0 {
            let time = format!("{start} 17:30:00.0");
            booking["roomStay"]["expectedTimes"] = json!({"reservationExpectedArrivalTime": time});
        }
        booking
    }

    fn status(&self, sequence: &mut SplitMix, start: NaiveDate, end: NaiveDate) -> &'static str {
        let dice = sequence.below(100);
        if end < self.today {
            match dice {
                0..5 => "Cancelled",
                5..8 => "NoShow",
                _ => "CheckedOut",
            }
        } else if start < self.today {
            "InHouse"
        } else {
            match dice {
                0..6 => "Cancelled",
                6..14 => "Waitlisted",
                _ => "Reserved",
            }
        }
    }
}
