use std::{borrow::Cow, fmt};

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};
use stayzr_core::limit::Priority;

/// What a call does at the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it may be sent again at will.
    Read,
    /// It changes something: once it may have arrived, it is not sent again.
    Write,
}

/// What a call carries.
#[derive(Clone, PartialEq)]
pub enum CallBody {
    /// Nothing.
    Empty,
    /// A JSON object.
    Json(Map<String, Value>),
    /// A form.
    Form(Vec<(String, String)>),
}

/// A call to a vendor, without its credentials.
#[derive(Clone, PartialEq)]
pub struct VendorCall {
    /// The name of the operation for errors and traces: `mews.customers.getAll`.
    pub operation: Cow<'static, str>,
    /// The method.
    pub method: Method,
    /// The whole URL without its query.
    pub url: String,
    /// The query.
    pub query: Vec<(String, String)>,
    /// Headers beyond those of the body.
    pub headers: HeaderMap,
    /// The body.
    pub body: CallBody,
    /// What it does at the vendor.
    pub effect: Effect,
    /// Whether it may take the whole burst of the limit.
    pub priority: Priority,
}

impl VendorCall {
    /// A POST of a JSON object that reads.
    pub fn post(
        operation: impl Into<Cow<'static, str>>,
        url: String,
        body: Map<String, Value>,
    ) -> Self {
        Self {
            operation: operation.into(),
            method: Method::POST,
            url,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: CallBody::Json(body),
            effect: Effect::Read,
            priority: Priority::High,
        }
    }

    /// A GET.
    pub fn get(operation: impl Into<Cow<'static, str>>, url: String) -> Self {
        Self {
            method: Method::GET,
            body: CallBody::Empty,
            ..Self::post(operation, url, Map::new())
        }
    }

    /// The same call with this effect.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// The same call with this priority.
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }
}

// Query, headers and body may hold credentials and personal data.
impl fmt::Debug for VendorCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorCall")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("effect", &self.effect)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CallBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Json(_) => "Json(..)",
            Self::Form(_) => "Form(..)",
        })
    }
}

/// A vendor's answer that is no complaint.
#[derive(Clone)]
pub struct VendorAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; `null` where there is none.
    pub body: Value,
    /// The vendor's clock before it began to answer, from the `Date` header less the time that
    /// the call took: nothing that changed before it can be missing from the answer.
    pub vendor_now: Option<DateTime<Utc>>,
}

impl VendorAnswer {
    pub(super) fn new(
        status: StatusCode,
        headers: HeaderMap,
        body: Value,
        took: std::time::Duration,
    ) -> Self {
        let took = TimeDelta::from_std(took).unwrap_or(TimeDelta::zero());
        let vendor_now = date_header(&headers).map(|date| date - took);
        Self {
            status,
            headers,
            body,
            vendor_now,
        }
    }
}

impl fmt::Debug for VendorAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorAnswer")
            .field("status", &self.status)
            .field("vendor_now", &self.vendor_now)
            .finish_non_exhaustive()
    }
}

/// The time of the `Date` header, if it has one that can be read.
pub(super) fn date_header(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get(http::header::DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text)
        .ok()
        .map(|date| date.with_timezone(&Utc))
}
