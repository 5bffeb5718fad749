use serde_json::{Map, Value};
use stayzr_core::Result;

use super::super::payment::{PaymentEvent, amount, time};
use crate::json;

/// What a verified event of Stripe says happened; kinds are open.
///
/// A thin event (`object` is `v2.core.event`) names its object under `related_object`, without an
/// amount. [`stayzr_core::ErrorKind::Corrupt`] if the body is not a JSON object.
///
/// ```
/// use stayzr_webhooks::endpoints::stripe;
///
/// let event = stripe::parse(br#"{"id":"evt_1","type":"checkout.session.completed","created":1780999990,
///     "data":{"object":{"id":"cs_1","amount_total":24900,"currency":"eur"}}}"#)?;
/// assert_eq!((event.amount, event.currency.as_deref()), (Some(24_900), Some("EUR")));
/// # Ok::<(), stayzr_core::Error>(())
/// ```
pub fn parse(body: &[u8]) -> Result<PaymentEvent> {
    let body = json::object("stripe.parse", body)?;
    let none = Map::new();
    let object = body["data"]["object"]
        .as_object()
        .or_else(|| body["related_object"].as_object())
        .unwrap_or(&none);
    let names = ["amount_total", "amount", "amount_paid", "amount_due"];
    let (amount, currency) = amount(object, &names);
    let text = |value: Option<&Value>| Some(value?.as_str()?.to_owned());
    Ok(PaymentEvent {
        name: text(body.get("type")).unwrap_or_default(),
        object_id: text(object.get("id")),
        amount,
        currency,
        at: time(&body["created"]),
    })
}
