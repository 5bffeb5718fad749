use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    api::Refusal,
    state::{Hotel, Kept, day},
};

/// What a write answers: its body, and where what it made is.
pub(super) type Done = Result<(Value, Option<String>), Refusal>;

/// Who writes, and when.
#[derive(Clone, Copy)]
pub(super) struct Writer {
    pub(super) now: DateTime<Utc>,
    /// Whether it is the external system that events are for, which is not told of its own writes.
    pub(super) is_own: bool,
}

pub(super) fn invalid(why: &str) -> Refusal {
    Refusal::invalid(why.to_owned())
}

impl Writer {
    /// Changes a reservation and tells of it. False if there is no such one.
    pub(super) fn booking(self, hotel: &mut Hotel, id: &str, now: Value, action: &str) -> bool {
        let Some(kept) = hotel.bookings.get_mut(id) else {
            return false;
        };
        if kept.change(now, self.now) && !self.is_own {
            hotel.tell("Reservation", action, id, self.now);
        }
        true
    }

    pub(super) fn profile(self, hotel: &mut Hotel, id: &str, now: Value) -> bool {
        let Some(kept) = hotel.profiles.get_mut(id) else {
            return false;
        };
        if kept.change(now, self.now) && !self.is_own {
            hotel.tell("Profile", "UPDATE PROFILE", id, self.now);
        }
        true
    }

    pub(super) fn room(self, hotel: &mut Hotel, id: &str, now: Value) -> bool {
        let Some(kept) = hotel.rooms.get_mut(id) else {
            return false;
        };
        if kept.change(now, self.now) && !self.is_own {
            hotel.tell("Housekeeping", "ROOM STATUS CHANGED", id, self.now);
        }
        true
    }

    pub(super) fn put_reservation(self, hotel: &mut Hotel, id: &str, body: &Value) -> Done {
        let change = &body["reservations"][0];
        let kept = hotel.bookings.get(id).ok_or_else(Refusal::missing)?;
        let mut booking = kept.now.clone();
        let stay = &change["roomStay"];
        let rate = &stay["roomRates"][0];
        for key in ["arrivalDate", "departureDate", "expectedTimes"] {
            if !stay[key].is_null() {
                booking["roomStay"][key] = stay[key].clone();
            }
        }
        for (key, count) in [("adultCount", "adults"), ("childCount", "children")] {
            let counted = &stay["guestCounts"][count];
            if counted.as_i64().is_some_and(|count| count < 0) {
                return Err(invalid("Guest counts must not be negative"));
            }
            if !counted.is_null() {
                booking["roomStay"][key] = counted.clone();
            }
        }
        if let Some(code) = rate["roomType"].as_str() {
            if !hotel.has_room_type(code) {
                return Err(invalid("Room type is not in the list of values"));
            }
            if booking["roomStay"]["roomType"] != code {
                booking["roomStay"]["roomType"] = json!(code);
                if let Value::Object(stay) = &mut booking["roomStay"] {
                    stay.remove("roomId");
                }
            }
        }
        let days = (
            day(&booking["roomStay"]["arrivalDate"]),
            day(&booking["roomStay"]["departureDate"]),
        );
        if days.0.is_none() || days.1 < days.0 {
            return Err(invalid("Departure date must not be before arrival date"));
        }
        let stays = booking["reservationStatus"].as_str();
        if matches!(stays, Some("Cancelled" | "NoShow" | "CheckedOut")) {
            return Err(invalid("Reservation cannot be changed in its status"));
        }
        if booking["roomStay"]["roomTypeCharged"] != rate["roomTypeCharged"]
            || !rate["rates"].is_null()
        {
            hotel.tally.reprices += 1;
        }
        if body["reservationNotification"] != false {
            hotel.tally.letters_sent += 1;
        }
        self.booking(hotel, id, booking, "UPDATE RESERVATION");
        let kept = hotel.bookings.get(id).ok_or_else(Refusal::missing)?;
        let shown = hotel.detailed(kept, false, self.now);
        Ok((json!({"reservations": {"reservation": [shown]}}), None))
    }

    pub(super) fn assign_room(self, hotel: &mut Hotel, id: &str, body: &Value) -> Done {
        let criteria = &body["criteria"];
        let number = criteria["roomId"].as_str().unwrap_or_default();
        let kept = hotel.bookings.get(id).ok_or_else(Refusal::missing)?;
        let mut booking = kept.now.clone();
        let room = hotel
            .rooms
            .get(number)
            .ok_or_else(|| invalid("Room is unknown"))?;
        let code = room.now["roomType"]["roomType"].clone();
        let span = |stay: &Value| (day(&stay["arrivalDate"]), day(&stay["departureDate"]));
        let (from, to) = span(&booking["roomStay"]);
        let taken = hotel.bookings.iter().any(|(other, kept)| {
            let (start, end) = span(&kept.now["roomStay"]);
            let stands = kept.now["reservationStatus"].as_str();
            other != id
                && kept.now["roomStay"]["roomId"] == number
                && matches!(stands, Some("Reserved" | "InHouse" | "Waitlisted"))
                && start < to
                && from < end
        });
        if taken {
            return Err(invalid(
                "Room is not available for the dates of the reservation",
            ));
        }
        if criteria["updateRoomTypeCharged"] == true {
            booking["roomStay"]["roomTypeCharged"] = code.clone();
            hotel.tally.reprices += 1;
        }
        booking["roomStay"]["roomId"] = json!(number);
        booking["roomStay"]["roomType"] = code;
        self.booking(hotel, id, booking, "ROOM ASSIGNED");
        let at = format!("/fof/v1/hotels/{}/reservations/{id}", hotel.hotel_id);
        Ok((json!({}), Some(at)))
    }

    pub(super) fn room_status(self, hotel: &mut Hotel, body: &Value) -> Done {
        let word = body["housekeepingRoomStatus"].as_str().unwrap_or_default();
        if !["Clean", "Dirty", "Pickup", "Inspected"].contains(&word) {
            return Err(invalid("Room status is not in the list of values"));
        }
        let rooms: Vec<String> = body["roomList"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|room| Some(room["roomId"].as_str()?.to_owned()))
            .collect();
        for id in &rooms {
            let kept = hotel
                .rooms
                .get(id)
                .ok_or_else(|| invalid("Room is unknown"))?;
            let mut room = kept.now.clone();
            let status = &mut room["housekeeping"]["housekeepingRoomStatus"];
            let blocked = status["housekeepingRoomStatus"].as_str();
            if matches!(blocked, Some("OutOfOrder" | "OutOfService")) {
                return Err(invalid("Room is out of order or of service"));
            }
            status["housekeepingRoomStatus"] = json!(word);
            self.room(hotel, id, room);
        }
        match rooms.is_empty() {
            true => Err(invalid("Room list is empty")),
            false => Ok((json!({}), None)),
        }
    }

    pub(super) fn put_profile(self, hotel: &mut Hotel, id: &str, body: &Value) -> Done {
        let kept = hotel.profiles.get(id).ok_or_else(Refusal::missing)?;
        let mut profile = kept.now.clone();
        merge_profile(&mut profile, &body["profileDetails"]);
        self.profile(hotel, id, profile);
        let shown = hotel.profile(id, false, "profileDetails");
        Ok((shown.unwrap_or_default(), None))
    }

    pub(super) fn post_profile(self, hotel: &mut Hotel, body: &Value) -> Done {
        let mut profile = body["profileDetails"].clone();
        if !profile["customer"]["personName"][0]["surname"].is_string() {
            return Err(invalid("Last name is required"));
        }
        let id = (800_000 + hotel.number()).to_string();
        for (list, element) in [("emails", "emailInfo"), ("telephones", "telephoneInfo")] {
            let items = profile.get_mut(list).and_then(|list| list.get_mut(element));
            let items = items.and_then(Value::as_array_mut);
            for item in items.into_iter().flatten() {
                item["id"] = json!((8_000_000 + hotel.number()).to_string());
                item["type"] = json!("Communication");
            }
        }
        hotel
            .profiles
            .insert(id.clone(), Kept::new(profile, self.now));
        if !self.is_own {
            hotel.tell("Profile", "NEW PROFILE", &id, self.now);
        }
        Ok((json!({}), Some(format!("/crm/v1/profiles/{id}"))))
    }
}

/// Takes what is sent: objects key by key, lists of addresses by the ids of their elements, other
/// lists whole.
pub(super) fn merge_profile(into: &mut Value, sent: &Value) {
    let (Value::Object(known), Value::Object(fields)) = (&mut *into, sent) else {
        *into = sent.clone();
        return;
    };
    for (key, value) in fields {
        let place = known.entry(key.clone()).or_insert_with(|| json!({}));
        match (&mut *place, value) {
            (Value::Array(items), Value::Array(sent)) if key.ends_with("Info") => {
                for element in sent {
                    let same = |item: &&mut Value| {
                        element["id"].is_string() && item["id"] == element["id"]
                    };
                    match items.iter_mut().find(same) {
                        Some(item) => merge_profile(item, element),
                        None => items.push(element.clone()),
                    }
                }
            }
            (Value::Object(_), Value::Object(_)) => merge_profile(place, value),
            _ => *place = value.clone(),
        }
    }
}

/// Takes what a test writes: objects key by key, the rest as it is. Names of the flat list may stand
/// at the top.
pub(super) fn merge(into: &mut Value, fields: &Map<String, Value>) {
    if let Value::Object(known) = into {
        for (key, value) in fields {
            match (known.get_mut(key), value) {
                (Some(place @ Value::Object(_)), Value::Object(inner)) => merge(place, inner),
                (_, Value::Null) => {
                    known.remove(key);
                }
                _ => {
                    known.insert(key.clone(), value.clone());
                }
            }
        }
    }
}
