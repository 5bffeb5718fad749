use serde::Serialize;

use super::{ActivityState, Interval, Limitation, Set};

/// What `resources/getAll` gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceExtent {
    /// The resources.
    pub resources: bool,
    /// Their categories.
    pub resource_categories: bool,
    /// Which belongs to which category.
    pub resource_category_assignments: bool,
    /// Pictures of the categories.
    pub resource_category_image_assignments: bool,
    /// What resources have.
    pub resource_features: bool,
    /// Which has what.
    pub resource_feature_assignments: bool,
    /// Those no longer in use too.
    pub inactive: bool,
}

/// The body of `resources/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourcesGetAll {
    /// Ids, at most 1000.
    pub resource_ids: Option<Vec<String>>,
    /// Numbers on the doors, at most 1000.
    pub names: Option<Vec<String>>,
    /// What to give; required.
    pub extent: ResourceExtent,
    /// When they were made.
    pub created_utc: Option<Interval>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `resourceCategories/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceCategoriesGetAll {
    /// Services; required.
    pub service_ids: Vec<String>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Whether they are in use.
    pub activity_states: Option<Vec<ActivityState>>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `resourceCategoryAssignments/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceCategoryAssignmentsGetAll {
    /// Ids, at most 1000.
    pub resource_category_assignment_ids: Option<Vec<String>>,
    /// Categories, at most 1000.
    pub resource_category_ids: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Whether they are in use.
    pub activity_states: Option<Vec<ActivityState>>,
    /// Resources, at most 1000.
    pub resource_ids: Option<Vec<String>>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `resources/update`. What is out of order is a block instead.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourcesUpdate {
    /// What to change.
    pub resource_updates: Vec<ResourceUpdate>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// One resource of `resources/update`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceUpdate {
    /// The resource.
    pub resource_id: String,
    /// The number on the door.
    pub name: Option<Set<String>>,
    /// The room that a bed stands in.
    pub parent_resource_id: Option<Set<String>>,
    /// Where it is.
    pub data: Option<SpaceUpdate>,
    /// What housekeeping says.
    pub state: Option<Set<String>>,
    /// Why.
    pub state_reason: Option<Set<String>>,
}

/// What a space has.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SpaceUpdate {
    /// `Space`.
    pub discriminator: String,
    /// What to change.
    pub value: SpaceUpdateValue,
}

/// Where a space is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SpaceUpdateValue {
    /// The floor.
    pub floor_number: Option<Set<String>>,
    /// How to find it.
    pub location_notes: Option<Set<String>>,
}
