use chrono::{DateTime, Utc};
use serde::Deserialize as _;
use serde_json::Value;
use stayzr_core::{Error, ErrorKind, Result, limit::Priority};

use super::{
    MewsConfig, MewsCredentials,
    auth::MewsAuth,
    error::DIALECT,
    wire::{
        ActivityState, Configuration, ConfigurationGet, CustomerExtent, CustomersGetAll,
        Limitation, Listing, Operation, read_element,
    },
};
use crate::http::{Effect, VendorAnswer, VendorCall, VendorHttp};

/// The most records Mews gives on a page, and the most ids it takes in a call.
pub(super) const PAGE: u32 = 1000;

/// Typed calls to Mews' Connector API.
///
/// Every operation of [`super::wire::Operation`] is sent with [`MewsClient::send`], and every list
/// is read whole with [`MewsClient::list`]. Nothing is switched off here that Mews does by default:
/// bodies say so themselves, and those of a `bool` have to.
///
/// ```no_run
/// use stayzr_pms::providers::mews::{MewsClient, wire::TasksAdd};
///
/// # async fn run(mews: &MewsClient) -> stayzr_core::Result<()> {
/// let task = TasksAdd {
///     name: "Bring a cot to 204".to_owned(),
///     deadline_utc: "2026-03-01T18:00:00Z".to_owned(),
///     ..TasksAdd::default()
/// };
/// let id = mews.send(&task).await?.task_id;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MewsClient {
    http: VendorHttp,
    config: MewsConfig,
    auth: MewsAuth,
}

/// A page of records as they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawPage {
    /// The records.
    pub items: Vec<Value>,
    /// Where the next page starts; none after the last.
    pub cursor: Option<String>,
    /// Mews' clock before it answered.
    pub vendor_now: Option<DateTime<Utc>>,
}

impl MewsClient {
    /// Calls with these credentials.
    pub fn new(config: MewsConfig, credentials: MewsCredentials, http: VendorHttp) -> Self {
        let auth = MewsAuth::new(credentials, config.client.clone());
        Self { http, config, auth }
    }

    /// What is configured.
    pub fn config(&self) -> &MewsConfig {
        &self.config
    }

    /// Sends a body to where it goes. A write that may have happened is
    /// [`stayzr_core::ErrorKind::Ambiguous`]: Mews has no idempotency key, so look before you send
    /// it again.
    pub async fn send<B: Operation>(&self, body: &B) -> Result<B::Answer> {
        let answer = self.call(body, Priority::High).await?;
        let read = B::Answer::deserialize(&answer.body);
        read.map_err(|error| {
            not_as_documented::<B>("cannot be read").with("reason", error.to_string())
        })
    }

    /// All records of a list, page by page, the newest first. Records that cannot be read are left
    /// out and logged.
    pub async fn list<B: Listing>(&self, mut body: B) -> Result<Vec<B::Item>> {
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            body.limit(Limitation {
                count: PAGE,
                cursor,
            });
            let page = self.page(&body, Priority::High).await?;
            for item in &page.items {
                match read_element(item) {
                    Ok(record) => found.push(record),
                    Err((field, reason)) => {
                        tracing::warn!(operation = name::<B>(), field, reason, "left out");
                    }
                }
            }
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// One page of a list, as it came.
    pub async fn page<B: Listing>(&self, body: &B, priority: Priority) -> Result<RawPage> {
        let said = said(serde_json::to_value(body).unwrap_or_default());
        let count = said.pointer("/Limitation/Count").and_then(Value::as_u64);
        let answer = self.call(body, priority).await?;
        let vendor_now = answer.vendor_now;
        let Value::Object(mut body) = answer.body else {
            return Err(not_as_documented::<B>("is not an object"));
        };
        let items = match body.remove(B::KEY) {
            Some(Value::Array(items)) => items,
            Some(Value::Null) | None => Vec::new(),
            Some(_) => return Err(not_as_documented::<B>("has no list of records")),
        };
        let full = count.is_none_or(|count| items.len() as u64 >= count);
        let cursor = match body.remove("Cursor") {
            Some(Value::String(cursor)) if full && !items.is_empty() => Some(cursor),
            _ => None,
        };
        Ok(RawPage {
            items,
            cursor,
            vendor_now,
        })
    }

    async fn call<B: Operation>(&self, body: &B, priority: Priority) -> Result<VendorAnswer> {
        let Ok(Value::Object(body)) = serde_json::to_value(body).map(said) else {
            return Err(Error::internal(name::<B>(), "the request is not an object"));
        };
        let url = format!("{}/api/connector/v1/{}", self.config.base_url, B::PATH);
        let call = VendorCall::post(name::<B>(), url, body)
            .with_effect(B::EFFECT)
            .with_priority(priority);
        self.http.send(&call, &self.auth, &DIALECT).await
    }

    /// `configuration/get`: the property, and Mews' clock.
    pub async fn configuration(&self) -> Result<Configuration> {
        self.send(&ConfigurationGet {
            enterprise_id: self.config.enterprise_id.clone(),
        })
        .await
    }

    /// `customers/getAll` of active customers with this email, or else with these names, the newest
    /// first.
    pub async fn customers_like(
        &self,
        chain: Option<String>,
        email: Option<&str>,
        names: (Option<&str>, Option<&str>),
    ) -> Result<Vec<Value>> {
        let one = |name: Option<&str>| name.map(|name| vec![name.to_owned()]);
        let (first, last) = match email {
            Some(_) => (None, None),
            None => names,
        };
        let body = CustomersGetAll {
            chain_ids: chain.map(|id| vec![id]),
            emails: one(email),
            first_names: one(first),
            last_names: one(last),
            activity_states: Some(vec![ActivityState::Active]),
            extent: CustomerExtent {
                customers: true,
                ..CustomerExtent::default()
            },
            limitation: Limitation::first(),
            ..CustomersGetAll::default()
        };
        Ok(self.page(&body, Priority::High).await?.items)
    }
}

/// The name of an operation for errors and traces: `mews.reservations.getAll`, without the date
/// that an address may end in.
fn name<B: Operation>() -> String {
    let words = B::PATH.split('/');
    let words = words.take_while(|word| !word.starts_with(|first: char| first.is_ascii_digit()));
    words.fold("mews".to_owned(), |name, word| name + "." + word)
}

/// A body without what it does not say. `null` stays where it means something: under `Value`, where
/// it empties a field.
fn said(body: Value) -> Value {
    match body {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(key, value)| !value.is_null() || key == "Value")
            .map(|(key, value)| (key, said(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(said).collect(),
        other => other,
    }
}

/// A write that was answered has happened, whatever the answer looks like.
fn not_as_documented<B: Operation>(what: &str) -> Error {
    let kind = match B::EFFECT {
        Effect::Read => ErrorKind::Corrupt,
        Effect::Write => ErrorKind::Ambiguous,
    };
    Error::new(kind, name::<B>(), format!("the answer of Mews {what}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::mews::wire::{ReservationsGetAll, Set};

    #[test]
    fn an_operation_is_named_without_the_date_of_its_address() {
        assert_eq!(name::<ReservationsGetAll>(), "mews.reservations.getAll");
        assert_eq!(name::<ConfigurationGet>(), "mews.configuration.get");
    }

    #[test]
    fn what_is_not_said_is_left_out_and_what_empties_a_field_is_not() {
        let empty: Option<Set<String>> = Set::or_empty(None);
        let body = json!({"A": null, "B": [{"C": null, "D": 1}], "E": empty});
        assert_eq!(said(body), json!({"B": [{"D": 1}], "E": {"Value": null}}));
    }
}
