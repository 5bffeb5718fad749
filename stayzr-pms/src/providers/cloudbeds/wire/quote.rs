use serde::Deserialize;
use serde_json::Value;

use super::open::{id, list, text, whole};

/// What can be booked at one property, as `getAvailableRoomTypes` gives it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// The property.
    #[serde(default, rename = "propertyID", deserialize_with = "id")]
    pub property_id: String,
    /// Its currency.
    #[serde(default, deserialize_with = "list")]
    pub property_currency: Vec<super::HotelCurrency>,
    /// Its room types, one for each rate.
    #[serde(default, deserialize_with = "list")]
    pub property_rooms: Vec<OfferedRoom>,
}

/// A room type at a rate.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferedRoom {
    /// The room type.
    #[serde(default, rename = "roomTypeID", deserialize_with = "id")]
    pub room_type_id: String,
    /// Persons.
    #[serde(default, deserialize_with = "whole")]
    pub max_guests: Option<i64>,
    /// The whole stay, without charges for extra persons.
    #[serde(default, deserialize_with = "text")]
    pub room_rate: Option<String>,
    /// The rate.
    #[serde(default, rename = "roomRateID", deserialize_with = "text")]
    pub room_rate_id: Option<String>,
    /// What guests know the rate as.
    #[serde(default, deserialize_with = "text")]
    pub rate_plan_name_public: Option<String>,
    /// What the staff knows the rate as.
    #[serde(default, deserialize_with = "text")]
    pub rate_plan_name_private: Option<String>,
    /// How many are free.
    #[serde(default, deserialize_with = "whole")]
    pub rooms_available: Option<i64>,
    /// What more adults cost for the whole stay, by how many adults come.
    #[serde(default)]
    pub adults_extra_charge: Value,
}
