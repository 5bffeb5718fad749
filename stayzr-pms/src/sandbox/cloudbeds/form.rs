use serde_json::{Map, Value};

/// What a query or a form says, by the keys as they came: `rooms[0][roomTypeID]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    pub(super) fn parse(text: &str) -> Self {
        Self(
            text.split('&')
                .filter(|part| !part.is_empty())
                .map(|part| {
                    let (key, value) = part.split_once('=').unwrap_or((part, ""));
                    (decode(key), decode(value))
                })
                .collect(),
        )
    }

    /// A value; a blank one is there.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// A value that says something.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| !value.is_empty())
    }

    /// A flag that is on unless it is switched off.
    pub(super) fn by_default(&self, key: &str) -> bool {
        !matches!(self.get(key), Some("false" | "0"))
    }

    /// A flag that is off unless it is switched on.
    pub(super) fn on_request(&self, key: &str) -> bool {
        matches!(self.get(key), Some("true" | "1"))
    }

    /// Values of a list that is written with commas.
    pub(super) fn listed(&self, key: &str) -> Option<Vec<&str>> {
        Some(self.text(key)?.split(',').map(str::trim).collect())
    }

    /// The elements of a list of objects, `name[0][key]=…`.
    pub(super) fn items(&self, name: &str) -> Vec<Map<String, Value>> {
        let mut found: Vec<(String, Map<String, Value>)> = Vec::new();
        for (key, value) in &self.0 {
            let inner = key
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('['))
                .and_then(|rest| rest.strip_suffix(']'))
                .and_then(|rest| rest.split_once("]["));
            let Some((at, field)) = inner else { continue };
            let position = found.iter().position(|(known, _)| known == at);
            let index = position.unwrap_or_else(|| {
                found.push((at.to_owned(), Map::new()));
                found.len() - 1
            });
            found[index]
                .1
                .insert(field.to_owned(), Value::from(value.as_str()));
        }
        found.into_iter().map(|(_, item)| item).collect()
    }
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |offset: usize| char::from(*bytes.get(at + offset)?).to_digit(16);
        match (bytes[at], digit(1), digit(2)) {
            (b'+', ..) => plain.push(b' '),
            (b'%', Some(high), Some(low)) => {
                plain.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (byte, ..) => plain.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_php_are_read() {
        let form = Form::parse(
            "a=1+2&b=%C3%BC&rooms%5B0%5D%5BroomTypeID%5D=6&rooms[0][adults]=2&rooms[1][adults]=1&off=false",
        );
        assert_eq!(form.get("a"), Some("1 2"));
        assert_eq!(form.get("b"), Some("ü"));
        assert!(!form.by_default("off"));
        let rooms = form.items("rooms");
        assert_eq!(rooms.len(), 2);
        assert_eq!(rooms[0]["roomTypeID"], "6");
        assert_eq!(rooms[1]["adults"], "1");
    }
}
