use serde_json::{Value, json};
use stayzr_core::{
    model::{ExternalRef, Room as Local, RoomCondition},
    transform::{
        EntityKind, FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer,
    },
};

use super::{correctable, text};
use crate::providers::cloudbeds::wire::{Room, told};

/// Between a room there and here.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoomTransformer;

const RULES: &[FieldRule] = &[
    correctable("name"),
    FieldRule::remote("room_type_id"),
    FieldRule::shared("condition").not_clearable(),
    FieldRule::remote("condition_vendor"),
    FieldRule::remote("active"),
];

/// What housekeeping says that follows from the day and its reservations, and so is not kept.
const COMPUTED: [&str; 7] = [
    "date",
    "roomOccupied",
    "frontdeskStatus",
    "housekeeper",
    "roomTypeName",
    "roomTypeNameShort",
    "propertyID",
];

impl Transformer<Local, Room> for RoomTransformer {
    fn to_local(
        &self,
        remote: &Room,
        _context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let name = text(remote.room_name.as_ref())
            .ok_or_else(|| TransformError::new("roomName", "is missing"))?;
        let mut fields = FieldMap::new();
        fields.insert("name", name);
        let word = text(remote.room_condition.as_ref());
        // Without housekeeping beside it a room says nothing about its condition, unless blocked.
        if word.is_some() || remote.room_blocked == Some(true) {
            fields.insert("condition", json!(condition(remote)));
            fields.insert("condition_vendor", word);
        }
        fields.insert("active", true);
        let link = text(remote.room_type_id.as_ref()).map(|id| ExternalRef {
            kind: EntityKind::RoomType,
            id: id.to_owned(),
        });
        let mut extra = told(&remote.extra);
        extra.retain(|key, _| !COMPUTED.contains(&key.as_str()));
        extra.insert("roomBlocked".to_owned(), json!(remote.room_blocked));
        Ok(Transformed {
            fields,
            links: vec![("room_type_id", link)],
            extra,
        })
    }

    fn to_remote(
        &self,
        local: &Local,
        _context: &TransformContext,
    ) -> Result<Room, TransformError> {
        let written = writable_condition(&json!(local.condition)).map(str::to_owned);
        Ok(Room {
            room_name: Some(local.name.clone()),
            room_blocked: Some(local.condition == RoomCondition::OutOfOrder),
            room_condition: written.or_else(|| local.condition_vendor.clone()),
            ..Room::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

/// A blocked room is out of order, whatever housekeeping left it as.
fn condition(remote: &Room) -> RoomCondition {
    if remote.room_blocked == Some(true) {
        return RoomCondition::OutOfOrder;
    }
    match text(remote.room_condition.as_ref()) {
        Some("dirty") => RoomCondition::Dirty,
        Some("clean") => RoomCondition::Clean,
        Some("inspected") => RoomCondition::Inspected,
        _ => RoomCondition::Unknown,
    }
}

/// Cloudbeds' word for a condition that `postHousekeepingStatus` can set: blocks are set on the
/// calendar.
pub fn writable_condition(condition: &Value) -> Option<&'static str> {
    match condition.as_str()? {
        "dirty" => Some("dirty"),
        "clean" => Some("clean"),
        "inspected" => Some("inspected"),
        _ => None,
    }
}
