use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::open::{list, open_enum, text, word};

open_enum! {
    /// What housekeeping says about a resource.
    ResourceState {
        Dirty = "Dirty",
        Clean = "Clean",
        Inspected = "Inspected",
        OutOfService = "OutOfService",
        OutOfOrder = "OutOfOrder",
    }
}

/// A room, a bed, or a thing or person that can be booked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// The number on the door.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// What housekeeping says.
    #[serde(default)]
    pub state: Option<ResourceState>,
    /// Whether it is in use.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// What kind of resource it is.
    #[serde(default)]
    pub data: Option<ResourceData>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What kind of resource it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceData {
    /// `Space`, `Object` or `Person`.
    #[serde(default, deserialize_with = "word")]
    pub discriminator: Option<String>,
    /// What a space has.
    #[serde(default)]
    pub value: Option<SpaceData>,
}

/// What a space has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SpaceData {
    /// The floor.
    #[serde(default, deserialize_with = "text")]
    pub floor_number: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A room type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceCategory {
    /// Its id.
    pub id: String,
    /// The service it is sold by.
    #[serde(default)]
    pub service_id: Option<String>,
    /// Whether it is sold.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// What it is, such as `Room` or `Suite`.
    #[serde(default, deserialize_with = "word")]
    pub r#type: Option<String>,
    /// Names by language.
    #[serde(default)]
    pub names: Option<BTreeMap<String, Option<String>>>,
    /// Short names by language.
    #[serde(default)]
    pub short_names: Option<BTreeMap<String, Option<String>>>,
    /// Descriptions by language.
    #[serde(default)]
    pub descriptions: Option<BTreeMap<String, Option<String>>>,
    /// Persons in the beds.
    #[serde(default)]
    pub capacity: Option<i64>,
    /// Persons in extra beds.
    #[serde(default)]
    pub extra_capacity: Option<i64>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Which category a resource belongs to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceCategoryAssignment {
    /// Its id.
    pub id: String,
    /// The resource.
    #[serde(default)]
    pub resource_id: Option<String>,
    /// The category.
    #[serde(default)]
    pub category_id: Option<String>,
    /// Whether it holds.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Which picture shows a category.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageAssignment {
    /// Its id.
    pub id: String,
    /// The category.
    #[serde(default)]
    pub category_id: Option<String>,
    /// The picture.
    #[serde(default)]
    pub image_id: Option<String>,
    /// Whether it holds.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The answer of `resources/getOccupancyState`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OccupancyStates {
    /// By category.
    #[serde(default, deserialize_with = "list")]
    pub resource_category_occupancy_states: Vec<CategoryOccupancy>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Which resources of a category are taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CategoryOccupancy {
    /// The category.
    #[serde(default)]
    pub resource_category_id: Option<String>,
    /// By resource.
    #[serde(default, deserialize_with = "list")]
    pub resource_occupancy_states: Vec<ResourceOccupancy>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Whether a resource is taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceOccupancy {
    /// The resource.
    #[serde(default)]
    pub resource_id: Option<String>,
    /// What housekeeping says.
    #[serde(default, deserialize_with = "word")]
    pub resource_state: Option<String>,
    /// `Vacant`, `Reserved`, or another word of Mews.
    #[serde(default, deserialize_with = "word")]
    pub occupancy_state: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
