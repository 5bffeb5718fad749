use serde_json::{Value, json};
use stayzr_core::{
    model::{ExternalRef, Room, RoomCondition},
    transform::{
        EntityKind, FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer,
    },
};

use super::{correctable, lookup, text};
use crate::providers::mews::wire::{Resource, ResourceData, ResourceState, SpaceData};

/// Between a resource and a room. Its category comes from the assignments in the lookups.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoomTransformer;

const RULES: &[FieldRule] = &[
    correctable("name"),
    FieldRule::remote("room_type_id"),
    correctable("floor"),
    FieldRule::shared("condition").not_clearable(),
    FieldRule::remote("condition_vendor"),
    FieldRule::remote("active"),
];

impl Transformer<Room, Resource> for RoomTransformer {
    fn to_local(
        &self,
        remote: &Resource,
        context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let name =
            text(remote.name.as_ref()).ok_or_else(|| TransformError::new("Name", "is missing"))?;
        let space = remote.data.as_ref().and_then(|data| data.value.as_ref());
        let mut fields = FieldMap::new();
        fields.insert("name", name);
        fields.insert(
            "floor",
            space.and_then(|space| text(space.floor_number.as_ref())),
        );
        fields.insert("condition", json!(condition(remote.state.as_ref())));
        fields.insert(
            "condition_vendor",
            remote.state.as_ref().map(ResourceState::as_str),
        );
        fields.insert("active", remote.is_active.unwrap_or(true));
        let category = context
            .lookups
            .get(lookup::RESOURCE_CATEGORIES)
            .and_then(|categories| categories.get(&remote.id))
            .and_then(Value::as_str);
        let link = category.map(|id| ExternalRef {
            kind: EntityKind::RoomType,
            id: id.to_owned(),
        });
        let mut extra = remote.extra.clone();
        if let Some(space) = space.filter(|space| !space.extra.is_empty()) {
            extra.insert("Data".to_owned(), Value::Object(space.extra.clone()));
        }
        Ok(Transformed {
            fields,
            links: vec![("room_type_id", link)],
            extra,
        })
    }

    fn to_remote(
        &self,
        local: &Room,
        _context: &TransformContext,
    ) -> Result<Resource, TransformError> {
        let state = match vendor_word(local.condition) {
            Some(state) => Some(state),
            None => local.condition_vendor.as_deref().map(ResourceState::from),
        };
        Ok(Resource {
            name: Some(local.name.clone()),
            state,
            is_active: Some(local.active),
            data: Some(ResourceData {
                discriminator: Some("Space".to_owned()),
                value: Some(SpaceData {
                    floor_number: local.floor.clone(),
                    ..SpaceData::default()
                }),
            }),
            ..Resource::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

fn condition(state: Option<&ResourceState>) -> RoomCondition {
    match state {
        Some(ResourceState::Dirty) => RoomCondition::Dirty,
        Some(ResourceState::Clean) => RoomCondition::Clean,
        Some(ResourceState::Inspected) => RoomCondition::Inspected,
        Some(ResourceState::OutOfService) => RoomCondition::OutOfService,
        Some(ResourceState::OutOfOrder) => RoomCondition::OutOfOrder,
        Some(ResourceState::Unknown(_)) | None => RoomCondition::Unknown,
    }
}

fn vendor_word(condition: RoomCondition) -> Option<ResourceState> {
    Some(match condition {
        RoomCondition::Dirty => ResourceState::Dirty,
        RoomCondition::Clean => ResourceState::Clean,
        RoomCondition::Inspected => ResourceState::Inspected,
        RoomCondition::OutOfService => ResourceState::OutOfService,
        RoomCondition::OutOfOrder => ResourceState::OutOfOrder,
        RoomCondition::Unknown => return None,
    })
}

/// Whether a condition is the one that Mews keeps as a block of its own.
pub fn is_out_of_order(condition: &Value) -> bool {
    *condition == json!(RoomCondition::OutOfOrder)
}

/// Mews' word for a condition that `resources/update` can set: out of order cannot be set by it.
pub fn writable_condition(condition: &Value) -> Option<ResourceState> {
    let condition = serde_json::from_value(condition.clone()).ok()?;
    vendor_word(condition).filter(|state| *state != ResourceState::OutOfOrder)
}
