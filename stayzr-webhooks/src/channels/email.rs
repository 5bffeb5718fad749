//! What email providers tell: what became of an email of ours, and what guests wrote.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// What a webhook of an email provider says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EmailEvent {
    /// An email of ours moved on.
    Outcome(EmailOutcome),
    /// An email came in.
    Received(ReceivedEmail),
    /// Something that is not known or not about an email; counted and kept.
    Unknown {
        /// The provider's name of it.
        name: String,
    },
}

/// What became of an email of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailOutcome {
    /// The provider's id of the email.
    pub email_id: String,
    /// What happened.
    pub state: EmailState,
    /// The address that it is about, where there is just one.
    pub recipient: Option<String>,
    /// When; none where the provider's time cannot be read.
    pub at: Option<DateTime<Utc>>,
    /// The provider's reason for a bounce, a failure or a suppression, truncated.
    pub detail: Option<String>,
}

/// Where an email stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmailState {
    /// The provider keeps it until its time.
    Scheduled,
    /// The provider took it.
    Sent,
    /// The recipient's server took it.
    Delivered,
    /// The recipient's server asked to wait; not final.
    Delayed,
    /// The address does not exist or refuses for good.
    BouncedForGood,
    /// It was returned, and may arrive another time.
    Bounced,
    /// The recipient reported it as spam.
    Complained,
    /// The provider could not send it.
    Failed,
    /// The provider does not send to this address.
    Suppressed,
    /// The recipient, or a machine before him, fetched its pictures: nothing to decide by.
    Opened,
    /// A link in it was followed.
    Clicked,
}

impl EmailState {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Delayed => "delayed",
            Self::BouncedForGood => "bounced_for_good",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Opened => "opened",
            Self::Clicked => "clicked",
        }
    }
}

/// An email that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEmail {
    /// The provider's id of the email.
    pub email_id: String,
    /// Who wrote, as the provider gives it.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The words without what they answer to; none where they must be fetched from the provider.
    pub text: Option<String>,
    /// What stands behind the plus sign of the address that it was sent to.
    pub mailbox_hash: Option<String>,
    /// How many files are attached.
    pub attachments: usize,
}

/// The longest reason that is kept, in characters.
const DETAIL: usize = 300;

/// A text of a body; none where it is missing, empty or something else.
pub(super) fn text(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// A reason, truncated.
pub(super) fn detail(value: &Value) -> Option<String> {
    text(value).map(|text| text.chars().take(DETAIL).collect())
}

/// A time by ISO 8601 with any offset and any number of digits.
pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?;
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.with_timezone(&Utc))
}

/// The texts of a list; a text alone is a list of one.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}
