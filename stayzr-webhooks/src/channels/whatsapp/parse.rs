use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use stayzr_core::{
    Error, Result,
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
    let mut body: Value = serde_json::from_str(&json::readable(body)).map_err(|error| {
        // The message of serde_json may quote the body, so only the place is kept.
        Error::corrupt("whatsapp.parse", "the body is not JSON")
            .with("line", error.line())
            .with("column", error.column())
    })?;
    if !body.is_object() {
        return Err(Error::corrupt(
            "whatsapp.parse",
            "the body is not an object",
        ));
    }
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
mod tests {
    use serde_json::json;

    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_781_000_005, 0).unwrap()
    }

    fn of_value(value: Value) -> Vec<ChannelEvent> {
        let body = json!({"object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
        parse(body.to_string().as_bytes(), at()).unwrap()
    }

    fn of_message(mut message: Value) -> InboundMessage {
        message["from"] = json!("16505551234");
        message["id"] = json!("wamid.1");
        message["timestamp"] = json!("1781000000");
        let value = json!({"metadata": {"phone_number_id": "10"}, "messages": [message]});
        match of_value(value).pop() {
            Some(ChannelEvent::Message(message)) => message,
            other => panic!("no message but {other:?}"),
        }
    }

    #[test]
    fn words_are_found_in_every_kind_of_message() {
        for (message, expected) in [
            (json!({"type": "text", "text": {"body": "Hi"}}), "Hi"),
            (
                json!({"type": "button", "button": {"payload": "STOP", "text": "Stop it"}}),
                "Stop it",
            ),
            (
                json!({"type": "interactive", "interactive": {"type": "list_reply",
                "list_reply": {"id": "late_14", "title": "Late check-out"}}}),
                "Late check-out",
            ),
            (
                json!({"type": "interactive", "interactive": {"type": "button_reply",
                "button_reply": {"id": "yes", "title": "Confirm"}}}),
                "Confirm",
            ),
            (
                json!({"type": "interactive", "interactive": {"type": "nfm_reply",
                "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{}"}}}),
                "Sent",
            ),
            (
                json!({"type": "image", "image": {"id": "1", "caption": "Leaking tap"}}),
                "Leaking tap",
            ),
            (
                json!({"type": "audio", "audio": {"id": "1", "voice": true}}),
                "",
            ),
            (
                json!({"type": "location", "location": {"latitude": 48.13, "longitude": 11.57}}),
                "48.13, 11.57",
            ),
            (
                json!({"type": "location", "location": {"latitude": 48.13, "longitude": 11.57,
                "name": "Marienplatz", "address": "80331 München"}}),
                "Marienplatz, 80331 München",
            ),
            (
                json!({"type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": "👍"}}),
                "👍",
            ),
            (
                json!({"type": "reaction", "reaction": {"message_id": "wamid.0"}}),
                "",
            ),
            (
                json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Bo Li"},
                "phones": [{"phone": "+49 89 1"}]}]}),
                "Bo Li, +49 89 1",
            ),
            (
                json!({"type": "hologram", "hologram": {"caption": "new"}}),
                "new",
            ),
            (
                json!({"type": "unsupported", "errors": [{"code": 131_051}]}),
                "",
            ),
            (json!({}), ""),
        ] {
            assert_eq!(of_message(message.clone()).text, expected, "{message}");
        }
    }

    #[test]
    fn the_rest_of_a_message_is_kept() {
        let message = of_message(json!({"type": "image", "image": {"id": "1003"},
            "context": {"id": "wamid.OUT"}}));
        assert_eq!(
            message.extra,
            json!({"image": {"id": "1003"}, "context": {"id": "wamid.OUT"}})
        );
        assert_eq!(message.sent_at.timestamp(), 1_781_000_000);
    }

    #[test]
    fn invariant_u_what_is_not_known_costs_nothing_beside_it() {
        let events = of_value(
            json!({"metadata": {"phone_number_id": 10}, "new_in_2027": [1],
            "messages": [7, {"id": "wamid.0", "type": "text"}, {"type": "system", "id": "wamid.s",
                "from": "1", "system": {"type": "user_changed_number"}},
                {"id": "wamid.2", "from": "1", "type": "text", "text": {"body": "kept"}}],
            "statuses": [{"id": "wamid.3", "status": "warning"}, {"status": "sent"},
                {"id": "wamid.3", "status": "read", "timestamp": 1_781_000_001}]}),
        );
        let names: Vec<_> = events
            .iter()
            .map(|event| match event {
                ChannelEvent::Message(message) => message.text.as_str(),
                ChannelEvent::Status(status) => status.status.as_str(),
                ChannelEvent::Unknown { name } => name,
            })
            .collect();
        assert_eq!(
            names,
            [
                "messages.unknown.incomplete",
                "messages.text.incomplete",
                "messages.system.user_changed_number",
                "kept",
                "statuses.warning",
                "statuses.sent.incomplete",
                "read",
            ]
        );
    }

    #[test]
    fn our_own_id_comes_back_with_a_status_and_a_foreign_one_is_ignored() {
        let ours = "0190b7c2-0000-7000-8000-000000000000";
        let events = of_value(json!({"metadata": {"phone_number_id": "10"}, "statuses": [
            {"id": "wamid.1", "status": "failed", "biz_opaque_callback_data": ours,
             "errors": [{"code": 131_047, "title": "Re-engagement message"}]},
            {"id": "wamid.2", "status": "sent", "biz_opaque_callback_data": "R-1001"}]}));
        let [ChannelEvent::Status(failed), ChannelEvent::Status(sent)] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(failed.message_id, Some(ours.parse().unwrap()));
        assert_eq!(
            failed.error.as_deref(),
            Some("131047 Re-engagement message")
        );
        assert_eq!(
            failed.at,
            at(),
            "a status without a time happened when it came"
        );
        assert_eq!((sent.message_id, &sent.error), (None, &None));
    }

    #[test]
    fn a_body_that_is_no_json_object_is_corrupt_and_not_quoted() {
        for body in [&b"{\"secret words\""[..], b"[]", b"\xff", b""] {
            let error = parse(body, at()).unwrap_err();
            assert_eq!(error.kind(), stayzr_core::ErrorKind::Corrupt);
            assert!(!format!("{error:?}").contains("secret words"));
        }
    }

    #[test]
    fn deliveries_of_other_products_and_fields_are_named() {
        let events = parse(br#"{"object":"page","entry":[]}"#, at()).unwrap();
        assert_eq!(
            events,
            [ChannelEvent::Unknown {
                name: "object.page".to_owned()
            }]
        );
    }

    #[test]
    fn half_an_emoji_does_not_cost_the_message() {
        let body = r#"{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages",
            "value":{"metadata":{"phone_number_id":"10"},"messages":[{"from":"1","id":"wamid.1",
            "type":"text","text":{"body":"hello \ud83d"}}]}}]}]}"#;
        let events = parse(body.as_bytes(), at()).unwrap();
        let [ChannelEvent::Message(message)] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(message.text, "hello \u{fffd}");
    }
}
