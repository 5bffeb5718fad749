//! What guests talk about, in seven languages: each concept has its words, the specialists it points
//! to, and an English gloss that helps to search English documents.

use std::{str::FromStr, sync::LazyLock};

use crate::{
    specialists::Specialist,
    text::{self, PhraseSet},
};

/// Something that guests talk about.
#[derive(Debug)]
pub(crate) struct Concept {
    /// Its name, shown as the reason of a route.
    pub(crate) name: &'static str,
    /// How it is called in English documents; empty where a search gains nothing from it.
    pub(crate) gloss: &'static str,
    /// Who deals with it, and how strongly it points there.
    pub(crate) weight: Vec<(Specialist, f64)>,
    forms: PhraseSet,
}

static CONCEPTS: LazyLock<Vec<Concept>> = LazyLock::new(|| parse(include_str!("concepts.txt")));

/// The concepts that a text names, each with the form that names it.
pub(crate) fn named(message: &str) -> Vec<(&'static Concept, &'static str)> {
    // Breakfast is no small lunch.
    let joined = text::fold(message)
        .replace(['-', '\u{2011}'], " ")
        .replace("pequeno almoco", "pequenoalmoco")
        .replace("petit dejeuner", "petitdejeuner");
    let words = text::words(&joined);
    let found = find(&words);
    if !found.is_empty() || words.len() > MISSPELT_WORDS {
        return found;
    }
    // A short message that names nothing may name something in other letters.
    let mended: Vec<String> = words
        .into_iter()
        .map(|word| nearest(&word).map_or(word, str::to_owned))
        .collect();
    find(&mended)
}

/// Longer messages than this are not searched for slips of the pen.
const MISSPELT_WORDS: usize = 8;

fn find(words: &[String]) -> Vec<(&'static Concept, &'static str)> {
    CONCEPTS
        .iter()
        .filter_map(|concept| concept.forms.find(words).map(|(_, form)| (concept, form)))
        .collect()
}

/// The word of the lexicon that is spelled almost so: one slip in six to eight letters, two in
/// nine or more, the first letter right.
fn nearest(word: &str) -> Option<&'static str> {
    let allowed = match word.chars().count() {
        0..6 => return None,
        6..9 => 1,
        _ => 2,
    };
    if text::is_stop_word(word) {
        return None;
    }
    let first = word.chars().next()?;
    SINGLE_WORDS
        .iter()
        .filter(|form| form.starts_with(first) && form.len().abs_diff(word.len()) <= allowed)
        .map(|form| (strsim::osa_distance(form, word), *form))
        .filter(|(slips, _)| *slips <= allowed)
        .min()
        .map(|(_, form)| form)
}

/// The words of five letters and more that are forms by themselves.
static SINGLE_WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    include_str!("concepts.txt")
        .lines()
        .filter(|line| !line.starts_with(['#', '[']))
        .flat_map(|line| line.split(','))
        .map(|form| form.trim().trim_end_matches('*'))
        .filter(|form| form.len() >= 5 && !form.contains(' '))
        .collect()
});

/// Reads the list of concepts; its head says how it is written.
fn parse(list: &'static str) -> Vec<Concept> {
    let body = list.find("\n[").map_or("", |start| &list[start + 2..]);
    body.split("\n[")
        .filter_map(|entry| {
            let (head, forms) = entry.split_once('\n')?;
            let (name, rest) = head.split_once(']')?;
            let (gloss, weights) = rest.split_once('|')?;
            Some(Concept {
                name,
                gloss: gloss.trim(),
                weight: weights.split(',').filter_map(weight).collect(),
                forms: PhraseSet::new(forms.split("\n#").next().unwrap_or(forms)),
            })
        })
        .collect()
}

fn weight(text: &str) -> Option<(Specialist, f64)> {
    let (name, weight) = text.trim().split_once(' ')?;
    let specialist = Specialist::ALL
        .into_iter()
        .find(|specialist| specialist.as_str() == name)?;
    Some((specialist, f64::from_str(weight).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_concept_is_read_whole() {
        let entries = include_str!("concepts.txt")
            .lines()
            .filter(|line| line.starts_with('['))
            .count();
        assert_eq!(CONCEPTS.len(), entries);
        for concept in CONCEPTS.iter() {
            assert!(!concept.weight.is_empty(), "{}", concept.name);
            assert!(concept.forms.find(&text::words("xyzzy")).is_none());
        }
    }

    #[test]
    fn slips_of_the_pen_are_forgiven() {
        let names = |text: &str| -> Vec<&str> {
            named(text)
                .iter()
                .map(|(concept, _)| concept.name)
                .collect()
        };
        assert_eq!(names("brekfast when?"), ["breakfast"]);
        assert_eq!(names("is there parkign"), ["parking"]);
        assert!(names("Who won the world cup in 2018?").is_empty());
    }

    #[test]
    fn breakfast_is_no_lunch_in_any_language() {
        let names: Vec<&str> = named("A que horas é o pequeno-almoço?")
            .iter()
            .map(|(concept, _)| concept.name)
            .collect();
        assert_eq!(names, ["breakfast"]);
    }
}
