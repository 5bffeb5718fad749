use chrono::{NaiveDate, TimeDelta};
use serde::de::DeserializeOwned;
use serde_json::Value;
use stayzr_core::{Error, Result, port::backend::StayQuery};

/// Reads arguments into their type; an unknown or missing one is named in the error. `null` and
/// text that holds an object are taken as some providers send them.
pub(super) fn read<T: DeserializeOwned>(tool: &'static str, arguments: &Value) -> Result<T> {
    let parsed = match arguments {
        Value::Null => serde_json::from_value(Value::Object(serde_json::Map::new())),
        Value::String(text) if text.trim().is_empty() => {
            serde_json::from_value(Value::Object(serde_json::Map::new()))
        }
        Value::String(text) => serde_json::from_str(text),
        other => serde_json::from_value(other.clone()),
    };
    parsed.map_err(|error| Error::invalid(tool, format!("the arguments are wrong: {error}")))
}

/// Checks a text: not empty, at most `limit` characters.
pub(super) fn text(
    tool: &'static str,
    name: &'static str,
    value: &str,
    limit: usize,
) -> Result<String> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Error::invalid(tool, format!("`{name}` must not be empty")));
    }
    if value.chars().count() > limit {
        return Err(Error::invalid(
            tool,
            format!("`{name}` must have at most {limit} characters"),
        ));
    }
    Ok(value.to_owned())
}

/// Checks the dates and persons of a stay.
pub(super) fn stay(
    tool: &'static str,
    today: NaiveDate,
    arrival: &str,
    departure: &str,
    persons: u32,
) -> Result<StayQuery> {
    let date = |name: &str, text: &str| {
        text.trim().parse::<NaiveDate>().map_err(|_| {
            Error::invalid(tool, format!("`{name}` must be a date such as 2027-05-17"))
        })
    };
    let arrival = date("arrival", arrival)?;
    let departure = date("departure", departure)?;
    // Midnight at the property may lie a day behind the guest's own.
    if arrival < today - TimeDelta::days(1) {
        return Err(Error::invalid(
            tool,
            format!("`arrival` is in the past; today is {today}"),
        ));
    }
    if departure <= arrival {
        return Err(Error::invalid(tool, "`departure` must be after `arrival`"));
    }
    if (departure - arrival).num_days() > 60 {
        return Err(Error::invalid(tool, "a stay has at most 60 nights"));
    }
    if !(1..=20).contains(&persons) {
        return Err(Error::invalid(tool, "`persons` must be from 1 to 20"));
    }
    Ok(StayQuery {
        arrival,
        departure,
        persons,
    })
}
