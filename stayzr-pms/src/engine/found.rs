//! Whether a record at the vendor is what we are about to make there. Pure.

use stayzr_core::{
    identity::{fold, is_relay_address},
    model::ContactChannel,
    transform::FieldMap,
};

use super::identity::address;
use crate::{Push, RemoteRecord};

/// What was found at the vendor before a create.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'a> {
    /// Nothing that could be it.
    Nothing,
    /// Plainly the same.
    Same(&'a RemoteRecord),
    /// Records that may be the same, or may be others.
    Doubtful(Vec<&'a RemoteRecord>),
}

/// Judges guests. The same: an address in common, and the same names. In doubt: an address in
/// common and other names; the same names and no address on either side that could tell the two
/// apart; several that look the same.
pub(super) fn guest<'a>(
    ours: &FieldMap,
    found: &'a [RemoteRecord],
    country: Option<&str>,
) -> Found<'a> {
    let (mut same, mut doubtful) = (Vec::new(), Vec::new());
    for record in found.iter().filter(|record| record.merged_into.is_none()) {
        let theirs = &record.fields;
        let names = ["first_name", "last_name"].into_iter().all(|field| {
            fold(ours.text(field).unwrap_or_default())
                == fold(theirs.text(field).unwrap_or_default())
        });
        let our_addresses = addresses(ours, country);
        let their_addresses = addresses(theirs, country);
        let shared = our_addresses
            .iter()
            .any(|address| their_addresses.contains(address));
        let silent = our_addresses.is_empty() && their_addresses.is_empty();
        match (names, shared) {
            (true, true) => same.push(record),
            (false, true) => doubtful.push(record),
            (true, false) if silent => doubtful.push(record),
            _ => {}
        }
    }
    match (same.as_slice(), doubtful.is_empty()) {
        ([], true) => Found::Nothing,
        ([one], _) => Found::Same(one),
        ([], false) => Found::Doubtful(doubtful),
        (_, _) => Found::Doubtful(same),
    }
}

/// Judges notes and service requests: the same are about the same records, say the same, and are
/// neither removed nor over.
pub(super) fn said<'a>(push: &Push, field: &str, found: &'a [RemoteRecord]) -> Found<'a> {
    let text = |fields: &FieldMap| fields.text(field).map(|text| text.trim().to_owned());
    let same = found.iter().find(|record| {
        record.fields.get("active") != Some(&false.into())
            && !matches!(record.fields.text("status"), Some("done" | "cancelled"))
            && text(&record.fields) == text(&push.changed)
            && push
                .links
                .iter()
                .all(|(field, link)| record.links.get(field.as_str()) == Some(link))
    });
    same.map_or(Found::Nothing, Found::Same)
}

/// A guest's own addresses; those that a booking site forwards from are shared by strangers.
fn addresses(fields: &FieldMap, country: Option<&str>) -> Vec<(ContactChannel, String)> {
    [
        ("email", ContactChannel::Email),
        ("phone", ContactChannel::Phone),
    ]
    .into_iter()
    .filter_map(|(field, channel)| {
        let address = address(channel, fields.text(field)?, country)?;
        Some((channel, address))
    })
    .filter(|(channel, address)| *channel != ContactChannel::Email || !is_relay_address(address))
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, Value, json};
    use stayzr_core::transform::EntityKind;

    use super::*;

    fn map(fields: Value) -> FieldMap {
        match fields {
            Value::Object(fields) => fields.into_iter().collect(),
            _ => FieldMap::new(),
        }
    }

    fn record(fields: Value) -> RemoteRecord {
        RemoteRecord {
            kind: EntityKind::Guest,
            external_id: "found".to_owned(),
            version: None,
            fields: map(fields),
            links: BTreeMap::new(),
            merged_into: None,
            extra: Map::new(),
            unknown: Vec::new(),
        }
    }

    fn judge(ours: Value, theirs: Value) -> &'static str {
        match guest(&map(ours), &[record(theirs)], Some("PT")) {
            Found::Nothing => "nothing",
            Found::Same(_) => "same",
            Found::Doubtful(_) => "doubtful",
        }
    }

    #[test]
    fn an_address_and_the_names_say_who_is_the_same() {
        let ours = json!({"first_name": "Ana", "last_name": "Conceição", "email": "ana@x.pt",
            "phone": "912 345 678"});
        for (theirs, verdict) in [
            (
                json!({"first_name": "ANA", "last_name": "Conceicao", "email": "Ana@X.pt"}),
                "same",
            ),
            (
                json!({"first_name": "Ana", "last_name": "Conceição", "phone": "+351912345678"}),
                "same",
            ),
            (
                json!({"first_name": "Rui", "last_name": "Conceição", "email": "ana@x.pt"}),
                "doubtful",
            ),
            (
                json!({"last_name": "Conceição", "email": "ana@x.pt"}),
                "doubtful",
            ),
            (
                json!({"first_name": "Ana", "last_name": "Conceição"}),
                "nothing",
            ),
            (
                json!({"first_name": "Ana", "last_name": "Conceição", "email": "b@x.pt"}),
                "nothing",
            ),
        ] {
            assert_eq!(judge(ours.clone(), theirs.clone()), verdict, "{theirs}");
        }
    }

    #[test]
    fn names_alone_leave_a_doubt_and_a_forwarding_address_says_nothing() {
        let nameless = json!({"first_name": "Ana", "last_name": "Silva"});
        assert_eq!(judge(nameless.clone(), nameless), "doubtful");
        let relay = "asilva.123456@guest.booking.com";
        let ours = json!({"first_name": "Ana", "last_name": "Silva", "email": relay,
            "phone": "+351912345678"});
        let theirs = json!({"first_name": "Rui", "last_name": "Silva", "email": relay});
        assert_eq!(judge(ours, theirs), "nothing");
    }

    #[test]
    fn two_that_look_the_same_are_a_doubt_and_a_merged_one_is_nobody() {
        let ours = json!({"first_name": "Ana", "last_name": "Silva", "email": "ana@x.pt"});
        let twice = [record(ours.clone()), record(ours.clone())];
        assert!(
            matches!(guest(&map(ours.clone()), &twice, None), Found::Doubtful(both) if both.len() == 2)
        );
        let mut merged = record(ours.clone());
        merged.merged_into = Some("other".to_owned());
        assert_eq!(guest(&map(ours), &[merged], None), Found::Nothing);
    }
}
