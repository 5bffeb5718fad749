use serde_json::Value;

use super::open::Node;

/// One business event, polled or streamed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BusinessEvent {
    /// Its id: in the queue of the external system, or in the stream.
    pub id: Option<String>,
    /// Its place in the stream; none where it was polled.
    pub offset: Option<String>,
    /// The module it is of: `Reservation`, or a number.
    pub module: String,
    /// What happened: `UPDATE PROFILE`.
    pub action: String,
    /// The record's id.
    pub key: Option<String>,
    /// The hotel's code.
    pub hotel: Option<String>,
    /// What changed: the element and its value now.
    pub elements: Vec<(String, Option<String>)>,
}

impl BusinessEvent {
    /// The key under which events of a stream stand in a batch, each as it came.
    pub const STREAMED: &'static str = "newEvents";

    /// Every event of a batch, or of one message of the stream; none if the body is neither.
    pub fn batch(body: &Value) -> Option<Vec<Self>> {
        let body = Node::of(body);
        let polled = body.at("businessEventData");
        if polled.is_there() {
            let all = polled.items(&[]);
            return Some(all.into_iter().map(Self::polled).collect());
        }
        let message = body.at("payload/data/newEvent");
        let streamed = match body.at(Self::STREAMED) {
            many if many.is_there() => many,
            _ => message,
        };
        streamed.is_there().then(|| {
            let all = streamed.items(&[]);
            all.into_iter().map(Self::streamed).collect()
        })
    }

    fn polled(one: Node<'_>) -> Self {
        let event = one.at("businessEvent");
        let header = event.at("header");
        let text = |key: &str| header.at(key).text();
        Self {
            id: one.at("businessEventId/id").text(),
            offset: None,
            module: text("moduleName").unwrap_or_default(),
            action: text("actionType").unwrap_or_default(),
            key: text("primaryKey"),
            hotel: text("hotelId"),
            elements: elements(event.at("details"), "dataElement"),
        }
    }

    /// An event as the stream gives it.
    pub(in super::super) fn streamed(event: Node<'_>) -> Self {
        let text = |key: &str| event.at(key).text();
        Self {
            id: text("metadata/uniqueEventId"),
            offset: text("metadata/offset"),
            module: text("moduleName").unwrap_or_default(),
            action: text("eventName").unwrap_or_default(),
            key: text("primaryKey"),
            hotel: text("hotelId"),
            elements: elements(event.at("detail"), "elementName"),
        }
    }
}

fn elements(list: Node<'_>, name: &str) -> Vec<(String, Option<String>)> {
    let all = list.items(&[]);
    all.iter()
        .filter_map(|one| Some((one.at(name).text()?, one.at("newValue").text())))
        .collect()
}
