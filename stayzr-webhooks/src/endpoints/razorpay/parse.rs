use serde_json::{Map, Value};
use stayzr_core::Result;

use super::super::payment::{PaymentEvent, amount, time};
use crate::json;

/// What a verified event of Razorpay says happened, by the first object that it contains; kinds are
/// open.
///
/// [`stayzr_core::ErrorKind::Corrupt`] if the body is not a JSON object.
///
/// ```
/// use stayzr_webhooks::endpoints::razorpay;
///
/// let event = razorpay::parse(br#"{"event":"payment.captured","contains":["payment"],"payload":{
///     "payment":{"entity":{"id":"pay_1","amount":249900,"currency":"INR"}}},"created_at":1780999991}"#)?;
/// assert_eq!(event.name, "payment.captured");
/// assert_eq!(event.object_id.as_deref(), Some("pay_1"));
/// # Ok::<(), stayzr_core::Error>(())
/// ```
pub fn parse(body: &[u8]) -> Result<PaymentEvent> {
    let body = json::object("razorpay.parse", body)?;
    let none = Map::new();
    let contained = body["contains"][0].as_str().unwrap_or_default();
    let entity = body["payload"][contained]["entity"]
        .as_object()
        .unwrap_or(&none);
    let (amount, currency) = amount(entity, &["amount"]);
    let text = |value: Option<&Value>| Some(value?.as_str()?.to_owned());
    Ok(PaymentEvent {
        name: text(body.get("event")).unwrap_or_default(),
        object_id: text(entity.get("id")),
        amount,
        currency,
        at: time(&body["created_at"]),
    })
}
