use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Money;
use crate::ids::RoomTypeId;

/// How many rooms of a type are free over a whole stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// The room type.
    pub room_type_id: RoomTypeId,
    /// Its name.
    pub room_type: String,
    /// Persons it takes, extra beds included.
    pub capacity: Option<i64>,
    /// Rooms free on the fullest night.
    pub free: i64,
}

/// A price for a stay in a room type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The room type.
    pub room_type_id: RoomTypeId,
    /// Its name.
    pub room_type: String,
    /// The rate that was priced, by name.
    pub rate: String,
    /// First night.
    pub arrival: NaiveDate,
    /// Day of departure.
    pub departure: NaiveDate,
    /// Price of the whole stay, tax included where the vendor says so.
    pub total: Money,
    /// Rooms free on the fullest night, where known.
    pub free: Option<i64>,
}
