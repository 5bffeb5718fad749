use std::ops::Range;

use chrono::{DateTime, Months, Utc};
use serde_json::{Map, Value, json};

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
}

impl Refusal {
    /// The request is wrong.
    pub(super) fn invalid(parameter: &str) -> Self {
        Self {
            status: 400,
            message: format!("Invalid {parameter}."),
        }
    }

    /// A rule of the hotel forbids it.
    pub(super) fn forbidden(message: &str) -> Self {
        Self {
            status: 403,
            message: message.to_owned(),
        }
    }
}

type Fields = Map<String, Value>;

/// The filters and the page of a list.
pub(super) struct ListQuery<'a> {
    body: &'a Fields,
}

impl<'a> ListQuery<'a> {
    pub(super) fn new(body: &'a Fields) -> Self {
        Self { body }
    }

    /// Whether the record is one of those that a filter of texts names; all are without a filter.
    pub(super) fn named(
        &self,
        filter: &str,
        most: usize,
        record: &Fields,
        key: &str,
    ) -> Result<bool, Refusal> {
        let Some(list) = self.body.get(filter).filter(|list| !list.is_null()) else {
            return Ok(true);
        };
        let list = list.as_array().ok_or_else(|| Refusal::invalid(filter))?;
        if list.len() > most || list.iter().any(|item| !item.is_string()) {
            return Err(Refusal::invalid(filter));
        }
        Ok(record.get(key).is_some_and(|value| list.contains(value)))
    }

    /// The span of a filter, if it has one. Spans of more than three months are refused.
    pub(super) fn span(&self, filter: &str) -> Result<Option<Range<DateTime<Utc>>>, Refusal> {
        self.at_most(filter, 3)
    }

    /// The span of a filter, if it has one. Spans of more months are refused.
    pub(super) fn at_most(
        &self,
        filter: &str,
        months: u32,
    ) -> Result<Option<Range<DateTime<Utc>>>, Refusal> {
        let Some(span) = self.body.get(filter).filter(|span| !span.is_null()) else {
            return Ok(None);
        };
        let bound = |key: &str| {
            span.get(key)
                .and_then(Value::as_str)
                .and_then(time)
                .ok_or_else(|| Refusal::invalid(filter))
        };
        let (start, end) = (bound("StartUtc")?, bound("EndUtc")?);
        let longest = start.checked_add_months(Months::new(months));
        if end < start || longest.is_none_or(|longest| end > longest) {
            return Err(Refusal::invalid(filter));
        }
        Ok(Some(start..end))
    }

    /// Whether the record's time is in the span of a filter: start inclusive, end exclusive, or
    /// equal where both are the same.
    pub(super) fn within(&self, filter: &str, record: &Fields) -> Result<bool, Refusal> {
        let Some(Range { start, end }) = self.span(filter)? else {
            return Ok(true);
        };
        let at = record.get(filter).and_then(Value::as_str).and_then(time);
        Ok(at.is_some_and(|at| {
            if start == end {
                at == start
            } else {
                start <= at && at < end
            }
        }))
    }

    /// Whether the record's state of activity is asked for.
    pub(super) fn active(&self, record: &Fields) -> Result<bool, Refusal> {
        let Some(list) = self
            .body
            .get("ActivityStates")
            .filter(|list| !list.is_null())
        else {
            return Ok(true);
        };
        let list = list
            .as_array()
            .ok_or_else(|| Refusal::invalid("ActivityStates"))?;
        let state = if record.get("IsActive") == Some(&json!(false)) {
            "Deleted"
        } else {
            "Active"
        };
        Ok(list.contains(&json!(state)))
    }

    /// Whether the body has this key with something in it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.body.get(key).is_some_and(|value| !value.is_null())
    }

    /// The page of these records, the newest first, as an answer with its list under `key`.
    pub(super) fn page(&self, key: &str, mut found: Vec<&Fields>) -> Result<Value, Refusal> {
        let limitation = self
            .body
            .get("Limitation")
            .and_then(Value::as_object)
            .ok_or_else(|| Refusal::invalid("Limitation"))?;
        let count = limitation
            .get("Count")
            .and_then(Value::as_u64)
            .filter(|count| (1..=1000).contains(count))
            .ok_or_else(|| Refusal::invalid("Limitation"))?;
        found.sort_by(|a, b| order(b).cmp(&order(a)));
        let start = match limitation.get("Cursor") {
            None | Some(Value::Null) => 0,
            Some(cursor) => {
                let at = found
                    .iter()
                    .position(|record| record.get("Id") == Some(cursor));
                at.ok_or_else(|| Refusal::invalid("Cursor"))? + 1
            }
        };
        let count = usize::try_from(count).unwrap_or(1000);
        let page: Vec<&Fields> = found.into_iter().skip(start).take(count).collect();
        let cursor = page.last().and_then(|record| record.get("Id")).cloned();
        Ok(json!({key: page, "Cursor": cursor}))
    }
}

fn order(record: &Fields) -> (Option<&str>, Option<&str>) {
    let text = |key: &str| record.get(key).and_then(Value::as_str);
    (text("CreatedUtc"), text("Id"))
}

/// A time as Mews reads it.
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.to_utc())
}
