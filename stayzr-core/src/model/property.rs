use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Currency, LanguageTag, Money};
use crate::ids::{OrganizationId, PropertyId};

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    /// More of the street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// State or county, as ISO 3166-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdivision_code: Option<String>,
    /// Country, as ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_code: Option<String>,
}

/// A place on the map, in degrees (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Geo {
    /// North is positive.
    pub latitude: f64,
    /// East is positive.
    pub longitude: f64,
}

/// Something the property offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amenity {
    /// What it is called.
    pub name: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// When it is open, as people write it: `07:00-10:30`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
}

/// A rule of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What it is about.
    pub topic: String,
    /// What it says.
    pub text: String,
}

/// Whether the vendor prices with or without tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricingMode {
    /// Prices hold the tax.
    #[default]
    Gross,
    /// Tax comes on top.
    Net,
}

/// A hotel, and what the concierge may say about it.
///
/// Amenities and policies are owned here: no PMS gives them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Property {
    /// Its id.
    pub id: PropertyId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Counts the changes of this row; an edit names the one it saw.
    pub version: i64,
    /// When it was made here.
    pub created_at: DateTime<Utc>,
    /// When it last changed here.
    pub updated_at: DateTime<Utc>,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub address: Address,
    /// Where it stands on the map.
    pub geo: Option<Geo>,
    /// IANA time zone, such as `Europe/Lisbon`; nights are counted in it.
    pub time_zone: String,
    /// The currency it sells in.
    pub currency: Currency,
    /// How the vendor prices.
    pub pricing: PricingMode,
    /// Languages spoken, the default first.
    pub languages: Vec<LanguageTag>,
    /// From when rooms are ready, local `HH:MM`.
    pub check_in: Option<String>,
    /// Until when rooms must be left, local `HH:MM`.
    pub check_out: Option<String>,
    /// Telephone, as printed.
    pub phone: Option<String>,
    /// Email.
    pub email: Option<String>,
    /// Web site.
    pub website: Option<String>,
    /// What it offers.
    pub amenities: Vec<Amenity>,
    /// Its rules.
    pub policies: Vec<Policy>,
}

impl Property {
    /// The time zone, or UTC where the name is unknown.
    pub fn tz(&self) -> chrono_tz::Tz {
        self.time_zone.parse().unwrap_or(chrono_tz::UTC)
    }

    /// What prompts and tools share about this property.
    pub fn brief(&self) -> PropertyBrief {
        let Self {
            id,
            name,
            address,
            time_zone,
            currency,
            check_in,
            check_out,
            ..
        } = self.clone();
        PropertyBrief {
            id,
            name,
            address,
            time_zone,
            currency,
            check_in,
            check_out,
            languages: self.languages.clone(),
            phone: self.phone.clone(),
            email: self.email.clone(),
            website: self.website.clone(),
            amenities: self.amenities.clone(),
            policies: self.policies.clone(),
        }
    }
}

/// What may be said about a property: made by [`Property::brief`] alone, so that prompts and
/// tools agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertyBrief {
    /// The property.
    pub id: PropertyId,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub address: Address,
    /// IANA time zone.
    pub time_zone: String,
    /// The currency it sells in.
    pub currency: Currency,
    /// From when rooms are ready, local `HH:MM`.
    pub check_in: Option<String>,
    /// Until when rooms must be left, local `HH:MM`.
    pub check_out: Option<String>,
    /// Languages spoken, the default first.
    pub languages: Vec<LanguageTag>,
    /// Telephone.
    pub phone: Option<String>,
    /// Email.
    pub email: Option<String>,
    /// Web site.
    pub website: Option<String>,
    /// What it offers.
    pub amenities: Vec<Amenity>,
    /// Its rules.
    pub policies: Vec<Policy>,
}
