use std::fmt;

use serde_json::json;
use stayzr_core::{
    model::{ExternalRef, Note as Local, NoteKind},
    transform::{
        EntityKind, FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer,
    },
};

use super::text;
use crate::providers::cloudbeds::wire::{Note, told};

/// Between a note there and here. A note can be added and not changed: the API has no call for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoteTransformer;

// Written once, when the note is added.
const RULES: &[FieldRule] = &[
    FieldRule::shared("reservation_id").not_clearable(),
    FieldRule::shared("guest_id").not_clearable(),
    FieldRule::remote("kind"),
    FieldRule::shared("text").not_clearable(),
    FieldRule::remote("active"),
];

/// Whose a note is. Cloudbeds lists notes by their owner only, so that the id by which we know a note
/// names both: `reservation/7061304407766/12`, `guest/159926682/4`. Without the number it stands
/// for all of the owner's notes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteOwner {
    /// A reservation.
    Reservation(String),
    /// A guest.
    Guest(String),
}

impl NoteOwner {
    /// Owner and number of an id of ours; none if it is not one.
    pub fn parse(id: &str) -> Option<(Self, Option<&str>)> {
        let mut parts = id.splitn(3, '/');
        let (kind, owner, number) = (parts.next()?, parts.next()?, parts.next());
        if owner.is_empty() {
            return None;
        }
        let owner = match kind {
            "reservation" => Self::Reservation(owner.to_owned()),
            "guest" => Self::Guest(owner.to_owned()),
            _ => return None,
        };
        Some((owner, number.filter(|number| !number.is_empty())))
    }

    /// The id of a note of this owner.
    pub fn note(&self, number: &str) -> String {
        format!("{self}/{number}")
    }
}

impl fmt::Display for NoteOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reservation(id) => write!(f, "reservation/{id}"),
            Self::Guest(id) => write!(f, "guest/{id}"),
        }
    }
}

impl NoteTransformer {
    /// The links of a note of this owner.
    pub fn links(owner: &NoteOwner) -> Vec<(&'static str, Option<ExternalRef>)> {
        let link = |kind, id: &String| {
            Some(ExternalRef {
                kind,
                id: id.clone(),
            })
        };
        match owner {
            NoteOwner::Reservation(id) => {
                vec![("reservation_id", link(EntityKind::Reservation, id))]
            }
            NoteOwner::Guest(id) => vec![("guest_id", link(EntityKind::Guest, id))],
        }
    }
}

impl Transformer<Local, Note> for NoteTransformer {
    fn to_local(
        &self,
        remote: &Note,
        _context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let words = remote
            .reservation_note
            .as_ref()
            .or(remote.guest_note.as_ref());
        let words = words.ok_or_else(|| TransformError::new("reservationNote", "is missing"))?;
        let mut fields = FieldMap::new();
        fields.insert("kind", json!(NoteKind::General));
        fields.insert("text", text(Some(words)).unwrap_or_default());
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
    ) -> Result<Note, TransformError> {
        let words = Some(local.text.clone());
        Ok(match local.reservation_id {
            Some(_) => Note {
                reservation_note: words,
                ..Note::default()
            },
            None => Note {
                guest_note: words,
                ..Note::default()
            },
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}
