//! Reading what PHP writes: numbers as strings, one object for a list of one, `[]` for an empty
//! map, `""` for no date.

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Text, which may be a number or a flag; blank is kept.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Bool(flag)) => Ok(Some(flag.to_string())),
        Some(Value::Array(items)) if items.is_empty() => Ok(None),
        Some(_) => Err(serde::de::Error::custom("neither a text nor a number")),
    }
}

/// An id: a text or a number; an absent one is blank.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text(deserializer)?.unwrap_or_default().trim().to_owned())
}

/// A whole number, which may be a text; blank is none.
pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let refuse = || serde::de::Error::custom("is not a whole number");
    let float = |number: f64| {
        let fits = number.fract() == 0.0 && number.abs() < 1e15;
        // Checked right above: within what a float holds exactly.
        #[allow(clippy::cast_possible_truncation, reason = "checked before")]
        fits.then_some(number as i64)
    };
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number
            .as_i64()
            .or_else(|| number.as_f64().and_then(float))
            .map(Some)
            .ok_or_else(refuse),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => {
            let text = text.trim();
            let read = text
                .parse()
                .ok()
                .or_else(|| text.parse().ok().and_then(float));
            read.map(Some).ok_or_else(refuse)
        }
        Some(_) => Err(refuse()),
    }
}

/// A flag, which may be a number or a word; blank is none.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let refuse = || serde::de::Error::custom("is neither true nor false");
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(flag)),
        Some(Value::Number(number)) => Ok(number.as_f64().map(|number| number != 0.0)),
        Some(Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "" => Ok(None),
            "true" | "1" | "yes" | "y" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "n" | "off" => Ok(Some(false)),
            _ => Err(refuse()),
        },
        Some(_) => Err(refuse()),
    }
}

/// A day, with or without a time after it; blank and `0000-00-00` are none.
pub(super) fn day<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<NaiveDate>, D::Error> {
    match moment_text(text(deserializer)?) {
        None => Ok(None),
        Some(text) => text
            .get(..10)
            .and_then(|day| day.parse().ok())
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom("is not a date as YYYY-MM-DD")),
    }
}

/// A time without an offset; blank and `0000-00-00 00:00:00` are none.
pub(super) fn moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<NaiveDateTime>, D::Error> {
    match moment_text(text(deserializer)?) {
        None => Ok(None),
        Some(text) => parse_moment(&text)
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom("is not a time as YYYY-MM-DD HH:MM:SS")),
    }
}

fn moment_text(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty() && !text.starts_with("0000-00-00"))
}

/// `2024-04-20 14:31:02`, also with `T`, without seconds, with a fraction, or a `Z` at its end.
pub(super) fn parse_moment(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim().trim_end_matches('Z').replacen('T', " ", 1);
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        .or_else(|| text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0))
}

/// A list, which may be `null`, blank, one object, or a map of its elements.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Option::<Value>::deserialize(deserializer)?.unwrap_or_default();
    elements(&value)
        .into_iter()
        .map(|element| T::deserialize(element).map_err(serde::de::Error::custom))
        .collect()
}

/// A map, which may be `null`, blank, or `[]`. A list of objects is keyed by its position.
pub(super) fn map<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let read = |value: Value| T::deserialize(value).map_err(serde::de::Error::custom);
    match Option::<Value>::deserialize(deserializer)?.unwrap_or_default() {
        Value::Object(entries) => entries
            .into_iter()
            .map(|(key, value)| Ok((key, read(value)?)))
            .collect(),
        Value::Array(items) => items
            .into_iter()
            .enumerate()
            .map(|(at, value)| Ok((at.to_string(), read(value)?)))
            .collect(),
        _ => Ok(BTreeMap::new()),
    }
}

/// The elements of a list as it may be written: an array, a map of objects, or one object.
pub fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) if fields.is_empty() => Vec::new(),
        Value::Object(fields) if fields.values().all(Value::is_object) => fields.values().collect(),
        Value::Object(_) => vec![value],
        _ => Vec::new(),
    }
}

/// The fields that say something: blank texts, empty lists and `null` are the same to Cloudbeds as
/// not being there, and its lists and single records differ in which they write.
pub fn told(fields: &Map<String, Value>) -> Map<String, Value> {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    fields
        .iter()
        .filter(|(_, value)| says(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Reads one record. The error names the field that cannot be read, found by leaving fields out one
/// by one, and the reason.
pub fn read_element<T: DeserializeOwned>(value: &Value) -> Result<T, (String, String)> {
    let error = match T::deserialize(value) {
        Ok(element) => return Ok(element),
        Err(error) => error.to_string(),
    };
    let Value::Object(fields) = value else {
        return Err(("element".to_owned(), "is not an object".to_owned()));
    };
    let culprit = fields.keys().find(|name| {
        let mut rest = fields.clone();
        rest.remove(*name);
        T::deserialize(Value::Object(rest)).is_ok()
    });
    Err((
        culprit.map_or_else(|| "record".to_owned(), Clone::clone),
        error,
    ))
}

/// An enumeration that is open: a value that is not listed is kept as it came.
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal $(| $alias:literal)*),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`.")] $variant,)*
            /// A value that is not listed here, as it came.
            Unknown(String),
        }

        impl $name {
            /// The vendor's word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text $(| $alias)* => Self::$variant,)*
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from(String::deserialize(deserializer)?.as_str()))
            }
        }
    };
}

pub(super) use open_enum;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Loose {
        #[serde(default, deserialize_with = "id")]
        id: String,
        #[serde(default, deserialize_with = "whole")]
        count: Option<i64>,
        #[serde(default, deserialize_with = "flag")]
        on: Option<bool>,
        #[serde(default, deserialize_with = "day")]
        day: Option<NaiveDate>,
        #[serde(default, deserialize_with = "moment")]
        at: Option<NaiveDateTime>,
        #[serde(default, deserialize_with = "list")]
        list: Vec<Value>,
        #[serde(default, deserialize_with = "map")]
        map: BTreeMap<String, Value>,
    }

    #[test]
    fn the_same_is_read_however_php_writes_it() {
        let one = json!({"a": 1});
        let plain: Loose = serde_json::from_value(json!({
            "id": "7", "count": 2, "on": true, "day": "2024-05-01", "at": "2024-05-01 00:00:00",
            "list": [one], "map": {"k": one}
        }))
        .unwrap();
        let odd: Loose = serde_json::from_value(json!({
            "id": 7, "count": "2.0", "on": "1", "day": "2024-05-01 15:00:00", "at": "2024-05-01",
            "list": one, "map": {"k": one}
        }))
        .unwrap();
        assert_eq!(plain, odd);
    }

    #[test]
    fn blank_is_nothing_and_nonsense_is_an_error() {
        for blank in [
            json!({"count": "", "on": "", "day": "", "at": "", "list": "", "map": []}),
            json!({"count": null, "day": "0000-00-00", "at": "0000-00-00 00:00:00", "list": null}),
            json!({"list": {}, "map": null}),
        ] {
            let read: Loose = serde_json::from_value(blank).unwrap();
            assert_eq!(read, Loose::default());
        }
        for wrong in [
            json!({"count": "two"}),
            json!({"count": 1.5}),
            json!({"day": "tomorrow"}),
            json!({"on": "perhaps"}),
        ] {
            assert!(serde_json::from_value::<Loose>(wrong).is_err());
        }
    }

    #[test]
    fn the_field_that_cannot_be_read_is_named() {
        let (field, _) = read_element::<Loose>(&json!({"id": 1, "count": "x"})).unwrap_err();
        assert_eq!(field, "count");
    }
}
