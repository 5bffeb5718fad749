use serde::Deserialize;
use serde_json::{Map, Value};

use super::open::{flag, id, list, text, whole};

/// A property: `getHotels` joined with `getHotelDetails`, which has no time zone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hotel {
    /// Its id.
    #[serde(default, rename = "propertyID", deserialize_with = "id")]
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "text")]
    pub property_name: Option<String>,
    /// IANA time zone; only `getHotels` has it.
    #[serde(default, deserialize_with = "text")]
    pub property_timezone: Option<String>,
    /// Its currency; a list in one call and an object in the other.
    #[serde(default, deserialize_with = "list")]
    pub property_currency: Vec<HotelCurrency>,
    /// Its language.
    #[serde(default, deserialize_with = "text")]
    pub property_primary_language: Option<String>,
    /// Telephone.
    #[serde(default, deserialize_with = "text")]
    pub property_phone: Option<String>,
    /// Email.
    #[serde(default, deserialize_with = "text")]
    pub property_email: Option<String>,
    /// Where it stands.
    #[serde(default, deserialize_with = "list")]
    pub property_address: Vec<HotelAddress>,
    /// Its rules.
    #[serde(default, deserialize_with = "list")]
    pub property_policy: Vec<HotelPolicy>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The currency of a property.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HotelCurrency {
    /// ISO 4217.
    #[serde(default, deserialize_with = "text")]
    pub currency_code: Option<String>,
}

/// Where a property stands.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct HotelAddress {
    /// Street and number.
    #[serde(default, rename = "propertyAddress1", deserialize_with = "text")]
    pub line1: Option<String>,
    /// More of the street.
    #[serde(default, rename = "propertyAddress2", deserialize_with = "text")]
    pub line2: Option<String>,
    /// City.
    #[serde(default, rename = "propertyCity", deserialize_with = "text")]
    pub city: Option<String>,
    /// State.
    #[serde(default, rename = "propertyState", deserialize_with = "text")]
    pub state: Option<String>,
    /// Postal code.
    #[serde(default, rename = "propertyZip", deserialize_with = "text")]
    pub zip: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, rename = "propertyCountry", deserialize_with = "text")]
    pub country: Option<String>,
    /// Degrees north.
    #[serde(default, rename = "propertyLatitude", deserialize_with = "text")]
    pub latitude: Option<String>,
    /// Degrees east.
    #[serde(default, rename = "propertyLongitude", deserialize_with = "text")]
    pub longitude: Option<String>,
}

/// The rules of a property that we read.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HotelPolicy {
    /// From when rooms are ready, local.
    #[serde(default, deserialize_with = "text")]
    pub property_check_in_time: Option<String>,
    /// Until when rooms must be left, local.
    #[serde(default, deserialize_with = "text")]
    pub property_check_out_time: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A room type.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomType {
    /// Its id.
    #[serde(default, rename = "roomTypeID", deserialize_with = "id")]
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "text")]
    pub room_type_name: Option<String>,
    /// Its short name.
    #[serde(default, deserialize_with = "text")]
    pub room_type_name_short: Option<String>,
    /// Its description.
    #[serde(default, deserialize_with = "text")]
    pub room_type_description: Option<String>,
    /// Persons.
    #[serde(default, deserialize_with = "whole")]
    pub max_guests: Option<i64>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A room, or a bed of a dormitory.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// Its id, such as `650000-0`; not its number.
    #[serde(default, rename = "roomID", deserialize_with = "id")]
    pub id: String,
    /// Its number or name.
    #[serde(default, deserialize_with = "text")]
    pub room_name: Option<String>,
    /// The room type.
    #[serde(default, rename = "roomTypeID", deserialize_with = "text")]
    pub room_type_id: Option<String>,
    /// Whether it is blocked on the calendar now.
    #[serde(default, deserialize_with = "flag")]
    pub room_blocked: Option<bool>,
    /// Clean or dirty, where housekeeping was read with it.
    #[serde(default, deserialize_with = "text")]
    pub room_condition: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
