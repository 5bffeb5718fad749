//! Products, and orders of them.

use serde_json::{Map, Value, json};

use super::{
    availability::asked,
    list::{ListQuery, Refusal},
    prices::amount,
    read::{listed, plain},
    seed::fields,
    state::{Hotel, Kind},
    write::{Moment, text},
};

type Fields = Map<String, Value>;

/// `products/getAll`.
pub(super) fn products(hotel: &Hotel, body: &Fields) -> Result<Value, Refusal> {
    let query = ListQuery::new(body);
    if !query.has("ServiceIds") {
        return Err(Refusal::invalid("ServiceIds"));
    }
    let filters = [("ServiceIds", "ServiceId"), ("ProductIds", "Id")];
    let mut answer = plain(&query, "Products", &hotel.products, &filters)?;
    // The vendor says them twice.
    answer["CustomerProducts"] = answer["Products"].clone();
    Ok(answer)
}

/// `products/getPricing`: the same price every night.
pub(super) fn pricing(hotel: &Hotel, body: &Fields) -> Result<Value, Refusal> {
    let product = hotel.product(body)?;
    let price = product.get("Price").cloned().unwrap_or_default();
    let nights = asked(hotel, body)?;
    Ok(json!({
        "ProductId": product.get("Id"),
        "TimeUnitStartsUtc": hotel.starts(&nights),
        "BaseAmountPrices": vec![price; nights.len()],
        "AgeCategoryPrices": [],
    }))
}

/// `productServiceOrders/getAll`.
pub(super) fn list(hotel: &Hotel, body: &Fields, stale: bool) -> Result<Value, Refusal> {
    let query = ListQuery::new(body);
    let found = listed(
        hotel,
        Kind::Orders,
        stale,
        &query,
        &[
            ("ProductServiceOrderIds", 1000, "Id"),
            ("ServiceIds", 1000, "ServiceId"),
            ("LinkedReservationIds", 1000, "LinkedReservationId"),
            ("States", 1000, "State"),
        ],
    )?;
    query.page("ProductServiceOrders", found)
}

/// `orders/add`.
pub(super) fn add(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let service = text(body, "ServiceId")?;
    if !hotel
        .services
        .iter()
        .any(|known| known.get("Id") == Some(&json!(service)))
    {
        return Err(Refusal::invalid("ServiceId"));
    }
    let account = text(body, "AccountId")?;
    if !hotel.guests.contains_key(account) {
        return Err(Refusal::invalid("AccountId"));
    }
    let stay = body
        .get("LinkedReservationId")
        .filter(|stay| !stay.is_null());
    if stay.is_some_and(|stay| {
        stay.as_str()
            .is_none_or(|id| !hotel.reservations.contains_key(id))
    }) {
        return Err(Refusal::invalid("LinkedReservationId"));
    }
    let products = objects(body, "ProductOrders")?;
    let items = objects(body, "Items")?;
    if products.is_empty() && items.is_empty() {
        return Err(Refusal::invalid("ProductOrders"));
    }
    for order in &products {
        hotel.product(order)?;
        hotel.check_amount(order, "UnitAmount", false)?;
    }
    for item in &items {
        text(item, "Name")?;
        hotel.check_amount(item, "UnitAmount", true)?;
    }
    let number = hotel.number("order");
    let order = fields(json!({
        "ServiceId": service, "AccountId": account, "AccountType": "Customer", "BookerId": null,
        "Number": number, "State": "Confirmed", "Origin": "Connector", "CancelledUtc": null,
        "LinkedReservationId": stay, "Notes": body.get("Notes"),
        "ProductOrders": body.get("ProductOrders"), "Items": body.get("Items"),
    }));
    let id = hotel.add(Kind::Orders, order, moment.at, moment.due);
    Ok(json!({"OrderId": id}))
}

/// `reservations/addProduct`.
pub(super) fn add_product(
    hotel: &mut Hotel,
    body: &Fields,
    moment: Moment,
) -> Result<Value, Refusal> {
    let stay = text(body, "ReservationId")?.to_owned();
    let record = hotel.reservations.get(&stay);
    let record = record.ok_or_else(|| Refusal::invalid("ReservationId"))?;
    if matches!(record.text("State"), Some("Canceled" | "Processed")) {
        return Err(Refusal::forbidden(
            "The reservation can no longer be changed.",
        ));
    }
    let product = hotel.product(body)?.get("Id").cloned();
    let count = body.get("Count").and_then(Value::as_u64);
    let count = count.filter(|count| *count > 0);
    let count = count.ok_or_else(|| Refusal::invalid("Count"))?;
    hotel.check_amount(body, "UnitAmount", false)?;
    let item = hotel.number("item");
    let mut items = record_items(hotel, &stay);
    items.push(json!({"Id": item, "ProductId": product, "Count": count}));
    let change = fields(json!({"Items": items}));
    hotel.change(Kind::Reservations, &stay, change, moment.at, moment.due);
    Ok(json!({"ItemIds": [item]}))
}

fn record_items(hotel: &Hotel, stay: &str) -> Vec<Value> {
    let record = hotel.reservations.get(stay);
    let items = record.and_then(|record| record.now.get("Items")?.as_array());
    items.cloned().unwrap_or_default()
}

fn objects<'a>(body: &'a Fields, key: &str) -> Result<Vec<&'a Fields>, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| item.as_object().ok_or_else(|| Refusal::invalid(key)))
            .collect(),
        Some(_) => Err(Refusal::invalid(key)),
    }
}

impl Hotel {
    fn product(&self, body: &Fields) -> Result<&Fields, Refusal> {
        let id = text(body, "ProductId")?;
        let mut products = self.products.iter();
        products
            .find(|product| product.get("Id") == Some(&json!(id)))
            .ok_or_else(|| Refusal::invalid("ProductId"))
    }

    /// A gross hotel takes gross amounts with one tax, a net hotel net ones.
    pub(super) fn check_amount(
        &self,
        body: &Fields,
        key: &str,
        required: bool,
    ) -> Result<(), Refusal> {
        let amount = body.get(key).filter(|amount| !amount.is_null());
        let Some(amount) = amount else {
            return if required {
                Err(Refusal::invalid(key))
            } else {
                Ok(())
            };
        };
        let gross = self.enterprise.get("Pricing") == Some(&json!("Gross"));
        let (wanted, other) = if gross {
            ("GrossValue", "NetValue")
        } else {
            ("NetValue", "GrossValue")
        };
        let said = |key: &str| amount.get(key).filter(|value| !value.is_null());
        let taxes = amount.get("TaxCodes").and_then(Value::as_array);
        let wrong = said(wanted).is_none_or(|value| !value.is_number())
            || said(other).is_some()
            || amount.get("Currency") != Some(&json!(self.currency()))
            || taxes.is_none_or(|taxes| gross && taxes.len() > 1);
        if wrong {
            return Err(Refusal::invalid(key));
        }
        Ok(())
    }
}

/// What a seeded product costs.
pub(super) fn price(cents: i64, currency: &str) -> Value {
    amount(rust_decimal::Decimal::new(cents, 2), currency)
}
