use stayzr_core::{
    model::RoomType as Local,
    transform::{FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer},
};

use super::{correctable, text};
use crate::providers::cloudbeds::wire::{RoomType, told};

/// Between a room type there and here. Cloudbeds is not told anything about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoomTypeTransformer;

const RULES: &[FieldRule] = &[
    correctable("name"),
    correctable("short_name"),
    correctable("description"),
    correctable("capacity"),
    FieldRule::remote("active"),
];

impl Transformer<Local, RoomType> for RoomTypeTransformer {
    fn to_local(
        &self,
        remote: &RoomType,
        _context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let short = text(remote.room_type_name_short.as_ref());
        let name = text(remote.room_type_name.as_ref())
            .or(short)
            .ok_or_else(|| TransformError::new("roomTypeName", "is missing"))?;
        if remote.max_guests.is_some_and(|persons| persons < 0) {
            return Err(TransformError::new("maxGuests", "is negative"));
        }
        let mut fields = FieldMap::new();
        fields.insert("name", name);
        fields.insert("short_name", short);
        fields.insert("description", text(remote.room_type_description.as_ref()));
        fields.insert("capacity", remote.max_guests);
        fields.insert("active", true);
        Ok(Transformed {
            fields,
            links: Vec::new(),
            extra: told(&remote.extra),
        })
    }

    fn to_remote(
        &self,
        local: &Local,
        _context: &TransformContext,
    ) -> Result<RoomType, TransformError> {
        Ok(RoomType {
            room_type_name: Some(local.name.clone()),
            room_type_name_short: local.short_name.clone(),
            room_type_description: local.description.clone(),
            max_guests: local.capacity,
            ..RoomType::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}
