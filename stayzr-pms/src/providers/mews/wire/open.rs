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

/// A list that the vendor may write as `null`.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
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

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
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
