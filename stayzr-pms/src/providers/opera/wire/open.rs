use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value;

/// What cannot be read, and why: field and reason.
pub type Unreadable = (String, String);

/// A place in a body of OPERA, whether or not something stands there.
///
/// OPERA's own examples break its schemas: numbers as texts, one object where a list is meant, lists
/// within an object that holds nothing else, enumerations in capitals. All of it is read.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a>(pub Option<&'a Value>);

impl<'a> Node<'a> {
    /// A body.
    pub fn of(value: &'a Value) -> Self {
        Self(Some(value))
    }

    /// The place at a path of keys with slashes between; of a list its first element.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        path.split('/').fold(self, |node, key| {
            let value = match node.0 {
                Some(Value::Array(items)) => items.first(),
                other => other,
            };
            Self(value.and_then(|value| value.get(key)))
        })
    }

    /// Whether something but `null` stands here.
    pub fn is_there(self) -> bool {
        self.0.is_some_and(|value| !value.is_null())
    }

    /// A text, a number or a flag as a text; blank is none.
    pub fn text(self) -> Option<String> {
        let text = match self.0? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// A whole number, which may be a text.
    pub fn whole(self) -> Result<Option<i64>, String> {
        let Some(text) = self.text() else {
            return Ok(None);
        };
        let whole = text.strip_suffix(".0").unwrap_or(&text);
        let read = whole.parse().map(Some);
        read.map_err(|_| "is not a whole number".to_owned())
    }

    /// A flag, which may be a text or a letter.
    pub fn flag(self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "1" | "y" | "yes" => Some(true),
            "false" | "0" | "n" | "no" => Some(false),
            _ => None,
        }
    }

    /// A day, with or without a time after it.
    pub fn day(self) -> Result<Option<NaiveDate>, String> {
        let Some(text) = self.text() else {
            return Ok(None);
        };
        let day = text.get(..10).and_then(|day| day.parse().ok());
        day.map(Some)
            .ok_or_else(|| "is not a date as YYYY-MM-DD".to_owned())
    }

    /// A time of day, alone or after a day.
    pub fn time(self) -> Option<NaiveTime> {
        let text = self.text()?;
        parse_moment(&text).map(|moment| moment.time()).or_else(|| {
            ["%H:%M:%S%.f", "%H:%M"]
                .iter()
                .find_map(|format| NaiveTime::parse_from_str(&text, format).ok())
        })
    }

    /// The elements of a list: an array, one element that stands for it, or an object that holds
    /// the list under one of these names.
    pub fn items(self, names: &[&str]) -> Vec<Node<'a>> {
        match self.0 {
            Some(Value::Array(items)) => {
                // A list of lists: pages by hotel.
                let inner = |item: &'a Value| Node::of(item).items(names);
                items.iter().flat_map(inner).collect()
            }
            Some(value @ Value::Object(fields)) => {
                match names.iter().find_map(|name| fields.get(*name)) {
                    Some(inner) => match inner {
                        Value::Array(items) => items.iter().map(Node::of).collect(),
                        Value::Null => Vec::new(),
                        Value::Object(nothing) if nothing.is_empty() => Vec::new(),
                        one => vec![Node::of(one)],
                    },
                    None if fields.is_empty() => Vec::new(),
                    None => vec![Node::of(value)],
                }
            }
            _ => Vec::new(),
        }
    }

    /// The id of this type in a list of ids.
    pub fn id(self, kind: &str) -> Option<String> {
        let ids = self.items(&[]);
        ids.iter()
            .find(|id| {
                let named = id.at("type").text();
                named.is_some_and(|named| named.eq_ignore_ascii_case(kind))
            })
            .and_then(|id| id.at("id").text())
    }
}

/// A time of OPERA without its zone, which OPERA does not document: `2020-01-28 17:22:35.0`,
/// `2019-09-18T21:09:36.498Z`, or a day.
pub fn parse_moment(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.naive_local());
    }
    let plain = text.replacen('T', " ", 1);
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&plain, format).ok())
        .or_else(|| text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0))
}

/// An enumeration that is open: a value that is not listed is kept as it came. Case does not matter,
/// nor do blanks between words: events write in capitals what records do not.
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
            /// OPERA's word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                let plain: String = text
                    .chars()
                    .filter(|letter| letter.is_ascii_alphanumeric())
                    .collect();
                $(if [$text $(, $alias)*].iter().any(|word| plain.eq_ignore_ascii_case(word)) {
                    return Self::$variant;
                })*
                Self::Unknown(text.to_owned())
            }
        }
    };
}

pub(super) use open_enum;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_or_many_bare_or_wrapped_is_the_same_list() {
        for body in [
            json!([{"id": 1, "type": "Reservation"}]),
            json!({"id": "1", "type": "RESERVATION"}),
            json!({"uniqueId": [{"id": 1, "type": "Reservation"}]}),
        ] {
            let items = Node::of(&body).items(&["uniqueId"]);
            assert_eq!(items.len(), 1, "{body}");
            assert_eq!(items[0].at("id").text().as_deref(), Some("1"), "{body}");
        }
        assert!(Node(None).items(&[]).is_empty());
        assert!(Node::of(&json!({})).items(&["x"]).is_empty());
        let ids = json!([{"id": "571062", "type": "Reservation"}, {"id": 813_595, "type": "Confirmation"}]);
        assert_eq!(Node::of(&ids).id("Confirmation").as_deref(), Some("813595"));
        assert_eq!(Node::of(&ids).id("Profile"), None);
    }

    #[test]
    fn numbers_and_times_are_read_however_they_are_written() {
        let body = json!({"a": "2", "b": 2, "c": "2.0", "d": "two", "e": "",
            "x": "2020-01-28 17:22:35.0", "y": "2019-09-18T21:09:36.498Z", "z": "2019-09-18", "t": "17:30"});
        let at = |key| Node::of(&body).at(key);
        for key in ["a", "b", "c"] {
            assert_eq!(at(key).whole(), Ok(Some(2)), "{key}");
        }
        assert!(at("d").whole().is_err());
        assert_eq!(at("e").whole(), Ok(None));
        for key in ["x", "y", "z"] {
            assert!(at(key).day().unwrap().is_some(), "{key}");
            assert!(at(key).time().is_some(), "{key}");
        }
        assert_eq!(at("t").time(), NaiveTime::from_hms_opt(17, 30, 0));
    }
}
