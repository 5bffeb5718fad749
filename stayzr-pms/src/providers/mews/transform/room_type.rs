use std::collections::BTreeMap;

use serde_json::Value;
use stayzr_core::{
    model::RoomType,
    transform::{FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer},
};

use super::{correctable, localized, lookup, text};
use crate::providers::mews::wire::ResourceCategory;

/// Between a category of resources and a room type. Mews is not told anything about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoomTypeTransformer;

const RULES: &[FieldRule] = &[
    correctable("name"),
    correctable("short_name"),
    correctable("description"),
    FieldRule::remote("kind"),
    correctable("capacity"),
    correctable("extra_capacity"),
    FieldRule::remote("active"),
];

impl Transformer<RoomType, ResourceCategory> for RoomTypeTransformer {
    fn to_local(
        &self,
        remote: &ResourceCategory,
        context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let language = language(context);
        let short = localized(remote.short_names.as_ref(), language);
        let name = localized(remote.names.as_ref(), language)
            .or(short)
            .ok_or_else(|| TransformError::new("Names", "has no name in any language"))?;
        let mut fields = FieldMap::new();
        fields.insert("name", name);
        fields.insert("short_name", short);
        fields.insert(
            "description",
            localized(remote.descriptions.as_ref(), language),
        );
        fields.insert("kind", text(remote.r#type.as_ref()));
        for (field, key, value) in [
            ("capacity", "Capacity", remote.capacity),
            ("extra_capacity", "ExtraCapacity", remote.extra_capacity),
        ] {
            if value.is_some_and(|persons| persons < 0) {
                return Err(TransformError::new(key, "is negative"));
            }
            fields.insert(field, value);
        }
        fields.insert("active", remote.is_active.unwrap_or(true));
        let mut extra = remote.extra.clone();
        for (key, value) in [
            ("Names", &remote.names),
            ("ShortNames", &remote.short_names),
            ("Descriptions", &remote.descriptions),
        ] {
            if let Some(texts) = value {
                extra.insert(key.to_owned(), texts_json(texts));
            }
        }
        Ok(Transformed {
            fields,
            links: Vec::new(),
            extra,
        })
    }

    fn to_remote(
        &self,
        local: &RoomType,
        context: &TransformContext,
    ) -> Result<ResourceCategory, TransformError> {
        let in_language = |value: Option<&String>| {
            value.map(|value| BTreeMap::from([(language(context).to_owned(), Some(value.clone()))]))
        };
        Ok(ResourceCategory {
            is_active: Some(local.active),
            r#type: local.kind.clone(),
            names: in_language(Some(&local.name)),
            short_names: in_language(local.short_name.as_ref()),
            descriptions: in_language(local.description.as_ref()),
            capacity: local.capacity,
            extra_capacity: local.extra_capacity,
            ..ResourceCategory::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

fn language(context: &TransformContext) -> &str {
    context
        .lookups
        .get(lookup::LANGUAGE)
        .and_then(Value::as_str)
        .unwrap_or("en")
}

fn texts_json(texts: &BTreeMap<String, Option<String>>) -> Value {
    texts
        .iter()
        .map(|(tag, text)| (tag.clone(), Value::from(text.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
