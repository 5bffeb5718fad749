use std::collections::BTreeMap;

use serde_json::Value;

/// A webhook body: its keys in any casing, each id as a number, a text, or both.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// What happened: `reservation/created`.
    pub event: String,
    /// When, as the vendor wrote it.
    pub timestamp: String,
    fields: BTreeMap<String, Value>,
}

impl Webhook {
    /// Reads a body; none where it names no event.
    pub fn read(body: &Value) -> Option<Self> {
        let fields: BTreeMap<String, Value> = body
            .as_object()?
            .iter()
            .map(|(key, value)| (key.to_ascii_lowercase(), value.clone()))
            .collect();
        let event = fields.get("event")?.as_str()?.trim().to_owned();
        let timestamp = fields.get("timestamp").map(ToString::to_string);
        (!event.is_empty()).then(|| Self {
            event,
            timestamp: timestamp.unwrap_or_default(),
            fields,
        })
    }

    /// An id by its name in small letters: `guestid`. The text beside a number is preferred, since
    /// a number may have lost digits.
    pub fn id(&self, name: &str) -> Option<String> {
        [format!("{name}_str"), name.to_owned()]
            .iter()
            .find_map(|key| id(self.fields.get(key)?))
    }

    /// Ids of a list of rooms, however it is written.
    pub fn rooms(&self) -> Vec<String> {
        let mut found: Vec<String> = self.id("roomid").into_iter().collect();
        for key in ["rooms", "roomids"] {
            for room in self
                .fields
                .get(key)
                .map(super::elements)
                .unwrap_or_default()
            {
                let inner = room.as_object().and_then(|fields| {
                    let mut keys = fields.iter();
                    keys.find(|(key, _)| key.eq_ignore_ascii_case("roomid"))
                        .map(|(_, value)| value)
                });
                found.extend(id(inner.unwrap_or(room)));
            }
        }
        found.dedup();
        found
    }
}

fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
