use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    form::Form,
    read::{Answer, Refusal},
    seed::text,
    shape::amount,
    state::Hotel,
};

/// What one more adult than two costs for a night, as a part of the price.
const EXTRA: Decimal = Decimal::from_parts(2, 0, 0, false, 1);

/// Rooms of a type that nobody else has in these nights.
pub(super) fn free(hotel: &Hotel, room_type: &str, start: NaiveDate, end: NaiveDate) -> usize {
    let rooms = hotel.rooms.values().filter(|room| {
        text(&room.now, "roomTypeID") == room_type
            && room.now.get("roomBlocked") != Some(&json!(true))
    });
    let taken = hotel.bookings.values().filter(|kept| kept.now.occupies());
    let taken = taken
        .flat_map(|kept| &kept.now.rooms)
        .filter(|room| room.room_type == room_type && room.start < end && room.end > start);
    rooms.count().saturating_sub(taken.count())
}

/// `getAvailableRoomTypes`.
pub(super) fn available(hotel: &Hotel, query: &Form) -> Answer {
    let day = |key: &str| {
        let text = query.text(key).ok_or_else(|| Refusal::required(key))?;
        text.parse::<NaiveDate>().map_err(|_| Refusal::invalid(key))
    };
    let (start, end) = (day("startDate")?, day("endDate")?);
    let count = |key: &str| {
        let text = query.text(key).ok_or_else(|| Refusal::required(key))?;
        text.parse::<u32>().map_err(|_| Refusal::invalid(key))
    };
    let (_, adults, _) = (count("rooms")?, count("adults")?, count("children")?);
    let nights = (end - start).num_days();
    if nights < 1 {
        return Err(Refusal::invalid("endDate"));
    }
    let rooms: Vec<Value> = hotel
        .sold
        .iter()
        .map(|sold| {
            let stay = sold.price * Decimal::from(nights);
            let included = sold.persons.min(2);
            let charges: serde_json::Map<String, Value> = (included + 1..=sold.persons.max(adults))
                .map(|adults| {
                    let more = Decimal::from(adults - included);
                    (adults.to_string(), amount(stay * EXTRA * more))
                })
                .collect();
            json!({"roomTypeID": sold.id, "roomTypeName": sold.name,
                "roomTypeNameShort": sold.short, "roomTypeDescription": "",
                "maxGuests": sold.persons, "adultsIncluded": included, "childrenIncluded": 0,
                "roomTypePhotos": [], "roomTypeFeatures": [], "roomRate": amount(stay),
                "roomRateID": sold.rate_id, "ratePlanNamePublic": "Flexible",
                "roomsAvailable": free(hotel, &sold.id, start, end),
                "adultsExtraCharge": if charges.is_empty() { json!([]) } else { json!([charges]) },
                "childrenExtraCharge": []})
        })
        .collect();
    let currency = json!({"currencyCode": hotel.currency, "currencySymbol": "",
        "currencyPosition": "before"});
    let property = json!({"propertyID": hotel.property_id, "propertyCurrency": [currency],
        "propertyRooms": rooms});
    Ok(
        json!({"success": true, "data": [property], "roomCount": hotel.sold.len(), "count": 1,
        "total": 1}),
    )
}
