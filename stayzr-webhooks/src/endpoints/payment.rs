//! What payment providers tell, without card data.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// What a webhook of a payment provider says happened. Kinds are the provider's own and open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentEvent {
    /// The provider's name of what happened, such as `payment.captured`.
    pub name: String,
    /// The provider's id of what it happened to, such as a payment or a checkout.
    pub object_id: Option<String>,
    /// The amount in the currency's smallest unit.
    pub amount: Option<i64>,
    /// The currency, ISO 4217 in capitals.
    pub currency: Option<String>,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

/// Members of providers' objects that describe a card, an account or who pays.
const PRIVATE: &[&str] = &[
    "bank_account",
    "billing_details",
    "card",
    "cards",
    "customer_details",
    "payment_method_data",
    "payment_method_details",
    "payment_method_options",
    "sources",
    "token",
    "upi",
    "vpa",
];

/// A verified body as it may be recorded: without whatever describes a card, an account or a payer,
/// at any depth. A body that is not JSON is recorded as nothing.
pub(crate) fn recordable(body: &[u8]) -> Vec<u8> {
    let Ok(mut body) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    strip(&mut body);
    body.to_string().into_bytes()
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, member| !is_private(name, member));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// `source` is private where it is an object: as a text it is an id.
fn is_private(name: &str, member: &Value) -> bool {
    PRIVATE.contains(&name) || name == "source" && (member.is_object() || member.is_array())
}

/// Amount and currency of a provider's object, under any of these names of the amount.
pub(super) fn amount(object: &Map<String, Value>, names: &[&str]) -> (Option<i64>, Option<String>) {
    let amount = names.iter().find_map(|name| object.get(*name)?.as_i64());
    let currency = object.get("currency").and_then(Value::as_str);
    (amount, currency.map(str::to_ascii_uppercase))
}

/// A time in seconds since 1970.
pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(value.as_i64()?, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_p_what_describes_a_card_is_not_recorded_at_any_depth() {
        let body = br#"{"id":"evt_1","data":{"object":{"id":"ch_1","amount":100,"source":{"last4":"4242"},
            "payment_method_details":{"card":{"last4":"4242","fingerprint":"Xt5"}},
            "charges":[{"card":{"exp_year":2031}}],"payment_intent":"pi_1","source_type":"x"}},
            "payload":{"payment":{"entity":{"id":"pay_1","card_id":"card_1","card":{"last4":"1111"},"vpa":"a@b"}}}}"#;
        let kept = String::from_utf8(recordable(body)).unwrap();
        for private in ["4242", "Xt5", "exp_year", "1111", "a@b"] {
            assert!(!kept.contains(private), "{private} in {kept}");
        }
        for kept_part in ["evt_1", "ch_1", "100", "pi_1", "pay_1"] {
            assert!(kept.contains(kept_part), "{kept_part} in {kept}");
        }
        assert!(recordable(b"4111 not json").is_empty());
        let by_id = br#"{"source":"src_1"}"#;
        assert_eq!(recordable(by_id), by_id);
    }
}
