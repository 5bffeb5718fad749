use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::open::{text, word, words};

/// A person, as `customers/getAll` gives it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Customer {
    /// Its id.
    pub id: String,
    /// Mister, Miss or Misses.
    #[serde(default, deserialize_with = "word")]
    pub title: Option<String>,
    /// Given name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default)]
    pub nationality_code: Option<String>,
    /// The language to write in.
    #[serde(default)]
    pub preferred_language_code: Option<String>,
    /// The language Mews derives where none is preferred.
    #[serde(default)]
    pub language_code: Option<String>,
    /// Date of birth.
    #[serde(default)]
    pub birth_date: Option<NaiveDate>,
    /// Email.
    #[serde(default)]
    pub email: Option<String>,
    /// Telephone.
    #[serde(default, deserialize_with = "text")]
    pub phone: Option<String>,
    /// Loyalty number.
    #[serde(default, deserialize_with = "text")]
    pub loyalty_code: Option<String>,
    /// Notes of the staff.
    #[serde(default)]
    pub notes: Option<String>,
    /// Classifications; the list is open.
    #[serde(default, deserialize_with = "words")]
    pub classifications: Vec<String>,
    /// The record this one was merged into.
    #[serde(default)]
    pub merge_target_id: Option<String>,
    /// Whether it is in use.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `customers/add` and `customers/update`. Plain values: what is absent stays, and
/// nothing can be emptied.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomerWrite {
    /// The customer; absent to add one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The chain, for a token of several properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<String>,
    /// Mister, Miss or Misses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nationality_code: Option<String>,
    /// The language to write in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_language_code: Option<String>,
    /// Date of birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<NaiveDate>,
    /// Email.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Loyalty number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loyalty_code: Option<String>,
    /// Notes, replaced as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Classifications, replaced as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classifications: Option<Vec<String>>,
    /// Only to add: whether a customer with the same email is overwritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overwrite_existing: Option<bool>,
}
