use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

/// Whether records are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ActivityState {
    /// In use.
    Active,
    /// Removed.
    Deleted,
}

/// A span of time: its start is in it, its end is not. At most three months long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Interval {
    /// The start.
    pub start_utc: String,
    /// The end.
    pub end_utc: String,
}

impl Interval {
    /// A span in whole seconds, as Mews writes times.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        Self {
            start_utc: seconds(start),
            end_utc: seconds(end),
        }
    }
}

/// A time as Mews writes it: whole seconds of UTC.
///
/// ```
/// use stayzr_pms::providers::mews::wire::seconds;
///
/// let time = "2026-03-01T12:00:00.9Z".parse().unwrap();
/// assert_eq!(seconds(time), "2026-03-01T12:00:00Z");
/// ```
pub fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Which page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Limitation {
    /// Records on the page, 1 to 1000.
    pub count: u32,
    /// The cursor of the page before.
    pub cursor: Option<String>,
}

impl Limitation {
    /// The first page, as long as Mews gives it.
    pub const fn first() -> Option<Self> {
        Some(Self {
            count: 1000,
            cursor: None,
        })
    }
}

/// The body of `configuration/get`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConfigurationGet {
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `enterprises/getAll`: the properties that a token covers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnterprisesGetAll {
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Only those with these ids of other systems.
    pub external_identifiers: Option<Vec<String>>,
    /// When they were connected.
    pub linked_utc: Option<Interval>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `services/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServicesGetAll {
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Ids, at most 1000.
    pub service_ids: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `ageCategories/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgeCategoriesGetAll {
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Services.
    pub service_ids: Vec<String>,
    /// Ids, at most 1000.
    pub age_category_ids: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Whether they are in use.
    pub activity_states: Option<Vec<ActivityState>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}
