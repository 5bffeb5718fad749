//! Records in the shapes in which OPERA gives them.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::state::{Hotel, Kept, day};

impl Hotel {
    /// A reservation as lists give it.
    pub(super) fn listed(&self, kept: &Kept, stale: bool, now: DateTime<Utc>) -> Value {
        let mut shown = kept.seen(stale).clone();
        let id = shown["reservationGuest"]["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if let Some(profile) = self.profiles.get(&id) {
            let profile = profile.seen(stale);
            let name = &profile["customer"]["personName"][0];
            let (given, family) = (text(&name["givenName"]), text(&name["surname"]));
            let guest = &mut shown["reservationGuest"];
            guest["fullName"] = json!(format!("{family}, {given}"));
            guest["givenName"] = json!(given);
            guest["surname"] = json!(family);
            let email = &profile["emails"]["emailInfo"][0]["email"]["emailAddress"];
            if email.is_string() {
                guest["email"] = email.clone();
            }
        }
        shown["computedReservationStatus"] = json!(self.computed(&shown, now));
        shown["createDateTime"] = json!(self.local(kept.created));
        shown["lastModifyDateTime"] = json!(self.local(kept.modified));
        shown
    }

    /// A reservation by itself.
    pub(super) fn detailed(&self, kept: &Kept, stale: bool, now: DateTime<Utc>) -> Value {
        let listed = self.listed(kept, stale, now);
        let stay = &listed["roomStay"];
        let guests = json!({"adults": stay["adultCount"], "children": stay["childCount"]});
        let mut rate = json!({
            "roomType": stay["roomType"], "roomTypeCharged": stay["roomTypeCharged"],
            "ratePlanCode": stay["ratePlanCode"], "marketCode": stay["marketCode"],
            "sourceCode": stay["sourceCode"], "numberOfUnits": stay["numberOfRooms"],
            "start": stay["arrivalDate"], "end": stay["departureDate"], "guestCounts": guests,
            "total": {"amountBeforeTax": stay["totalAmount"]["amount"],
                "currencyCode": stay["totalAmount"]["currencyCode"]},
        });
        let mut whole = json!({
            "arrivalDate": stay["arrivalDate"], "departureDate": stay["departureDate"],
            "guestCounts": guests, "guarantee": stay["guarantee"],
        });
        if stay["roomId"].is_string() {
            rate["roomId"] = stay["roomId"].clone();
            whole["currentRoomInfo"] =
                json!({"roomId": stay["roomId"], "roomType": stay["roomType"]});
        }
        if stay["expectedTimes"].is_object() {
            whole["expectedTimes"] = stay["expectedTimes"].clone();
        }
        whole["roomRates"] = json!([rate]);
        let guest = &listed["reservationGuest"];
        let name = json!({"givenName": guest["givenName"], "surname": guest["surname"],
            "nameType": "Primary"});
        let mut shown = json!({
            "roomStay": whole,
            "reservationGuests": [{"primary": true, "profileInfo": {
                "profileIdList": [{"id": guest["id"], "type": "Profile"}],
                "profile": {"customer": {"personName": [name]}, "profileType": "Guest"}}}],
        });
        for key in [
            "reservationIdList",
            "externalReferences",
            "hotelId",
            "reservationStatus",
            "computedReservationStatus",
            "createDateTime",
            "lastModifyDateTime",
        ] {
            if !listed[key].is_null() {
                shown[key] = listed[key].clone();
            }
        }
        shown
    }

    /// What a status is by the business date.
    fn computed(&self, booking: &Value, now: DateTime<Utc>) -> String {
        let today = self.today(now);
        let at = |key: &str| day(&booking["roomStay"][key]);
        match text(&booking["reservationStatus"]).as_str() {
            "Reserved" if at("arrivalDate") == Some(today) => "DueIn".to_owned(),
            "InHouse" if at("departureDate") <= Some(today) => "DueOut".to_owned(),
            stored => stored.to_owned(),
        }
    }

    /// A profile with its id beside, under the name that the envelope has for it.
    pub(super) fn profile(&self, id: &str, stale: bool, name: &str) -> Option<Value> {
        let kept = self.profiles.get(id)?;
        let mut profile = kept.seen(stale).clone();
        profile["createDateTime"] = json!(self.local(kept.created));
        profile["lastModifyDateTime"] = json!(self.local(kept.modified));
        let ids = json!([{"id": id, "type": "Profile"}]);
        Some(Value::Object(Map::from_iter([
            ("profileIdList".to_owned(), ids),
            (name.to_owned(), profile),
        ])))
    }
}

/// A text of a record; blank where there is none.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
