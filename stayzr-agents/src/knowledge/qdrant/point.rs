//! Passages as points: what the payload holds, and how it is read back.

use std::collections::HashMap;

use ::qdrant_client::{
    Payload,
    qdrant::{PointStruct, ScoredPoint, Value, point_id::PointIdOptions},
};
use serde_json::json;
use stayzr_core::{Error, Result, model::Chunk};

use crate::knowledge::Hit;

pub(super) const ORGANIZATION: &str = "organizationId";
pub(super) const PROPERTY: &str = "propertyId";
pub(super) const CATEGORY: &str = "category";
pub(super) const FILE_NAME: &str = "fileName";
pub(super) const DOCUMENT: &str = "documentId";

/// A passage as a point. The property is written as an explicit null where there is none, which
/// the filter `is_empty` finds.
pub(super) fn point_of(chunk: &Chunk) -> Result<PointStruct> {
    let payload = Payload::try_from(json!({
        ORGANIZATION: chunk.organization_id.to_string(),
        PROPERTY: chunk.property_id.map(|id| id.to_string()),
        CATEGORY: chunk.category,
        FILE_NAME: chunk.file_name,
        DOCUMENT: chunk.document_id.to_string(),
        "ordinal": chunk.ordinal,
        "heading": chunk.heading,
        "text": chunk.text,
    }))
    .map_err(|cause| {
        Error::internal("index.upsert", "a passage is no payload").with_source(cause)
    })?;
    Ok(PointStruct::new(
        chunk.id.to_string(),
        chunk.embedding.clone(),
        payload,
    ))
}

/// A found point as a passage, without its vector.
pub(super) fn hit_of(point: ScoredPoint) -> Result<Hit> {
    let id = match point.id.and_then(|id| id.point_id_options) {
        Some(PointIdOptions::Uuid(id)) => id,
        _ => return Err(corrupt("id")),
    };
    let fields = Fields(point.payload);
    let chunk = Chunk {
        id: parsed(&id, "id")?,
        document_id: parsed(fields.text(DOCUMENT)?, DOCUMENT)?,
        organization_id: parsed(fields.text(ORGANIZATION)?, ORGANIZATION)?,
        property_id: fields
            .optional_text(PROPERTY)
            .map(|id| parsed(id, PROPERTY))
            .transpose()?,
        category: fields.text(CATEGORY)?.to_owned(),
        file_name: fields.text(FILE_NAME)?.to_owned(),
        ordinal: fields
            .0
            .get("ordinal")
            .and_then(Value::as_integer)
            .unwrap_or_default(),
        heading: fields.text("heading")?.to_owned(),
        text: fields.text("text")?.to_owned(),
        embedding: Vec::new(),
    };
    Ok(Hit {
        cosine: point.score,
        chunk: chunk.into(),
    })
}

struct Fields(HashMap<String, Value>);

impl Fields {
    fn optional_text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str().map(String::as_str)
    }

    fn text(&self, key: &'static str) -> Result<&str> {
        self.optional_text(key).ok_or_else(|| corrupt(key))
    }
}

fn parsed<T: std::str::FromStr>(text: &str, field: &'static str) -> Result<T> {
    text.parse().map_err(|_| corrupt(field))
}

fn corrupt(field: &'static str) -> Error {
    Error::corrupt(
        "index.search",
        "a point of the collection is not one of ours",
    )
    .with("field", field)
}
