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
    OperaClient,
    client::{Place, Query},
    context::OperaContext,
    fetch::pair,
    wire::Node,
};
use crate::provider::RemoteQuote;

const OPERATION: &str = "opera.quote";

/// The longest stay that OPERA prices at once.
const NIGHTS: i64 = 90;

/// Rooms with their rates that are asked for at once.
const PAGE: usize = 200;

/// After so many pages there is something wrong.
const PAGES: usize = 20;

/// Prices of a stay, for room types that can be sold to so many adults: the lowest rate of each, with
/// tax where OPERA says it.
pub(super) async fn quote(
    client: &OperaClient,
    context: &OperaContext,
    stay: &StayQuery,
) -> Result<Vec<RemoteQuote>> {
    let nights = (stay.departure - stay.arrival).num_days();
    if !(1..=NIGHTS).contains(&nights) {
        return Err(Error::invalid(OPERATION, "a stay has 1 to 90 nights"));
    }
    let mut found: Vec<RemoteQuote> = Vec::new();
    let mut key: Option<String> = None;
    for _ in 0..PAGES {
        let mut query: Query = vec![
            pair("roomStayStartDate", stay.arrival.to_string()),
            pair("roomStayEndDate", stay.departure.to_string()),
            pair("roomStayQuantity", "1"),
            pair("adults", stay.persons.to_string()),
            pair("children", "0"),
            pair("limit", PAGE.to_string()),
        ];
        query.extend(key.as_deref().map(|key| pair("pagePointerKey", key)));
        let place = Place {
            operation: "getHotelAvailability",
            module: "par/v1",
            parts: &["hotels", client.hotel_id(), "availability"],
        };
        let (body, _) = client.get(place, query, Priority::High).await?;
        let Some(body) = body else { break };
        for quote in offers(&body, context.transform.currency) {
            let known = found
                .iter_mut()
                .find(|known| known.room_type == quote.room_type);
            match known {
                Some(known) if quote.total.amount < known.total.amount => *known = quote,
                Some(_) => {}
                None => found.push(quote),
            }
        }
        let hotel = Node::of(&body).at("hotelAvailability");
        let next = hotel.at("pagingKey").text();
        if hotel.at("hasMore").flag() != Some(true) || next.is_none() || next == key {
            break;
        }
        key = next;
    }
    Ok(found)
}

/// Rates that can be sold and have a price.
pub(super) fn offers(body: &Value, currency: Option<Currency>) -> Vec<RemoteQuote> {
    let hotels = Node::of(body).at("hotelAvailability").items(&[]);
    let stays = hotels
        .iter()
        .flat_map(|hotel| hotel.at("roomStays").items(&[]));
    let rates = stays.flat_map(|stay| stay.at("roomRates").items(&[]));
    rates.filter_map(|rate| offer(rate, currency)).collect()
}

fn offer(rate: Node<'_>, currency: Option<Currency>) -> Option<RemoteQuote> {
    // What can be sold need not say so.
    let can = rate.at("availability").text();
    if can.is_some_and(|can| !can.eq_ignore_ascii_case("Available")) {
        return None;
    }
    let total = rate.at("total");
    let amount = |key: &str| total.at(key).text()?.parse::<Decimal>().ok();
    let amount = amount("amountAfterTax").or_else(|| amount("amountBeforeTax"))?;
    let named = total.at("currencyCode").text();
    let currency = named.and_then(|code| code.parse().ok()).or(currency)?;
    Some(RemoteQuote {
        room_type: ExternalRef {
            kind: EntityKind::RoomType,
            id: rate.at("roomType").text()?,
        },
        rate: rate.at("ratePlanCode").text()?,
        total: Money::new(amount, currency),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_can_be_sold_at_a_price_is_offered() {
        let rate = |code: &str, can: Value, total: Value| json!({"roomType": code, "ratePlanCode": "BAR", "availability": can, "total": total});
        // Numbers as texts, one object for a list: as the vendor writes elsewhere.
        let body = json!({"hotelAvailability": {"roomStays": {"roomRates": [
            rate("A", json!("Available"), json!({"amountBeforeTax": "100", "amountAfterTax": "110.50",
                "currencyCode": "EUR"})),
            rate("B", Value::Null, json!({"amountBeforeTax": 90})),
            rate("C", json!("RestrictedDueToInventory"), json!({"amountBeforeTax": 80})),
            rate("D", json!("Available"), Value::Null),
        ]}}});
        let offers = offers(&body, "USD".parse().ok());
        let said: Vec<(&str, String, &str)> = offers
            .iter()
            .map(|offer| {
                let total = &offer.total;
                (
                    offer.room_type.id.as_str(),
                    total.amount.to_string(),
                    total.currency.code(),
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                ("A", "110.5".to_owned(), "EUR"),
                ("B", "90".to_owned(), "USD")
            ]
        );
    }
}
