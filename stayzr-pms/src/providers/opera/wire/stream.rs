//! `graphql-transport-ws`, as OPERA's stream of business events speaks it. Pure.

use serde_json::{Value, json};

/// The subprotocol that both sides name.
pub const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Fields of an event that are asked for; OPERA gives no others.
const FIELDS: &str = "metadata { offset uniqueEventId } moduleName eventName primaryKey timestamp \
                      hotelId publisherId actionInstanceId detail { elementName oldValue newValue \
                      scopeFrom scopeTo elementSequence elementType elementRole }";

/// Asks to be let in.
pub fn init(bearer: &str, app_key: &str) -> Value {
    json!({"type": "connection_init",
        "payload": {"Authorization": bearer, "x-app-key": app_key}})
}

/// Asks for the events of a chain behind an offset, or from now on where there is none yet.
///
/// ```
/// use stayzr_pms::providers::opera::wire::subscribe;
///
/// let asked = subscribe("1", "CHAIN", Some("147"))["payload"]["query"].to_string();
/// assert!(asked.contains(r#"chainCode:\"CHAIN\", offset:\"147\", delta:true"#));
/// ```
pub fn subscribe(id: &str, chain: &str, offset: Option<&str>) -> Value {
    let from = match offset {
        Some(offset) => format!("offset:{}", json!(offset)),
        None => "offsetType:\"highest\"".to_owned(),
    };
    let chain = json!(chain);
    let query = format!(
        "subscription {{ newEvent(input:{{chainCode:{chain}, {from}, delta:true}}) {{ {FIELDS} }} }}"
    );
    json!({"id": id, "type": "subscribe", "payload": {"query": query}})
}

/// What OPERA says on the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamSays {
    /// Let in.
    Ack,
    /// An event, as it came.
    Event(Value),
    /// It wants an answer.
    Ping,
    /// It answered.
    Pong,
    /// It gives no more events.
    Complete,
    /// It refuses the question, in these words.
    Refuses(String),
    /// Something we do not know.
    Unknown,
}

impl StreamSays {
    /// Reads a message; none if it is no JSON.
    pub fn read(text: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(text).ok()?;
        let errors = |at: &Value| {
            let first = at.get(0).unwrap_or(at);
            let said = first["message"].as_str().map(str::to_owned);
            said.unwrap_or_else(|| "without a reason".to_owned())
        };
        Some(match message["type"].as_str().unwrap_or_default() {
            "connection_ack" => Self::Ack,
            "next" => match message.pointer("/payload/data/newEvent") {
                Some(event) if event.is_object() => Self::Event(event.clone()),
                _ if message.pointer("/payload/errors").is_some() => {
                    Self::Refuses(errors(&message["payload"]["errors"]))
                }
                _ => Self::Unknown,
            },
            "ping" => Self::Ping,
            "pong" => Self::Pong,
            "complete" => Self::Complete,
            "error" => Self::Refuses(errors(&message["payload"])),
            _ => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opera_says_is_told_by_its_type_and_the_rest_is_let_be() {
        let read = |message: Value| StreamSays::read(&message.to_string()).unwrap();
        assert_eq!(read(json!({"type": "connection_ack"})), StreamSays::Ack);
        let event = json!({"primaryKey": "1"});
        let next = json!({"type": "next", "id": "1", "payload": {"data": {"newEvent": event}}});
        assert_eq!(read(next), StreamSays::Event(event));
        let refusal = json!({"type": "error", "payload": [{"message": "no such chain"}]});
        assert_eq!(
            read(refusal),
            StreamSays::Refuses("no such chain".to_owned())
        );
        let half = json!({"type": "next", "payload": {"errors": [{"message": "half"}]}});
        assert_eq!(read(half), StreamSays::Refuses("half".to_owned()));
        for strange in [json!({"type": "ka"}), json!([]), json!({"type": "next"})] {
            assert_eq!(read(strange), StreamSays::Unknown);
        }
        assert_eq!(StreamSays::read("<html>"), None);
    }

    #[test]
    fn without_an_offset_the_backlog_is_not_asked_for() {
        let asked = subscribe("1", "CHAIN", None);
        let query = asked["payload"]["query"].as_str().unwrap();
        assert!(query.contains("offsetType:\"highest\""), "{query}");
        assert!(!query.contains("offset:"), "{query}");
    }
}
