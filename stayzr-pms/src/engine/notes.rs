//! What the engine notes beside a mapping.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stayzr_core::{model::ExternalRef, port::sync::Mapping, transform::FieldMap};

/// The key in [`Mapping::extra`] under which [`Notes`] stand; what stands beside it is the
/// vendor's.
pub const NOTES_KEY: &str = "_stayzr";

/// What the engine remembers about a mapped record beyond the agreed state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// Links to records that were not known when this one was read, by the name of our field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unresolved: BTreeMap<String, ExternalRef>,
    /// Fields that wait for a person, with the vendor's value. A field is decided once the base
    /// holds that value.
    #[serde(skip_serializing_if = "FieldMap::is_empty")]
    pub disputed: FieldMap,
    /// Values that were sent to the vendor and not confirmed yet, so that one of them coming back
    /// is known as our own.
    #[serde(skip_serializing_if = "FieldMap::is_empty")]
    pub sent: FieldMap,
    /// Values of ours that the vendor cannot be told; a field is tried again with another value.
    #[serde(skip_serializing_if = "FieldMap::is_empty")]
    pub refused: FieldMap,
    /// The record as it was before the last pushes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_push: Option<BeforePush>,
    /// The row was erased: nothing that the vendor still says about it comes back.
    #[serde(skip_serializing_if = "is_false")]
    pub erased: bool,
}

/// So many pushes within the time of a late read are told apart.
const PUSHES: usize = 8;

/// Recognises a read that is older than our own write where the vendor's marks cannot tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeforePush {
    /// Hashes of the record before each of the last pushes, the oldest first.
    pub hashes: Vec<String>,
    /// Until when such a record is taken for a late read rather than for a change back.
    pub until: DateTime<Utc>,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl Notes {
    /// The notes of a mapping; none that can be read are empty ones.
    pub fn of(mapping: &Mapping) -> Self {
        mapping
            .extra
            .get(NOTES_KEY)
            .and_then(|notes| Self::deserialize(notes).ok())
            .unwrap_or_default()
    }

    /// The vendor's extra with these notes beside it.
    pub fn beside(&self, vendor: &Map<String, Value>) -> Value {
        let mut extra = vendor.clone();
        extra.remove(NOTES_KEY);
        if *self != Self::default()
            && let Ok(notes) = serde_json::to_value(self)
        {
            extra.insert(NOTES_KEY.to_owned(), notes);
        }
        Value::Object(extra)
    }

    /// Replaces the notes of a mapping.
    pub fn write(&self, mapping: &mut Mapping) {
        let vendor = match std::mem::take(&mut mapping.extra) {
            Value::Object(vendor) => vendor,
            _ => Map::new(),
        };
        mapping.extra = self.beside(&vendor);
    }

    /// Notes what is about to be sent over a record with this hash.
    pub fn sending(&mut self, values: &FieldMap, hash: &str, until: DateTime<Utc>) {
        self.sent.clone_from(values);
        let mut hashes = self
            .before_push
            .take()
            .map(|before| before.hashes)
            .unwrap_or_default();
        hashes.retain(|known| known != hash);
        hashes.push(hash.to_owned());
        if hashes.len() > PUSHES {
            hashes.remove(0);
        }
        self.before_push = Some(BeforePush { hashes, until });
    }

    /// Whether a person has yet to decide about a field.
    pub fn is_disputed(&self, field: &str, base: &FieldMap) -> bool {
        self.disputed
            .get(field)
            .is_some_and(|remote| base.get(field) != Some(remote))
    }
}
