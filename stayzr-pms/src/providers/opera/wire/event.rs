use serde_json::Value;

use super::open::Node;

/// One business event of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BusinessEvent {
    /// Its id in the queue, unique for the external system.
    pub id: Option<String>,
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
    /// Every event of a batch; none if the body is no batch at all.
    pub fn batch(body: &Value) -> Option<Vec<Self>> {
        let events = Node::of(body).at("businessEventData");
        events.is_there().then(|| {
            let all = events.items(&[]);
            all.into_iter().map(Self::read).collect()
        })
    }

    fn read(one: Node<'_>) -> Self {
        let event = one.at("businessEvent");
        let header = event.at("header");
        let text = |key: &str| header.at(key).text();
        let elements = event.at("details").items(&[]);
        Self {
            id: one.at("businessEventId/id").text(),
            module: text("moduleName").unwrap_or_default(),
            action: text("actionType").unwrap_or_default(),
            key: text("primaryKey"),
            hotel: text("hotelId"),
            elements: elements
                .iter()
                .filter_map(|one| Some((one.at("dataElement").text()?, one.at("newValue").text())))
                .collect(),
        }
    }
}
