use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use stayzr_core::{
    Result,
    model::{ChannelEvent, InboundMessage, MessageStatus, StatusUpdate},
};

use crate::json;

/// What a verified delivery of WhatsApp says, in its order: every message and status of every
/// entry and change, which may belong to several accounts and tenants.
///
/// Whatever is not known becomes [`ChannelEvent::Unknown`] with the vendor's name of it, and never
/// costs the events beside it. A guest is known by `user_id`; the number is missing where the guest
/// hides it. `received_at` stands in for a time that is missing or cannot be read.
///
/// [`stayzr_core::ErrorKind::Corrupt`] if the body is not a JSON object.
///
/// ```
/// use stayzr_core::model::ChannelEvent;
/// use stayzr_webhooks::channels::whatsapp;
///
/// let body = br#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{
///     "field":"messages","value":{"metadata":{"phone_number_id":"106540352242922"},
///     "contacts":[{"profile":{"name":"Ana"},"user_id":"BR.9982107731"}],
///     "messages":[{"from_user_id":"BR.9982107731","id":"wamid.1","timestamp":"1781000000",
///                  "type":"text","text":{"body":"Is breakfast included?"}}]}}]}]}"#;
/// let events = whatsapp::parse(body, chrono::Utc::now())?;
/// let ChannelEvent::Message(message) = &events[0] else { unreachable!() };
/// assert_eq!(message.text, "Is breakfast included?");
/// assert_eq!(message.user_id.as_deref(), Some("BR.9982107731"));
/// assert_eq!(message.phone, None);
/// # Ok::<(), stayzr_core::Error>(())
/// ```
pub fn parse(body: &[u8], received_at: DateTime<Utc>) -> Result<Vec<ChannelEvent>> {
    let mut body = json::object("whatsapp.parse", body)?;
    let object = text(&body["object"]).unwrap_or_default();
    if object != "whatsapp_business_account" {
        let name = format!("object.{object}");
        return Ok(vec![ChannelEvent::Unknown { name }]);
    }
    let mut events = Vec::new();
    for mut entry in list(&mut body, "entry") {
        for change in list(&mut entry, "changes") {
            read_change(change, received_at, &mut events);
        }
    }
    Ok(events)
}

fn read_change(mut change: Value, received_at: DateTime<Utc>, events: &mut Vec<ChannelEvent>) {
    let unknown = |name: &str| ChannelEvent::Unknown {
        name: name.to_owned(),
    };
    match text(&change["field"]) {
        // Other fields have values of other shapes.
        Some("messages") => {}
        Some(field) => return events.push(unknown(field)),
        None => return events.push(unknown("change")),
    }
    let mut value = change["value"].take();
    let Some(account) = id(&value["metadata"]["phone_number_id"]) else {
        return events.push(unknown("messages.without_account"));
    };
    let contacts = list(&mut value, "contacts");
    let before = events.len();
    for message in list(&mut value, "messages") {
        events.push(read_message(&account, &contacts, message, received_at));
    }
    for status in list(&mut value, "statuses") {
        events.push(read_status(&account, &status, received_at));
    }
    for error in list(&mut value, "errors") {
        let code = id(&error["code"]).unwrap_or_default();
        events.push(unknown(&format!("errors.{code}")));
    }
    if events.len() == before {
        events.push(unknown("messages"));
    }
}

fn read_message(
    account: &str,
    contacts: &[Value],
    message: Value,
    received_at: DateTime<Utc>,
) -> ChannelEvent {
    let kind = text(&message["type"]).unwrap_or("unknown").to_owned();
    // WhatsApp's own notices, such as a changed number: nobody wrote them.
    if kind == "system" {
        let what = text(&message["system"]["type"]).unwrap_or("unknown");
        return ChannelEvent::Unknown {
            name: format!("messages.system.{what}"),
        };
    }
    let from = id(&message["from"]);
    let from_user_id = id(&message["from_user_id"]);
    let contact = sender(contacts, from.as_deref(), from_user_id.as_deref());
    let user_id = from_user_id.or_else(|| id(&contact?["user_id"]));
    let phone = from.or_else(|| id(&contact?["wa_id"]));
    let vendor_message_id = match id(&message["id"]) {
        Some(id) if user_id.is_some() || phone.is_some() => id,
        _ => {
            return ChannelEvent::Unknown {
                name: format!("messages.{kind}.incomplete"),
            };
        }
    };
    let profile = contact.map(|contact| &contact["profile"]);
    ChannelEvent::Message(InboundMessage {
        account: account.to_owned(),
        vendor_message_id,
        user_id,
        phone,
        name: profile
            .and_then(|profile| text(&profile["name"]))
            .map(str::to_owned),
        text: words(&kind, &message),
        kind,
        sent_at: time(&message["timestamp"], received_at),
        extra: rest(message, profile),
    })
}

/// The contact that wrote: the one with the message's ids or, where it names none, the only one.
fn sender<'a>(
    contacts: &'a [Value],
    from: Option<&str>,
    from_user_id: Option<&str>,
) -> Option<&'a Value> {
    let has = |contact: &&Value, name: &str, id: Option<&str>| {
        id.is_some() && contact[name].as_str() == id
    };
    contacts
        .iter()
        .find(|contact| has(contact, "user_id", from_user_id))
        .or_else(|| contacts.iter().find(|contact| has(contact, "wa_id", from)))
        // A `wa_id` may be written with other digits than `from`.
        .or(match contacts {
            [only] => Some(only),
            _ => None,
        })
}

/// What can be read of a message.
fn words(kind: &str, message: &Value) -> String {
    let content = &message[kind];
    let found = match kind {
        "text" => text(&content["body"]),
        "button" => text(&content["text"]).or_else(|| text(&content["payload"])),
        "interactive" => {
            let reply = text(&content["type"]).map(|reply| &content[reply]);
            reply.and_then(|reply| text(&reply["title"]).or_else(|| text(&reply["body"])))
        }
        "location" => return location(content),
        "reaction" => text(&content["emoji"]),
        "contacts" => return card(content),
        "order" => text(&content["text"]),
        _ => text(&content["caption"]),
    };
    found.unwrap_or_default().to_owned()
}

fn location(content: &Value) -> String {
    let named: Vec<_> = ["name", "address"]
        .into_iter()
        .filter_map(|name| text(&content[name]))
        .collect();
    if !named.is_empty() {
        return named.join(", ");
    }
    match (&content["latitude"], &content["longitude"]) {
        (Value::Number(latitude), Value::Number(longitude)) => format!("{latitude}, {longitude}"),
        _ => String::new(),
    }
}

fn card(contacts: &Value) -> String {
    let contacts = contacts.as_array().map(Vec::as_slice).unwrap_or_default();
    let lines: Vec<_> = contacts
        .iter()
        .filter_map(|contact| {
            let name = text(&contact["name"]["formatted_name"]);
            let phone = text(&contact["phones"][0]["phone"]);
            match (name, phone) {
                (Some(name), Some(phone)) => Some(format!("{name}, {phone}")),
                (one, other) => one.or(other).map(str::to_owned),
            }
        })
        .collect();
    lines.join("\n")
}

/// What the message says beyond the fields that have a place of their own.
fn rest(message: Value, profile: Option<&Value>) -> Value {
    let mut rest = match message {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for name in ["from", "from_user_id", "id", "timestamp", "type"] {
        rest.remove(name);
    }
    if let Some(profile) = profile.filter(|profile| profile.is_object()) {
        rest.insert("profile".to_owned(), profile.clone());
    }
    Value::Object(rest)
}

fn read_status(account: &str, status: &Value, received_at: DateTime<Utc>) -> ChannelEvent {
    let name = text(&status["status"]).unwrap_or_default();
    let moved = match name {
        "sent" => MessageStatus::Sent,
        "delivered" => MessageStatus::Delivered,
        // A voice message that was played was opened.
        "read" | "played" => MessageStatus::Read,
        "failed" => MessageStatus::Failed,
        _ => {
            return ChannelEvent::Unknown {
                name: format!("statuses.{name}"),
            };
        }
    };
    let Some(vendor_message_id) = id(&status["id"]) else {
        return ChannelEvent::Unknown {
            name: format!("statuses.{name}.incomplete"),
        };
    };
    ChannelEvent::Status(StatusUpdate {
        account: account.to_owned(),
        vendor_message_id,
        message_id: text(&status["biz_opaque_callback_data"]).and_then(|key| key.parse().ok()),
        status: moved,
        error: (moved == MessageStatus::Failed).then(|| failure(&status["errors"][0])),
        at: time(&status["timestamp"], received_at),
    })
}

fn failure(error: &Value) -> String {
    let title = text(&error["title"]).or_else(|| text(&error["message"]));
    match (id(&error["code"]), title) {
        (Some(code), Some(title)) => format!("{code} {title}"),
        (Some(code), None) => code,
        (None, Some(title)) => title.to_owned(),
        (None, None) => "failed without a reason".to_owned(),
    }
}

fn list(value: &mut Value, name: &str) -> Vec<Value> {
    match value.get_mut(name).map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// An id, which some relays write as a number.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        other => text(other).map(str::to_owned),
    }
}

/// Seconds since 1970, in a string.
fn time(value: &Value, received_at: DateTime<Utc>) -> DateTime<Utc> {
    id(value)
        .and_then(|seconds| seconds.parse().ok())
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .unwrap_or(received_at)
}

#[cfg(test)]
mod tests;
