use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Interval, Limitation,
    open::{list, text, word},
};

/// Something a department is to do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Task {
    /// Its id.
    pub id: String,
    /// The property.
    #[serde(default)]
    pub enterprise_id: Option<String>,
    /// What is to be done.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// More about it.
    #[serde(default, deserialize_with = "text")]
    pub description: Option<String>,
    /// `Open`, or another word of Mews.
    #[serde(default, deserialize_with = "word")]
    pub state: Option<String>,
    /// Who is to do it.
    #[serde(default)]
    pub department_id: Option<String>,
    /// The stay it is for.
    #[serde(default)]
    pub service_order_id: Option<String>,
    /// Until when.
    #[serde(default)]
    pub deadline_utc: Option<DateTime<Utc>>,
    /// When it was made.
    #[serde(default)]
    pub created_utc: Option<DateTime<Utc>>,
    /// When it was done.
    #[serde(default)]
    pub closed_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The answer of `tasks/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tasks {
    /// The tasks.
    #[serde(default, deserialize_with = "list")]
    pub tasks: Vec<Task>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `tasks/getAll`. There is no filter by change.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TasksGetAll {
    /// Ids.
    pub task_ids: Option<Vec<String>>,
    /// Departments.
    pub department_ids: Option<Vec<String>>,
    /// Stays.
    pub service_order_ids: Option<Vec<String>>,
    /// When they were made.
    pub created_utc: Option<Interval>,
    /// When they were done.
    pub closed_utc: Option<Interval>,
    /// Until when they are due.
    pub deadline_utc: Option<Interval>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
}

/// The body of `tasks/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TasksAdd {
    /// What is to be done; required.
    pub name: String,
    /// More about it.
    pub description: Option<String>,
    /// Until when; required.
    pub deadline_utc: String,
    /// The stay it is for.
    pub service_order_id: Option<String>,
    /// Who is to do it.
    pub department_id: Option<String>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `tasks/close`, which Mews calls beta.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TasksClose {
    /// Which, at most 100.
    pub task_ids: Vec<String>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The answer of `tasks/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaskId {
    /// The task.
    #[serde(default)]
    pub task_id: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// People who do tasks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Department {
    /// Its id.
    pub id: String,
    /// The property.
    #[serde(default)]
    pub enterprise_id: Option<String>,
    /// Whether it is in use.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// Its name.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `departments/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DepartmentsGetAll {
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Ids, at most 1000.
    pub department_ids: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}
