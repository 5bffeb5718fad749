//! Records in the shapes of Cloudbeds' calls.

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    seed::{fields, text},
    state::{Booked, Booking, Fields, Hotel, Kept, Person},
};

/// An amount as a number.
pub(super) fn amount(amount: Decimal) -> Value {
    serde_json::from_str(&amount.normalize().to_string()).unwrap_or_default()
}

fn nights(room: &Booked) -> Vec<NaiveDate> {
    let count = (room.end - room.start).num_days().clamp(1, 400);
    (0..count.unsigned_abs())
        .map(|night| room.start + Days::new(night))
        .collect()
}

/// A day where Cloudbeds writes a time.
fn midnight(day: Option<NaiveDate>) -> Option<String> {
    day.map(|day| format!("{day} 00:00:00"))
}

fn total_of(room: &Booked) -> Decimal {
    room.night * Decimal::from(nights(room).len())
}

impl Hotel {
    /// A list's names of a guest.
    pub(super) fn listed_guest(&self, person: &Person) -> Fields {
        const NAMES: [(&str, &str); 11] = [
            ("firstName", "guestFirstName"),
            ("lastName", "guestLastName"),
            ("gender", "guestGender"),
            ("email", "guestEmail"),
            ("phone", "guestPhone"),
            ("cellPhone", "guestCellPhone"),
            ("address2", "guestAddress2"),
            ("city", "guestCity"),
            ("state", "guestState"),
            ("country", "guestCountry"),
            ("zip", "guestZip"),
        ];
        let mut listed = Map::new();
        listed.insert("guestID".to_owned(), json!(person.id));
        for (name, listed_name) in NAMES {
            let value = person.fields.get(name).cloned().unwrap_or_default();
            listed.insert(listed_name.to_owned(), value);
        }
        listed
    }

    fn full_name(&self, id: &str) -> String {
        let person = self.guests.get(id).map(|kept| &kept.now.fields);
        person.map_or_else(String::new, |fields| {
            let name = format!("{} {}", text(fields, "firstName"), text(fields, "lastName"));
            name.trim().to_owned()
        })
    }

    fn guest_list(&self, booking: &Booking, stale: bool) -> Value {
        let ids = std::iter::once(&booking.guest).chain(&booking.others);
        let room = booking.rooms.first();
        let mut list = Map::new();
        for id in ids {
            let Some(kept) = self.guests.get(id) else {
                continue;
            };
            let person = kept.seen(stale);
            let mut listed = self.listed_guest(person);
            let assigned = room.is_some_and(|room| room.room.is_some());
            listed.extend(fields(json!({
                "guestAddress": text(&person.fields, "address"),
                "guestBirthdate": text(&person.fields, "birthDate"),
                "guestStatus": booking.status, "assignedRoom": assigned,
                "isAnonymized": person.fields.get("isAnonymized"),
                "roomID": room.and_then(|room| room.room.clone()),
                "isMainGuest": *id == booking.guest, "customFields": [],
            })));
            list.insert(id.clone(), Value::Object(listed));
        }
        // PHP writes an empty map as an empty list.
        if list.is_empty() {
            json!([])
        } else {
            Value::Object(list)
        }
    }

    fn assigned_room(&self, room: &Booked) -> Value {
        let sold = self.sold(&room.room_type);
        let rates: Vec<Value> = nights(room)
            .into_iter()
            .map(|night| json!({"date": night, "rate": amount(room.night)}))
            .collect();
        let mut shape = json!({
            "reservationRoomID": room.place, "roomTypeName": sold.map(|sold| sold.name.clone()),
            "roomTypeIsVirtual": false, "roomTypeID": room.room_type,
            "subReservationID": room.sub, "isRoomLocked": false, "startDate": room.start,
            "endDate": room.end, "adults": room.adults.to_string(),
            "children": room.children.to_string(), "dailyRates": rates,
            "roomTotal": format!("{:.2}", total_of(room)),
        });
        if let Some(id) = &room.room {
            shape["roomTypeNameShort"] = json!(sold.map(|sold| sold.short.clone()));
            shape["roomID"] = json!(id);
            let name = self.rooms.get(id).map(|kept| text(&kept.now, "roomName"));
            shape["roomName"] = json!(name.unwrap_or_default());
        }
        shape
    }

    fn balance(&self, total: Decimal) -> Value {
        json!({"suggestedDeposit": "0.00", "subTotal": amount(total), "additionalItems": 0,
            "taxesFees": 0, "grandTotal": amount(total), "paid": 0})
    }

    /// `getReservation`'s data.
    pub(super) fn reservation(&self, kept: &Kept<Booking>, stale: bool) -> Value {
        let booking = kept.seen(stale);
        let total: Decimal = booking.rooms.iter().map(total_of).sum();
        let part = |assigned: bool| -> Vec<Value> {
            let rooms = booking.rooms.iter();
            rooms
                .filter(|room| room.room.is_some() == assigned)
                .map(|room| self.assigned_room(room))
                .collect()
        };
        let person = self.guests.get(&booking.guest).map(|kept| &kept.now.fields);
        let mut shape = fields(json!({
            "propertyID": self.property_id, "guestName": self.full_name(&booking.guest),
            "guestEmail": person.map(|fields| text(fields, "email")).unwrap_or_default(),
            "isAnonymized": person.and_then(|fields| fields.get("isAnonymized")) == Some(&json!(true)),
            "guestList": self.guest_list(booking, stale), "reservationID": booking.id,
            "dateCreated": self.local(kept.created), "dateModified": self.local(kept.modified),
            "estimatedArrivalTime": booking.expected.clone().unwrap_or_default(),
            "source": booking.source, "sourceID": booking.source_id,
            "thirdPartyIdentifier": booking.third_party, "status": booking.status,
            "total": amount(total), "balance": amount(total),
            "balanceDetailed": self.balance(total), "assigned": part(true),
            "unassigned": part(false), "cardsOnFile": [], "customFields": [],
            "startDate": booking.start(), "endDate": booking.end(), "allotmentBlockCode": null,
            "groupInventory": [],
        }));
        shape.extend(booking.extra.clone());
        Value::Object(shape)
    }

    fn list_room(&self, booking: &Booking, room: &Booked) -> Fields {
        let sold = self.sold(&room.room_type);
        let mut shape = fields(json!({
            "roomTypeID": room.room_type, "roomTypeName": sold.map(|sold| sold.name.clone()),
            "roomTypeIsVirtual": false, "subReservationID": room.sub, "isRoomLocked": false,
            "guestID": booking.guest, "guestName": self.full_name(&booking.guest),
            "adults": room.adults.to_string(), "children": room.children.to_string(),
            "reservationRoomID": room.place, "roomCheckIn": room.start, "roomCheckOut": room.end,
            "roomStatus": room.status,
        }));
        // By text, `roomID` is null where none is assigned; the schema has no null there.
        if let Some(id) = &room.room {
            let name = self.rooms.get(id).map(|kept| text(&kept.now, "roomName"));
            shape.insert("roomID".to_owned(), json!(id));
            shape.insert("roomName".to_owned(), json!(name));
        }
        shape
    }

    /// A line of `getReservations`.
    pub(super) fn reservation_line(
        &self,
        kept: &Kept<Booking>,
        stale: bool,
        rooms: bool,
        guests: bool,
    ) -> Value {
        let booking = kept.seen(stale);
        let sum = |count: fn(&Booked) -> i64| booking.rooms.iter().map(count).sum::<i64>();
        let total: Decimal = booking.rooms.iter().map(total_of).sum();
        let mut shape = fields(json!({
            "propertyID": self.property_id, "reservationID": booking.id,
            "dateCreated": self.local(kept.created), "dateModified": self.local(kept.modified),
            "status": booking.status, "guestID": booking.guest, "profileID": booking.guest,
            "guestName": self.full_name(&booking.guest), "startDate": booking.start(),
            "endDate": booking.end(), "allotmentBlockCode": null, "groupCode": null,
            "adults": sum(|room| room.adults).to_string(),
            "children": sum(|room| room.children).to_string(), "balance": amount(total),
            "sourceName": booking.source, "sourceID": booking.source_id,
            "thirdPartyIdentifier": booking.third_party, "origin": booking.source,
        }));
        if rooms {
            let rooms = booking
                .rooms
                .iter()
                .map(|room| self.list_room(booking, room));
            shape.insert("rooms".to_owned(), rooms.collect());
        }
        if guests {
            shape.insert("guestList".to_owned(), self.guest_list(booking, stale));
        }
        shape.extend(booking.extra.clone());
        Value::Object(shape)
    }

    /// A line of `getReservationsWithRateDetails`.
    pub(super) fn detailed_line(&self, kept: &Kept<Booking>, stale: bool) -> Value {
        let booking = kept.seen(stale);
        let total: Decimal = booking.rooms.iter().map(total_of).sum();
        let utc =
            |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%d %H:%M:%S").to_string();
        let person = self.guests.get(&booking.guest).map(|kept| &kept.now.fields);
        let collect = if booking.source_id.starts_with("ss-") {
            "collect"
        } else {
            "hotel"
        };
        let mut by_night = Map::new();
        let rooms: Vec<Value> = booking
            .rooms
            .iter()
            .map(|room| {
                let mut shape = self.list_room(booking, room);
                let sold = self.sold(&room.room_type);
                let rates: Fields = nights(room)
                    .into_iter()
                    .map(|night| (night.to_string(), amount(room.night)))
                    .collect();
                by_night.extend(rates.clone());
                shape.insert(
                    "rateID".to_owned(),
                    json!(sold.map(|sold| sold.rate_id.clone())),
                );
                shape.insert("rateName".to_owned(), json!("Flexible"));
                shape.insert("detailedRoomRates".to_owned(), Value::Object(rates));
                Value::Object(shape)
            })
            .collect();
        let mut shape = fields(json!({
            "propertyID": self.property_id, "reservationID": booking.id,
            "isDeleted": booking.deleted, "dateCreated": self.local(kept.created),
            "dateCreatedUTC": utc(kept.created), "dateModified": self.local(kept.modified),
            "dateModifiedUTC": utc(kept.modified), "status": booking.status,
            "reservationCheckIn": midnight(booking.start()),
            "reservationCheckOut": midnight(booking.end()),
            "guestID": booking.guest, "profileID": booking.guest,
            "guestCountry": person.map(|fields| text(fields, "country")).unwrap_or_default(),
            "sourceName": booking.source,
            "source": {"name": booking.source, "paymentCollect": collect,
                "sourceID": booking.source_id, "category": "direct"},
            "sourceCategory": "direct", "sourceReservationID": booking.third_party,
            "propertyCurrency": self.currency, "balanceDetailed": self.balance(total),
            "detailedRates": by_night, "rooms": rooms, "origin": booking.source,
            "thirdPartyIdentifier": booking.third_party, "customFields": [],
            "estimatedArrivalTime": booking.expected.clone().unwrap_or_default(),
            "total": amount(total), "balance": amount(total),
        }));
        if let Some(cancelled) = booking.cancelled.filter(|_| booking.status == "canceled") {
            shape.insert("dateCancelled".to_owned(), json!(self.local(cancelled)));
            shape.insert("dateCancelledUTC".to_owned(), json!(utc(cancelled)));
        }
        shape.extend(booking.extra.clone());
        Value::Object(shape)
    }

    /// A guest as `getGuest` writes one.
    pub(super) fn guest(&self, kept: &Kept<Person>, stale: bool) -> Value {
        Value::Object(kept.seen(stale).fields.clone())
    }

    /// A line of `getGuestList`.
    pub(super) fn guest_line(&self, kept: &Kept<Person>, stale: bool, whole: bool) -> Value {
        let person = kept.seen(stale);
        let stays = self.bookings.values().map(|kept| &kept.now);
        let mut stay = stays
            .filter(|booking| booking.guest == person.id || booking.others.contains(&person.id));
        let stay = stay.next_back();
        let flag = |key: &str| person.fields.get(key) == Some(&json!(true));
        let mut shape = fields(json!({
            "reservationID": stay.map(|stay| stay.id.clone()).unwrap_or_default(),
            "guestName": self.full_name(&person.id), "guestEmail": text(&person.fields, "email"),
            "guestID": person.id, "dateCreated": self.local(kept.created),
            "dateModified": self.local(kept.modified),
            "isMainGuest": stay.is_none_or(|stay| stay.guest == person.id),
            "isAnonymized": flag("isAnonymized"),
        }));
        if whole {
            shape.extend(self.listed_guest(person));
            let birth = text(&person.fields, "birthDate");
            let notes: Vec<Value> = person
                .notes
                .iter()
                .map(|note| json!({"ID": note.get("guestNoteID"), "note": note.get("guestNote")}))
                .collect();
            shape.extend(fields(json!({
                "guestAddress1": text(&person.fields, "address"),
                "guestBirthDate": (!birth.is_empty()).then_some(birth),
                "taxID": text(&person.fields, "taxID"), "guestOptIn": flag("guestOptIn"),
                "guestNotes": notes, "isMerged": flag("isMerged"),
                "newGuestID": text(&person.fields, "newGuestID"),
            })));
            // What a test wrote beside.
            let known = super::seed::blank_guest();
            let beside = person
                .fields
                .iter()
                .filter(|(key, _)| !known.contains_key(*key));
            shape.extend(beside.map(|(key, value)| (key.clone(), value.clone())));
        }
        Value::Object(shape)
    }

    /// A room as `getRooms` writes one.
    pub(super) fn room(&self, room: &Fields) -> Value {
        let mut shape = room.clone();
        for key in [
            "roomCondition",
            "doNotDisturb",
            "refusedService",
            "vacantPickup",
            "roomComments",
        ] {
            shape.remove(key);
        }
        Value::Object(shape)
    }

    /// A room as `getHousekeepingStatus` writes one on this day.
    pub(super) fn housekeeping(&self, room: &Fields, today: NaiveDate) -> Value {
        let id = text(room, "roomID");
        let mut stays = self.bookings.values().map(|kept| &kept.now);
        let occupied = stays.any(|booking| {
            booking.status == "checked_in"
                && booking
                    .rooms
                    .iter()
                    .any(|booked| booked.room.as_deref() == Some(&id))
        });
        let mut shape = fields(json!({
            "date": today, "roomOccupied": occupied,
            "frontdeskStatus": if occupied { "stayover" } else { "unused" },
            "housekeeperID": "", "housekeeper": "",
        }));
        for key in [
            "roomTypeID",
            "roomTypeName",
            "roomID",
            "roomName",
            "roomCondition",
            "roomBlocked",
            "doNotDisturb",
            "refusedService",
            "vacantPickup",
            "roomComments",
        ] {
            shape.insert(key.to_owned(), room.get(key).cloned().unwrap_or_default());
        }
        Value::Object(shape)
    }
}
