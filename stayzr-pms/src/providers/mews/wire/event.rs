use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::open::{list, word};

/// A general webhook: ids of what changed, often many at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GeneralWebhook {
    /// The property.
    pub enterprise_id: String,
    /// The connection.
    #[serde(default)]
    pub integration_id: Option<String>,
    /// What changed.
    #[serde(default, deserialize_with = "events")]
    pub events: Vec<GeneralEvent>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GeneralEvent {
    /// What happened: `ServiceOrderUpdated`.
    #[serde(default)]
    pub discriminator: String,
    /// To what.
    #[serde(default)]
    pub value: Option<RecordId>,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RecordId {
    /// Its id.
    #[serde(default)]
    pub id: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An integration webhook. Its data may hold a live access token, so that nothing of it is kept
/// here but the action and the property, and it is never printed.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IntegrationWebhook {
    /// What happened to the connection: `IntegrationCreated`.
    pub action: String,
    /// The connection.
    #[serde(default)]
    pub data: IntegrationChange,
}

/// What an integration webhook says besides tokens.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IntegrationChange {
    /// The property.
    #[serde(default)]
    pub enterprise: Option<NamedRecord>,
}

/// An id with a name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NamedRecord {
    /// The id.
    #[serde(default)]
    pub id: Option<String>,
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
}

/// A message of the WebSocket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SocketMessage {
    /// What changed.
    #[serde(default, deserialize_with = "list")]
    pub events: Vec<SocketEvent>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One change, with what it came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SocketEvent {
    /// The record.
    pub id: String,
    /// `Reservation`, `Resource`, `DeviceCommand` or `PriceUpdate`.
    #[serde(default, deserialize_with = "word")]
    pub r#type: Option<String>,
    /// Its state.
    #[serde(default, deserialize_with = "word")]
    pub state: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl fmt::Debug for IntegrationWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntegrationWebhook")
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

/// One event that is like none we know must not lose the hundreds beside it: of it the name stays.
fn events<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<GeneralEvent>, D::Error> {
    let events = Option::<Vec<Value>>::deserialize(deserializer)?.unwrap_or_default();
    let named = |event: &Value| {
        let name = event.get("Discriminator").and_then(Value::as_str);
        GeneralEvent {
            discriminator: name.unwrap_or_default().to_owned(),
            value: None,
        }
    };
    Ok(events
        .into_iter()
        .map(|event| GeneralEvent::deserialize(&event).unwrap_or_else(|_| named(&event)))
        .collect())
}
