use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stayzr_core::{
    Error, Result,
    port::backend::{HotelBackend, ServiceRequestInput},
};

use super::{Tool, ToolContext, ToolOutput, arguments};
use crate::model::ToolSpec;

/// `create_service_request`: asks the staff for something, once.
pub struct CreateServiceRequest {
    backend: Arc<dyn HotelBackend>,
}

impl CreateServiceRequest {
    /// Asks this hotel.
    pub fn new(backend: Arc<dyn HotelBackend>) -> Self {
        Self { backend }
    }
}

/// What `create_service_request` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestMade {
    /// Its id.
    pub id: String,
    /// Department or kind.
    pub category: String,
    /// What was asked for.
    pub description: String,
}

/// Departments that take requests.
const CATEGORIES: &[&str] = &[
    "housekeeping",
    "maintenance",
    "transport",
    "food_and_beverage",
    "spa",
    "reservations",
    "reception",
    "other",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    category: String,
    description: String,
}

const NAME: &str = "create_service_request";

#[async_trait]
impl Tool for CreateServiceRequest {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: NAME.to_owned(),
            description: "Passes a wish of the guest to the staff: towels, cleaning, a repair, a \
                taxi, a table, a change of booking. Only for what the guest asked for. The staff \
                confirm it; do not promise times or prices."
                .to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "category": {"type": "string", "enum": CATEGORIES},
                    "description": {
                        "type": "string",
                        "description": "What is wanted, in one or two sentences"
                    }
                },
                "required": ["category", "description"]
            }),
        }
    }

    async fn call(
        &self,
        context: &ToolContext,
        arguments: &Value,
        index: u32,
    ) -> Result<ToolOutput> {
        let Arguments {
            category,
            description,
        } = arguments::read(NAME, arguments)?;
        let category = category.trim().to_lowercase().replace([' ', '-'], "_");
        if !CATEGORIES.contains(&category.as_str()) {
            return Err(Error::invalid(
                NAME,
                format!("`category` must be one of {}", CATEGORIES.join(", ")),
            ));
        }
        let description = arguments::text(NAME, "description", &description, 500)?;
        let request = self
            .backend
            .create_service_request(
                context.scope,
                context.property.id,
                ServiceRequestInput {
                    category,
                    description,
                    guest_id: context.guest_id,
                    conversation_id: context.conversation_id,
                    idempotency_key: format!("{}:{NAME}:{index}", context.trace_id),
                },
            )
            .await?;
        Ok(ToolOutput {
            value: super::to_value(&RequestMade {
                id: request.id.to_string(),
                category: request.category,
                description: request.description,
            })?,
            ..ToolOutput::default()
        })
    }
}

/// `hand_off`: a person takes over.
pub struct HandOff;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandOffArguments {
    reason: String,
}

#[async_trait]
impl Tool for HandOff {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "hand_off".to_owned(),
            description: "Hands the conversation to a person: when the guest asks for one, when \
                safety, health, law or a payment dispute is involved, or when nothing else helps."
                .to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "reason": {"type": "string", "description": "Why, for the staff"}
                },
                "required": ["reason"]
            }),
        }
    }

    async fn call(
        &self,
        _context: &ToolContext,
        arguments: &Value,
        _index: u32,
    ) -> Result<ToolOutput> {
        let HandOffArguments { reason } = arguments::read("hand_off", arguments)?;
        let reason = arguments::text("hand_off", "reason", &reason, 500)?;
        Ok(ToolOutput {
            value: json!({"handed_off": true}),
            passages: Vec::new(),
            handoff: Some(reason),
        })
    }
}
