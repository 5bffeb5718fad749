use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Map, Value};
use stayzr_core::{ErrorKind, Result, limit::Priority};

use super::{
    OperaConfig, OperaCredentials,
    auth::{OperaAuth, Pass},
    error::DIALECT,
};
use crate::http::{CallBody, Effect, VendorAnswer, VendorAuth, VendorCall, VendorHttp};

pub(super) type Query = Vec<(String, String)>;

/// Typed calls to OPERA Cloud's REST APIs.
#[derive(Debug)]
pub struct OperaClient {
    http: VendorHttp,
    config: OperaConfig,
    auth: OperaAuth,
}

/// What a write was answered with.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Written {
    /// The body; `null` where there is none.
    pub(super) body: Value,
    /// The last part of the address of what was made.
    pub(super) made: Option<String>,
}

/// What is asked or told, and where.
pub(super) struct Place<'a> {
    /// OPERA's name of the operation: `getHotelReservations`.
    pub(super) operation: &'static str,
    /// The module's path: `rsv/v1`.
    pub(super) module: &'static str,
    /// The rest of the path, part by part.
    pub(super) parts: &'a [&'a str],
}

impl OperaClient {
    /// Calls with these credentials.
    pub fn new(config: OperaConfig, credentials: OperaCredentials, http: VendorHttp) -> Self {
        let auth = OperaAuth::new(&config, credentials, http.clone());
        Self { http, config, auth }
    }

    /// What is configured.
    pub fn config(&self) -> &OperaConfig {
        &self.config
    }

    pub(super) fn hotel_id(&self) -> &str {
        &self.config.hotel_id
    }

    /// What lets the stream of events in.
    pub(super) async fn pass(&self) -> Result<Pass> {
        self.auth.pass().await
    }

    /// After a refusal: whether there is another token now.
    pub(super) async fn renew(&self) -> Result<bool> {
        self.auth.renew().await
    }

    fn url(&self, place: &Place<'_>) -> String {
        let mut url = format!("{}/{}", self.config.base_url, place.module);
        for part in place.parts {
            url.push('/');
            push_escaped(&mut url, part);
        }
        url
    }

    /// A call that reads. None where OPERA says that there is nothing: by 204, or for one record by
    /// 404.
    pub(super) async fn get(
        &self,
        place: Place<'_>,
        query: Query,
        priority: Priority,
    ) -> Result<(Option<Value>, Option<DateTime<Utc>>)> {
        let call = VendorCall {
            query,
            ..VendorCall::get(format!("opera.{}", place.operation), self.url(&place))
        }
        .with_priority(priority);
        let answer = match self.http.send(&call, &self.auth, &DIALECT).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((None, None)),
            answer => answer?,
        };
        let now = answer.vendor_now;
        Ok((body(answer), now))
    }

    /// A call that takes something away as it is read, and so is never sent again.
    pub(super) async fn take(&self, place: Place<'_>, query: Query) -> Result<Option<Value>> {
        let call = VendorCall {
            query,
            ..VendorCall::get(format!("opera.{}", place.operation), self.url(&place))
        }
        .with_effect(Effect::Write);
        let answer = self.http.send(&call, &self.auth, &DIALECT).await?;
        Ok(body(answer))
    }

    /// A call that writes.
    pub(super) async fn write(
        &self,
        method: Method,
        place: Place<'_>,
        sent: Map<String, Value>,
    ) -> Result<Written> {
        let call = VendorCall {
            method,
            body: CallBody::Json(sent),
            ..VendorCall::post(
                format!("opera.{}", place.operation),
                self.url(&place),
                Map::new(),
            )
        }
        .with_effect(Effect::Write);
        let answer = self.http.send(&call, &self.auth, &DIALECT).await?;
        let made = made(&answer.headers);
        Ok(Written {
            made,
            body: body(answer).unwrap_or_default(),
        })
    }
}

fn body(answer: VendorAnswer) -> Option<Value> {
    let is_empty = answer.status == StatusCode::NO_CONTENT || answer.body.is_null();
    (!is_empty).then_some(answer.body)
}

/// The id of what was made: OPERA tells it by the `Location` alone.
fn made(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(header::LOCATION)?.to_str().ok()?;
    let path = location.split(['?', '#']).next()?;
    let last = path.trim_end_matches('/').rsplit('/').next()?;
    (!last.is_empty()).then(|| last.to_owned())
}

/// A part of a path, in which no letter separates.
fn push_escaped(url: &mut String, part: &str) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_leaves_its_part_of_the_path() {
        let mut url = String::new();
        push_escaped(&mut url, "a/../b?c=1#d e");
        assert_eq!(url, "a%2F..%2Fb%3Fc%3D1%23d%20e");
    }

    #[test]
    fn what_was_made_is_the_end_of_its_address() {
        let at = |location: &'static str| {
            let value = http::HeaderValue::from_static(location);
            made(&HeaderMap::from_iter([(header::LOCATION, value)]))
        };
        let id = Some("571062".to_owned());
        assert_eq!(
            at("https://gateway.example/rsv/v1/hotels/H/reservations/571062"),
            id
        );
        assert_eq!(at("/crm/v1/profiles/571062/?x=1"), id);
        assert_eq!(made(&HeaderMap::new()), None);
    }
}
