//! What nights cost.

use chrono::{Datelike, NaiveDate, Weekday};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::{Map, Value, json};

use super::{availability::asked, list::Refusal, state::Hotel};

type Fields = Map<String, Value>;

/// Prices are the same every night, but for Fridays and Saturdays, which cost a tenth more.
pub(super) fn night_price(price: Decimal, night: NaiveDate) -> Decimal {
    let weekend = matches!(night.weekday(), Weekday::Fri | Weekday::Sat);
    let factor = if weekend {
        Decimal::new(11, 1)
    } else {
        Decimal::ONE
    };
    (price * factor).round_dp(2)
}

/// `rates/getPricing`.
pub(super) fn pricing(hotel: &Hotel, body: &Fields) -> Result<Value, Refusal> {
    let rate = body.get("RateId");
    if !hotel.rates.iter().any(|known| known.get("Id") == rate) {
        return Err(Refusal::invalid("RateId"));
    }
    let nights = asked(hotel, body)?;
    let currency = hotel.currency();
    let amounts = |price: Decimal| -> Vec<Value> {
        let nights = nights.iter();
        nights
            .map(|night| amount(night_price(price, *night), &currency))
            .collect()
    };
    let base = hotel.prices.values().min().copied().unwrap_or_default();
    let categories: Vec<Value> = hotel
        .prices
        .iter()
        .map(|(id, price)| json!({"CategoryId": id, "AmountPrices": amounts(*price)}))
        .collect();
    Ok(json!({
        "Currency": currency,
        "TimeUnitStartsUtc": hotel.starts(&nights),
        "BaseAmountPrices": amounts(base),
        "CategoryPrices": categories,
        "CategoryAdjustments": [],
    }))
}

/// An amount with a tax of a tenth in it.
pub(super) fn amount(gross: Decimal, currency: &str) -> Value {
    let net = (gross / Decimal::new(11, 1)).round_dp(2);
    let tax = gross - net;
    let number = |value: Decimal| value.to_f64().map_or(Value::Null, Value::from);
    json!({
        "Currency": currency,
        "NetValue": number(net),
        "GrossValue": number(gross),
        "TaxValues": [{"Code": "SANDBOX-10", "Value": number(tax)}],
        "Breakdown": {"Items": [
            {"TaxRateCode": "SANDBOX-10", "NetValue": number(net), "TaxValue": number(tax)}
        ]},
    })
}
