use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{ChunkId, DocumentId, OrganizationId, PropertyId};

/// Something a property wants its guests to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its property; none holds for all of the organization.
    pub property_id: Option<PropertyId>,
    /// What it is about: `breakfast`, `wifi`, …
    pub category: String,
    /// Its file name; unique in (organization, property).
    pub file_name: String,
    /// `text/plain`, `text/markdown` or `text/csv`.
    pub content_type: String,
    /// The whole text.
    pub content: String,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A passage of a document with its vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its id.
    pub id: ChunkId,
    /// Its document.
    pub document_id: DocumentId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its property; none holds for all of the organization.
    pub property_id: Option<PropertyId>,
    /// What the document is about.
    pub category: String,
    /// The document's file name.
    pub file_name: String,
    /// Its place in the document, from 0.
    pub ordinal: i64,
    /// The headings above it, outermost first, joined by ` › `; empty where there are none.
    pub heading: String,
    /// The passage.
    pub text: String,
    /// Its vector, of length one.
    pub embedding: Vec<f32>,
}

/// How well a passage matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Probably about the question: a score of at least 0.3.
    Strict,
    /// Maybe: at least 0.15.
    Relaxed,
    /// The best there was, below both.
    Fallback,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    /// The document.
    pub document_id: DocumentId,
    /// The passage.
    pub chunk_id: ChunkId,
    /// The document's file name.
    pub file_name: String,
    /// What the document is about.
    pub category: String,
    /// The headings above it.
    pub heading: String,
    /// The passage.
    pub text: String,
    /// On the common scale, from 0 to 1.
    pub score: f64,
    /// How well it matched.
    pub match_tier: Tier,
}
