use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Interval, Limitation,
    open::{list, text, word},
};

/// A conversation. An application sees those it began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageThread {
    /// Its id.
    pub id: String,
    /// Who began it, as the application said.
    #[serde(default, deserialize_with = "text")]
    pub original_sender: Option<String>,
    /// What it is about.
    #[serde(default, deserialize_with = "text")]
    pub subject: Option<String>,
    /// Whether the desk is done with it.
    #[serde(default)]
    pub is_resolved: Option<bool>,
    /// When it began.
    #[serde(default)]
    pub created_utc: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A message of a thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The thread.
    #[serde(default)]
    pub message_thread_id: Option<String>,
    /// What it says.
    #[serde(default, deserialize_with = "text")]
    pub text: Option<String>,
    /// Who wrote it.
    #[serde(default)]
    pub sender: Option<MessageSender>,
    /// When it was written.
    #[serde(default)]
    pub created_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Who wrote a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageSender {
    /// `Enterprise` for the desk, `Application` for whoever began the thread.
    #[serde(default, deserialize_with = "word")]
    pub discriminator: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `messageThreads/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageThreadsGetAll {
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Ids, at most 1000.
    pub message_thread_ids: Option<Vec<String>>,
    /// When they were made.
    pub created_utc: Option<Interval>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `messageThreads/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageThreadsAdd {
    /// The threads.
    pub message_threads: Vec<MessageThreadAdd>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// One thread of `messageThreads/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageThreadAdd {
    /// Who writes.
    pub original_sender: String,
    /// What it is about.
    pub subject: String,
}

/// The answer of `messageThreads/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageThreads {
    /// The threads.
    #[serde(default, deserialize_with = "list")]
    pub message_threads: Vec<MessageThread>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `messages/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessagesGetAll {
    /// Threads; required.
    pub message_thread_ids: Vec<String>,
    /// When they were written, at most a month.
    pub created_utc: Option<Interval>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `messages/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessagesAdd {
    /// The messages.
    pub messages: Vec<MessageAdd>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// One message of `messages/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAdd {
    /// The thread.
    pub message_thread_id: String,
    /// What it says.
    pub text: String,
    /// Tells the answers of one call apart, and no more.
    pub identifier: Option<String>,
}

/// The answer of `messages/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessagesAdded {
    /// What was added.
    #[serde(default, deserialize_with = "list")]
    pub messages: Vec<MessageAdded>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One message that was added.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAdded {
    /// The identifier of the request.
    #[serde(default)]
    pub identifier: Option<String>,
    /// The message.
    #[serde(default)]
    pub message: Option<Message>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
