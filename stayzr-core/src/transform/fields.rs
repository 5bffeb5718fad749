use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The fields of a row: name → canonical JSON, ordered by name.
///
/// Canonical: times are RFC 3339 in UTC with at most microseconds and a `Z`, decimals are
/// normalised strings, ids are hyphenated strings, an absent value is `null`. Two maps that mean
/// the same are equal, and so are their hashes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldMap(BTreeMap<String, Value>);

impl FieldMap {
    /// A map without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a field; an absent field and a `null` are not the same.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// The text of a field, if it is one.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    /// Sets a field and returns what it was.
    pub fn insert(&mut self, field: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(field.into(), value.into())
    }

    /// Removes a field and returns what it was.
    pub fn remove(&mut self, field: &str) -> Option<Value> {
        self.0.remove(field)
    }

    /// Whether the field is there, `null` included.
    pub fn contains(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// Fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How many fields.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets every field of `other` here.
    pub fn extend(&mut self, other: &Self) {
        for (name, value) in other.iter() {
            self.0.insert(name.to_owned(), value.clone());
        }
    }

    /// The named fields alone, those that are there.
    #[must_use]
    pub fn only<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Self {
        names
            .into_iter()
            .filter_map(|name| self.get(name).map(|value| (name.to_owned(), value.clone())))
            .collect()
    }

    /// The fields of `self` that differ from `other`, with the values of `self`. A field that
    /// `other` lacks differs unless it is `null` here.
    #[must_use]
    pub fn changed_from(&self, other: &Self) -> Self {
        self.iter()
            .filter(|(name, value)| other.get(name).unwrap_or(&Value::Null) != *value)
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    }

    /// The map as one line of JSON with sorted keys, nested ones too.
    pub fn canonical_json(&self) -> String {
        let mut out = String::new();
        write_object(self.0.iter(), &mut out);
        out
    }

    /// SHA-256 of [`Self::canonical_json`], in hexadecimal.
    pub fn hash(&self) -> String {
        let digest = Sha256::digest(self.canonical_json());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The map as a JSON object.
    pub fn into_json(self) -> Value {
        Value::Object(self.0.into_iter().collect())
    }
}

impl FromIterator<(String, Value)> for FieldMap {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl IntoIterator for FieldMap {
    type Item = (String, Value);
    type IntoIter = std::collections::btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Any value as one line of JSON with sorted keys.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn canonical_value(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            // serde_json's own map may keep the order of insertion.
            let sorted: BTreeMap<_, _> = map.iter().collect();
            write_object(sorted.into_iter(), out);
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn write_object<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in fields.enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(name.as_str()).to_string());
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}
