use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The wrapper of a partial update: absent keeps the field, `{"Value": x}` sets it and
/// `{"Value": null}` empties it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Set<T> {
    /// The value; `None` empties the field.
    pub value: Option<T>,
}

impl<T> Set<T> {
    /// Sets the field.
    pub const fn to(value: T) -> Option<Self> {
        Some(Self { value: Some(value) })
    }

    /// Sets the field, or empties it.
    pub const fn or_empty(value: Option<T>) -> Option<Self> {
        Some(Self { value })
    }
}

/// Text that the vendor may write as a number.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(serde::de::Error::custom("neither a text nor a number")),
    }
}

/// A word of an enumeration. Whatever stands there is kept, as text.
pub(super) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => None,
        Some(value) => Some(spoken(value)),
    })
}

/// A list of such words.
pub(super) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values
            .into_iter()
            .filter(|value| !value.is_null())
            .map(spoken)
            .collect(),
        Some(value) => vec![spoken(value)],
    })
}

pub(super) fn spoken(value: Value) -> String {
    match value {
        Value::String(word) => word,
        other => other.to_string(),
    }
}

/// A list that the vendor may write as `null`.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// A decimal from the digits that were sent, never through binary fractions.
pub(super) fn decimal<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    let digits = match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(digits)) => digits,
        Some(other) => other.to_string(),
    };
    digits
        .parse()
        .or_else(|_| Decimal::from_scientific(&digits))
        .map(Some)
        .map_err(|_| serde::de::Error::custom("not a decimal number"))
}

/// Reads one element of a list. The error names the field that cannot be read, found by leaving
/// fields out one by one, and the reason.
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
    match culprit {
        Some(field) => Err((field.clone(), error)),
        None if fields.get("Id").is_none_or(Value::is_null) => Err(nameless(fields)),
        None => Err(("record".to_owned(), error)),
    }
}

/// Why a record without an id cannot be read, with what people know it by, so that two of them are
/// not taken for one.
fn nameless(fields: &serde_json::Map<String, Value>) -> (String, String) {
    let known = ["Number", "Name"].iter().find_map(|key| {
        let value = fields.get(*key).filter(|value| !value.is_null())?;
        Some(format!("is missing, of the record with {key} {value}"))
    });
    let reason = known.unwrap_or_else(|| "is missing".to_owned());
    ("Id".to_owned(), reason)
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

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(deserializer)?;
                Ok(Self::from(super::open::spoken(value).as_str()))
            }
        }
    };
}

pub(super) use open_enum;
