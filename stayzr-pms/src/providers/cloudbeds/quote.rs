use rust_decimal::Decimal;
use serde_json::Value;
use stayzr_core::{
    Error, Result,
    limit::Priority,
    model::{Currency, ExternalRef, Money},
    port::backend::StayQuery,
    transform::EntityKind,
};

use super::{
    CloudbedsClient,
    context::CloudbedsContext,
    fetch::pair,
    wire::{Availability, OfferedRoom, read_element},
};
use crate::provider::RemoteQuote;

/// Prices of a stay, for room types that are free and take so many persons: the lowest rate of each.
pub(super) async fn quote(
    client: &CloudbedsClient,
    context: &CloudbedsContext,
    stay: &StayQuery,
) -> Result<Vec<RemoteQuote>> {
    let mut quotes: Vec<RemoteQuote> = Vec::new();
    for found in &offered(client, stay).await? {
        for quote in offers(found, context.transform.currency, stay.persons) {
            let known = quotes
                .iter_mut()
                .find(|known| known.room_type == quote.room_type);
            match known {
                Some(known) if quote.total.amount < known.total.amount => *known = quote,
                Some(_) => {}
                None => quotes.push(quote),
            }
        }
    }
    Ok(quotes)
}

/// `getAvailableRoomTypes`: what Cloudbeds sells for a stay.
pub(super) async fn offered(
    client: &CloudbedsClient,
    stay: &StayQuery,
) -> Result<Vec<Availability>> {
    let nights = (stay.departure - stay.arrival).num_days();
    if !(1..=60).contains(&nights) {
        return Err(Error::invalid(
            "cloudbeds.quote",
            "a stay has 1 to 60 nights",
        ));
    }
    let query = vec![
        pair("startDate", stay.arrival.to_string()),
        pair("endDate", stay.departure.to_string()),
        pair("rooms", "1"),
        pair("adults", stay.persons.to_string()),
        pair("children", "0"),
    ];
    let operation = "getAvailableRoomTypes";
    let at = (1, super::client::PAGE);
    let page = client.page(operation, query, at, Priority::High).await?;
    let read = |item: &Value| {
        read_element(item).map_err(|(field, reason)| {
            Error::corrupt(
                "cloudbeds.getAvailableRoomTypes",
                "the answer cannot be read",
            )
            .with("field", field)
            .with("reason", reason)
        })
    };
    page.items.iter().map(read).collect()
}

/// What is on offer at a property: free, large enough, and priced.
pub(super) fn offers(
    found: &Availability,
    currency: Option<Currency>,
    persons: u32,
) -> Vec<RemoteQuote> {
    let named = found.property_currency.first();
    let named = named.and_then(|currency| currency.currency_code.as_deref()?.parse().ok());
    let Some(currency) = named.or(currency) else {
        return Vec::new();
    };
    found
        .property_rooms
        .iter()
        .filter(|room| room.rooms_available.is_none_or(|free| free > 0))
        .filter(|room| {
            room.max_guests
                .is_none_or(|most| most >= i64::from(persons))
        })
        .filter_map(|room| {
            let rate = [&room.rate_plan_name_public, &room.rate_plan_name_private]
                .into_iter()
                .flatten()
                .find(|name| !name.trim().is_empty());
            Some(RemoteQuote {
                room_type: ExternalRef {
                    kind: EntityKind::RoomType,
                    id: room.room_type_id.clone(),
                },
                rate: rate.map_or_else(|| "Standard".to_owned(), Clone::clone),
                total: Money::new(total(room, persons)?, currency),
            })
        })
        .collect()
}

/// The whole stay with what so many adults cost beside. None where there is no price.
fn total(room: &OfferedRoom, persons: u32) -> Option<Decimal> {
    let rate: Decimal = room.room_rate.as_deref()?.trim().parse().ok()?;
    let key = persons.to_string();
    // A map by the number of adults; PHP writes one that starts at 0 or 1 as a list.
    let charge = match &room.adults_extra_charge {
        Value::Object(charges) => charges.get(&key),
        Value::Array(charges) => charges
            .iter()
            .find_map(|charge| charge.as_object()?.get(&key)),
        _ => None,
    };
    let charge = match charge {
        Some(Value::Number(charge)) => charge.to_string().parse().ok()?,
        Some(Value::String(charge)) if !charge.trim().is_empty() => charge.trim().parse().ok()?,
        _ => Decimal::ZERO,
    };
    (rate > Decimal::ZERO).then_some(rate + charge)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_free_large_enough_and_priced_is_offered() {
        let room = |id: &str, rest: Value| {
            let mut room = json!({"roomTypeID": id, "maxGuests": 2, "roomRate": 210,
                "roomsAvailable": 3, "ratePlanNamePublic": "Flexible"});
            room.as_object_mut()
                .unwrap()
                .extend(rest.as_object().unwrap().clone());
            room
        };
        let found = json!({"propertyID": "1", "propertyCurrency": [{"currencyCode": "USD"}],
        "propertyRooms": [
            room("free", json!({})),
            room("extra", json!({"roomRate": "200.50", "adultsExtraCharge": {"2": 20}})),
            room("full", json!({"roomsAvailable": 0})),
            room("small", json!({"maxGuests": "1"})),
            room("unpriced", json!({"roomRate": null})),
        ]});
        let found: Availability = serde_json::from_value(found).unwrap();
        let offers: Vec<(String, String)> = offers(&found, None, 2)
            .into_iter()
            .map(|quote| (quote.room_type.id, quote.total.to_string()))
            .collect();
        assert_eq!(offers.len(), 2, "{offers:?}");
        assert!(offers[0].1.contains("210"), "{offers:?}");
        assert!(offers[1].1.contains("220.5"), "{offers:?}");
    }
}
