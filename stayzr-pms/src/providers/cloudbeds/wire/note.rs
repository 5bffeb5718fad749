use chrono::NaiveDateTime;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::open::{moment, text};

/// A note about a reservation or a guest. Whose it is the answer does not say: the caller asked.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// Its id, where it is about a reservation.
    #[serde(default, rename = "reservationNoteID", deserialize_with = "text")]
    pub reservation_note_id: Option<String>,
    /// Its id, where it is about a guest.
    #[serde(default, rename = "guestNoteID", deserialize_with = "text")]
    pub guest_note_id: Option<String>,
    /// What it says about a reservation.
    #[serde(default, deserialize_with = "text")]
    pub reservation_note: Option<String>,
    /// What it says about a guest.
    #[serde(default, deserialize_with = "text")]
    pub guest_note: Option<String>,
    /// When it last changed, local.
    #[serde(default, deserialize_with = "moment")]
    pub date_modified: Option<NaiveDateTime>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
