use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::LanguageTag;
use crate::ids::{GuestId, OrganizationId};

/// Where we know a guest from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestOrigin {
    /// A PMS told us.
    Pms,
    /// The guest wrote to us and nobody knew the address; never pushed to a PMS.
    Channel,
    /// Staff entered the guest here.
    Staff,
}

/// A person who stays, has stayed, or writes to us. Belongs to the organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// Its id.
    pub id: GuestId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Counts the changes of this row.
    pub version: i64,
    /// When it was made here.
    pub created_at: DateTime<Utc>,
    /// When it last changed here.
    pub updated_at: DateTime<Utc>,
    /// Where we know the guest from.
    pub origin: GuestOrigin,
    /// Form of address, in the vendor's word.
    pub title: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Email.
    pub email: Option<String>,
    /// Telephone as the hotel wrote it; see [`phone_e164`] for the form that is compared.
    pub phone: Option<String>,
    /// Nationality, as ISO 3166-1 alpha-2.
    pub nationality: Option<String>,
    /// The language to write in.
    pub language: Option<LanguageTag>,
    /// Date of birth.
    pub birth_date: Option<NaiveDate>,
    /// Loyalty number.
    pub loyalty_code: Option<String>,
    /// Notes of the staff.
    pub notes: Option<String>,
    /// The vendor's classifications, sorted.
    pub classifications: Vec<String>,
    /// False once merged or removed at the vendor.
    pub active: bool,
    /// The guest that this one turned out to be: everything that hung on this one hangs there.
    #[serde(default)]
    pub merged_into: Option<GuestId>,
}

impl Guest {
    /// How to call the guest: given and family name, or what there is.
    pub fn display_name(&self) -> String {
        [self.first_name.as_deref(), self.last_name.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// A telephone number in E.164 (`+351912345678`), read with the property's country (ISO 3166-1
/// alpha-2) where the number has no country code; `None` if it is not a possible number.
///
/// ```
/// use stayzr_core::model::phone_e164;
///
/// assert_eq!(phone_e164("00420 608 123 456", Some("PT")).as_deref(), Some("+420608123456"));
/// assert_eq!(phone_e164("912 345 678", Some("PT")).as_deref(), Some("+351912345678"));
/// assert_eq!(phone_e164("extension 12", None), None);
/// ```
pub fn phone_e164(text: &str, country: Option<&str>) -> Option<String> {
    let trimmed = text.trim();
    let international = trimmed
        .strip_prefix("00")
        .map_or_else(|| trimmed.to_owned(), |rest| format!("+{rest}"));
    let country = country.and_then(|code| code.to_ascii_uppercase().parse().ok());
    let number = phonenumber::parse(country, &international).ok()?;
    phonenumber::is_valid(&number)
        .then(|| number.format().mode(phonenumber::Mode::E164).to_string())
}
