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
    /// What stood at the vendor before the last pushes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_push: Option<BeforePush>,
    /// The row was erased: nothing that the vendor still says about it comes back.
    #[serde(skip_serializing_if = "is_false")]
    pub erased: bool,
}

/// So many values of a field are remembered.
const VALUES: usize = 8;

/// Recognises a read that is older than our own write where the vendor's marks cannot tell: it
/// says of a field we wrote what stood there before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeforePush {
    /// What stood in each field before each of the last pushes, the oldest first.
    pub values: BTreeMap<String, Vec<Value>>,
    /// Until when such a value is taken for a late read rather than for a change back.
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

    /// Notes what is about to be sent over an agreed state.
    pub fn sending(&mut self, sent: &FieldMap, base: &FieldMap, until: DateTime<Utc>) {
        self.sent.clone_from(sent);
        let mut values = self
            .before_push
            .take()
            .map(|before| before.values)
            .unwrap_or_default();
        for (field, new) in sent.iter() {
            let before = values.entry(field.to_owned()).or_default();
            before.push(base.get(field).cloned().unwrap_or_default());
            before.retain(|value| value != new);
            if before.len() > VALUES {
                before.remove(0);
            }
        }
        self.before_push = Some(BeforePush { values, until });
    }

    /// The fields of a record, under a mark that is not newer, that only say what stood there
    /// before our own push; and until when that is doubted.
    pub fn late_fields(
        &self,
        fields: &FieldMap,
        now: DateTime<Utc>,
    ) -> Option<(Vec<String>, DateTime<Utc>)> {
        let before = self
            .before_push
            .as_ref()
            .filter(|before| now < before.until)?;
        let late: Vec<String> = before
            .values
            .iter()
            .filter(|(field, values)| {
                fields
                    .get(field)
                    .is_some_and(|value| values.contains(value))
            })
            .map(|(field, _)| field.clone())
            .collect();
        (!late.is_empty()).then_some((late, before.until))
    }

    /// Whether a person has yet to decide about a field.
    pub fn is_disputed(&self, field: &str, base: &FieldMap) -> bool {
        self.disputed
            .get(field)
            .is_some_and(|remote| base.get(field) != Some(remote))
    }
}
