use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::Method;
use serde_json::{Map, Value};
use stayzr_core::{Error, Result, limit::Priority};
use tokio::sync::OnceCell;

use super::{
    CloudbedsConfig, CloudbedsCredentials, CredentialStore,
    auth::CloudbedsAuth,
    error::DIALECT,
    wire::{Form, elements},
};
use crate::http::{CallBody, Effect, VendorAnswer, VendorCall, VendorHttp};

/// The most reservations and guests Cloudbeds gives on a page.
pub(super) const PAGE: usize = 100;

/// Calls that take several properties, and name the parameter so.
const SEVERAL: [&str; 8] = [
    "getHotels",
    "getGuestList",
    "getGuestsModified",
    "getRooms",
    "getRoomTypes",
    "getRatePlans",
    "getAvailableRoomTypes",
    "deleteWebhook",
];

/// Typed calls to Cloudbeds' PMS API.
#[derive(Debug)]
pub struct CloudbedsClient {
    http: VendorHttp,
    config: CloudbedsConfig,
    auth: CloudbedsAuth,
    root: OnceCell<String>,
}

/// A page of records as they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawPage {
    /// The records.
    pub items: Vec<Value>,
    /// How many there are on all pages, where it is said.
    pub total: Option<u64>,
    /// Cloudbeds' clock before it answered.
    pub vendor_now: Option<DateTime<Utc>>,
}

impl CloudbedsClient {
    /// Calls with these credentials; renewed tokens go to `store`.
    pub fn new(
        config: CloudbedsConfig,
        credentials: CloudbedsCredentials,
        http: VendorHttp,
        store: Option<Arc<dyn CredentialStore>>,
    ) -> Self {
        let root = format!("{}/api/{}", config.base_url, config.api_version);
        let auth = CloudbedsAuth::new(credentials, http.clone(), &root, store);
        if let Some(property) = &config.property_id {
            auth.set_property(property);
        }
        Self {
            http,
            config,
            auth,
            root: OnceCell::new(),
        }
    }

    /// What is configured.
    pub fn config(&self) -> &CloudbedsConfig {
        &self.config
    }

    /// The property that calls are about, once it is known.
    pub fn property_id(&self) -> Option<String> {
        self.auth.property()
    }

    pub(super) fn set_property(&self, id: &str) {
        self.auth.set_property(id);
    }

    /// Where the property's region is. Cloudbeds has several and tells by the credentials; where it
    /// does not, the configured address is taken.
    async fn root(&self) -> Result<&str> {
        let path = format!("/api/{}", self.config.api_version);
        let configured = format!("{}{path}", self.config.base_url);
        if !self.config.find_region {
            return Ok(self.root.get_or_init(async || configured).await);
        }
        let found = self.root.get_or_try_init(async || {
            let call =
                VendorCall::get("cloudbeds.metadata", format!("{configured}/oauth/metadata"));
            let answer = match self.http.send(&call, &self.auth, &DIALECT).await {
                Ok(answer) => answer,
                // Keys of one property may not be asked this.
                Err(error) if !error.is_retryable() => return Ok(configured),
                Err(error) => return Err(error),
            };
            let url = answer.body.pointer("/data/api/url").and_then(Value::as_str);
            let region = url.and_then(|url| region(url, &self.config.base_url));
            Ok(region.map_or(configured, |host| format!("{host}{path}")))
        });
        found.await.map(String::as_str)
    }

    /// A call that reads. The property is added.
    pub(super) async fn get(
        &self,
        method: &str,
        mut query: Vec<(String, String)>,
        priority: Priority,
    ) -> Result<VendorAnswer> {
        if let Some(property) = self.auth.property() {
            query.insert(0, (property_key(method).to_owned(), property));
        }
        let call = VendorCall {
            query,
            ..VendorCall::get(
                format!("cloudbeds.{method}"),
                format!("{}/{method}", self.root().await?),
            )
        }
        .with_priority(priority);
        self.http.send(&call, &self.auth, &DIALECT).await
    }

    /// A call that writes a form. The property is added.
    pub(super) async fn write(
        &self,
        http_method: Method,
        method: &str,
        form: &Form,
    ) -> Result<Value> {
        let mut fields = form.fields().to_vec();
        if let Some(property) = self.auth.property() {
            fields.insert(0, (property_key(method).to_owned(), property));
        }
        let (query, body) = if http_method == Method::DELETE {
            (fields, CallBody::Empty)
        } else {
            (Vec::new(), CallBody::Form(fields))
        };
        let url = format!("{}/{method}", self.root().await?);
        let call = VendorCall {
            method: http_method,
            query,
            body,
            ..VendorCall::post(format!("cloudbeds.{method}"), url, Map::new())
        }
        .with_effect(Effect::Write);
        Ok(self.http.send(&call, &self.auth, &DIALECT).await?.body)
    }

    /// One page of a list, the first being 1. Lists that are maps by id are read as their values.
    pub(super) async fn page(
        &self,
        method: &str,
        mut query: Vec<(String, String)>,
        (number, size): (usize, usize),
        priority: Priority,
    ) -> Result<RawPage> {
        query.push(("pageNumber".to_owned(), number.to_string()));
        query.push(("pageSize".to_owned(), size.to_string()));
        let answer = self.get(method, query, priority).await?;
        let items = listed(method, &answer.body)?;
        let total = answer.body.get("total").and_then(|total| match total {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64(),
        });
        Ok(RawPage {
            items,
            total,
            vendor_now: answer.vendor_now,
        })
    }

    /// A list that has no pages.
    pub(super) async fn list(
        &self,
        method: &str,
        query: Vec<(String, String)>,
        priority: Priority,
    ) -> Result<RawPage> {
        let answer = self.get(method, query, priority).await?;
        Ok(RawPage {
            items: listed(method, &answer.body)?,
            total: None,
            vendor_now: answer.vendor_now,
        })
    }

    /// `getHotels`: every property that the credentials are for.
    pub(super) async fn hotels(&self) -> Result<RawPage> {
        self.page("getHotels", Vec::new(), (1, PAGE), Priority::High)
            .await
    }

    /// `getHotelDetails` of the property.
    pub(super) async fn hotel_details(&self) -> Result<Value> {
        let answer = self
            .get("getHotelDetails", Vec::new(), Priority::High)
            .await?;
        Ok(answer.body.get("data").cloned().unwrap_or_default())
    }

    /// `getGuest`: the guest with its id, which the answer lacks; none where Cloudbeds has none.
    pub(super) async fn guest(&self, id: &str) -> Result<Option<(Value, Option<DateTime<Utc>>)>> {
        let query = vec![("guestID".to_owned(), id.to_owned())];
        let answer = match self.get("getGuest", query, Priority::High).await {
            Err(error) if error.kind() == stayzr_core::ErrorKind::NotFound => return Ok(None),
            answer => answer?,
        };
        let Some(Value::Object(data)) = answer.body.get("data") else {
            return Ok(None);
        };
        let mut data = data.clone();
        data.insert("guestID".to_owned(), Value::from(id));
        Ok(Some((Value::Object(data), answer.vendor_now)))
    }

    /// `postReservation`: the reservation's id.
    pub(super) async fn post_reservation(&self, form: &Form) -> Result<String> {
        let answer = self.write(Method::POST, "postReservation", form).await?;
        text(&answer, "/reservationID")
            .ok_or_else(|| unseen("cloudbeds.postReservation", "the reservation's id"))
    }

    /// `putReservation`.
    pub(super) async fn put_reservation(&self, form: &Form) -> Result<()> {
        self.write(Method::PUT, "putReservation", form)
            .await
            .map(drop)
    }

    /// `postRoomAssign`.
    pub(super) async fn assign_room(&self, form: &Form) -> Result<()> {
        self.write(Method::POST, "postRoomAssign", form)
            .await
            .map(drop)
    }

    /// `postRoomCheckIn` or `postRoomCheckOut` of a room of a reservation.
    pub(super) async fn check(
        &self,
        out: bool,
        reservation: &str,
        sub_reservation: &str,
    ) -> Result<()> {
        let method = if out {
            "postRoomCheckOut"
        } else {
            "postRoomCheckIn"
        };
        let mut form = Form::new();
        form.text("reservationID", reservation)
            .text("subReservationID", sub_reservation);
        self.write(Method::POST, method, &form).await.map(drop)
    }

    /// `putGuest`.
    pub(super) async fn put_guest(&self, form: &Form) -> Result<()> {
        self.write(Method::PUT, "putGuest", form).await.map(drop)
    }

    /// `postGuest`: the id of the guest who was added to a reservation.
    pub(super) async fn post_guest(&self, form: &Form) -> Result<String> {
        let answer = self.write(Method::POST, "postGuest", form).await?;
        text(&answer, "/guestID").ok_or_else(|| unseen("cloudbeds.postGuest", "the guest's id"))
    }

    /// `postReservationNote` or `postGuestNote`: the note's id.
    pub(super) async fn post_note(&self, of_guest: bool, form: &Form) -> Result<String> {
        let (method, key) = match of_guest {
            true => ("postGuestNote", "/guestNoteID"),
            false => ("postReservationNote", "/reservationNoteID"),
        };
        let answer = self.write(Method::POST, method, form).await?;
        text(&answer, key).ok_or_else(|| unseen("cloudbeds.postNote", "the note's id"))
    }

    /// `postHousekeepingStatus`: the condition that the room has now. The condition is always sent:
    /// without it Cloudbeds switches the room to the other one.
    pub(super) async fn housekeeping(&self, room: &str, condition: &str) -> Result<Option<String>> {
        let mut form = Form::new();
        form.text("roomID", room).text("roomCondition", condition);
        let answer = self
            .write(Method::POST, "postHousekeepingStatus", &form)
            .await?;
        Ok(text(&answer, "/data/roomCondition"))
    }
}

fn property_key(method: &str) -> &'static str {
    if SEVERAL.contains(&method) {
        "propertyIDs"
    } else {
        "propertyID"
    }
}

/// The list of an answer; an answer without one is an empty list.
fn listed(method: &str, body: &Value) -> Result<Vec<Value>> {
    match body.get("data") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(data @ (Value::Array(_) | Value::Object(_))) => {
            Ok(elements(data).into_iter().cloned().collect())
        }
        Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(_) => Err(Error::corrupt(
            format!("cloudbeds.{method}"),
            "the answer of Cloudbeds has no list of records",
        )),
    }
}

pub(super) fn text(answer: &Value, pointer: &str) -> Option<String> {
    match answer.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn unseen(operation: &'static str, what: &str) -> Error {
    Error::new(
        stayzr_core::ErrorKind::Ambiguous,
        operation,
        format!("Cloudbeds took the write and did not answer with {what}"),
    )
}

/// Scheme and host of a region, if credentials may be sent there: to the host that is configured,
/// and to Cloudbeds' own.
fn region(url: &str, configured: &str) -> Option<String> {
    let url = url.trim();
    if url.starts_with(configured) && !configured.is_empty() {
        let rest = &url[configured.len()..];
        return (rest.is_empty() || rest.starts_with('/')).then(|| configured.to_owned());
    }
    let rest = url.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    (plain && host.ends_with(".cloudbeds.com")).then(|| format!("https://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_p_credentials_go_to_cloudbeds_and_the_configured_host_alone() {
        let from = |url: &str| region(url, "https://api.cloudbeds.com");
        let there = |host: &str| Some(host.to_owned());
        assert_eq!(
            from("https://api-us3.cloudbeds.com/api/v1.2/"),
            there("https://api-us3.cloudbeds.com")
        );
        assert_eq!(
            from("https://api.cloudbeds.com/"),
            there("https://api.cloudbeds.com")
        );
        for stranger in [
            "https://evilcloudbeds.com",
            "https://api.cloudbeds.com.evil.example",
            "https://api.cloudbeds.com@evil.example",
            "https://evil.example/.cloudbeds.com",
            "https://user:x@api.cloudbeds.com",
            "http://api.cloudbeds.com",
            "ftp://x",
            "",
        ] {
            assert_eq!(from(stranger), None, "{stranger}");
        }
        assert_eq!(
            region("http://127.0.0.1:9/api", "http://127.0.0.1:9"),
            there("http://127.0.0.1:9")
        );
        assert_eq!(region("http://127.0.0.1:99/", "http://127.0.0.1:9"), None);
    }
}
