//! Message threads, and tasks for departments.

use serde_json::{Map, Value, json};

use super::{
    list::{ListQuery, Refusal, time},
    read::listed,
    seed::fields,
    state::{Hotel, Kind, stamp},
    write::{Moment, ids, text, updates},
};

type Fields = Map<String, Value>;

/// `messageThreads/getAll`.
pub(super) fn threads(hotel: &Hotel, body: &Fields, stale: bool) -> Result<Value, Refusal> {
    let query = ListQuery::new(body);
    let filters = [("MessageThreadIds", 1000, "Id")];
    let found = listed(hotel, Kind::Threads, stale, &query, &filters)?;
    query.page("MessageThreads", found)
}

/// `messageThreads/add`.
pub(super) fn add_threads(
    hotel: &mut Hotel,
    body: &Fields,
    moment: Moment,
) -> Result<Value, Refusal> {
    let mut threads = Vec::new();
    for thread in updates(body, "MessageThreads")? {
        threads.push(fields(json!({
            "OriginalSender": text(thread, "OriginalSender")?,
            "Subject": text(thread, "Subject")?, "IsResolved": false,
        })));
    }
    let mut made = Vec::new();
    for thread in threads {
        let id = hotel.add(Kind::Threads, thread, moment.at, moment.due);
        made.push(json!(hotel.threads.get(&id).map(|thread| &thread.now)));
    }
    Ok(json!({"MessageThreads": made}))
}

/// `messages/getAll`.
pub(super) fn messages(hotel: &Hotel, body: &Fields, stale: bool) -> Result<Value, Refusal> {
    let query = ListQuery::new(body);
    if !query.has("MessageThreadIds") {
        return Err(Refusal::invalid("MessageThreadIds"));
    }
    query.at_most("CreatedUtc", 1)?;
    let filters = [("MessageThreadIds", 1000, "MessageThreadId")];
    let found = listed(hotel, Kind::Messages, stale, &query, &filters)?;
    query.page("Messages", found)
}

/// `messages/add`.
pub(super) fn add_messages(
    hotel: &mut Hotel,
    body: &Fields,
    moment: Moment,
) -> Result<Value, Refusal> {
    let mut messages = Vec::new();
    for message in updates(body, "Messages")? {
        let thread = text(message, "MessageThreadId")?;
        if !hotel.threads.contains_key(thread) {
            return Err(Refusal::invalid("MessageThreadId"));
        }
        let words = text(message, "Text")?;
        messages.push((thread, words, message.get("Identifier")));
    }
    let mut answered = Vec::new();
    for (thread, words, identifier) in messages {
        let id = hotel.say(thread, words, "Application", moment);
        let message = hotel.messages.get(&id).map(|message| &message.now);
        answered.push(json!({"Identifier": identifier, "Message": message}));
    }
    Ok(json!({"Messages": answered}))
}

impl Hotel {
    /// A message of the desk.
    pub(super) fn blank_message() -> Fields {
        fields(json!({
            "MessageThreadId": null, "Text": "",
            "Sender": {"Discriminator": "Enterprise", "Value": null},
        }))
    }

    /// Adds a message to a thread, whose own time moves with it.
    pub(super) fn say(
        &mut self,
        thread: &str,
        words: &str,
        sender: &str,
        moment: Moment,
    ) -> String {
        let message = fields(json!({
            "MessageThreadId": thread, "Text": words,
            "Sender": {"Discriminator": sender, "Value": null},
        }));
        let id = self.add(Kind::Messages, message, moment.at, moment.due);
        let last = fields(json!({"LastMessageId": id}));
        self.change(Kind::Threads, thread, last, moment.at, moment.due);
        id
    }
}

/// `tasks/getAll`, which knows no pages.
pub(super) fn tasks(hotel: &Hotel, body: &Fields, stale: bool) -> Result<Value, Refusal> {
    let query = ListQuery::new(body);
    let filters = [
        ("TaskIds", 1000, "Id"),
        ("DepartmentIds", 1000, "DepartmentId"),
        ("ServiceOrderIds", 1000, "ServiceOrderId"),
    ];
    Ok(json!({"Tasks": listed(hotel, Kind::Tasks, stale, &query, &filters)?}))
}

/// `tasks/add`.
pub(super) fn add_task(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let name = text(body, "Name")?;
    let deadline = text(body, "DeadlineUtc")?;
    if time(deadline).is_none() {
        return Err(Refusal::invalid("DeadlineUtc"));
    }
    let said = |key: &str| body.get(key).filter(|value| !value.is_null());
    let department = said("DepartmentId");
    let departments = &hotel.departments;
    if department.is_some_and(|id| !departments.iter().any(|known| known.get("Id") == Some(id))) {
        return Err(Refusal::invalid("DepartmentId"));
    }
    let order = said("ServiceOrderId");
    let known = |id: &str| hotel.reservations.contains_key(id) || hotel.orders.contains_key(id);
    if order.is_some_and(|id| id.as_str().is_none_or(|id| !known(id))) {
        return Err(Refusal::invalid("ServiceOrderId"));
    }
    let task = fields(json!({
        "EnterpriseId": hotel.enterprise.get("Id"), "Name": name, "State": "Open",
        "Description": said("Description"), "DepartmentId": department,
        "ServiceOrderId": order, "DeadlineUtc": deadline, "ClosedUtc": null,
    }));
    let id = hotel.add(Kind::Tasks, task, moment.at, moment.due);
    Ok(json!({"TaskId": id}))
}

/// `tasks/close`.
pub(super) fn close_tasks(
    hotel: &mut Hotel,
    body: &Fields,
    moment: Moment,
) -> Result<Value, Refusal> {
    let ids = ids(body, "TaskIds", 100)?;
    if ids.iter().any(|id| !hotel.tasks.contains_key(id)) {
        return Err(Refusal::invalid("TaskIds"));
    }
    for id in ids {
        let done = fields(json!({"State": "Closed", "ClosedUtc": stamp(moment.at)}));
        hotel.change(Kind::Tasks, &id, done, moment.at, moment.due);
    }
    Ok(json!({}))
}
