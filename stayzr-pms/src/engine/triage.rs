//! Which records of a page are news.

use std::collections::HashMap;

use stayzr_core::port::sync::Mapping;

use super::{
    fingerprint::hash_with,
    notes::{self, Notes},
};
use crate::RemoteRecord;

pub use super::fingerprint::record_hash;

/// What a record is to us before anything of it is compared with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Never seen.
    New,
    /// Seen with other content.
    Changed,
    /// The content that was seen last, with links that could not be followed then.
    Unlinked,
    /// The content that was seen last, of a row that was in dispute then: what was edited or
    /// decided here since may have ended it.
    Disputed,
    /// A record that the vendor was found not to have any more.
    Returned,
    /// The content that was seen last under a newer mark.
    Marked,
    /// Exactly what was seen last.
    Unchanged,
    /// Older than what was seen last.
    Stale,
    /// The vendor's answer to a push of ours. Never the outcome of a triage.
    Answered,
    /// Erased here for good.
    Erased,
}

/// A record with its hash and verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Triaged<'a> {
    /// The record.
    pub record: &'a RemoteRecord,
    /// [`record_hash`] of it.
    pub hash: String,
    /// What it is to us.
    pub verdict: Verdict,
}

impl Triaged<'_> {
    /// Whether rows and links must be loaded to go on.
    pub fn is_news(&self) -> bool {
        matches!(
            self.verdict,
            Verdict::New
                | Verdict::Changed
                | Verdict::Unlinked
                | Verdict::Disputed
                | Verdict::Returned
        )
    }
}

/// Judges a page. A record that comes twice counts once, in its newest state; a record older than
/// what was seen, by the vendor's own mark, is stale, and one under an equal mark with other content
/// is news. No clock of ours has a say.
pub fn triage<'a>(
    records: &'a [RemoteRecord],
    mappings: &HashMap<String, Mapping>,
) -> Vec<Triaged<'a>> {
    let mut newest: HashMap<&str, usize> = HashMap::with_capacity(records.len());
    let mut unique: Vec<&RemoteRecord> = Vec::with_capacity(records.len());
    for record in records {
        match newest.get(record.external_id.as_str()) {
            Some(&at) if is_older(record.version.as_deref(), unique[at].version.as_deref()) => {}
            Some(&at) => unique[at] = record,
            None => {
                newest.insert(&record.external_id, unique.len());
                unique.push(record);
            }
        }
    }
    let mut text = Vec::new();
    unique
        .into_iter()
        .map(|record| {
            let hash = hash_with(record, &mut text);
            let verdict = judge(record, &hash, mappings.get(&record.external_id));
            Triaged {
                record,
                hash,
                verdict,
            }
        })
        .collect()
}

/// Whether the first mark is certainly older than the second; marks are compared only with marks
/// of the same record, never with a clock of ours.
pub(super) fn is_older(mark: Option<&str>, than: Option<&str>) -> bool {
    matches!((mark, than), (Some(mark), Some(than)) if mark < than)
}

fn judge(record: &RemoteRecord, hash: &str, mapping: Option<&Mapping>) -> Verdict {
    let Some(mapping) = mapping else {
        return Verdict::New;
    };
    let (mark, seen) = (record.version.as_deref(), mapping.version.as_deref());
    let notes = Notes::of(mapping);
    if notes.erased {
        return Verdict::Erased;
    }
    if is_older(mark, seen) {
        return Verdict::Stale;
    }
    if mapping.gone_at.is_some() {
        return Verdict::Returned;
    }
    let newer = is_older(seen, mark) || (seen.is_none() && mark.is_some());
    if hash == mapping.hash {
        if notes::was_disputed(mapping) {
            return Verdict::Disputed;
        }
        return match (notes.unresolved.is_empty(), newer) {
            (false, _) => Verdict::Unlinked,
            (true, true) => Verdict::Marked,
            (true, false) => Verdict::Unchanged,
        };
    }
    Verdict::Changed
}
