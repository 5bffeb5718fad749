//! What is done at the desk: cancelling, checking in and out, notes for guests, service requests, and
//! what can be sold.

use chrono::{Days, NaiveDate};
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::{
    super::HotelProfile,
    api::{Answer, Refusal},
    read::Reader,
    state::{Hotel, day},
    write::{Done, Writer, invalid},
};

/// The hotel's list of reasons.
const REASONS: [&str; 2] = ["PLANS", "ILLNESS"];

/// The hotel's list of services.
const SERVICES: [&str; 3] = ["TOWEL", "MIN", "TAXI"];

/// What is added to a price.
const TAX: f64 = 0.06;

impl Writer {
    pub(super) fn cancel(self, hotel: &mut Hotel, id: &str, body: &Value) -> Done {
        let kept = hotel.bookings.get(id).ok_or_else(Refusal::missing)?;
        let mut booking = kept.now.clone();
        let stands = booking["reservationStatus"].as_str();
        if !matches!(stands, Some("Reserved" | "Requested" | "Waitlisted")) {
            return Err(invalid("Reservation cannot be cancelled in its status"));
        }
        let reason = body["reason"]["code"].as_str().unwrap_or_default();
        if !REASONS.contains(&reason) {
            return Err(invalid("Cancellation reason is not in the list of values"));
        }
        if body["reservations"][0]["reservationIdList"][0]["id"] != id {
            return Err(invalid(
                "Reservation of the body is not that of the address",
            ));
        }
        let number = (700_000 + hotel.number()).to_string();
        if body["verificationOnly"] != true {
            booking["reservationStatus"] = json!("Cancelled");
            if let Value::Object(stay) = &mut booking["roomStay"] {
                stay.remove("roomId");
            }
            self.booking(hotel, id, booking, "CANCEL RESERVATION");
        }
        let log = json!({"cxlActivityLog": [{"reason": {"code": reason},
            "cancellationIdList": [{"id": number, "type": "Cancellation"}]}]});
        Ok((log, Some(self.at(hotel, id))))
    }

    pub(super) fn check_in(self, hotel: &mut Hotel, id: &str, body: &Value) -> Done {
        let kept = hotel.bookings.get(id).ok_or_else(Refusal::missing)?;
        let mut booking = hotel.listed(kept, false, self.now);
        if booking["computedReservationStatus"] != "DueIn" {
            return Err(invalid(
                "Reservation is not due to arrive on the business date",
            ));
        }
        booking.clone_from(&kept.now);
        let asked = &body["reservation"];
        let number = asked["roomId"].as_str().unwrap_or_default().to_owned();
        let room = hotel
            .rooms
            .get(&number)
            .ok_or_else(|| invalid("Room is unknown"))?;
        let mut room = room.now.clone();
        let status = &mut room["housekeeping"]["housekeepingRoomStatus"];
        let ready = matches!(
            status["housekeepingRoomStatus"].as_str(),
            Some("Clean" | "Inspected")
        );
        if !ready && asked["ignoreWarnings"] != true {
            return Err(invalid("Room is not ready: it is not clean"));
        }
        status["frontOfficeStatus"] = json!("Occupied");
        booking["reservationStatus"] = json!("InHouse");
        booking["roomStay"]["roomId"] = json!(number);
        self.booking(hotel, id, booking, "CHECK IN");
        self.room(hotel, &number, room);
        let kept = hotel.bookings.get(id).ok_or_else(Refusal::missing)?;
        let shown = hotel.detailed(kept, false, self.now);
        Ok((json!({"reservation": [shown]}), Some(self.at(hotel, id))))
    }

    pub(super) fn check_out(self, hotel: &mut Hotel, id: &str, body: &Value) -> Done {
        let kept = hotel.bookings.get(id).ok_or_else(Refusal::missing)?;
        let mut booking = kept.now.clone();
        if booking["reservationStatus"] != "InHouse" {
            return Err(invalid("Reservation is not in house"));
        }
        let asked = &body["reservation"];
        if !asked["cashierId"].is_number() {
            return Err(invalid("Cashier is required"));
        }
        if body["verificationOnly"] != true {
            booking["reservationStatus"] = json!("CheckedOut");
            let number = booking["roomStay"]["roomId"].as_str().map(str::to_owned);
            self.booking(hotel, id, booking, "CHECK OUT");
            let left = number.and_then(|number| {
                let room = hotel.rooms.get(&number)?.now.clone();
                Some((number, room))
            });
            if let Some((number, mut room)) = left {
                let status = &mut room["housekeeping"]["housekeepingRoomStatus"];
                status["frontOfficeStatus"] = json!("Vacant");
                status["housekeepingRoomStatus"] = asked["checkoutInstr"]["roomStatus"].clone();
                self.room(hotel, &number, room);
            }
        }
        Ok((json!({}), Some(self.at(hotel, id))))
    }

    pub(super) fn guest_message(self, hotel: &mut Hotel, id: &str, body: &Value) -> Done {
        if !hotel.bookings.contains_key(id) {
            return Err(Refusal::missing());
        }
        let mut message = body["guestMessages"][0].clone();
        let text = message["message"]["messageText"]
            .as_str()
            .unwrap_or_default();
        if text.is_empty() {
            return Err(invalid("Message text is required"));
        }
        let number = (300_000 + hotel.number()).to_string();
        message["id"] = json!(number);
        message["type"] = json!("Message");
        hotel
            .messages
            .push(json!({"reservation": id, "message": message}));
        let at = format!("{}/guestMessages/{number}", self.at(hotel, id));
        Ok((json!({"guestMessages": [message]}), Some(at)))
    }

    pub(super) fn service_request(self, hotel: &mut Hotel, body: &Value) -> Done {
        let request = &body["serviceRequestsDetails"][0];
        let code = request["code"].as_str().unwrap_or_default();
        if !SERVICES.contains(&code) {
            return Err(invalid("Service request code is not in the list of values"));
        }
        let number = (400_000 + hotel.number()).to_string();
        let mut kept = request.clone();
        kept["serviceRequestId"] = json!({"id": number, "type": "ServiceRequestID"});
        hotel.service_requests.push(kept);
        let at = format!("/fof/v1/hotels/{}/serviceRequests/{number}", hotel.hotel_id);
        Ok((json!({}), Some(at)))
    }

    fn at(self, hotel: &Hotel, id: &str) -> String {
        format!("/rsv/v1/hotels/{}/reservations/{id}", hotel.hotel_id)
    }
}

impl Reader<'_> {
    /// Every room type with its price; those that are sold out say so.
    pub(super) fn availability(&self, profile: &HotelProfile) -> Answer {
        let wanted = |key: &str| -> Result<NaiveDate, Refusal> {
            let day = self.query.one(key).and_then(|day| day.parse().ok());
            day.ok_or_else(|| Refusal::invalid(format!("{key} is no date")))
        };
        let (from, to) = (wanted("roomStayStartDate")?, wanted("roomStayEndDate")?);
        let nights = (to - from).num_days();
        if !(1..=90).contains(&nights) {
            return Err(Refusal::invalid("A stay has at most 90 nights".to_owned()));
        }
        let adults = self.query.number("adults").unwrap_or(1);
        let rates: Vec<Value> = profile
            .room_types
            .iter()
            .flat_map(|kind| {
                let free = self.free(&kind.short_name, from, to);
                let word = match free {
                    0 => "RestrictedDueToInventory",
                    _ if adults > kind.capacity as usize => "RestrictedDueToOccupancy",
                    _ => "Available",
                };
                let night = kind.price.to_f64().unwrap_or_default();
                [("DFLEX", 1.0), ("DNRF", 0.9)].map(|(plan, part)| {
                    let amount = (night * part * nights as f64 * 100.0).round() / 100.0;
                    let whole = (amount * (1.0 + TAX) * 100.0).round() / 100.0;
                    json!({"roomType": kind.short_name, "ratePlanCode": plan,
                        "start": from, "end": to, "numberOfUnits": 1, "availability": word,
                        "total": {"amountBeforeTax": amount, "amountAfterTax": whole,
                            "currencyCode": profile.currency}})
                })
            })
            .collect();
        let limit = self.query.number("limit").unwrap_or(rates.len()).max(1);
        let offset = self.query.number("pagePointerKey").unwrap_or(0);
        let page: Vec<&Value> = rates.iter().skip(offset).take(limit).collect();
        let mut hotel = json!({"hotelId": self.hotel.hotel_id, "roomStays": [{"roomRates": page}]});
        if offset + page.len() < rates.len() {
            hotel["hasMore"] = json!(true);
            hotel["pagingKey"] = json!((offset + page.len()).to_string());
        }
        Ok((!page.is_empty()).then(|| json!({"hotelAvailability": [hotel]})))
    }

    /// Rooms of a type that nobody has on the fullest night.
    fn free(&self, code: &str, from: NaiveDate, to: NaiveDate) -> usize {
        let rooms = self.hotel.rooms.values();
        let rooms = rooms
            .filter(|room| room.now["roomType"]["roomType"] == code)
            .count();
        let mut night = from;
        let mut fullest = 0;
        while night < to {
            let taken = self.hotel.bookings.values().filter(|kept| {
                let stay = &kept.now["roomStay"];
                let stands = kept.now["reservationStatus"].as_str();
                stay["roomType"] == code
                    && matches!(stands, Some("Reserved" | "InHouse" | "Waitlisted"))
                    && day(&stay["arrivalDate"]) <= Some(night)
                    && day(&stay["departureDate"]) > Some(night)
            });
            fullest = fullest.max(taken.count());
            night = night + Days::new(1);
        }
        rooms.saturating_sub(fullest)
    }
}
