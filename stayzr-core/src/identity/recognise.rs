use super::{
    name::{fold, given_names_agree, words},
    relay::is_relay_address,
};
use crate::{
    ids::GuestId,
    transform::{EntityRow, FieldMap},
};

/// By which address a guest matches a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchedBy {
    /// The telephone, in E.164.
    Phone,
    /// The email, in lower case.
    Email,
}

/// A guest who may be the one that a record is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate<'a> {
    /// The guest's row.
    pub guest: &'a EntityRow,
    /// The addresses of the record that lead to the guest.
    pub by: Vec<MatchedBy>,
    /// Whether the guest wrote from the telephone that matches.
    pub written_from: bool,
    /// Whether another record of the same integration is this guest already.
    pub mapped_here: bool,
}

/// Whom a record is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognition {
    /// This guest.
    Same(GuestId),
    /// Perhaps one of these, which only a person can say: the record becomes a guest of its own.
    Doubtful(Vec<GuestId>),
    /// Nobody we know.
    Nobody,
}

/// Recognises the guest that a vendor's record is about, among those its addresses lead to. The
/// record is new to its integration: a mapped one is known by its id, before this is asked.
///
/// The telephone is looked at before the email, and an address that leads to nobody is passed by;
/// one that leads to several guests, or to one who is not surely the same, is a doubt that a weaker
/// address does not remove. A guest is surely the same who is active, is no other record of the
/// same integration, and either
/// - has the same family name, folded, and a given name that does not contradict; or
/// - first wrote to us, from this telephone, while one of the two has no family name. What a
///   messenger calls its owner is a nickname and contradicts nothing, unless it is several words
///   of which the record has none.
///
/// Nobody is recognised by an address that a booking site forwards from ([`is_relay_address`]),
/// and a guest who is not active matches nothing.
pub fn recognise(record: &FieldMap, candidates: &[Candidate<'_>]) -> Recognition {
    let relayed = record.text("email").is_some_and(is_relay_address);
    for by in [MatchedBy::Phone, MatchedBy::Email] {
        if by == MatchedBy::Email && relayed {
            continue;
        }
        let matched: Vec<&Candidate<'_>> = candidates
            .iter()
            .filter(|candidate| candidate.by.contains(&by) && is_active(candidate.guest))
            .collect();
        return match matched.as_slice() {
            [] => continue,
            [one] if surely(record, one, by) => Recognition::Same(one.guest.id.into()),
            several => {
                let mut guests: Vec<GuestId> =
                    several.iter().map(|one| one.guest.id.into()).collect();
                guests.sort_unstable();
                guests.dedup();
                Recognition::Doubtful(guests)
            }
        };
    }
    Recognition::Nobody
}

fn is_active(guest: &EntityRow) -> bool {
    let active = guest.fields.get("active").and_then(|flag| flag.as_bool());
    active != Some(false) && guest.fields.text("merged_into").is_none()
}

fn surely(record: &FieldMap, candidate: &Candidate<'_>, by: MatchedBy) -> bool {
    if candidate.mapped_here {
        return false;
    }
    let known = &candidate.guest.fields;
    let family = |fields: &FieldMap| fold(fields.text("last_name").unwrap_or_default());
    let (theirs, ours) = (family(record), family(known));
    let given_agree = given_names_agree(record.text("first_name"), known.text("first_name"));
    if theirs.is_empty() || ours.is_empty() {
        let wrote = by == MatchedBy::Phone
            && candidate.written_from
            && known.text("origin") == Some("channel");
        return wrote && (given_agree || !names_another(known, record));
    }
    theirs == ours && given_agree
}

/// Whether a guest without a family name goes by several words, none of which a record has.
fn names_another(known: &FieldMap, record: &FieldMap) -> bool {
    let all = |fields: &FieldMap| -> Vec<String> {
        ["first_name", "last_name"]
            .iter()
            .flat_map(|field| words(fields.text(field).unwrap_or_default()))
            .collect()
    };
    let (known, record) = (all(known), all(record));
    known.len() > 1 && !record.is_empty() && !known.iter().any(|word| record.contains(word))
}
