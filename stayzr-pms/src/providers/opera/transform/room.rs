use serde_json::{Value, json};
use stayzr_core::{
    model::{ExternalRef, Room as Local, RoomCondition},
    transform::{
        EntityKind, FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer,
    },
};

use super::correctable;
use crate::providers::opera::wire::{Condition, Room};

/// Between a room there and here. Its number is its id there.
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

impl Transformer<Local, Room> for RoomTransformer {
    fn to_local(
        &self,
        remote: &Room,
        _context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let mut fields = FieldMap::new();
        fields.insert("name", remote.id.as_str());
        fields.insert("floor", remote.floor.as_deref());
        if let Some(says) = &remote.condition {
            fields.insert("condition", json!(condition(says)));
            fields.insert("condition_vendor", says.as_str());
        }
        fields.insert("active", true);
        let link = remote.room_type.clone().map(|id| ExternalRef {
            kind: EntityKind::RoomType,
            id,
        });
        Ok(Transformed {
            fields,
            links: vec![("room_type_id", link)],
            extra: remote.extra.clone(),
        })
    }

    fn to_remote(
        &self,
        local: &Local,
        _context: &TransformContext,
    ) -> Result<Room, TransformError> {
        let kept = local.condition_vendor.as_deref().map(Condition::from);
        // Two words of OPERA are one of ours.
        let same = kept.filter(|kept| condition(kept) == local.condition);
        let written = match local.condition {
            RoomCondition::OutOfOrder => Some(Condition::OutOfOrder),
            RoomCondition::OutOfService => Some(Condition::OutOfService),
            other => writable_condition(&json!(other)).map(Condition::from),
        };
        Ok(Room {
            id: local.name.clone(),
            floor: local.floor.clone(),
            condition: same.or(written),
            ..Room::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

/// What housekeeping's word means. A room to be picked up wants a hand before the next guest.
fn condition(says: &Condition) -> RoomCondition {
    match says {
        Condition::Clean => RoomCondition::Clean,
        Condition::Dirty | Condition::Pickup => RoomCondition::Dirty,
        Condition::Inspected => RoomCondition::Inspected,
        Condition::OutOfOrder => RoomCondition::OutOfOrder,
        Condition::OutOfService => RoomCondition::OutOfService,
        Condition::Unknown(_) => RoomCondition::Unknown,
    }
}

/// OPERA's word for a condition that housekeeping sets. Out of order and out of service have a span
/// and a reason, and are set at the desk.
pub fn writable_condition(condition: &Value) -> Option<&'static str> {
    match condition.as_str()? {
        "dirty" => Some("Dirty"),
        "clean" => Some("Clean"),
        "inspected" => Some("Inspected"),
        _ => None,
    }
}
