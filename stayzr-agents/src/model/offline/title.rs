//! How well the title of a passage or row names what is asked: `Hotel garage` is the answer about
//! parking, `Garage height limit` is a detail of it.

use std::collections::HashSet;

use super::wanted::{Wanted, names_kind};
use crate::{router::lexicon, text};

/// What a question is about, as titles are compared with it.
pub(super) struct Subject<'a> {
    /// Stems of the question's words and of what they are called in English.
    pub(super) stems: &'a HashSet<String>,
    /// Names of the concepts of the question.
    pub(super) concepts: &'a HashSet<&'static str>,
    /// The kinds of answer that it wants.
    pub(super) wanted: &'a [Wanted],
    /// Whether it asks for a thing as such, and not for a detail of it.
    pub(super) is_plain: bool,
    /// Words of the property's name, which tell titles of one house not apart.
    pub(super) property: &'a HashSet<String>,
}

/// Words behind which a title only says where or for whom.
const JOINTS: &[&str] = &[
    "of", "at", "in", "for", "with", "on", "from", "after", "by", "to", "near", "de", "do", "da",
    "em", "im", "fur", "mit", "du", "des", "en", "del",
];

/// What the house's name adds to a row or sentence, where a thing is asked for as such:
/// `Salt-water pool at Northwind Harbour Edinburgh` is the pool, and `Pool towels in Edinburgh` are
/// not.
pub(super) fn house(text: &str, subject: &Subject<'_>, gain: f64) -> f64 {
    let words: HashSet<String> = text::words(text).into_iter().collect();
    let named = subject.property.len() >= 2 && subject.property.is_subset(&words);
    if subject.is_plain && named { gain } else { 1.0 }
}

/// How well a sentence begins: with the thing that is asked for, or with another kind of it, as
/// `early check-in` is to check-in and `guide dogs` are to dogs.
pub(super) fn lead(sentence: &str, subject: &Subject<'_>) -> f64 {
    let words = text::words(&text::join_compounds(sentence));
    let mut telling = words
        .iter()
        .filter(|word| !text::is_stop_word(word) && !subject.property.contains(*word));
    // What guests do with the thing is no other kind of it.
    let mut begins = || {
        telling
            .next()
            .filter(|word| !super::select::is_of_every_house(word))
            .map(|word| subject.covers(word))
    };
    match (begins(), begins()) {
        (Some(true), _) => 1.1,
        (Some(false), Some(true)) => 0.85,
        _ => 1.0,
    }
}

/// From 0 for a title about something else to 1 for one that is just what is asked; nothing for a
/// title that says nothing.
pub(super) fn fit(title: &str, subject: &Subject<'_>) -> Option<f64> {
    let words = text::words(&text::join_compounds(title));
    let tells = |word: &&String| {
        let says_kind_only = subject.wanted.is_empty() && names_kind(word).is_some();
        !text::is_stop_word(word)
            && !super::select::is_of_every_house(word)
            && !subject.property.contains(*word)
            && !says_kind_only
    };
    let core = words
        .iter()
        .skip(1)
        .position(|word| JOINTS.contains(&word.as_str()))
        .map_or(words.len(), |at| at + 1);
    let telling: Vec<&String> = words.iter().filter(tells).collect();
    if telling.is_empty() {
        return None;
    }
    let covered: f64 = telling.iter().map(|word| subject.worth(word)).sum();
    // English names the thing last: a pool towel is a towel.
    let head = words[..core]
        .iter()
        .rev()
        .find(|word| tells(word))
        .or(telling.last().copied());
    let named = head.map_or(0.0, |word| subject.worth(word));
    Some(0.4 * named + 0.6 * covered / telling.len() as f64)
}

impl Subject<'_> {
    fn covers(&self, word: &str) -> bool {
        self.worth(word) > 0.0
    }

    /// The word that was asked is worth more than another of the same concept, which may be a
    /// part of the thing only.
    fn worth(&self, word: &str) -> f64 {
        if let Some(kind) = names_kind(word) {
            return f64::from(u8::from(self.wanted.contains(&kind)));
        }
        if super::select::has(self.stems, &text::stem(word)) {
            return 1.0;
        }
        let same = lexicon::named(word)
            .iter()
            .any(|(concept, _)| self.concepts.contains(concept.name));
        if same { 0.8 } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(title: &str) -> f64 {
        let subject = Subject {
            stems: &HashSet::from(["park".to_owned()]),
            concepts: &HashSet::from(["parking"]),
            wanted: &[Wanted::Price],
            is_plain: true,
            property: &HashSet::from(["casa".to_owned()]),
        };
        fit(title, &subject).unwrap_or(0.5)
    }

    #[test]
    fn the_thing_itself_comes_before_its_details() {
        assert!(fits("Hotel garage of Casa") > fits("Valet parking"));
        assert!(fits("Valet parking") > fits("Garage height limit"));
        assert!(fits("Parking prices") > fits("Parking hours"));
        assert!(fits("Garage of the Casa") > fits("Garage reservation in the Casa"));
    }
}
