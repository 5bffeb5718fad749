//! What a record says, as one text and its hash.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::RemoteRecord;

/// SHA-256 over everything a record says but its mark: fields, links, extra, merge.
///
/// It is stored with the mapping, so that a record which says the same again is known without its
/// row: the text that it is made of must not change between releases, or the first run after one
/// would look at every row.
pub fn record_hash(record: &RemoteRecord) -> String {
    hash_with(record, &mut Vec::new())
}

/// The same with a buffer that is used again.
pub(super) fn hash_with(record: &RemoteRecord, text: &mut Vec<u8>) -> String {
    text.clear();
    text.extend_from_slice(b"{\"extra\":");
    write_map(&record.extra, text);
    text.extend_from_slice(b",\"fields\":");
    write_entries(record.fields.iter(), text, write_value);
    text.extend_from_slice(b",\"links\":");
    let links = record.links.iter().map(|(field, link)| (*field, link));
    write_entries(links, text, |link, text| match link {
        Some(link) => write_text(&link.id, text),
        None => text.extend_from_slice(b"null"),
    });
    text.extend_from_slice(b",\"merged_into\":");
    match &record.merged_into {
        Some(target) => write_text(target, text),
        None => text.extend_from_slice(b"null"),
    }
    text.push(b'}');
    hexadecimal(&Sha256::digest(&*text))
}

pub(super) fn hexadecimal(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    digest
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn write_value(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Null => text.extend_from_slice(b"null"),
        Value::Bool(true) => text.extend_from_slice(b"true"),
        Value::Bool(false) => text.extend_from_slice(b"false"),
        Value::Number(number) => text.extend_from_slice(number.to_string().as_bytes()),
        Value::String(string) => write_text(string, text),
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                write_value(item, text);
            }
            text.push(b']');
        }
        Value::Object(map) => write_map(map, text),
    }
}

/// Sorted by key: the JSON library's own map may keep the order of insertion.
fn write_map(map: &serde_json::Map<String, Value>, text: &mut Vec<u8>) {
    let entries = map.iter().map(|(key, value)| (key.as_str(), value));
    if map.keys().is_sorted() {
        return write_entries(entries, text, write_value);
    }
    let mut sorted: Vec<(&str, &Value)> = entries.collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    write_entries(sorted.into_iter(), text, write_value);
}

fn write_entries<'a, V>(
    entries: impl Iterator<Item = (&'a str, V)>,
    text: &mut Vec<u8>,
    write: impl Fn(V, &mut Vec<u8>),
) {
    text.push(b'{');
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 {
            text.push(b',');
        }
        write_text(key, text);
        text.push(b':');
        write(value, text);
    }
    text.push(b'}');
}

fn write_text(string: &str, text: &mut Vec<u8>) {
    // Most texts need no escape and are copied whole.
    if string
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        text.push(b'"');
        text.extend_from_slice(string.as_bytes());
        text.push(b'"');
    } else {
        text.extend_from_slice(Value::from(string).to_string().as_bytes());
    }
}
