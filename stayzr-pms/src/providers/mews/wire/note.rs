use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Interval, Limitation, Set,
    open::{open_enum, text},
};

open_enum! {
    /// Where a note comes from and who it is for.
    NoteType {
        General = "General",
        ChannelManager = "ChannelManager",
        SpecialRequest = "SpecialRequest",
    }
}

/// A note of a service order: of a reservation, or of an order of products.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceOrderNote {
    /// Its id.
    pub id: String,
    /// The order it stands at.
    #[serde(default)]
    pub order_id: Option<String>,
    /// What it says.
    #[serde(default, deserialize_with = "text")]
    pub text: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub r#type: Option<NoteType>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `serviceOrderNotes/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NotesGetAll {
    /// Orders, at most 1000.
    pub service_order_ids: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// What they are for. Without it Mews leaves special requests out.
    pub types: Vec<NoteType>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

impl NotesGetAll {
    /// Every type that Mews documents.
    pub fn all_types() -> Vec<NoteType> {
        vec![
            NoteType::General,
            NoteType::ChannelManager,
            NoteType::SpecialRequest,
        ]
    }
}

/// One note of `serviceOrderNotes/add`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NoteAdd {
    /// The order it stands at.
    pub order_id: String,
    /// What it says.
    pub text: String,
    /// What it is for.
    pub r#type: NoteType,
}

/// The body of `serviceOrderNotes/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NotesAdd {
    /// The notes.
    pub service_order_notes: Vec<NoteAdd>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// One note of `serviceOrderNotes/update`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NoteUpdate {
    /// The note.
    pub service_order_note_id: String,
    /// What it is to say.
    pub text: Option<Set<String>>,
}

/// The body of `serviceOrderNotes/update`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NotesUpdate {
    /// What to change.
    pub service_order_note_updates: Vec<NoteUpdate>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `serviceOrderNotes/delete`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NotesDelete {
    /// Which, at most 1000.
    pub service_order_note_ids: Vec<String>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}
