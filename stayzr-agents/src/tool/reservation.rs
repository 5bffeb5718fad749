use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stayzr_core::{
    Result,
    port::backend::{HotelBackend, ReservationView},
};

use super::{Tool, ToolContext, ToolOutput, arguments};
use crate::model::ToolSpec;

/// `find_reservation`: the guest's own reservations at this property.
pub struct FindReservation {
    backend: Arc<dyn HotelBackend>,
}

impl FindReservation {
    /// Looks in this hotel.
    pub fn new(backend: Arc<dyn HotelBackend>) -> Self {
        Self { backend }
    }
}

/// What `find_reservation` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundReservations {
    /// The guest's reservations, current and coming ones first.
    pub reservations: Vec<FoundReservation>,
}

/// A reservation as a guest may hear it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundReservation {
    /// The number the guest was given.
    pub number: Option<String>,
    /// Where it stands.
    pub status: String,
    /// First night.
    pub arrival: NaiveDate,
    /// Day of departure.
    pub departure: NaiveDate,
    /// Nights.
    pub nights: i64,
    /// The room type's name.
    pub room_type: Option<String>,
    /// The room's number, once the guest is in house.
    pub room: Option<String>,
    /// Adults.
    pub adults: i64,
    /// Children.
    pub children: i64,
    /// Both together: a sum that a reply may name must stand somewhere.
    pub persons: i64,
}

impl From<ReservationView> for FoundReservation {
    fn from(view: ReservationView) -> Self {
        let reservation = view.reservation;
        Self {
            number: reservation.number,
            status: reservation.status.as_str().to_owned(),
            arrival: view.arrival_date,
            departure: view.departure_date,
            nights: (view.departure_date - view.arrival_date).num_days(),
            room_type: view.room_type,
            room: view.room,
            adults: reservation.adults,
            children: reservation.children,
            persons: reservation.adults.saturating_add(reservation.children),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    number: Option<String>,
}

const NAME: &str = "find_reservation";
const MAX: usize = 5;

#[async_trait]
impl Tool for FindReservation {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: NAME.to_owned(),
            description: "Finds the reservations of the guest who is writing, at this property. \
                Never finds another guest's."
                .to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "number": {
                        "type": "string",
                        "description": "Reservation number, if the guest gave one"
                    }
                }
            }),
        }
    }

    async fn call(
        &self,
        context: &ToolContext,
        arguments: &Value,
        _index: u32,
    ) -> Result<ToolOutput> {
        let Arguments { number } = arguments::read(NAME, arguments)?;
        let number = number
            .as_deref()
            .map(str::trim)
            .filter(|number| !number.is_empty());
        // Without a guest there is nothing of his own to see.
        let found = match context.guest_id {
            Some(guest_id) => {
                self.backend
                    .reservations(context.scope, context.property.id, guest_id, number)
                    .await?
            }
            None => Vec::new(),
        };
        let own = found
            .into_iter()
            .filter(|view| {
                context.guest_id.is_some() && view.reservation.guest_id == context.guest_id
            })
            .take(MAX)
            .map(FoundReservation::from)
            .collect();
        Ok(ToolOutput {
            value: super::to_value(&FoundReservations { reservations: own })?,
            ..ToolOutput::default()
        })
    }
}
