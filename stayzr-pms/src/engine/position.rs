//! Where a run that was stopped goes on.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::port::sync::Cursor;

/// What stands in [`Cursor::position`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum Position {
    /// In the middle of reading a kind whole.
    Whole {
        /// The provider's position.
        next: Value,
    },
    /// In the middle of reading what changed.
    Window {
        /// Start of the span, inclusive.
        from: DateTime<Utc>,
        /// Its end, exclusive.
        to: DateTime<Utc>,
        /// The vendor's clock when its first page was read.
        now: Option<DateTime<Utc>>,
        /// The provider's position; none before the first page.
        next: Option<Value>,
    },
    /// This kind is done, others of the same backfill are not.
    Finished,
}

impl Position {
    /// The position of a cursor; one that cannot be read is a start.
    pub(super) fn of(cursor: Option<&Cursor>) -> Option<Self> {
        Self::deserialize(cursor?.position.as_ref()?).ok()
    }

    pub(super) fn into_json(self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }
}
