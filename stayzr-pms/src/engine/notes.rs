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
    /// What the vendor changed beside the disputed fields, with its values: applied when nothing is
    /// disputed any more. A field is done once the base holds that value.
    #[serde(skip_serializing_if = "FieldMap::is_empty")]
    pub waiting: FieldMap,
    /// What stood here in the disputed fields when the conflict was last written.
    #[serde(skip_serializing_if = "FieldMap::is_empty")]
    pub ours: FieldMap,
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

/// Whether a mapping was written while its row was in dispute, decided since or not.
pub(super) fn was_disputed(mapping: &Mapping) -> bool {
    let noted = |key| {
        mapping
            .extra
            .get(NOTES_KEY)
            .is_some_and(|notes| notes.get(key).is_some())
    };
    noted("disputed") || noted("waiting")
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
    /// The notes of a mapping; none that can be read are empty ones. What was decided meanwhile,
    /// as the base says, is not in dispute any more.
    pub fn of(mapping: &Mapping) -> Self {
        let Some(notes) = mapping.extra.get(NOTES_KEY) else {
            return Self::default();
        };
        let mut notes = Self::deserialize(notes).unwrap_or_default();
        let open = |held: FieldMap| -> FieldMap {
            held.into_iter()
                .filter(|(field, remote)| mapping.base.get(field) != Some(remote))
                .collect()
        };
        notes.disputed = open(std::mem::take(&mut notes.disputed));
        notes.waiting = open(std::mem::take(&mut notes.waiting));
        notes
    }

    /// Whether a person has yet to decide about the row: while one has, nothing of the vendor's is
    /// applied to it.
    pub fn is_open(&self) -> bool {
        !self.disputed.is_empty()
    }

    /// Whether a field waits, in dispute or beside one: neither side gets the other's value.
    pub fn holds(&self, field: &str) -> bool {
        self.disputed.contains(field) || self.waiting.contains(field)
    }

    /// Whether any field waits.
    pub fn holds_any(&self) -> bool {
        !self.disputed.is_empty() || !self.waiting.is_empty()
    }

    /// What the vendor said last of the fields that wait.
    pub fn held(&self) -> FieldMap {
        let mut held = self.waiting.clone();
        held.extend(&self.disputed);
        held
    }

    /// Forgets the dispute.
    pub fn end_dispute(&mut self) {
        self.disputed = FieldMap::new();
        self.waiting = FieldMap::new();
        self.ours = FieldMap::new();
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
}
