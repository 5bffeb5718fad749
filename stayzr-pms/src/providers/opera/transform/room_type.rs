use serde_json::Map;
use stayzr_core::{
    model::RoomType as Local,
    transform::{FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer},
};

use super::correctable;
use crate::providers::opera::wire::RoomType;

/// Between a room type there and here. OPERA is not told anything about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoomTypeTransformer;

const RULES: &[FieldRule] = &[
    correctable("name"),
    correctable("short_name"),
    correctable("description"),
    FieldRule::remote("kind"),
    correctable("capacity"),
    FieldRule::remote("active"),
];

impl Transformer<Local, RoomType> for RoomTypeTransformer {
    fn to_local(
        &self,
        remote: &RoomType,
        _context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let mut fields = FieldMap::new();
        fields.insert("name", remote.name.as_deref().unwrap_or(&remote.code));
        fields.insert("short_name", remote.code.as_str());
        fields.insert("kind", remote.class.as_deref());
        if remote.is_detailed {
            fields.insert("description", remote.description.as_deref());
            fields.insert("capacity", remote.persons);
        }
        fields.insert("active", !remote.is_inactive);
        Ok(Transformed {
            fields,
            links: Vec::new(),
            extra: Map::new(),
        })
    }

    fn to_remote(
        &self,
        local: &Local,
        _context: &TransformContext,
    ) -> Result<RoomType, TransformError> {
        Ok(RoomType {
            code: local.short_name.clone().unwrap_or_default(),
            name: Some(local.name.clone()),
            description: local.description.clone(),
            class: local.kind.clone(),
            persons: local.capacity,
            is_inactive: !local.active,
            is_pseudo: false,
            is_detailed: true,
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}
