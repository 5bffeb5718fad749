use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stayzr_core::{Result, port::backend::HotelBackend};

use super::{Tool, ToolContext, ToolOutput, arguments};
use crate::model::ToolSpec;

/// `check_availability`: free rooms by type for a stay.
pub struct CheckAvailability {
    backend: Arc<dyn HotelBackend>,
}

impl CheckAvailability {
    /// Looks in this hotel.
    pub fn new(backend: Arc<dyn HotelBackend>) -> Self {
        Self { backend }
    }
}

/// `quote`: prices of a stay.
pub struct QuoteStay {
    backend: Arc<dyn HotelBackend>,
}

impl QuoteStay {
    /// Asks this hotel.
    pub fn new(backend: Arc<dyn HotelBackend>) -> Self {
        Self { backend }
    }
}

/// What `check_availability` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FreeRooms {
    /// First night.
    pub arrival: NaiveDate,
    /// Day of departure.
    pub departure: NaiveDate,
    /// For how many.
    pub persons: u32,
    /// Types with free rooms that take so many.
    pub rooms: Vec<FreeRoom>,
}

/// A room type with free rooms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FreeRoom {
    /// Its name.
    pub room_type: String,
    /// Rooms free on the fullest night.
    pub free: i64,
    /// Persons it takes.
    pub capacity: Option<i64>,
}

/// What `quote` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// First night.
    pub arrival: NaiveDate,
    /// Day of departure.
    pub departure: NaiveDate,
    /// For how many.
    pub persons: u32,
    /// Prices by room type and rate.
    pub prices: Vec<PricedRoom>,
}

/// A price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PricedRoom {
    /// The room type's name.
    pub room_type: String,
    /// The rate's name.
    pub rate: String,
    /// Price of the whole stay, as it is shown: `EUR 320.00`.
    pub total: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    arrival: String,
    departure: String,
    persons: u32,
}

fn parameters() -> Value {
    json!({
        "type": "object",
        "properties": {
            "arrival": {"type": "string", "description": "First night, YYYY-MM-DD"},
            "departure": {"type": "string", "description": "Day of departure, YYYY-MM-DD"},
            "persons": {"type": "integer", "description": "Adults and children, 1 to 20"}
        },
        "required": ["arrival", "departure", "persons"]
    })
}

#[async_trait]
impl Tool for CheckAvailability {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "check_availability".to_owned(),
            description: "Which room types have free rooms for a stay. Ask the guest for dates \
                that are missing; never guess them."
                .to_owned(),
            parameters: parameters(),
        }
    }

    async fn call(
        &self,
        context: &ToolContext,
        arguments: &Value,
        _index: u32,
    ) -> Result<ToolOutput> {
        const NAME: &str = "check_availability";
        let Arguments {
            arrival,
            departure,
            persons,
        } = arguments::read(NAME, arguments)?;
        let stay = arguments::stay(NAME, context.today, &arrival, &departure, persons)?;
        let rooms = self
            .backend
            .availability(context.scope, context.property.id, &stay)
            .await?
            .into_iter()
            .filter(|room| {
                room.free > 0 && room.capacity.is_none_or(|fits| fits >= i64::from(persons))
            })
            .map(|room| FreeRoom {
                room_type: room.room_type,
                free: room.free,
                capacity: room.capacity,
            })
            .collect();
        Ok(ToolOutput {
            value: super::to_value(&FreeRooms {
                arrival: stay.arrival,
                departure: stay.departure,
                persons,
                rooms,
            })?,
            ..ToolOutput::default()
        })
    }
}

#[async_trait]
impl Tool for QuoteStay {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "quote".to_owned(),
            description: "Prices of a whole stay by room type and rate. The only source of room \
                prices."
                .to_owned(),
            parameters: parameters(),
        }
    }

    async fn call(
        &self,
        context: &ToolContext,
        arguments: &Value,
        _index: u32,
    ) -> Result<ToolOutput> {
        const NAME: &str = "quote";
        let Arguments {
            arrival,
            departure,
            persons,
        } = arguments::read(NAME, arguments)?;
        let stay = arguments::stay(NAME, context.today, &arrival, &departure, persons)?;
        let prices = self
            .backend
            .quote(context.scope, context.property.id, &stay)
            .await?
            .into_iter()
            .map(|quote| PricedRoom {
                room_type: quote.room_type,
                rate: quote.rate,
                total: quote.total.to_string(),
            })
            .collect();
        Ok(ToolOutput {
            value: super::to_value(&Prices {
                arrival: stay.arrival,
                departure: stay.departure,
                persons,
                prices,
            })?,
            ..ToolOutput::default()
        })
    }
}
