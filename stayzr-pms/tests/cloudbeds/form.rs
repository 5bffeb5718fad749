//! Reads forms as PHP does.

use serde_json::{Map, Value};

/// `rooms[0][roomTypeID]=6` as `{"rooms": [{"roomTypeID": "6"}]}`.
pub fn read(text: &str) -> Value {
    let mut whole = Map::new();
    for (key, value) in pairs(text) {
        let mut parts = key.split('[').map(|part| part.trim_end_matches(']'));
        let name = parts.next().unwrap().to_owned();
        match (parts.next(), parts.next()) {
            (Some(at), Some(field)) => {
                let list = whole
                    .entry(name)
                    .or_insert_with(|| Value::Array(Vec::new()));
                let list = list.as_array_mut().unwrap();
                let at: usize = at.parse().unwrap();
                while list.len() <= at {
                    list.push(Value::Object(Map::new()));
                }
                list[at][field] = Value::from(value);
            }
            _ => {
                let before = whole.insert(name.clone(), Value::from(value));
                assert!(before.is_none(), "{name} is sent twice");
            }
        }
    }
    Value::Object(whole)
}

/// Keys and values, decoded.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://form.example/?{text}")).unwrap();
    url.query_pairs()
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}
