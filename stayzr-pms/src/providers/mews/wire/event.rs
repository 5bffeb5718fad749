use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::open::list;

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
    #[serde(default, deserialize_with = "list")]
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

impl fmt::Debug for IntegrationWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntegrationWebhook")
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}
