use chrono::NaiveDate;
use serde::Serialize;

use super::{ActivityState, Interval, Limitation, Set};

/// What `customers/add` and `customers/update` share. Plain values: what is absent stays, and
/// nothing can be emptied.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomerWrite {
    /// The chain, for a token of several properties.
    pub chain_id: Option<String>,
    /// Mister, Miss or Misses.
    pub title: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub nationality_code: Option<String>,
    /// The language to write in.
    pub preferred_language_code: Option<String>,
    /// Date of birth.
    pub birth_date: Option<NaiveDate>,
    /// Place of birth.
    pub birth_place: Option<String>,
    /// Occupation.
    pub occupation: Option<String>,
    /// Email.
    pub email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Loyalty number.
    pub loyalty_code: Option<String>,
    /// Notes, replaced as a whole.
    pub notes: Option<String>,
    /// Number of the car.
    pub car_registration_number: Option<String>,
    /// Number at the tax office.
    pub tax_identification_number: Option<String>,
    /// The company they belong to.
    pub company_id: Option<String>,
    /// Where they live.
    pub address: Option<AddressWrite>,
    /// Classifications, replaced as a whole.
    pub classifications: Option<Vec<String>>,
    /// What they agreed to, replaced as a whole.
    pub options: Option<Vec<String>>,
}

/// An address.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AddressWrite {
    /// Street and number.
    pub line1: Option<String>,
    /// More of it.
    pub line2: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country_code: Option<String>,
    /// ISO 3166-2.
    pub country_subdivision_code: Option<String>,
}

/// The body of `customers/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomersAdd {
    /// The customer; a family name is required.
    #[serde(flatten)]
    pub customer: CustomerWrite,
    /// Whether a customer with the same email is overwritten; otherwise their email is refused.
    pub overwrite_existing: bool,
    /// Where Italian invoices go.
    pub italian_destination_code: Option<String>,
    /// Italian tax code.
    pub italian_fiscal_code: Option<String>,
    /// Italian lottery code.
    pub italian_lottery_code: Option<String>,
}

/// The body of `customers/update`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomersUpdate {
    /// The customer.
    pub customer_id: String,
    /// What to change.
    #[serde(flatten)]
    pub customer: CustomerWrite,
    /// Where Italian invoices go.
    pub italian_destination_code: Option<Set<String>>,
    /// Italian tax code.
    pub italian_fiscal_code: Option<Set<String>>,
    /// Italian lottery code.
    pub italian_lottery_code: Option<Set<String>>,
}

/// What `customers/getAll` and `customers/search` give.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomerExtent {
    /// The customers.
    pub customers: bool,
    /// Their identity documents.
    pub documents: bool,
    /// Their addresses.
    pub addresses: bool,
}

/// The body of `customers/getAll`, which wants at least one filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomersGetAll {
    /// Chains, for a token of several.
    pub chain_ids: Option<Vec<String>>,
    /// Ids, at most 1000.
    pub customer_ids: Option<Vec<String>>,
    /// Only those of this company, at most one.
    pub company_ids: Option<Vec<String>>,
    /// Only those with these emails.
    pub emails: Option<Vec<String>>,
    /// Only those with these given names.
    pub first_names: Option<Vec<String>>,
    /// Only those with these family names.
    pub last_names: Option<Vec<String>>,
    /// Only those with these loyalty numbers.
    pub loyalty_codes: Option<Vec<String>>,
    /// When they were made.
    pub created_utc: Option<Interval>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Whether they are in use.
    pub activity_states: Option<Vec<ActivityState>>,
    /// What to give; required.
    pub extent: CustomerExtent,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `customers/search`, which finds people who are in house now.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomersSearch {
    /// A part of their name.
    pub name: Option<String>,
    /// The room they stay in.
    pub resource_id: Option<String>,
    /// What to give; required.
    pub extent: CustomerExtent,
}
