use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    ReservationV2017,
    open::{list, text, word, words},
};

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

/// The answer of `customers/search`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomersFound {
    /// Who was found.
    #[serde(default, deserialize_with = "list")]
    pub customers: Vec<CustomerFound>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Somebody in house.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomerFound {
    /// The person.
    #[serde(default)]
    pub customer: Customer,
    /// Their stay.
    #[serde(default)]
    pub reservation: Option<ReservationV2017>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
