//! What is done with a stay at the desk, in OPERA's words. Pure.

use chrono::NaiveDateTime;
use serde_json::{Map, Value, json};

use super::change::{object, reservation_ids};
use crate::providers::opera::config::ServiceConfig;

type Fields = Map<String, Value>;

/// A local time as OPERA's own requests write it.
fn written(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%d %H:%M:%S.0").to_string()
}

/// `postCancelReservation`: for a reason of the hotel's list, for real, and with its notes kept.
pub(in super::super) fn cancellation(id: &str, hotel: &str, reason: &str) -> Fields {
    object(json!({
        "reason": {"code": reason, "description": "Cancelled through Stayzr"},
        "reservations": [{
            "reservationIdList": reservation_ids(id),
            "hotelId": hotel,
            "allowedActions": ["Cancel"],
            "cxlInstr": {"deleteResTraces": false},
        }],
        "verificationOnly": false,
    }))
}

/// `postCheckIn` into a room: what OPERA warns of stops it, and nothing is printed.
pub(in super::super) fn check_in(room: &str) -> Fields {
    object(json!({
        "reservation": {
            "roomId": room, "ignoreWarnings": false, "stopCheckin": false,
            "printRegistration": false,
        },
        "fetchReservationInstruction": ["ReservationDetail"],
        "includeNotifications": true,
    }))
}

/// `postCheckOut` by a cashier; the folio must be settled, and the room is dirty then.
pub(in super::super) fn check_out(id: &str, hotel: &str, cashier: u64) -> Fields {
    object(json!({
        "reservation": {
            "reservationIdList": reservation_ids(id),
            "stopCheckout": false,
            "cashierId": cashier,
            "hotelId": hotel,
            "eventType": "CheckOut",
            "autoCheckout": false,
            "checkoutInstr": {"roomStatus": "Dirty", "ignoreWarnings": false},
        },
        "verificationOnly": false,
    }))
}

/// `postGuestMessages`: a note that the desk hands to the guest, not received yet.
pub(in super::super) fn guest_message(
    id: &str,
    hotel: &str,
    recipient: &str,
    text: &str,
    now: NaiveDateTime,
) -> Fields {
    object(json!({
        "reservationIdList": reservation_ids(id),
        "guestMessages": [{
            "message": {
                "messageText": text, "messageDate": written(now), "typeOfMessage": "Tm",
                "recipient": recipient,
            },
            "delivery": {"deliveryStatus": "Nr"},
        }],
        "hotelId": hotel,
    }))
}

/// Who a service request is for.
pub(in super::super) struct Asker {
    pub(in super::super) reservation: String,
    pub(in super::super) guest: Option<String>,
    pub(in super::super) room: Option<String>,
}

/// `postServiceRequests`, open from now on.
pub(in super::super) fn service_request(
    hotel: &str,
    code: &str,
    service: &ServiceConfig,
    asker: &Asker,
    comment: &str,
    now: NaiveDateTime,
) -> Fields {
    let mut request = object(json!({
        "hotelId": hotel, "code": code, "status": "Open",
        "reservationIdList": reservation_ids(&asker.reservation),
        "openDate": written(now), "comment": comment,
    }));
    let guest = asker.guest.as_ref();
    for (key, value) in [
        (
            "priority",
            service.priority.as_ref().map(|word| json!(word)),
        ),
        (
            "department",
            service
                .department
                .as_ref()
                .map(|code| json!({"code": code})),
        ),
        (
            "profileId",
            guest.map(|id| json!({"type": "Profile", "id": id})),
        ),
        ("room", asker.room.as_ref().map(|room| json!(room))),
    ] {
        if let Some(value) = value {
            request.insert(key.to_owned(), value);
        }
    }
    object(json!({"serviceRequestsDetails": [request]}))
}
