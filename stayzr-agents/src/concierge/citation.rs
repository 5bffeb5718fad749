//! Which passages a reply rests on, and by which words.

use std::collections::HashSet;

use stayzr_core::model::{Citation, Passage};

use crate::{run::CallRecord, text};

/// A quote of a citation is at most so long.
const MAX_QUOTE: usize = 300;

/// One citation for each passage that the reply quotes or retells, in the order of the passages.
pub(super) fn citations(reply: &str, records: &[CallRecord]) -> Vec<Citation> {
    let flat = text::words(reply).join(" ");
    let retold: Vec<HashSet<String>> = text::sentences(reply)
        .into_iter()
        .map(content)
        .filter(|words| words.len() >= 2)
        .collect();
    let mut seen = HashSet::new();
    records
        .iter()
        .filter(|record| record.ok)
        .flat_map(|record| &record.passages)
        .filter(|passage| seen.insert(passage.chunk_id))
        .filter_map(|passage| {
            quote(passage, &flat, &retold).map(|quote| Citation {
                document_id: passage.document_id,
                chunk_id: passage.chunk_id,
                file_name: passage.file_name.clone(),
                match_tier: passage.match_tier,
                quote,
            })
        })
        .take(8)
        .collect()
}

/// The sentence of the passage that stands in the reply, or the one that it retells.
fn quote(passage: &Passage, flat: &str, retold: &[HashSet<String>]) -> Option<String> {
    let mut best: Option<(f64, &str)> = None;
    for sentence in passage.text.lines().flat_map(|line| {
        let mut parts = text::sentences(line);
        if parts.len() > 1 {
            parts.push(line.trim());
        }
        parts
    }) {
        let words = text::words(sentence);
        let said = words.len() >= 3 && flat.contains(&words.join(" "));
        if said && best.is_none_or(|(score, text)| score < 2.0 || sentence.len() > text.len()) {
            best = Some((2.0, sentence));
            continue;
        }
        let own = content(sentence);
        for claim in retold {
            let shared = own.intersection(claim).count();
            let share = shared as f64 / claim.len() as f64;
            if shared >= 2 && share >= 0.5 && best.is_none_or(|(score, _)| share > score) {
                best = Some((share, sentence));
            }
        }
    }
    best.map(|(_, sentence)| sentence.chars().take(MAX_QUOTE).collect())
}

fn content(sentence: &str) -> HashSet<String> {
    text::words(sentence)
        .iter()
        .filter(|word| !text::is_stop_word(word))
        .map(|word| text::stem(word))
        .collect()
}
