use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    ActivityState, Interval, Limitation,
    open::{list, open_enum, text},
};

open_enum! {
    /// Why a resource cannot be sold.
    BlockType {
        OutOfOrder = "OutOfOrder",
        InternalUse = "InternalUse",
    }
}

/// A span in which a resource cannot be sold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceBlock {
    /// Its id.
    pub id: String,
    /// The property.
    #[serde(default)]
    pub enterprise_id: Option<String>,
    /// The resource.
    #[serde(default)]
    pub assigned_resource_id: Option<String>,
    /// Whether it holds.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// Why.
    #[serde(default)]
    pub r#type: Option<BlockType>,
    /// From when.
    #[serde(default)]
    pub start_utc: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(default)]
    pub end_utc: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What it is called.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// More about it.
    #[serde(default, deserialize_with = "text")]
    pub notes: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `resourceBlocks/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceBlocksGetAll {
    /// Ids, at most 1000.
    pub resource_block_ids: Option<Vec<String>>,
    /// Resources, at most 1000.
    pub assigned_resource_ids: Option<Vec<String>>,
    /// Whether they are in use.
    pub activity_states: Option<Vec<ActivityState>>,
    /// When they hold.
    pub colliding_utc: Option<Interval>,
    /// When they were made.
    pub created_utc: Option<Interval>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `resourceBlocks/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceBlocksAdd {
    /// The blocks, at most 1000.
    pub resource_blocks: Vec<ResourceBlockAdd>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// One block of `resourceBlocks/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceBlockAdd {
    /// The resource.
    pub resource_id: String,
    /// What it is called; required.
    pub name: String,
    /// Why; required.
    pub r#type: Option<BlockType>,
    /// From when.
    pub start_utc: String,
    /// Until when.
    pub end_utc: String,
    /// More about it.
    pub notes: Option<String>,
}

/// The body of `resourceBlocks/delete`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceBlocksDelete {
    /// Which, at most 1000.
    pub resource_block_ids: Vec<String>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The answer of `resourceBlocks/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceBlocks {
    /// The blocks.
    #[serde(default, deserialize_with = "list")]
    pub resource_blocks: Vec<ResourceBlock>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
