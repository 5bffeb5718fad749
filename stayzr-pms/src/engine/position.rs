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
    /// In the middle of asking for everything that is mapped.
    Sweep {
        /// The vendor's id of the last mapping that was asked for.
        after: String,
        /// What the vendor did not know so far.
        missing: Missing,
    },
    /// Everything that is mapped was asked for; what is missing is not marked yet.
    Swept {
        /// What the vendor did not know.
        missing: Missing,
    },
}

/// What a sweep did not find at the vendor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Missing {
    /// The vendor's ids, up to the brake's limit and one.
    pub(super) ids: Vec<String>,
    /// How many there are.
    pub(super) count: u64,
    /// Of how many mapped records, when the sweep began.
    pub(super) of: u64,
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
